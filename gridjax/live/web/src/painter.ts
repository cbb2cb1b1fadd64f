import type { ZoomTransform } from "d3-zoom";
import { number } from "./format";
import type { Inks } from "./inks";
import type { Point } from "./layout";
import type { Hello, Picture } from "./protocol";
import { flowWidth, loadingColour, STATUS, voltageColour } from "./scales";
import type { Theme } from "./scales";
import { bend } from "./scene";
import type { Scene } from "./scene";

export interface Brush {
  context: CanvasRenderingContext2D;
  scene: Scene;
  hello: Hello;
  picture: Picture;
  transform: ZoomTransform;
  theme: Theme;
  inks: Inks;
  /** Largest line flow and largest transfer seen, kW: widths compare between frames and lanes. */
  largest: { line: number; transfer: number };
  /** Agent that is pointed at. */
  picked: string | null;
  font: string;
}

/** What lies under the arrows: lines and transfers. */
export function paintGround(brush: Brush): void {
  clear(brush);
  paintLines(brush);
  paintTransfers(brush);
}

/** What lies over them: buses, the connection to the grid outside, agents and words. */
export function paintNodes(brush: Brush): void {
  clear(brush);
  paintBuses(brush);
  paintSource(brush);
  paintAgents(brush);
  paintOverloads(brush);
  paintLabels(brush);
}

function clear({ context, scene }: Brush): void {
  context.clearRect(0, 0, scene.width, scene.height);
  context.lineCap = "round";
}

/** How much thinner lines and arrows are drawn where the grid is crowded. */
export function slimness({ scene, transform }: Brush): number {
  return Math.min(1, Math.max(0.45, (scene.agentRadius * symbolScale(transform)) / 13));
}

/** How much larger symbols are drawn when zoomed in: slower than distances grow. */
export function symbolScale(transform: ZoomTransform): number {
  return Math.min(1.9, Math.max(0.75, Math.sqrt(transform.k)));
}

export function place(transform: ZoomTransform, point: Point | undefined): Point {
  return point === undefined ? [-1e6, -1e6] : transform.apply(point);
}

function paintLines(brush: Brush): void {
  const { context, scene, picture, theme, inks, largest, transform } = brush;
  const slim = slimness(brush);
  for (const [i, line] of scene.lines.entries()) {
    const a = place(transform, scene.buses[line.from]);
    const b = place(transform, scene.buses[line.to]);
    const loading = picture.lines.loading[i] ?? null;
    const inService = picture.lines.service[i] ?? true;
    const live = picture.buses.energised[line.from] === true && picture.buses.energised[line.to] === true;
    const width = slim * flowWidth(picture.lines.kw[i] ?? 0, largest.line);
    const stroke = (colour: string, thickness: number, dash: number[] = []) => {
      context.setLineDash(dash);
      context.strokeStyle = colour;
      context.lineWidth = thickness;
      context.beginPath();
      context.moveTo(...a);
      context.lineTo(...b);
      context.stroke();
    };
    if (!inService) {
      stroke(inks.faint, 1.4, [2, 6]);
      cross(context, middle(a, b), 5, inks.alarm);
    } else if (!live) stroke(inks.edge, 2, [1, 5]);
    else {
      if ((loading ?? 0) > 1) {
        stroke(inks.alarm, width + 5);
        stroke(inks.map, width + 2.5);
      }
      stroke(loadingColour(loading, theme), width);
      if (line.kind === "transformer") transformer(context, a, b, inks, symbolScale(transform));
    }
  }
  context.setLineDash([]);
}

/** The loading of overloaded lines in figures, the worst first, those that would cover another left out. */
function paintOverloads(brush: Brush): void {
  const { scene, picture, inks, transform } = brush;
  const over = scene.lines
    .map((line, i) => ({ line, loading: picture.lines.loading[i] ?? 0 }))
    .filter(({ loading }) => loading > 1)
    .sort((a, b) => b.loading - a.loading);
  const taken: Point[] = [];
  for (const { line, loading } of over) {
    const [x, y] = middle(place(transform, scene.buses[line.from]), place(transform, scene.buses[line.to]));
    if (taken.some(([u, v]) => Math.abs(x - u) < 52 && Math.abs(y - v) < 24)) continue;
    taken.push([x, y]);
    tag(brush, x, y - 13, `${number(100 * loading, 0)} %`, inks.alarm);
  }
}

function paintBuses(brush: Brush): void {
  const { context, scene, picture, hello, theme, inks, transform } = brush;
  const radius = scene.busRadius * symbolScale(transform);
  const [low, high] = hello.voltage_band;
  for (const [i, bus] of scene.buses.entries()) {
    const [x, y] = place(transform, bus);
    const voltage = picture.buses.voltage[i] ?? 0;
    if (picture.buses.energised[i] !== true) {
      cross(context, [x, y], radius, inks.faint);
      continue;
    }
    const outside = voltage < low || voltage > high;
    disc(context, x, y, outside ? radius * 1.5 : radius, voltageColour(voltage, theme));
    context.lineWidth = outside ? 2.2 : 1;
    context.strokeStyle = outside ? inks.alarm : inks.faint;
    context.stroke();
  }
}

/** The connection to the grid outside: a square with a wave, struck out when it is lost. */
function paintSource(brush: Brush): void {
  const { context, scene, picture, inks, transform } = brush;
  const [x, y] = place(transform, scene.buses[scene.source]);
  const size = Math.min(11, 0.8 * scene.agentRadius + 3) * symbolScale(transform);
  const lost = !picture.grid.connected;
  context.fillStyle = inks.map;
  context.strokeStyle = lost ? inks.alarm : inks.ink;
  context.lineWidth = lost ? 2.5 : 1.6;
  context.beginPath();
  context.roundRect(x - size, y - size, 2 * size, 2 * size, 4);
  context.fill();
  context.stroke();
  context.beginPath();
  context.moveTo(x - 0.55 * size, y);
  context.bezierCurveTo(x - 0.25 * size, y - size, x + 0.25 * size, y + size, x + 0.55 * size, y);
  context.stroke();
  if (lost) cross(context, [x, y], size * 1.25, inks.alarm);
}

function paintTransfers(brush: Brush): void {
  const { context, scene, picture, inks, largest, transform } = brush;
  context.strokeStyle = inks.accent;
  context.globalAlpha = 0.45;
  for (const flow of picture.energy_flows) {
    if (flow.kind !== "transfer") continue;
    const a = place(transform, scene.agents[scene.agentIndex.get(flow.source) ?? -1]);
    const b = place(transform, scene.agents[scene.agentIndex.get(flow.target) ?? -1]);
    context.lineWidth = 0.7 * flowWidth(flow.kw, largest.transfer);
    context.beginPath();
    context.moveTo(...a);
    context.quadraticCurveTo(...bend(a, b), ...b);
    context.stroke();
  }
  context.globalAlpha = 1;
}

function paintAgents(brush: Brush): void {
  const { context, scene, picture, hello, theme, inks, transform, picked } = brush;
  const radius = scene.agentRadius * symbolScale(transform);
  for (const [i, point] of scene.agents.entries()) {
    const now = picture.agents[i];
    const agent = hello.agents[i];
    if (now === undefined || agent === undefined) continue;
    const [x, y] = place(transform, point);
    if (x < -40 || y < -40 || x > scene.width + 40 || y > scene.height + 40) continue;
    const look = STATUS[now.status];
    const colour = look[theme];
    const dead = now.status === "dark";
    if (now.status === "shortage" || dead) {
      context.globalAlpha = 0.28;
      disc(context, x, y, radius * 1.75, colour);
      context.globalAlpha = 1;
    }
    disc(context, x, y, radius, inks.map);
    const ring = Math.max(2, radius * 0.28);
    context.lineWidth = ring;
    context.lineCap = "butt";
    context.strokeStyle = now.charge === null ? colour : inks.edge;
    if (now.charge === null) context.setLineDash([2, 2]);
    circle(context, x, y, radius - ring / 2);
    context.stroke();
    context.setLineDash([]);
    if (now.charge !== null) {
      context.strokeStyle = colour;
      context.beginPath();
      context.arc(x, y, radius - ring / 2, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * now.charge);
      context.stroke();
    }
    const bus = scene.agentBus[i] ?? -1;
    const voltage = picture.buses.voltage[bus];
    if (voltage !== undefined && picture.buses.energised[bus] === true)
      disc(context, x, y, radius - ring - 1, voltageColour(voltage, theme));
    context.lineWidth = agent.id === picked ? 3 : 1;
    context.strokeStyle = agent.id === picked ? inks.ink : inks.faint;
    circle(context, x, y, agent.id === picked ? radius + 3 : radius + 0.5);
    context.stroke();
    if (radius < 7 && now.status !== "shortage" && !dead) continue;
    const badge = Math.max(5.5, radius * 0.52);
    const [bx, by] = [x + radius * 0.85, y - radius * 0.85];
    disc(context, bx, by, badge + 1.5, inks.map);
    disc(context, bx, by, badge, colour);
    context.fillStyle = inks.map;
    context.font = `800 ${(badge * 1.65).toFixed(1)}px ${brush.font}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(look.glyph, bx, by + badge * 0.08);
  }
  context.lineCap = "round";
}

type Box = [left: number, top: number, right: number, bottom: number];

/** Names of agents, those that would cover another or a symbol left out. */
function paintLabels(brush: Brush): void {
  const { context, scene, hello, inks, transform, picked } = brush;
  const radius = scene.agentRadius * symbolScale(transform);
  const size = 11;
  context.font = `550 ${size}px ${brush.font}`;
  context.textAlign = "center";
  context.textBaseline = "top";
  context.lineJoin = "round";
  const spots = scene.agents.map((point) => place(transform, point));
  const taken: Box[] = spots.map(([x, y]) => [x - radius, y - radius, x + radius, y + radius]);
  const dot = scene.busRadius * symbolScale(transform) + 1;
  const dots = scene.buses.map((bus): Box => {
    const [x, y] = place(transform, bus);
    return [x - dot, y - dot, x + dot, y + dot];
  });
  const order = hello.agents.map((_, i) => i).sort((a, b) => Number(hello.agents[b]?.id === picked) - Number(hello.agents[a]?.id === picked));
  for (const i of order) {
    const agent = hello.agents[i];
    const spot = spots[i];
    if (agent === undefined || spot === undefined) continue;
    // in a crowd names come with the zoom
    if (radius < 7.5 && agent.id !== picked) continue;
    const half = context.measureText(agent.name).width / 2 + 2;
    const [u, v] = spot;
    const near: Point[] = [
      [u, v + radius + 5],
      [u, v - radius - size - 7],
    ];
    const beside: Point[] = [
      [u - half - radius - 6, v - size / 2],
      [u + half + 1.6 * radius + 6, v - size / 2],
    ];
    const fits = (others: Box[]) => ([x, y]: Point) => {
      const box: Box = [x - half, y, x + half, y + size + 1];
      if (box[0] < 0 || box[1] < 0 || box[2] > scene.width || box[3] > scene.height) return false;
      return agent.id === picked || others.every((other) => !overlap(box, other));
    };
    // over a bus is better than beside the agent, where it could be another's; nowhere is better than over a name
    const free = near.find(fits([...taken, ...dots])) ?? near.find(fits(taken)) ?? beside.find(fits([...taken, ...dots]));
    if (free === undefined) continue;
    const [x, y] = free;
    taken.push([x - half, y, x + half, y + size + 1]);
    context.lineWidth = 3.5;
    context.strokeStyle = inks.map;
    context.strokeText(agent.name, x, y);
    context.fillStyle = inks.ink;
    context.fillText(agent.name, x, y);
  }
}

function overlap([left, top, right, bottom]: Box, [l, t, r, u]: Box): boolean {
  return left < r && right > l && top < u && bottom > t;
}

function tag(brush: Brush, x: number, y: number, text: string, colour: string): void {
  const { context, inks } = brush;
  context.font = `700 11px ${brush.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const half = context.measureText(text).width / 2 + 5;
  context.fillStyle = colour;
  context.beginPath();
  context.roundRect(x - half, y - 9, 2 * half, 18, 6);
  context.fill();
  context.fillStyle = inks.map;
  context.fillText(text, x, y + 0.5);
}

function circle(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.beginPath();
  context.arc(x, y, Math.max(radius, 0.5), 0, 2 * Math.PI);
}

function disc(context: CanvasRenderingContext2D, x: number, y: number, radius: number, colour: string): void {
  context.fillStyle = colour;
  circle(context, x, y, radius);
  context.fill();
}

function cross(context: CanvasRenderingContext2D, [x, y]: Point, size: number, colour: string): void {
  context.setLineDash([]);
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x - size, y - size);
  context.lineTo(x + size, y + size);
  context.moveTo(x + size, y - size);
  context.lineTo(x - size, y + size);
  context.stroke();
}

/** Two circles that overlap, across the middle of a branch. */
function transformer(context: CanvasRenderingContext2D, a: Point, b: Point, inks: Inks, scale: number): void {
  const [x, y] = middle(a, b);
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
  if (length < 24) return;
  const [ux, uy] = [(b[0] - a[0]) / length, (b[1] - a[1]) / length];
  const radius = Math.min(7 * scale, length / 6);
  disc(context, x - 0.6 * radius * ux, y - 0.6 * radius * uy, radius, inks.map);
  disc(context, x + 0.6 * radius * ux, y + 0.6 * radius * uy, radius, inks.map);
  context.strokeStyle = inks.ink;
  context.lineWidth = 1.5;
  for (const side of [-0.6, 0.6]) {
    circle(context, x + side * radius * ux, y + side * radius * uy, radius);
    context.stroke();
  }
}

function middle(a: Point, b: Point): Point {
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}
