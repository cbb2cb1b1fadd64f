import { byId, element, setAttribute, setText } from "./dom";
import { withUnit, words } from "./format";
import type { Model, Part } from "./model";

const IN_TILES = new Set(["stability", "mean_energy_kwh", "generation_kw", "reward", "cost_eur", "unserved_kwh"]);

/** The other metrics of the task, whatever they are. */
export class Figures implements Part {
  private readonly list = byId("figures");
  private readonly rows = new Map<string, { row: HTMLElement; value: HTMLDataElement; other: HTMLDataElement }>();

  begin(): void {
    this.rows.clear();
    this.list.replaceChildren();
  }

  update({ frame }: Model): void {
    if (frame === null) return;
    for (const [name, value] of Object.entries(frame.metrics)) {
      if (IN_TILES.has(name) || (value === null && !this.rows.has(name))) continue;
      const { label, unit } = words(name);
      const row = this.rows.get(name) ?? this.add(name, label);
      const precision = unit === "p.u." || name.includes("price") ? 3 : 2;
      setText(row.value, withUnit(value, unit, precision));
      setAttribute(row.value, "value", String(value ?? ""));
      const second = frame.comparison?.metrics[name];
      row.other.hidden = second === undefined;
      if (second !== undefined) setText(row.other, withUnit(second, unit, precision));
    }
  }

  private add(name: string, label: string) {
    const value = element("data");
    const other = element("data", { class: "other" });
    const row = element("div", { "data-metric": name }, element("dt", {}, label), element("dd", {}, value, other));
    this.list.append(row);
    const made = { row, value, other };
    this.rows.set(name, made);
    return made;
  }
}
