import { beforeEach, describe, expect, it } from "vitest";
import { Model } from "../src/model";
import { Turns } from "../src/turns";

describe("Turns", () => {
  const model = new Model(true);
  let now: number;
  let done: string[];
  let turns: Turns;

  /** A part that takes so many milliseconds, in so many pieces. */
  const part = (name: string, takes: number, pieces = 1) => {
    let left = pieces;
    return {
      update: () => {
        now += takes;
        done.push(name);
        left -= 1;
        if (left > 0) return true;
        left = pieces;
        return false;
      },
    };
  };
  const take = () => {
    done = [];
    turns.take(model, now);
    return done.join("");
  };

  beforeEach(() => {
    now = 0;
    turns = new Turns(() => now);
  });

  it("updates what fits into an animation frame, the rest in the next", () => {
    turns.add([part("a", 0.5), part("b", 1), part("c", 1)]);
    expect([take(), take(), take()]).toEqual(["ab", "c", ""]);
  });

  it("is done once nobody waits", () => {
    turns.add([part("a", 2), part("b", 2)]);
    const seen = [turns.done];
    for (let k = 0; k < 2; k++) {
      take();
      seen.push(turns.done);
    }
    expect(seen).toEqual([false, false, true]);
  });

  it("updates one at least, however long it takes", () => {
    turns.add([part("a", 50), part("b", 50)]);
    expect([take(), take()]).toEqual(["a", "b"]);
  });

  it("leaves nobody waiting, even if changes come faster than they can be shown", () => {
    const parts = [part("a", 1), part("b", 1), part("c", 1)];
    let seen = "";
    for (let k = 0; k < 6; k++) {
      turns.add(parts);
      seen += take();
    }
    for (const name of "abc") expect(seen.split(name).length - 1).toBeGreaterThanOrEqual(3);
  });

  it("lets others go before the rest of a part that did not finish", () => {
    turns.add([part("a", 2, 2), part("b", 0.5)]);
    expect([take(), take(), take()]).toEqual(["a", "ba", ""]);
  });
});
