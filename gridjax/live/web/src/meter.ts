import type { Turns } from "./turns";

const KEPT = 6_000;

/** How often the page draws and what that takes; `window.gridjaxLive` holds it for measurements. */
export class Meter {
  private times: number[] = [];
  private work: number[] = [];

  count(time: number, spent: number): void {
    if (this.times.length >= KEPT) return;
    this.times.push(time);
    this.work.push(spent);
  }

  /** Milliseconds at which frames were drawn and that each took, since the last call. */
  take(): { times: number[]; work: number[] } {
    const { times, work } = this;
    this.times = [];
    this.work = [];
    return { times, work };
  }
}

declare global {
  interface Window {
    gridjaxLive?: { meter: Meter; turns: Turns };
  }
}
