import type { Controls } from "./controls";
import { byId, element, setText } from "./dom";
import { number } from "./format";
import type { Model, Part } from "./model";

/** What the reward weighs, by sliders; the page shows the server's values. */
export class Weights implements Part {
  private readonly root = byId("weights");
  private rows = new Map<string, { slider: HTMLInputElement; value: HTMLOutputElement }>();

  constructor(private readonly controls: Controls) {}

  begin({ hello }: Model): void {
    this.rows = new Map();
    const weights = Object.entries(hello?.weights ?? {});
    byId("weights-panel").hidden = weights.length === 0;
    this.root.replaceChildren(...weights.map(([name, weight]) => this.row(name, weight)));
  }

  update({ status, connection }: Model): void {
    for (const [name, { slider, value }] of this.rows) {
      slider.disabled = connection !== "connected";
      const weight = status?.weights[name];
      if (weight === undefined || document.activeElement === slider) continue;
      slider.max = String(Math.max(Number(slider.max), weight));
      slider.min = String(Math.min(Number(slider.min), weight));
      slider.value = String(weight);
      setText(value, number(weight, 3));
    }
  }

  private row(name: string, weight: number): HTMLElement {
    const reach = weight === 0 ? 1 : 4 * Math.abs(weight);
    const slider = element("input", {
      type: "range",
      min: String(weight < 0 ? -reach : 0),
      max: String(weight < 0 ? 0 : reach),
      step: String(reach / 200),
      "data-weight": name,
      id: `weight-${name}`,
    });
    slider.value = String(weight);
    const value = element("output", {}, number(weight, 3));
    slider.addEventListener("input", () => { setText(value, number(slider.valueAsNumber, 3)); });
    slider.addEventListener("change", () => {
      this.controls.send("weights", { weights: { [name]: slider.valueAsNumber } });
      slider.blur();
    });
    this.rows.set(name, { slider, value });
    // named, since the output too could be what the label is for
    return element("label", { class: "field", for: slider.id }, element("span", {}, name.replaceAll("_", " "), value), slider);
  }
}
