import { byId, element } from "./dom";

export interface Shortcut {
  keys: string[];
  shown: string;
  text: string;
  act(): void;
}

/** Single keys, unless the focus is where keys are typed; the viewer can turn them off. */
export class Keyboard {
  private readonly enabled = byId("shortcuts-on", HTMLInputElement);
  private readonly help = byId("help", HTMLDialogElement);

  constructor(shortcuts: readonly Shortcut[]) {
    byId("shortcuts").replaceChildren(
      ...shortcuts.flatMap(({ shown, text }) => [
        element("dt", {}, ...shown.split(" ").map((key) => element("kbd", {}, key))),
        element("dd", {}, text),
      ]),
    );
    byId("help-open").addEventListener("click", () => {
      this.help.showModal();
    });
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]") !== null) return;
      if (event.key === "?") this.help.showModal();
      else if (this.enabled.checked && !typing(event)) {
        const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
        const wanted = event.shiftKey && key.startsWith("Arrow") ? `Shift${key}` : key;
        const shortcut = shortcuts.find(({ keys }) => keys.includes(wanted));
        if (shortcut === undefined) return;
        event.preventDefault();
        shortcut.act();
      }
    });
  }
}

/** Whether the key means something to the element that has the focus. */
function typing(event: KeyboardEvent): boolean {
  const { target } = event;
  if (!(target instanceof Element)) return false;
  if (target.matches("select, textarea, input:not([type=range]):not([type=checkbox])")) return true;
  if (target.matches("input[type=range]")) return event.key.startsWith("Arrow");
  return event.key === " " && target.matches("button, input");
}
