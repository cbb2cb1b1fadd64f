import type { ZoomTransform } from "d3-zoom";
import { byId, element, setText } from "./dom";
import { GridView } from "./gridview";
import type { Surroundings } from "./gridview";
import { readInks } from "./inks";
import { hasCoordinates } from "./layout";
import type { Model, Part } from "./model";
import type { AgentStatus, Picture } from "./protocol";
import { gradient, STATUS, VOLTAGE_RANGE } from "./scales";

const USUAL: readonly AgentStatus[] = ["charging", "discharging", "shortage", "dark"];

/** The grids side by side: that of the policy and, where there is one, that of the comparison. */
export class Lanes implements Part {
  private readonly root = byId("lanes");
  private readonly around: Surroundings = {
    arrangement: "map",
    inks: readInks(),
    largest: { line: 1e-6, transfer: 1e-6 },
    picked: null,
  };
  private readonly main: GridView;
  private readonly comparison: GridView;
  private phase = 0;
  private last = 0;
  private readonly calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  private following = false;
  /** Those that the legend explains: what was seen so far, and what must be known when it comes. */
  private statuses = new Set<AgentStatus>(USUAL);

  constructor(private readonly model: Model) {
    const follow = (transform: ZoomTransform, from: GridView) => {
      if (this.following) return;
      this.following = true;
      for (const view of this.views()) if (view !== from) view.setTransform(transform);
      this.following = false;
    };
    this.main = new GridView("main", model, this.around, follow);
    this.comparison = new GridView("comparison", model, this.around, follow);
    this.root.append(this.main.root, this.comparison.root);
    this.comparison.root.hidden = true;
    byId("zoom-in").addEventListener("click", () => { this.main.zoomBy(1.4); });
    byId("zoom-out").addEventListener("click", () => { this.main.zoomBy(1 / 1.4); });
    byId("zoom-fit").addEventListener("click", () => { this.main.zoomFit(); });
    byId("layout").addEventListener("click", () => { this.toggleArrangement(); });
  }

  begin(model: Model): void {
    this.around.largest = { line: 1e-6, transfer: 1e-6 };
    this.statuses = new Set(USUAL);
    const known = model.hello !== null && hasCoordinates(model.hello.grid);
    this.around.arrangement = known ? "map" : "tree";
    byId("layout").hidden = !known;
    setText(byId("stage-title"), model.hello === null ? "Grid" : `Grid \u00b7 ${model.hello.network}`);
    this.nameArrangement();
    this.main.zoomFit();
    for (const view of this.views()) view.rearrange();
    this.legend();
  }

  update({ frame }: Model): void {
    const compared = frame?.comparison != null;
    if (this.comparison.root.hidden === compared) {
      this.comparison.root.hidden = !compared;
      this.root.dataset["count"] = compared ? "2" : "1";
    }
    const known = this.statuses.size;
    for (const picture of [frame, frame?.comparison]) if (picture != null) this.measure(picture);
    if (this.statuses.size > known) this.legend();
    for (const view of this.views()) view.refresh();
  }

  /** Colours or fonts changed. */
  repaint(): void {
    this.around.inks = readInks();
    this.legend();
    for (const view of this.views()) view.refresh();
  }

  pick(agent: string | null): void {
    this.around.picked = agent;
    for (const view of this.views()) view.refresh();
  }

  /** @param now milliseconds, of the animation frame. */
  draw(now: number): void {
    const passed = Math.min(now - this.last, 100) / 1000;
    this.last = now;
    const moved = this.model.moving && !this.calm.matches;
    if (moved) this.phase += passed;
    this.main.draw(this.phase, moved);
    if (!this.comparison.root.hidden) this.comparison.draw(this.phase, moved);
  }

  private views(): GridView[] {
    return [this.main, this.comparison];
  }

  private measure(picture: Picture): void {
    const { largest } = this.around;
    for (const kw of picture.lines.kw) largest.line = Math.max(largest.line, Math.abs(kw));
    for (const flow of picture.energy_flows)
      if (flow.kind === "transfer") largest.transfer = Math.max(largest.transfer, flow.kw);
    for (const agent of picture.agents) this.statuses.add(agent.status);
  }

  private toggleArrangement(): void {
    this.around.arrangement = this.around.arrangement === "map" ? "tree" : "map";
    this.nameArrangement();
    this.main.zoomFit();
    for (const view of this.views()) view.rearrange();
  }

  private nameArrangement(): void {
    setText(byId("layout"), this.around.arrangement === "map" ? "Tree" : "Map");
  }

  private legend(): void {
    const { theme, hello } = this.model;
    const ramp = (kind: "loading" | "voltage", low: string, high: string) => {
      const bar = element("span", { class: "legend-ramp" });
      bar.style.background = gradient(kind, theme);
      const name = element("span", {}, `${kind === "loading" ? "Line loading" : "Bus voltage"} ${low}`);
      return element("div", { class: "legend-scale" }, name, bar, element("span", {}, high));
    };
    const [low, high] = VOLTAGE_RANGE;
    const charge = hello?.agents.some((agent) => agent.capacity_kwh !== null) === true;
    const statuses = element("div", { class: "legend-status" });
    // in one order, however they came
    for (const status of (Object.keys(STATUS) as AgentStatus[]).filter((one) => this.statuses.has(one))) {
      const badge = element("span", { class: "badge" }, element("i", {}, STATUS[status].glyph), STATUS[status].label);
      badge.style.setProperty("--status", STATUS[status][theme]);
      statuses.append(badge);
    }
    byId("legend").replaceChildren(
      ramp("loading", "0", "100 %+"),
      ramp("voltage", low.toFixed(1), `${high.toFixed(1)} p.u.`),
      statuses,
      ...(charge ? [element("span", {}, "Ring: battery charge")] : []),
    );
  }
}
