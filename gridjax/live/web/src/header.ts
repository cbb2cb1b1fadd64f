import { byId, setAttribute, setText } from "./dom";
import { clock } from "./format";
import type { Model, Part } from "./model";

/** Which grid, what time it is there, and whether the server is heard. */
export class Header implements Part {
  begin({ hello }: Model): void {
    if (hello === null) return;
    const { env, network, server, agents } = hello;
    setText(byId("subject"), `${env} \u00b7 ${network} \u00b7 ${agents.length} agents \u00b7 ${server.device}`);
    setAttribute(byId("subject"), "title", `gridjax ${server.version}, JAX ${server.jax}, ${server.device}`);
  }

  update({ frame, player, status, recorded, connection, retryAt }: Model): void {
    setText(byId("clock"), frame === null ? "--:--" : clock(frame.clock.hour));
    setText(byId("calendar"), frame === null ? "" : `day ${frame.clock.day}, step ${frame.step}`);
    const chip = byId("mode");
    const [mode, words] = recorded
      ? ["history", "Replay"]
      : !player.live
        ? ["history", "History"]
        : status === null || !status.running
          ? ["stopped", "Stopped"]
          : status.paused
            ? ["paused", "Paused"]
            : ["running", "Running"];
    setAttribute(chip, "data-mode", mode);
    setText(chip, words);
    const wait = retryAt === null ? 0 : Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
    const link = byId("connection");
    setAttribute(link, "data-state", connection);
    const viewers = status === null || status.viewers < 2 ? "" : ` \u00b7 ${status.viewers} viewers`;
    const text = {
      connecting: "Connecting",
      connected: `Connected${viewers}`,
      lost: wait > 0 ? `Disconnected, trying again in ${wait} s` : "Disconnected, trying again",
      refused: "Refused",
    }[connection];
    setText(link, text);
  }
}
