import { number, withUnit } from "./format";
import type { Point } from "./layout";
import { place, symbolScale } from "./painter";
import type { Brush } from "./painter";
import { STATUS } from "./scales";

export interface Found {
  kind: "agent" | "bus" | "line";
  index: number;
}

export interface Description {
  title: string;
  rows: [string, string][];
}

/** What of the grid lies under a point of the view: agents before buses before lines. */
export function find({ scene, transform }: Brush, at: Point): Found | null {
  const reach = scene.agentRadius * symbolScale(transform) + 5;
  const agent = nearest(scene.agents.map((point) => place(transform, point)), at, reach);
  if (agent >= 0) return { kind: "agent", index: agent };
  const bus = nearest(scene.buses.map((point) => place(transform, point)), at, 10);
  if (bus >= 0) return { kind: "bus", index: bus };
  let [best, line] = [8, -1];
  for (const [i, { from, to }] of scene.lines.entries()) {
    const distance = toSegment(at, place(transform, scene.buses[from]), place(transform, scene.buses[to]));
    if (distance < best) [best, line] = [distance, i];
  }
  return line < 0 ? null : { kind: "line", index: line };
}

export function describe({ hello, picture }: Brush, { kind, index }: Found): Description {
  if (kind === "agent") {
    const agent = hello.agents[index];
    const now = picture.agents[index];
    if (agent === undefined || now === undefined) return { title: "", rows: [] };
    const rows: [string, string][] = [
      ["Status", STATUS[now.status].label],
      ["Generation", withUnit(now.generation_kw, "kW")],
      ["Demand", withUnit(now.demand_kw, "kW")],
    ];
    if (now.charge !== null) rows.push(["Charge", withUnit(now.charge, "%", 0)]);
    if (agent.capacity_kwh !== null) rows.push(["Battery", withUnit(agent.capacity_kwh, "kWh")]);
    rows.push([now.exchange_kw < 0 ? "To the grid" : "From the grid", withUnit(Math.abs(now.exchange_kw), "kW")]);
    if (now.unserved_kw > 0) rows.push(["Unserved", withUnit(now.unserved_kw, "kW")]);
    if (now.voltage !== null) rows.push(["Voltage", withUnit(now.voltage, "p.u.", 4)]);
    return { title: agent.name, rows };
  }
  if (kind === "bus") {
    const bus = hello.grid.buses[index];
    const live = picture.buses.energised[index] === true;
    const rows: [string, string][] = [
      ["Voltage", live ? withUnit(picture.buses.voltage[index], "p.u.", 4) : "dead"],
      ["Level", withUnit(bus?.kv, "kV")],
    ];
    return { title: bus?.name ?? "", rows };
  }
  const line = hello.grid.lines[index];
  const kw = picture.lines.kw[index] ?? 0;
  const loading = picture.lines.loading[index] ?? null;
  const name = (id: string | undefined) => hello.grid.buses.find((bus) => bus.id === id)?.name ?? "";
  const [from, to] = kw < 0 ? [line?.target, line?.source] : [line?.source, line?.target];
  const rows: [string, string][] = [
    ["Flow", withUnit(Math.abs(kw), "kW")],
    ["Direction", `${name(from)} \u2192 ${name(to)}`],
    ["Loading", loading === null ? "not rated" : `${number(100 * loading, 1)}\u202f%`],
  ];
  if (picture.lines.service[index] === false) rows.push(["State", "out of service"]);
  return { title: line?.name ?? "", rows };
}

function nearest(points: Point[], [x, y]: Point, reach: number): number {
  let [best, found] = [reach * reach, -1];
  for (const [i, [u, v]] of points.entries()) {
    const distance = (x - u) ** 2 + (y - v) ** 2;
    if (distance < best) [best, found] = [distance, i];
  }
  return found;
}

function toSegment([x, y]: Point, a: Point, b: Point): number {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const t = Math.min(1, Math.max(0, ((x - a[0]) * dx + (y - a[1]) * dy) / Math.max(dx * dx + dy * dy, 1e-9)));
  return Math.hypot(x - a[0] - t * dx, y - a[1] - t * dy);
}
