import type { History } from "./history";
import type { Frame } from "./protocol";

/** Which frame of a history is shown: the newest, or one that was chosen; it can run on from there. */
export class Player {
  /** Sequence of the frame shown; null: the newest. */
  private cursor: number | null = null;
  private due = 0;
  playing = false;
  /** Frames per second. */
  rate = 10;

  constructor(private readonly history: History) {}

  get live(): boolean {
    return this.cursor === null;
  }

  get index(): number {
    return this.cursor === null ? this.history.length - 1 : this.history.indexOf(this.cursor);
  }

  get frame(): Frame | null {
    return this.history.frameAt(this.index);
  }

  /** Shows the frame at `index` and stays there; `hold` keeps the newest from being followed. */
  seek(index: number, hold = false): void {
    const last = this.history.length - 1;
    const frame = this.history.frameAt(index);
    this.cursor = frame === null || (index >= last && !hold) ? null : frame.sequence;
    if (this.cursor === null) this.playing = false;
  }

  seekSequence(sequence: number): void {
    this.seek(this.history.indexOf(sequence), true);
  }

  move(frames: number): void {
    this.playing = false;
    this.seek(this.index + frames);
  }

  goLive(): void {
    this.cursor = null;
    this.playing = false;
  }

  play(now: number): void {
    if (this.history.length === 0) return;
    if (this.index >= this.history.length - 1) this.seek(0, true);
    else if (this.cursor === null) return;
    this.playing = true;
    this.due = now + 1000 / this.rate;
  }

  pause(): void {
    if (this.playing) this.seek(this.index, true);
    this.playing = false;
  }

  jump(direction: 1 | -1): boolean {
    const shown = this.frame?.sequence;
    if (shown === undefined) return false;
    const event = direction > 0 ? this.history.nextEvent(shown) : this.history.previousEvent(shown);
    if (event === null) return false;
    this.playing = false;
    this.seekSequence(event.sequence);
    return true;
  }

  /** Moves on as far as `now` (milliseconds) asks; true if another frame is shown. */
  tick(now: number): boolean {
    if (!this.playing || now < this.due) return false;
    const gap = 1000 / this.rate;
    const steps = Math.min(1 + Math.floor((now - this.due) / gap), 20);
    this.due = Math.max(this.due + steps * gap, now - gap);
    const next = this.index + steps;
    const end = this.history.length - 1;
    this.seek(Math.min(next, end), true);
    if (next >= end) this.playing = false;
    return true;
  }
}
