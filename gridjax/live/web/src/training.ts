import { extent } from "d3-array";
import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import type { Commands } from "./commands";
import type { Controls } from "./controls";
import { byId, element, setText, svg } from "./dom";
import { number } from "./format";
import type { Model, Part } from "./model";
import type { Training as Course } from "./protocol";

const REFRESH = 5_000;
const [WIDTH, HEIGHT] = [240, 110];

/** The curves of a training run, and its checkpoints, each of which can be set to run the grid. */
export class Training implements Part {
  private timer = 0;
  private drawn = "";
  private current: string | undefined;

  constructor(
    private readonly commands: Commands,
    private readonly controls: Controls,
  ) {}

  begin(): void {
    window.clearTimeout(this.timer);
    this.drawn = "";
    void this.fetch();
  }

  update({ status }: Model): void {
    if (status?.policy === this.current) return;
    this.current = status?.policy;
    for (const button of byId("checkpoints").querySelectorAll("button"))
      button.setAttribute("aria-pressed", String(button.dataset["policy"] === this.current));
  }

  private async fetch(): Promise<void> {
    let finished = false;
    try {
      const course = await this.commands.training();
      this.draw(course);
      finished = course.run === null || course.finished;
    } catch {
      // the connection says so already
    }
    if (!finished) this.timer = window.setTimeout(() => void this.fetch(), REFRESH);
  }

  private draw(course: Course): void {
    byId("training-panel").hidden = course.run === null;
    const key = JSON.stringify([course.checkpoints.length, course.finished, Object.entries(course.curves).map(([name, points]) => [name, points.length])]);
    if (course.run === null || key === this.drawn) return;
    this.drawn = key;
    setText(byId("training-run"), `${course.run}${course.finished ? ", finished" : ", running"}`);
    const buttons = course.checkpoints.map(({ policy, update, best }) => {
      const button = element("button", { type: "button", "data-policy": policy }, `Update ${update}${best ? " \u2605" : ""}`);
      button.title = best ? "Best in validation: let it run the grid" : "Let it run the grid";
      button.setAttribute("aria-pressed", String(policy === this.current));
      button.addEventListener("click", () => {
        this.controls.send("policy", { policy, lane: "main" });
      });
      return button;
    });
    byId("checkpoints").replaceChildren(...buttons);
    const curves = Object.entries(course.curves)
      .filter(([, points]) => points.length > 1)
      .sort(([a], [b]) => rank(a) - rank(b));
    byId("curves").replaceChildren(...curves.map(([name, points]) => curve(name, points)));
  }
}

/** What a policy is worth comes first, how the learner fares after it, and the clock last. */
const ORDER = [/^validation\//, /^(reward|episode_return)$/, /^metrics\//, /^cost\//, /^(?!seconds|steps_per|episode)/];

function rank(name: string): number {
  const found = ORDER.findIndex((kind) => kind.test(name));
  return found < 0 ? ORDER.length : found;
}

function curve(name: string, points: [number, number][]): HTMLElement {
  const [first = 0, last = 1] = extent(points, ([steps]) => steps) as [number?, number?];
  const [low = 0, high = 1] = extent(points, ([, value]) => value) as [number?, number?];
  const x = scaleLinear([first, last], [34, WIDTH - 4]);
  const y = scaleLinear([low, high === low ? low + 1 : high], [HEIGHT - 18, 8]).nice(3);
  const chart = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${name} over steps` });
  for (const tick of y.ticks(3)) {
    chart.append(svg("line", { x1: 34, x2: WIDTH - 4, y1: y(tick), y2: y(tick), class: "axis" }));
    chart.append(text(30, y(tick) + 3, y.tickFormat(3, "~s")(tick), "end"));
  }
  for (const tick of x.ticks(3)) chart.append(text(x(tick), HEIGHT - 4, x.tickFormat(3, "~s")(tick), "middle"));
  const draw = line(([steps]) => x(steps), ([, value]) => y(value));
  chart.append(svg("path", { d: draw(points) ?? "", class: "spark" }));
  const latest = points[points.length - 1]?.[1];
  return element("article", { class: "curve" }, element("h3", {}, name.replaceAll("_", " "), element("b", {}, short(latest))), chart);
}

function short(value: number | undefined): string {
  const small = value !== undefined && value !== 0 && Math.abs(value) < 0.01;
  return small ? value.toExponential(1).replaceAll("-", "\u2212") : number(value, 3);
}

function text(x: number, y: number, words: string, anchor: string): SVGTextElement {
  const made = svg("text", { x, y, "text-anchor": anchor });
  made.textContent = words;
  return made;
}
