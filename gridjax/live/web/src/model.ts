import type { ConnectionState } from "./connection";
import { History } from "./history";
import type { Frame, Hello, Status } from "./protocol";
import { Player } from "./player";
import type { Theme } from "./scales";

/** Numbers kept in memory for the history, all frames together. */
const BUDGET = 6_000_000;

/** What the page knows, which every part of it draws from. */
export class Model {
  hello: Hello | null = null;
  status: Status | null = null;
  connection: ConnectionState = "connecting";
  retryAt: number | null = null;
  theme: Theme = "dark";
  history = new History(1);
  player = new Player(this.history);

  /** @param recorded whether this is a replay, without a server. */
  constructor(readonly recorded: boolean) {}

  begin(hello: Hello): void {
    const again = this.hello?.session === hello.session;
    this.hello = hello;
    this.status = hello.state;
    if (again) return;
    const numbers = 2 * (hello.agents.length * 14 + hello.grid.lines.length * 6 + hello.grid.buses.length * 2);
    const capacity = Math.round(Math.min(20_000, Math.max(600, BUDGET / Math.max(numbers, 1))));
    this.history = new History(capacity);
    this.player = new Player(this.history);
  }

  /** The frame that is shown. */
  get frame(): Frame | null {
    return this.player.frame;
  }

  get running(): boolean {
    const { status } = this;
    return status !== null && status.running && !status.paused && this.connection === "connected";
  }

  /** Whether what is shown goes on by itself. */
  get moving(): boolean {
    return this.player.live ? this.running && !this.recorded : this.player.playing;
  }
}

/** A part of the page. */
export interface Part {
  /** Another session: other agents, another grid. */
  begin?(model: Model): void;
  /** Something changed; true where more is left than could be done until this time (`performance.now()`). */
  update(model: Model, until: number): unknown;
}
