import type { Recording } from "./protocol";

/** The recording that was written into the page, null where the page is one of a server. */
export function recording(): Recording | null {
  const tag = document.getElementById("gridjax-replay");
  return tag === null ? null : (JSON.parse(tag.textContent) as Recording | null);
}
