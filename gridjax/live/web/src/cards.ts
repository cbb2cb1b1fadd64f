import { byId, element, setAttribute, setText } from "./dom";
import { withUnit } from "./format";
import type { Model, Part } from "./model";
import type { Agent, AgentNow, Frame } from "./protocol";
import { STATUS } from "./scales";
import type { Theme } from "./scales";

const ROWS: { field: keyof AgentNow; label: string; unit: string; precision: number; bad?: boolean }[] = [
  { field: "generation_kw", label: "Generation", unit: "kW", precision: 2 },
  { field: "demand_kw", label: "Demand", unit: "kW", precision: 2 },
  { field: "battery_kw", label: "Battery output", unit: "kW", precision: 2 },
  { field: "energy_kwh", label: "Stored", unit: "kWh", precision: 2 },
  { field: "exchange_kw", label: "Grid import", unit: "kW", precision: 2 },
  { field: "transfer_kw", label: "Neighbours", unit: "kW", precision: 2 },
  { field: "reactive_kvar", label: "Reactive", unit: "kvar", precision: 2 },
  { field: "voltage", label: "Voltage", unit: "p.u.", precision: 4 },
  { field: "unserved_kw", label: "Unserved", unit: "kW", precision: 2, bad: true },
  { field: "reward", label: "Reward", unit: "", precision: 3 },
  { field: "cost_eur", label: "Cost", unit: "\u20ac", precision: 3 },
];
const ALL_AT_ONCE = 40; // more cards than this are drawn only while they are on the screen

/** A card per agent, with its numbers as they were sent in the `value` of each `data` element. */
export class Cards implements Part {
  private readonly root = byId("cards");
  private cards: Card[] = [];
  private readonly watcher: IntersectionObserver;
  private readonly inView = new Set<Element>();
  private model: Model | null = null;
  /** The card after the one that was drawn last. */
  private next = 0;

  /** @param onPick told which agent is pointed at, or null. */
  constructor(private readonly onPick: (id: string | null) => void) {
    this.watcher = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting) this.inView.add(entry.target);
        else this.inView.delete(entry.target);
      }
      if (this.model !== null) this.update(this.model, Infinity);
    }, { rootMargin: "200px" });
  }

  begin(model: Model): void {
    this.watcher.disconnect();
    this.inView.clear();
    const agents = model.hello?.agents ?? [];
    const storage = new Set(agents.filter((agent) => agent.capacity_kwh !== null).map((agent) => agent.group));
    this.cards = agents.map((agent) => new Card(agent, storage.has(agent.group), this.onPick));
    this.root.replaceChildren(...this.cards.map((card) => card.root));
    for (const card of this.cards) this.watcher.observe(card.root);
    setText(byId("agents-count"), String(agents.length));
  }

  update(model: Model, until: number): boolean {
    this.model = model;
    const { frame, theme } = model;
    if (frame === null) return false;
    setAttribute(this.root, "data-compared", String(frame.comparison !== null));
    for (let k = this.cards.length; k > 0; k--) {
      const i = this.next % this.cards.length;
      this.next = i + 1;
      const card = this.cards[i];
      if (card === undefined || (this.cards.length > ALL_AT_ONCE && !this.inView.has(card.root))) continue;
      if (card.update(frame, i, theme) && performance.now() >= until) return k > 1;
    }
    return false;
  }
}

class Card {
  private shown: Frame | null = null;
  private theme: Theme | null = null;
  readonly root = element("article", { class: "card", tabindex: "0" });
  private readonly status = element("span", { class: "card-status" });
  private readonly charge = element("i");
  private readonly otherCharge = element("i");
  private readonly otherBar = element("span", { class: "charge-bar other" }, this.otherCharge);
  private readonly chargeText = element("data", { "data-field": "charge" });
  private readonly chargeRow: HTMLElement;
  private readonly rows: { row: HTMLElement; value: HTMLDataElement; other: HTMLElement; text: HTMLDataElement }[];

  /** @param storage whether any of its group has some: then one without says so. */
  constructor(
    agent: Agent,
    private readonly storage: boolean,
    onPick: (id: string | null) => void,
  ) {
    this.root.dataset["agent"] = agent.id;
    this.root.setAttribute("aria-label", agent.name);
    const head = element("div", { class: "card-head" }, element("h3", { title: agent.name }, agent.name), this.status);
    const bars = element("span", { class: "charge-bars" }, element("span", { class: "charge-bar" }, this.charge), this.otherBar);
    this.chargeRow = element("div", { class: "charge" }, bars, this.chargeText);
    const body = element("tbody");
    this.rows = ROWS.map(({ field, label }) => {
      const value = element("data", { "data-field": field });
      const text = element("data");
      const other = element("td", { class: "other" }, text);
      const row = element("tr", {}, element("th", { scope: "row" }, label), element("td", {}, value), other);
      body.append(row);
      return { row, value, other, text };
    });
    this.root.append(head, this.chargeRow, element("table", {}, body));
    for (const event of ["pointerenter", "focusin"]) this.root.addEventListener(event, () => { onPick(agent.id); });
    for (const event of ["pointerleave", "focusout"]) this.root.addEventListener(event, () => { onPick(null); });
  }

  /** Shows agent `i` of the frame; false where it does already. */
  update(frame: Frame, i: number, theme: Theme): boolean {
    const now = frame.agents[i];
    if (now === undefined || (frame === this.shown && theme === this.theme)) return false;
    this.shown = frame;
    this.theme = theme;
    this.write(now, frame.comparison?.agents[i] ?? null, theme);
    setAttribute(this.root, "data-sequence", String(frame.sequence));
    return true;
  }

  private write(now: AgentNow, second: AgentNow | null, theme: Theme): void {
    const look = STATUS[now.status];
    if (this.root.style.getPropertyValue("--status") !== look[theme]) this.root.style.setProperty("--status", look[theme]);
    setAttribute(this.root, "data-status", now.status);
    setText(this.status, `${look.glyph} ${look.label}`);
    this.chargeRow.hidden = now.charge === null && !this.storage;
    write(this.chargeText, now.charge, "%", 1);
    if (now.charge === null) setText(this.chargeText, "no battery");
    this.charge.style.transform = `scaleX(${now.charge ?? 0})`;
    this.otherBar.hidden = second === null;
    this.otherCharge.style.transform = `scaleX(${second?.charge ?? 0})`;
    for (const [i, { row, value, other, text }] of this.rows.entries()) {
      const spec = ROWS[i];
      if (spec === undefined) continue;
      const number = now[spec.field] as number | null;
      row.hidden = number === null;
      write(value, number, spec.unit, spec.precision);
      if (spec.bad === true) row.classList.toggle("bad", (number ?? 0) > 0);
      other.hidden = second === null;
      if (second !== null) write(text, second[spec.field] as number | null, spec.unit, spec.precision);
    }
  }
}

function write(node: HTMLDataElement, value: number | null, unit: string, precision: number): void {
  const held = value === null ? "" : String(value);
  if (node.getAttribute("value") === held) return;
  node.setAttribute("value", held);
  setText(node, withUnit(value, unit, precision));
}
