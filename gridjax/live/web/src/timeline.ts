import { byId, setAttribute, setText, svg } from "./dom";
import { clock } from "./format";
import type { Model, Part } from "./model";

const MARKS_EVERY = 400; // ms

/** Scrubs through the history, plays it, jumps between its events, and goes back to live. */
export class Timeline implements Part {
  private readonly scrub = byId("scrub", HTMLInputElement);
  private readonly marks = byId("track-marks", SVGSVGElement);
  private readonly play = byId("play");
  private readonly live = byId("live");
  private marked = 0;

  constructor(
    private readonly model: Model,
    private readonly changed: () => void,
  ) {
    const act = (action: () => void) => () => {
      action();
      changed();
    };
    this.scrub.addEventListener("input", act(() => {
      model.player.playing = false;
      model.player.seek(this.scrub.valueAsNumber, model.recorded);
    }));
    this.play.addEventListener("click", act(() => { this.togglePlay(); }));
    this.live.addEventListener("click", act(() => { model.player.goLive(); }));
    byId("event-next").addEventListener("click", act(() => { model.player.jump(1); }));
    byId("event-previous").addEventListener("click", act(() => { model.player.jump(-1); }));
    const rate = byId("rate", HTMLSelectElement);
    rate.addEventListener("change", () => { model.player.rate = Number(rate.value); });
    this.live.hidden = model.recorded;
  }

  togglePlay(): void {
    const { player } = this.model;
    if (player.playing) player.pause();
    else player.play(performance.now());
    this.changed();
  }

  update({ history, player, frame }: Model): void {
    const last = Math.max(history.length - 1, 0);
    setAttribute(this.scrub, "max", String(last));
    this.scrub.value = String(player.index);
    const moment = frame === null ? "" : `${clock(frame.clock.hour)}, step ${frame.step}`;
    setAttribute(this.scrub, "aria-valuetext", moment);
    const behind = last - player.index;
    setText(byId("scrub-label"), player.live ? `${history.length} frames` : `${player.index + 1} of ${history.length}`);
    setAttribute(this.live, "data-on", String(player.live));
    setText(this.live, player.live || behind === 0 ? "Live" : "Go live");
    setText(this.play, player.playing ? "\u275A\u275A" : "\u25B6");
    setAttribute(this.play, "aria-label", player.playing ? "Pause playback" : "Play history");
    this.mark();
  }

  private mark(): void {
    const now = performance.now();
    if (now - this.marked < MARKS_EVERY) return;
    this.marked = now;
    const { history } = this.model;
    const last = Math.max(history.length - 1, 1);
    setAttribute(this.marks, "viewBox", "0 0 1000 34");
    const lines = history.events.slice(-300).map((event) => {
      const x = (1000 * history.indexOf(event.sequence)) / last;
      const [top, bottom] = event.severity === "info" ? [3, 8] : [0, 10];
      return svg("line", { x1: x, x2: x, y1: top, y2: bottom, class: event.severity });
    });
    this.marks.replaceChildren(...lines);
  }
}
