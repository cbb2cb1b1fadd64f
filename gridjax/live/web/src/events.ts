import { byId, element, setText } from "./dom";
import { clock } from "./format";
import type { Happening } from "./history";
import type { Model, Part } from "./model";

const MOST = 200;

/** What happened, newest first; each entry goes to its moment. */
export class Events implements Part {
  private readonly list = byId("events", HTMLOListElement);
  private newest: Happening | undefined;
  private current: number | undefined;

  constructor(private readonly onChoose: (sequence: number) => void) {}

  begin(): void {
    this.newest = undefined;
    this.list.replaceChildren();
    setText(byId("events-count"), "");
  }

  update({ history, player, frame }: Model): void {
    const { events } = history;
    const newest = events[events.length - 1];
    if (newest !== this.newest || (events.length === 0 && this.list.firstChild !== null)) {
      this.newest = newest;
      const shown = events.slice(-MOST).toReversed();
      this.list.replaceChildren(...shown.map((event) => this.entry(event)));
      setText(byId("events-count"), String(events.length));
      this.current = undefined;
    }
    const current = player.live ? undefined : frame?.sequence;
    if (current === this.current) return;
    this.current = current;
    for (const button of this.list.querySelectorAll("button"))
      button.setAttribute("aria-current", String(button.dataset["sequence"] === String(current)));
  }

  private entry(event: Happening): HTMLLIElement {
    const words = element("span", {}, event.text);
    if (event.lane === "comparison") words.prepend(element("em", {}, "comparison: "));
    const time = element("time", { title: `day ${event.clock.day}` }, clock(event.clock.hour));
    const button = element(
      "button",
      { type: "button", class: event.severity, "data-sequence": String(event.sequence), "data-kind": event.kind },
      time,
      words,
    );
    button.addEventListener("click", () => {
      this.onChoose(event.sequence);
    });
    return element("li", {}, button);
  }
}
