import { describe, expect, it } from "vitest";
import { History } from "../src/history";
import type { Frame, GridEvent } from "../src/protocol";

export function frame(sequence: number, events: GridEvent[] = [], second: GridEvent[] | null = null): Frame {
  const picture = {
    policy: "p",
    stability: 1,
    agents: [],
    energy_flows: [],
    buses: { voltage: [], energised: [] },
    lines: { loading: [], kw: [], service: [] },
    metrics: {},
    grid: { connected: true, islanded: false, energised_share: 1 },
  };
  return {
    ...picture,
    events,
    type: "frame",
    sequence,
    timestamp: "",
    step: sequence,
    episode: 0,
    clock: { day: 1, hour: 0 },
    comparison: second === null ? null : { ...picture, events: second },
  };
}

export const alarm: GridEvent = { kind: "outage", severity: "alarm", text: "dark" };

describe("History", () => {
  it("keeps frames in order, whatever the order they come in", () => {
    const history = new History(10);
    for (const n of [5, 6]) history.add(frame(n));
    history.fill([3, 5, 4].map((n) => frame(n)));
    history.add(frame(6));
    expect(history.frames.map(({ sequence }) => sequence)).toEqual([3, 4, 5, 6]);
  });

  it("drops the oldest frames and their events beyond its capacity", () => {
    const history = new History(20);
    for (let n = 1; n <= 100; n++) history.add(frame(n, n % 10 === 0 ? [alarm] : []));
    expect(history.length).toBeLessThanOrEqual(22);
    expect(history.last?.sequence).toBe(100);
    expect(history.events.every(({ sequence }) => sequence >= (history.first?.sequence ?? 0))).toBe(true);
    expect(history.events.length).toBeGreaterThanOrEqual(2);
  });

  it("finds frames by their sequence across gaps", () => {
    const history = new History(10);
    history.fill([2, 4, 9].map((n) => frame(n)));
    expect([1, 2, 3, 4, 8, 9, 99].map((n) => history.indexOf(n))).toEqual([0, 0, 0, 1, 1, 2, 2]);
    expect(history.window(4, 5).map(({ sequence }) => sequence)).toEqual([2, 4]);
  });

  it("steps through the events of both lanes", () => {
    const history = new History(10);
    history.fill([frame(1), frame(2, [alarm]), frame(3), frame(4, [], [alarm])]);
    expect(history.nextEvent(1)).toMatchObject({ sequence: 2, lane: "main" });
    expect(history.nextEvent(2)).toMatchObject({ sequence: 4, lane: "comparison" });
    expect(history.nextEvent(4)).toBeNull();
    expect(history.previousEvent(4)?.sequence).toBe(2);
    expect(history.previousEvent(2)).toBeNull();
  });
});
