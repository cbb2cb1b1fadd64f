import type { Layout } from "./protocol";

export type Point = [number, number];

export function hasCoordinates(layout: Layout): boolean {
  return layout.buses.length > 0 && layout.buses.every((bus) => bus.x !== null && bus.y !== null);
}

/** Places of the buses on a map with north up; degrees are shrunk with the latitude. */
export function geographic(layout: Layout): Point[] {
  const points = layout.buses.map((bus): Point => [bus.x ?? 0, -(bus.y ?? 0)]);
  const degrees = points.every(([x, y]) => Math.abs(x) <= 180 && Math.abs(y) <= 90);
  if (!degrees) return points;
  const middle = points.reduce((sum, [, y]) => sum + y, 0) / Math.max(points.length, 1);
  const shrink = Math.cos((middle * Math.PI) / 180);
  return points.map(([x, y]): Point => [x * shrink, y]);
}

/**
 * A tree that grows to the right: depth across, every leaf a row of its own, parents amid their children.
 * Roots are the upper sides of transformers, else the first bus of each part; lines that close a loop do not shape it.
 */
export function tree(layout: Layout): Point[] {
  const index = new Map(layout.buses.map((bus, i) => [bus.id, i]));
  const near: number[][] = layout.buses.map(() => []);
  for (const line of layout.lines) {
    const a = index.get(line.source);
    const b = index.get(line.target);
    if (a === undefined || b === undefined) continue;
    near[a]?.push(b);
    near[b]?.push(a);
  }
  const depth = new Array<number>(layout.buses.length).fill(-1);
  const children: number[][] = layout.buses.map(() => []);
  const order: number[] = [];
  const roots: number[] = [];
  for (const start of byVoltage(layout)) {
    if (depth[start] !== -1) continue;
    roots.push(start);
    depth[start] = 0;
    const queue = [start];
    for (let bus = queue.shift(); bus !== undefined; bus = queue.shift()) {
      order.push(bus);
      for (const other of near[bus] ?? []) {
        if (depth[other] !== -1) continue;
        depth[other] = (depth[bus] ?? 0) + 1;
        children[bus]?.push(other);
        queue.push(other);
      }
    }
  }
  const leaves = new Array<number>(layout.buses.length).fill(0);
  for (const bus of order.toReversed()) {
    leaves[bus] = Math.max(1, (children[bus] ?? []).reduce((sum, child) => sum + (leaves[child] ?? 0), 0));
  }
  const row = new Array<number>(layout.buses.length).fill(0);
  const stack: [number, number][] = [];
  let free = 0;
  for (const root of roots) {
    stack.push([root, free]);
    free += leaves[root] ?? 1;
  }
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    const [bus, first] = item;
    row[bus] = first + ((leaves[bus] ?? 1) - 1) / 2;
    let next = first;
    for (const child of children[bus] ?? []) {
      stack.push([child, next]);
      next += leaves[child] ?? 1;
    }
  }
  return layout.buses.map((_, i): Point => [depth[i] ?? 0, row[i] ?? 0]);
}

/** Buses, those of the highest voltage first. */
function byVoltage(layout: Layout): number[] {
  const order = layout.buses.map((_, i) => i);
  return order.sort((a, b) => (layout.buses[b]?.kv ?? 0) - (layout.buses[a]?.kv ?? 0));
}

/** Moves and scales points into a box with a margin; one axis may scale up to `stretch` times as much as the other. */
export function fit(points: Point[], width: number, height: number, margin: number, stretch: number): Point[] {
  if (points.length === 0) return [];
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  let across = Math.max(1, width - 2 * margin) / Math.max(right - left, 1e-9);
  let down = Math.max(1, height - 2 * margin) / Math.max(bottom - top, 1e-9);
  if (right === left) across = 0;
  if (bottom === top) down = 0;
  if (across > 0 && down > 0) {
    const least = Math.min(across, down);
    across = Math.min(across, stretch * least);
    down = Math.min(down, stretch * least);
  }
  const [x0, y0] = [(left + right) / 2, (top + bottom) / 2];
  return points.map(([x, y]): Point => [width / 2 + (x - x0) * across, height / 2 + (y - y0) * down]);
}

/** Typical distance from a point to its nearest neighbour. */
export function spacing(points: Point[]): number {
  const nearest = points.map(([x, y], i) => {
    let best = Infinity;
    for (const [j, [u, v]] of points.entries()) if (i !== j) best = Math.min(best, (x - u) ** 2 + (y - v) ** 2);
    return best;
  });
  const sorted = nearest.filter((value) => Number.isFinite(value) && value > 0).sort((a, b) => a - b);
  return Math.sqrt(sorted[Math.floor(sorted.length / 4)] ?? 1e4);
}
