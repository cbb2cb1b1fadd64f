import type { Model, Part } from "./model";

/**
 * Milliseconds that parts may take of one animation frame's 16: styling, layout and painting of what they wrote take
 * four times as long again.
 */
const SHARE = 1.5;

/**
 * Parts of the page that show what was, brought up to date a few per animation frame, so that a frame of the grid
 * costs the page none of its own. Whoever has waited longest comes first, even where changes come faster than that.
 */
export class Turns {
  private readonly waiting = new Set<Part>();

  constructor(private readonly clock: () => number = () => performance.now()) {}

  /** Something changed, so that all of these are due; those that wait already keep their places. */
  add(parts: readonly Part[]): void {
    for (const part of parts) this.waiting.add(part);
  }

  /** Whether the page shows all that has changed. */
  get done(): boolean {
    return this.waiting.size === 0;
  }

  /** Updates at least one of those that wait, and more until this animation frame's share is spent. */
  take(model: Model, began: number): void {
    const until = began + SHARE;
    for (const part of [...this.waiting]) {
      this.waiting.delete(part);
      // behind the others, who would wait for ever if it was never done
      if (part.update(model, until) === true) this.waiting.add(part);
      if (this.clock() >= until) return;
    }
  }
}
