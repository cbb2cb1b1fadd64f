import { bisector } from "d3-array";
import type { Frame, GridEvent } from "./protocol";

export type Lane = "main" | "comparison";

export interface Happening extends GridEvent {
  sequence: number;
  lane: Lane;
  clock: { day: number; hour: number };
}

const at = bisector<{ sequence: number }, number>((item) => item.sequence);

/** The frames of one session in order of their sequence, the oldest dropped beyond `capacity`. */
export class History {
  private kept: Frame[] = [];
  private happened: Happening[] = [];

  constructor(readonly capacity: number) {}

  get frames(): readonly Frame[] {
    return this.kept;
  }

  get events(): readonly Happening[] {
    return this.happened;
  }

  get length(): number {
    return this.kept.length;
  }

  get first(): Frame | null {
    return this.kept[0] ?? null;
  }

  get last(): Frame | null {
    return this.kept[this.kept.length - 1] ?? null;
  }

  clear(): void {
    this.kept = [];
    this.happened = [];
  }

  add(frame: Frame): void {
    if (frame.sequence <= (this.last?.sequence ?? -1)) {
      this.fill([frame]);
      return;
    }
    this.kept.push(frame);
    this.happened.push(...happenings(frame));
    // not at every frame: moving the whole array is linear
    if (this.kept.length > this.capacity * 1.1) this.trim();
  }

  /** Adds frames of any time; those known already are skipped. */
  fill(frames: readonly Frame[]): void {
    const known = new Set(this.kept.map((frame) => frame.sequence));
    const fresh = frames.filter((frame) => !known.has(frame.sequence));
    if (fresh.length === 0) return;
    this.kept = [...this.kept, ...fresh].sort((a, b) => a.sequence - b.sequence);
    this.trim();
    this.happened = this.kept.flatMap(happenings);
  }

  /** Index of the newest frame that is no newer than `sequence`; the oldest where there is none. */
  indexOf(sequence: number): number {
    return Math.max(0, at.right(this.kept, sequence) - 1);
  }

  frameAt(index: number): Frame | null {
    return this.kept[Math.min(Math.max(index, 0), this.kept.length - 1)] ?? null;
  }

  /** Up to `count` frames that end with `sequence`. */
  window(sequence: number, count: number): readonly Frame[] {
    const end = this.indexOf(sequence) + 1;
    return this.kept.slice(Math.max(0, end - count), end);
  }

  nextEvent(sequence: number): Happening | null {
    return this.happened[at.right(this.happened, sequence)] ?? null;
  }

  previousEvent(sequence: number): Happening | null {
    return this.happened[at.left(this.happened, sequence) - 1] ?? null;
  }

  private trim(): void {
    const excess = this.kept.length - this.capacity;
    if (excess <= 0) return;
    this.kept.splice(0, excess);
    const oldest = this.kept[0]?.sequence ?? 0;
    this.happened.splice(0, at.left(this.happened, oldest));
  }
}

function happenings(frame: Frame): Happening[] {
  const { sequence, clock } = frame;
  const of = (events: GridEvent[], lane: Lane) => events.map((event) => ({ ...event, sequence, lane, clock }));
  return [...of(frame.events, "main"), ...of(frame.comparison?.events ?? [], "comparison")];
}
