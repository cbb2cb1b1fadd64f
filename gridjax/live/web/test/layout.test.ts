import { describe, expect, it } from "vitest";
import { fit, geographic, hasCoordinates, spacing, tree } from "../src/layout";
import type { Layout } from "../src/protocol";
import { arrange, bend, clip, onArc } from "../src/scene";

function grid(edges: [number, number][], places: ([number, number] | null)[], kv: number[] = []): Layout {
  return {
    buses: places.map((place, i) => ({ id: `b${i}`, name: `${i}`, x: place?.[0] ?? null, y: place?.[1] ?? null, kv: kv[i] ?? 1 })),
    lines: edges.map(([a, b], i) => ({ id: `l${i}`, name: `${i}`, source: `b${a}`, target: `b${b}`, kind: "line" })),
  };
}

const unknown = (n: number) => new Array<null>(n).fill(null);

describe("tree", () => {
  it("puts depth across and no two buses on one place, with loops and several parts", () => {
    const layout = grid([[0, 1], [1, 2], [1, 3], [3, 4], [4, 0], [6, 5]], unknown(7));
    const places = tree(layout);
    expect(places[0]?.[0]).toBe(0);
    expect(places[2]?.[0]).toBe(2);
    expect(places[4]?.[0]).toBe(1);
    expect(new Set(places.map(String)).size).toBe(7);
  });

  it("grows from the highest voltage", () => {
    expect(tree(grid([[0, 1], [1, 2]], unknown(3), [0.4, 0.4, 20]))[2]?.[0]).toBe(0);
  });

  it("bears a chain of thousands of buses", () => {
    const edges = Array.from({ length: 4999 }, (_, i): [number, number] => [i, i + 1]);
    expect(tree(grid(edges, unknown(5000)))[4999]?.[0]).toBe(4999);
  });
});

describe("geographic", () => {
  it("has north up and shrinks degrees with the latitude", () => {
    const places = geographic(grid([], [[10, 60], [11, 60], [10, 61]]));
    expect((places[1]?.[0] ?? 0) - (places[0]?.[0] ?? 0)).toBeCloseTo(0.49, 1);
    expect(places[2]?.[1]).toBeLessThan(places[0]?.[1] ?? 0);
  });

  it("is asked for only where all coordinates are known", () => {
    expect(hasCoordinates(grid([], [[1, 2], null]))).toBe(false);
    expect(hasCoordinates(grid([], []))).toBe(false);
  });
});

describe("fit", () => {
  it("stays inside, keeps proportions unless it may stretch, and bears a single point", () => {
    const points: [number, number][] = [[0, 0], [10, 1]];
    for (const stretch of [1, 2, Infinity])
      for (const [x, y] of fit(points, 200, 100, 10, stretch)) {
        expect(x).toBeGreaterThanOrEqual(10);
        expect(x).toBeLessThanOrEqual(190);
        expect(y).toBeGreaterThanOrEqual(10);
        expect(y).toBeLessThanOrEqual(90);
      }
    const [a, b] = fit(points, 200, 100, 10, 1);
    expect(((b?.[1] ?? 0) - (a?.[1] ?? 0)) / ((b?.[0] ?? 0) - (a?.[0] ?? 0))).toBeCloseTo(0.1);
    expect(fit([[5, 5]], 200, 100, 10, Infinity)).toEqual([[100, 50]]);
  });

  it("measures how far apart points are", () => {
    expect(spacing([[0, 0], [3, 4], [3, 4], [100, 0]])).toBeCloseTo(5);
  });
});

describe("arrange", () => {
  const agent = (id: string, bus: string | null, line: string | null = null) => ({
    id, name: id, group: "g", bus, capacity_kwh: null, generation_kw_peak: null, line,
  });

  it("keeps agents of one bus apart and puts switches amid their line", () => {
    const scene = arrange(grid([[0, 1]], unknown(2)), [agent("a", "b1"), agent("b", "b1"), agent("s", null, "l0")], 400, 300, "tree");
    expect(scene.agents[0]).not.toEqual(scene.agents[1]);
    const [left, right] = scene.buses;
    expect(scene.agents[2]?.[0]).toBeCloseTo(((left?.[0] ?? 0) + (right?.[0] ?? 0)) / 2);
    expect(scene.agentBus).toEqual([1, 1, -1]);
  });

  it("falls back to a tree where places are unknown", () => {
    expect(arrange(grid([[0, 1]], unknown(2)), [], 400, 300, "map").arrangement).toBe("tree");
  });
});

describe("clip", () => {
  it("cuts a segment at the edges of the view", () => {
    expect(clip([-100, 50], [100, 50], 100, 100, 0)).toEqual([0.5, 1]);
    expect(clip([-10, -10], [-5, -5], 100, 100, 0)).toBeNull();
    expect(clip([10, 10], [20, 20], 100, 100, 0)).toEqual([0, 1]);
  });

  it("bends the two directions of a transfer apart", () => {
    expect(bend([0, 0], [10, 0])).not.toEqual(bend([10, 0], [0, 0]));
    expect(onArc([0, 0], [5, 5], [10, 0], 1)).toEqual([10, 0]);
  });
});
