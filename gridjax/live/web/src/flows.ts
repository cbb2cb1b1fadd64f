import { place, slimness } from "./painter";
import type { Brush } from "./painter";
import { flowWidth } from "./scales";
import { bend, clip, onArc } from "./scene";

const GAP = 30; // px between two arrows of a flow
const LEAST = 0.004; // share of the largest flow below which none is drawn

/** The arrows that run along lines, and the drops that run along transfers, at `phase` seconds of motion. */
export function paintFlows(brush: Brush, phase: number): void {
  const { context, scene } = brush;
  context.clearRect(0, 0, scene.width, scene.height);
  paintArrows(brush, phase);
  paintDrops(brush, phase);
}

/** Speed of a flow in px/s. */
function pace(kw: number, largest: number): number {
  return 14 + 62 * Math.sqrt(Math.min(1, Math.abs(kw) / Math.max(largest, 1e-9)));
}

function paintArrows(brush: Brush, phase: number): void {
  const { context, scene, picture, transform, theme, inks, largest } = brush;
  const slim = slimness(brush);
  // one path for all: strokes cost more than segments
  context.beginPath();
  for (const [i, line] of scene.lines.entries()) {
    const kw = picture.lines.kw[i] ?? 0;
    if (Math.abs(kw) < LEAST * largest.line || picture.lines.service[i] === false) continue;
    const [from, to] = kw > 0 ? [line.from, line.to] : [line.to, line.from];
    const a = place(transform, scene.buses[from]);
    const b = place(transform, scene.buses[to]);
    const seen = clip(a, b, scene.width, scene.height, 8);
    const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
    if (seen === null || length < 4) continue;
    const [ux, uy] = [(b[0] - a[0]) / length, (b[1] - a[1]) / length];
    const size = slim * (2.2 + 0.62 * flowWidth(kw, largest.line));
    const offset = (phase * pace(kw, largest.line)) % GAP;
    const first = Math.ceil((seen[0] * length - offset) / GAP) * GAP + offset;
    const start = length < GAP ? length * (offset / GAP) : first;
    for (let d = start; d <= seen[1] * length; d += GAP) {
      const [x, y] = [a[0] + ux * d, a[1] + uy * d];
      context.moveTo(x - size * (ux - uy * 0.8), y - size * (uy + ux * 0.8));
      context.lineTo(x, y);
      context.lineTo(x - size * (ux + uy * 0.8), y - size * (uy - ux * 0.8));
    }
  }
  context.lineJoin = "miter";
  context.lineCap = "round";
  context.strokeStyle = inks.map;
  context.lineWidth = 4 * slim;
  context.globalAlpha = theme === "dark" ? 0.55 : 0.75;
  context.stroke();
  context.globalAlpha = 1;
  context.strokeStyle = inks.ink;
  context.lineWidth = Math.max(1, 1.7 * slim);
  context.stroke();
}

function paintDrops({ context, scene, picture, transform, inks, largest }: Brush, phase: number): void {
  context.fillStyle = inks.accent;
  context.beginPath();
  for (const flow of picture.energy_flows) {
    if (flow.kind !== "transfer") continue;
    const a = place(transform, scene.agents[scene.agentIndex.get(flow.source) ?? -1]);
    const b = place(transform, scene.agents[scene.agentIndex.get(flow.target) ?? -1]);
    const control = bend(a, b);
    const length = Math.max(Math.hypot(b[0] - a[0], b[1] - a[1]), 1);
    if (length > 1e5) continue;
    const step = Math.max(0.02, (1.2 * GAP) / length);
    const radius = 1.4 + 0.45 * flowWidth(flow.kw, largest.transfer);
    for (let t = ((phase * pace(flow.kw, largest.transfer)) / length) % step; t < 1; t += step) {
      const [x, y] = onArc(a, control, b, t);
      context.moveTo(x + radius, y);
      context.arc(x, y, radius, 0, 2 * Math.PI);
    }
  }
  context.fill();
}
