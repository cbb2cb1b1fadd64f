import { beforeEach, describe, expect, it } from "vitest";
import { History } from "../src/history";
import { Player } from "../src/player";
import { alarm, frame } from "./history.test";

describe("Player", () => {
  let history: History;
  let player: Player;

  beforeEach(() => {
    history = new History(100);
    for (let n = 1; n <= 50; n++) history.add(frame(n, n === 20 || n === 30 ? [alarm] : []));
    player = new Player(history);
  });

  it("follows the newest frame until one is chosen", () => {
    history.add(frame(51));
    expect(player.frame?.sequence).toBe(51);
    player.seek(9);
    history.add(frame(52));
    expect(player.frame?.sequence).toBe(10);
    player.goLive();
    expect(player.frame?.sequence).toBe(52);
  });

  it("is live again when moved past the end", () => {
    player.move(-3);
    expect([player.live, player.frame?.sequence]).toEqual([false, 47]);
    player.move(10);
    expect(player.live).toBe(true);
    player.move(-1000);
    expect(player.frame?.sequence).toBe(1);
  });

  it("jumps between events and stays at the last", () => {
    player.seek(0);
    expect(player.jump(1)).toBe(true);
    expect(player.jump(1)).toBe(true);
    expect(player.frame?.sequence).toBe(30);
    expect(player.jump(1)).toBe(false);
    expect(player.jump(-1)).toBe(true);
    expect(player.frame?.sequence).toBe(20);
  });

  it("plays at its rate, catches up after a pause of the browser, and stops at the end", () => {
    player.seek(0);
    player.play(1000);
    expect(player.tick(1099)).toBe(false);
    expect(player.tick(1100)).toBe(true);
    expect(player.frame?.sequence).toBe(2);
    player.tick(1400);
    expect(player.frame?.sequence).toBe(5);
    for (let t = 1500; t < 9000; t += 100) player.tick(t);
    expect([player.playing, player.frame?.sequence]).toEqual([false, 50]);
    player.play(10_000);
    expect(player.frame?.sequence).toBe(1);
  });

  it("holds the frame at which it was paused", () => {
    player.seek(0);
    player.play(0);
    player.tick(500);
    player.pause();
    const shown = player.frame?.sequence;
    player.tick(5000);
    expect(player.frame?.sequence).toBe(shown);
  });
});
