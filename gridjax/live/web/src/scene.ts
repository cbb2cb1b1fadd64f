import { fit, geographic, hasCoordinates, spacing, tree } from "./layout";
import type { Point } from "./layout";
import type { Agent, Layout, Line } from "./protocol";

// maps of grids are mostly schematic: filling the view is worth some distortion
const MAP_STRETCH = 1.7;

export type Arrangement = "map" | "tree";

/** Where everything stands, in px of the unzoomed view. Columns are in the order of `Hello`. */
export interface Scene {
  arrangement: Arrangement;
  width: number;
  height: number;
  buses: Point[];
  lines: { from: number; to: number; kind: Line["kind"] }[];
  agents: Point[];
  /** Bus of each agent; -1 for one on a line. */
  agentBus: number[];
  agentIndex: Map<string, number>;
  /** Bus the grid outside is joined to. */
  source: number;
  /** Radii in px at zoom 1. */
  agentRadius: number;
  busRadius: number;
}

export function arrange(
  grid: Layout,
  agents: readonly Agent[],
  width: number,
  height: number,
  wanted: Arrangement,
): Scene {
  const arrangement = wanted === "map" && hasCoordinates(grid) ? "map" : "tree";
  const upright = height > width;
  const raw =
    arrangement === "map" ? geographic(grid) : tree(grid).map(([x, y]): Point => (upright ? [y, x] : [x, y]));
  const margin = Math.min(54, 0.09 * Math.min(width, height) + 16);
  const buses = fit(raw, width, height, margin, arrangement === "tree" ? Infinity : MAP_STRETCH);
  const index = new Map(grid.buses.map((bus, i) => [bus.id, i]));
  const lineIndex = new Map(grid.lines.map((line, i) => [line.id, i]));
  const lines = grid.lines.map((line) => ({
    from: index.get(line.source) ?? -1,
    to: index.get(line.target) ?? -1,
    kind: line.kind,
  }));

  const agentBus = agents.map((agent) => (agent.bus === null ? -1 : (index.get(agent.bus) ?? -1)));
  const roomy = spacing(buses);
  const crowd = Math.sqrt((width * height) / Math.max(agents.length, 1)) / 7;
  const agentRadius = clamp(Math.min(roomy * 0.62, crowd), 5, 17);
  const busRadius = clamp(roomy * 0.16, 2, 4.5);

  const sharing = new Map<number, number[]>();
  for (const [i, bus] of agentBus.entries()) if (bus >= 0) sharing.set(bus, [...(sharing.get(bus) ?? []), i]);
  const places = agents.map((agent, i): Point => {
    const bus = agentBus[i] ?? -1;
    if (bus < 0) return middle(lines[lineIndex.get(agent.line ?? "") ?? -1], buses) ?? [width / 2, margin / 2];
    const here = buses[bus] ?? [0, 0];
    const others = sharing.get(bus) ?? [];
    if (others.length < 2) return here;
    const angle = (2 * Math.PI * others.indexOf(i)) / others.length - Math.PI / 2;
    const away = agentRadius * 1.25 * Math.max(1, others.length / 4);
    return [here[0] + away * Math.cos(angle), here[1] + away * Math.sin(angle)];
  });
  const kv = grid.buses.map((bus) => bus.kv);
  return {
    arrangement,
    width,
    height,
    buses,
    lines,
    agents: places,
    agentBus,
    agentIndex: new Map(agents.map((agent, i) => [agent.id, i])),
    source: kv.indexOf(Math.max(...kv)),
    agentRadius,
    busRadius,
  };
}

function middle(line: { from: number; to: number } | undefined, buses: readonly Point[]): Point | null {
  const a = buses[line?.from ?? -1];
  const b = buses[line?.to ?? -1];
  return a === undefined || b === undefined ? null : [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** The part [t0, t1] of the segment from `a` to `b` that lies in a box, null if none (Liang and Barsky). */
export function clip(a: Point, b: Point, width: number, height: number, margin: number): [number, number] | null {
  let [t0, t1] = [0, 1];
  const sides: [number, number, number][] = [
    [a[0] + margin, a[0] - b[0], 0],
    [width + margin - a[0], b[0] - a[0], 0],
    [a[1] + margin, a[1] - b[1], 0],
    [height + margin - a[1], b[1] - a[1], 0],
  ];
  for (const [room, slope] of sides) {
    if (slope === 0) {
      if (room < 0) return null;
      continue;
    }
    const t = room / slope;
    if (slope < 0) t0 = Math.max(t0, t);
    else t1 = Math.min(t1, t);
    if (t0 > t1) return null;
  }
  return [t0, t1];
}

/** Control point of the arc by which a transfer from `a` to `b` is drawn; the two directions bend apart. */
export function bend(a: Point, b: Point): Point {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  return [(a[0] + b[0]) / 2 + 0.22 * dy, (a[1] + b[1]) / 2 - 0.22 * dx];
}

export function onArc(a: Point, control: Point, b: Point, t: number): Point {
  const u = 1 - t;
  return [
    u * u * a[0] + 2 * u * t * control[0] + t * t * b[0],
    u * u * a[1] + 2 * u * t * control[1] + t * t * b[1],
  ];
}
