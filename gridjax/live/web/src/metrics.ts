import { area, line } from "d3-shape";
import { byId, element, setAttribute, setText, svg } from "./dom";
import { quantity, words } from "./format";
import type { Model, Part } from "./model";
import type { Frame, Picture } from "./protocol";
import { stabilityLevel } from "./scales";

const SHOWN = ["stability", "mean_energy_kwh", "generation_kw", "reward", "cost_eur", "unserved_kwh"] as const;
const WINDOW = 180;
const HEIGHT = 36;

type Points = [number, number][];

/** The six metrics that tell how a policy does, each with its recent course. */
export class Metrics implements Part {
  private readonly tiles = SHOWN.map((name) => new Tile(name));

  constructor() {
    byId("metrics").replaceChildren(...this.tiles.map((tile) => tile.root));
  }

  update(model: Model): void {
    const frame = model.frame;
    const past = frame === null ? [] : model.history.window(frame.sequence, WINDOW);
    for (const tile of this.tiles) tile.update(frame, past);
  }
}

class Tile {
  readonly root = element("article", { class: "tile" });
  private readonly value = element("data", { class: "value" });
  private readonly other = element("data", { class: "value other", title: "comparison" });
  private readonly area = svg("path", { class: "spark-area" });
  private readonly line = svg("path", { class: "spark" });
  private readonly otherLine = svg("path", { class: "spark other" });
  private readonly unit: string;

  constructor(private readonly name: string) {
    const { label, unit } = words(name);
    this.unit = unit;
    this.root.dataset["metric"] = name;
    const chart = svg("svg", { viewBox: `0 0 ${WINDOW - 1} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    chart.append(this.area, this.line, this.otherLine);
    const values = element("div", { class: "values" }, this.value, this.other);
    this.root.append(element("h3", {}, label), values, chart);
  }

  update(frame: Frame | null, past: readonly Frame[]): void {
    const now = frame?.metrics[this.name];
    const second = frame?.comparison?.metrics[this.name];
    write(this.value, now, this.unit);
    this.other.hidden = second === undefined;
    if (second !== undefined) write(this.other, second, this.unit);
    if (this.name === "stability" && typeof now === "number") setAttribute(this.root, "data-level", stabilityLevel(now));
    if (this.name === "unserved_kwh") setAttribute(this.root, "data-level", (now ?? 0) > 0 ? "failing" : "good");

    const main = course(past, this.name, (one) => one);
    const comparison = course(past, this.name, (one) => one.comparison);
    const all = [...main, ...comparison].map(([, value]) => value);
    const low = this.name === "stability" ? 0 : Math.min(...all);
    const high = this.name === "stability" ? 1 : Math.max(...all);
    const y = (value: number) => (high > low ? HEIGHT - 3 - ((value - low) / (high - low)) * (HEIGHT - 8) : HEIGHT - 8);
    const draw = line((point) => point[0], (point) => y(point[1]));
    const fill = area((point) => point[0], HEIGHT, (point) => y(point[1]));
    this.line.setAttribute("d", draw(main) ?? "");
    this.area.setAttribute("d", fill(main) ?? "");
    this.otherLine.setAttribute("d", draw(comparison) ?? "");
  }
}

/** Points that end at the right edge. */
function course(past: readonly Frame[], name: string, of: (frame: Frame) => Picture | null): Points {
  const points: Points = [];
  for (const [i, frame] of past.entries()) {
    const value = of(frame)?.metrics[name];
    if (typeof value === "number") points.push([WINDOW - past.length + i, value]);
  }
  return points;
}

function write(node: HTMLDataElement, value: number | null | undefined, unit: string): void {
  const [text, scaled] = quantity(value, unit);
  setAttribute(node, "value", value === null || value === undefined ? "" : String(value));
  if (node.firstChild === null) node.append(text, element("small", {}, scaled));
  else if (node.lastChild !== null) {
    if (node.firstChild.nodeValue !== text) node.firstChild.nodeValue = text;
    setText(node.lastChild, scaled);
  }
}
