import { byId, element } from "./dom";
import { clock } from "./format";
import type { History } from "./history";
import type { Model, Part } from "./model";
import type { Frame, Picture, Severity } from "./protocol";

const LASTING = 40; // frames for which an alarm that has passed still stands

const SUPPLY = new Set(["outage", "islanding", "collapse"]);

interface Alarm {
  severity: Severity;
  title: string;
  text: string;
}

/** What is wrong in the frame shown, gravest first; null where nothing is. */
export function alarmOf(frame: Frame | null, history: History): Alarm | null {
  if (frame === null) return null;
  const { comparison } = frame;
  return supply(frame, frame, history) ?? recent(frame, history) ?? (comparison && supply(comparison, frame, history));
}

function supply(picture: Picture, frame: Frame, history: History): Alarm | null {
  const { connected, islanded, energised_share: share } = picture.grid;
  if (connected && share >= 1) return null;
  const since = history.events.findLast(
    (event) => event.sequence <= frame.sequence && (event.kind === "outage" || event.kind === "islanding"),
  );
  const when = since === undefined ? "" : ` since ${clock(since.clock.hour)}`;
  const whose = picture === frame ? "" : ` under ${picture.policy}`;
  if (connected) return { severity: "alarm", title: `Part of the grid is dead${when}${whose}`, text: "" };
  if (islanded && share >= 1 && (picture.metrics["unserved_kwh"] ?? 0) > 0)
    return { severity: "alarm", title: `Islanded${when}${whose}`, text: "The grid outside is lost, and not all demand is served." };
  if (islanded && share >= 1)
    return { severity: "warning", title: `Islanded${when}${whose}`, text: "The grid outside is lost; local sources carry everyone." };
  if (islanded)
    return { severity: "alarm", title: `Outage${when}${whose}`, text: "The grid outside is lost; local sources carry a part, the rest is dark." };
  return { severity: "alarm", title: `Outage${when}${whose}`, text: "The grid outside is lost and nobody is supplied." };
}

function recent(frame: Frame, history: History): Alarm | null {
  const event = history.events.findLast((one) => one.sequence <= frame.sequence && one.severity === "alarm");
  if (event === undefined || frame.sequence - event.sequence > LASTING) return null;
  const text = sentence(event.text);
  // an outage that is over may have lasted for a blink of the page
  if (SUPPLY.has(event.kind))
    return {
      severity: "warning",
      title: `${event.kind === "islanding" ? "Islanded" : "Outage"} at ${clock(event.clock.hour)}, over by now`,
      text,
    };
  return { severity: "alarm", title: text, text: "" };
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The strip under the header that nobody misses. */
export class Banner implements Part {
  private readonly strip = byId("banner");
  private shown = "";

  update({ frame, history, status }: Model): void {
    const failure = status?.error ?? null;
    const alarm: Alarm | null =
      failure === null ? alarmOf(frame, history) : { severity: "alarm", title: "The simulation stopped", text: failure };
    const key = alarm === null ? "" : `${alarm.severity}|${alarm.title}|${alarm.text}`;
    // not at every frame: screen readers read it out upon each change
    if (key === this.shown) return;
    this.shown = key;
    this.strip.hidden = alarm === null;
    if (alarm === null) return;
    this.strip.dataset["severity"] = alarm.severity;
    this.strip.replaceChildren(element("strong", {}, alarm.title), element("span", {}, alarm.text));
  }
}
