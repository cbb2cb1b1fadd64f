import { describe, expect, it } from "vitest";
import { alarmOf } from "../src/banner";
import { backoff } from "../src/backoff";
import { positionOf, speedOf } from "../src/controls";
import { History } from "../src/history";
import { parseMessage } from "../src/protocol";
import { alarm, frame } from "./history.test";

describe("backoff", () => {
  it("doubles to a bound, and spreads viewers", () => {
    const plain = [0, 1, 2, 3, 50].map((n) => backoff(n, () => 0));
    expect(plain).toEqual([400, 800, 1600, 3200, 10_000]);
    expect(backoff(3, () => 1)).toBe(2400);
  });
});

describe("parseMessage", () => {
  it("takes messages of this version only", () => {
    expect(parseMessage('{"schema": "gridjax.live/1", "type": "error", "code": "x", "message": "y"}')?.type).toBe("error");
    for (const other of ["", "[]", "null", "{", '{"schema": "gridjax.live/2", "type": "frame"}', '{"schema": "gridjax.live/1", "type": "x"}'])
      expect(parseMessage(other)).toBeNull();
  });
});

describe("speed", () => {
  it("comes back from the slider", () => {
    for (const speed of [0.25, 1, 10, 100]) expect(speedOf(positionOf(speed)) / speed).toBeCloseTo(1, 1);
  });
});

describe("alarmOf", () => {
  const history = new History(100);

  it("tells an island from an outage from a healthy grid", () => {
    const now = frame(1);
    expect(alarmOf(now, history)).toBeNull();
    now.grid = { connected: false, islanded: true, energised_share: 1 };
    expect(alarmOf(now, history)?.severity).toBe("warning");
    now.grid = { connected: false, islanded: false, energised_share: 0 };
    expect(alarmOf(now, history)).toMatchObject({ severity: "alarm", title: "Outage" });
    now.grid = { connected: true, islanded: false, energised_share: 0.5 };
    expect(alarmOf(now, history)?.title).toContain("dead");
  });

  it("lets an alarm stand for a while, and no event of the future", () => {
    const failure = { ...alarm, kind: "policy_error" };
    history.add(frame(10, [failure]));
    expect(alarmOf(frame(9), history)).toBeNull();
    expect(alarmOf(frame(20), history)?.title).toBe("Dark");
    expect(alarmOf(frame(80), history)).toBeNull();
    history.add(frame(90, [alarm]));
    expect(alarmOf(frame(95), history)).toMatchObject({ severity: "warning", text: "Dark" });
  });
});
