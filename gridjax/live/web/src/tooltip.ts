import { byId, element } from "./dom";
import type { Description } from "./inspect";

/** The one box of details beside the pointer. */
export const tooltip = {
  show([x, y]: [number, number], { title, rows }: Description): void {
    const box = byId("tooltip");
    const lines = rows.map(([label, value]) => element("div", {}, element("span", {}, label), element("b", {}, value)));
    box.replaceChildren(element("strong", {}, title), ...lines);
    box.hidden = false;
    const { offsetWidth: width, offsetHeight: height } = box;
    const left = x + 16 + width > window.innerWidth ? x - width - 12 : x + 16;
    const top = Math.min(y + 14, window.innerHeight - height - 8);
    box.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
  },
  hide(): void {
    byId("tooltip").hidden = true;
  },
};
