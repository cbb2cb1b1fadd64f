import { Banner } from "./banner";
import { Cards } from "./cards";
import { Commands } from "./commands";
import { Connection } from "./connection";
import { Controls } from "./controls";
import { Events } from "./events";
import { Figures } from "./figures";
import { Header } from "./header";
import { Keyboard } from "./keyboard";
import { Lanes } from "./lanes";
import { Meter } from "./meter";
import { Metrics } from "./metrics";
import { Model } from "./model";
import type { Part } from "./model";
import { recording } from "./replay";
import { Themes } from "./theme";
import { Timeline } from "./timeline";
import { Token } from "./token";
import { Training } from "./training";
import { Turns } from "./turns";
import { Weights } from "./weights";
import type { Hello } from "./protocol";
import "./style.css";

/** Frames of the past that are fetched, and how many at once. */
const RECALLED = 1_500;
const CHUNK = 250;

const recorded = recording();
const model = new Model(recorded !== null);
const meter = new Meter();
const parts: Part[] = [];
const turns = new Turns();
window.gridjaxLive = { meter, turns };
const changed = () => {
  turns.add(parts);
};

const lanes = new Lanes(model);
const timeline = new Timeline(model, changed);
parts.push(new Header(), new Banner(), new Metrics(), lanes, timeline);
parts.push(
  new Events((sequence) => {
    model.player.playing = false;
    model.player.seekSequence(sequence);
    changed();
  }),
  new Cards((agent) => {
    lanes.pick(agent);
  }),
  new Figures(),
);

const themes = new Themes((theme) => {
  model.theme = theme;
  lanes.repaint();
  changed();
});
themes.apply();

function begin(hello: Hello): void {
  const again = model.hello?.session === hello.session;
  model.begin(hello);
  if (!again) for (const part of parts) part.begin?.(model);
  changed();
}

let toggle = () => {
  timeline.togglePlay();
};
let send: ((what: string) => void) | null = null;

if (recorded === null) serve();
else {
  document.documentElement.dataset["replay"] = "";
  model.connection = "connected";
  begin(recorded.hello);
  model.history.fill(recorded.frames);
  model.player.seek(0, true);
  model.player.play(performance.now());
}

function serve(): void {
  const token = new Token();
  const base = new URL(".", window.location.href);
  const commands = new Commands(base.href, token.get);
  const controls = new Controls(model, commands, () => {
    if (!model.player.live) model.player.goLive();
    changed();
  });
  parts.push(controls, new Weights(controls), new Training(commands, controls));
  toggle = () => {
    controls.toggle();
  };
  send = (what) => {
    controls.send(what);
  };

  // what was before this viewer came, the newest first
  const recall = async (session: string) => {
    const { first, last } = await commands.history(0, 0);
    if (first === null || last === null) return;
    const oldest = Math.max(first, last - RECALLED + 1);
    for (let to = last; to >= oldest; to -= CHUNK) {
      const past = await commands.history(Math.max(oldest, to - CHUNK + 1), to);
      if (past.session !== session || model.hello?.session !== session) return;
      model.history.fill(past.frames);
      changed();
    }
  };
  // a socket that is refused does not say why
  const unlock = async () => {
    if (await commands.locked()) connection.refuse();
  };
  const socket = new URL("ws/grid", base);
  socket.protocol = base.protocol === "https:" ? "wss:" : "ws:";
  const connection = new Connection(
    socket.href,
    {
      hello(hello) {
        begin(hello);
        if (!hello.replayed) recall(hello.session).catch(() => undefined); // live frames come without it
      },
      frame(frame) {
        model.history.add(frame);
        changed();
      },
      status(status) {
        model.status = status;
        changed();
      },
      error({ message }) {
        controls.say(message, "alarm");
      },
      connection(state, retryAt) {
        model.connection = state;
        model.retryAt = retryAt;
        changed();
        if (state === "lost") void unlock();
        else if (state === "refused")
          token.ask(() => {
            connection.open();
            void unlock();
          });
      },
    },
    token.get,
  );
  connection.open();
  void unlock();
  window.setInterval(() => {
    if (model.retryAt !== null) changed(); // the countdown
  }, 500);
}

const move = (frames: number) => () => {
  model.player.move(frames);
  changed();
};
const jump = (direction: 1 | -1) => () => {
  model.player.jump(direction);
  changed();
};
const press = (id: string) => () => {
  document.getElementById(id)?.click();
};
const running = [
  { keys: ["s"], shown: "S", text: "Stop", act: () => send?.("stop") },
  { keys: ["."], shown: ".", text: "One step", act: () => send?.("step") },
  { keys: ["r"], shown: "R", text: "Reset", act: () => send?.("reset") },
  { keys: ["l"], shown: "L", text: "Back to live", act: press("live") },
];
new Keyboard([
  { keys: [" "], shown: "Space", text: recorded === null ? "Start or pause" : "Play or pause", act: () => { toggle(); } },
  ...(recorded === null ? running : []),
  { keys: ["ArrowLeft"], shown: "\u2190", text: "One frame back", act: move(-1) },
  { keys: ["ArrowRight"], shown: "\u2192", text: "One frame on", act: move(1) },
  { keys: ["ShiftArrowLeft"], shown: "Shift \u2190", text: "Twenty frames back", act: move(-20) },
  { keys: ["ShiftArrowRight"], shown: "Shift \u2192", text: "Twenty frames on", act: move(20) },
  { keys: ["p"], shown: "P", text: "Previous event", act: jump(-1) },
  { keys: ["n"], shown: "N", text: "Next event", act: jump(1) },
  { keys: ["k"], shown: "K", text: "Play or pause the history", act: press("play") },
  { keys: ["g"], shown: "G", text: "Map or tree", act: press("layout") },
  { keys: ["+", "="], shown: "+", text: "Zoom in", act: press("zoom-in") },
  { keys: ["-"], shown: "\u2212", text: "Zoom out", act: press("zoom-out") },
  { keys: ["0"], shown: "0", text: "Whole grid", act: press("zoom-fit") },
  { keys: ["t"], shown: "T", text: "Dark or light", act: () => { themes.toggle(); } },
]);

function draw(now: number): void {
  const began = performance.now();
  if (model.player.tick(now)) changed();
  lanes.draw(now);
  turns.take(model, began);
  meter.count(now, performance.now() - began);
  requestAnimationFrame(draw);
}
changed();
requestAnimationFrame(draw);
