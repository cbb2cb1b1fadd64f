import { Refused } from "./commands";
import type { Commands } from "./commands";
import { byId, element, setAttribute, setText } from "./dom";
import { number } from "./format";
import type { Model, Part } from "./model";

const SLOWEST = 0.25;
const SPAN = 400; // slowest to fastest, 0.25 to 100 steps a second
const NO_COMPARISON = "";

/** Slider position in [0, 100] to steps per second and back: equal ways are equal ratios. */
export function speedOf(position: number): number {
  return Number((SLOWEST * SPAN ** (position / 100)).toPrecision(2));
}

export function positionOf(speed: number): number {
  return Math.round((100 * Math.log(speed / SLOWEST)) / Math.log(SPAN));
}

/** The panel by which the simulation is run. */
export class Controls implements Part {
  private readonly start = byId("start", HTMLButtonElement);
  private readonly pause = byId("pause", HTMLButtonElement);
  private readonly stop = byId("stop", HTMLButtonElement);
  private readonly step = byId("step", HTMLButtonElement);
  private readonly reset = byId("reset", HTMLButtonElement);
  private readonly speed = byId("speed", HTMLInputElement);
  private readonly seed = byId("seed", HTMLInputElement);
  private readonly policy = byId("policy", HTMLSelectElement);
  private readonly compare = byId("compare", HTMLSelectElement);
  private readonly scenario = byId("scenario", HTMLSelectElement);

  constructor(
    private readonly model: Model,
    private readonly commands: Commands,
    private readonly onAct: () => void,
  ) {
    // on a phone the grid comes first
    byId("settings", HTMLDetailsElement).open = window.innerWidth > 640;
    this.start.addEventListener("click", () => { this.send("start"); });
    this.pause.addEventListener("click", () => { this.send("pause"); });
    this.stop.addEventListener("click", () => { this.send("stop"); });
    this.step.addEventListener("click", () => { this.send("step"); });
    this.reset.addEventListener("click", () => { this.send("reset"); });
    this.speed.addEventListener("input", () => { this.showSpeed(speedOf(this.speed.valueAsNumber)); });
    this.speed.addEventListener("change", () => {
      this.send("speed", { speed: speedOf(this.speed.valueAsNumber) });
    });
    const seed = () => {
      if (this.seed.reportValidity() && this.seed.value !== "") this.send("seed", { seed: this.seed.valueAsNumber });
    };
    byId("seed-set").addEventListener("click", seed);
    this.seed.addEventListener("keydown", (event) => {
      if (event.key === "Enter") seed();
    });
    this.policy.addEventListener("change", () => {
      this.send("policy", { policy: this.policy.value, lane: "main" });
    });
    this.compare.addEventListener("change", () => {
      const chosen = this.compare.value;
      this.send("policy", { policy: chosen === NO_COMPARISON ? null : chosen, lane: "comparison" });
    });
    this.scenario.addEventListener("change", () => {
      const { value } = this.scenario;
      const day = /^day (\d+)$/.exec(value);
      this.send("scenario", { scenario: day === null ? value : Number(day[1]) });
    });
  }

  begin({ hello }: Model): void {
    if (hello === null) return;
    this.policy.replaceChildren(...hello.policies.map((name) => option(name)));
    const none = option(NO_COMPARISON, "nothing");
    this.compare.replaceChildren(none, ...hello.policies.map((name) => option(name)));
    this.scenario.replaceChildren(...hello.scenarios.map((name) => option(name)));
    const [first, last] = hello.days;
    if (first === undefined || last === undefined || last - first > 1000) return;
    const days = element("optgroup", { label: "One day" });
    for (let day = first; day <= last; day++) days.append(option(`day ${day}`));
    this.scenario.append(days);
  }

  update({ status, connection }: Model): void {
    const away = connection !== "connected" || status === null;
    const going = status !== null && status.running && !status.paused;
    setText(this.start, status?.paused === true && status.running ? "Continue" : "Start");
    this.start.disabled = away || going;
    this.pause.disabled = away || !going;
    this.stop.disabled = away || !status.running;
    this.step.disabled = away || going;
    this.reset.disabled = away;
    for (const field of [this.speed, this.seed, this.policy, this.compare, this.scenario]) field.disabled = away;
    if (status === null) return;
    if (document.activeElement !== this.speed) {
      this.speed.value = String(positionOf(status.speed));
      this.showSpeed(status.speed);
    }
    if (document.activeElement !== this.seed) this.seed.value = String(status.seed);
    choose(this.policy, status.policy);
    choose(this.compare, status.comparison ?? NO_COMPARISON);
    choose(this.scenario, status.scenario);
  }

  /** Sends a command; what the server says against it is shown under the panel. */
  send(what: string, body: object = {}): void {
    this.onAct();
    this.say("");
    this.commands.simulation(what, body).catch((error: unknown) => {
      const text = error instanceof Refused ? error.message : "The server cannot be reached.";
      this.say(text, "alarm");
      this.update(this.model);
    });
  }

  /** What the space bar does. */
  toggle(): void {
    const { status } = this.model;
    this.send(status?.running === true && !status.paused ? "pause" : "start");
  }

  say(text: string, severity = "info"): void {
    const notice = byId("notice");
    setAttribute(notice, "data-severity", severity);
    setText(notice, text);
  }

  private showSpeed(speed: number): void {
    const words = `${number(speed, speed < 1 ? 2 : 1)} steps/s`;
    setText(byId("speed-value"), words);
    setAttribute(this.speed, "aria-valuetext", words);
  }
}

function option(value: string, label = value): HTMLOptionElement {
  return element("option", { value }, label);
}

/** Shows `value`, also where the list lacks it. */
function choose(select: HTMLSelectElement, value: string): void {
  if (document.activeElement === select && select.matches(":open")) return;
  if (select.value === value) return;
  if (![...select.options].some((known) => known.value === value)) select.append(option(value));
  select.value = value;
}
