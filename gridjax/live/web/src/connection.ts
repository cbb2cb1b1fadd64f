import { backoff } from "./backoff";
import { parseMessage } from "./protocol";
import type { Frame, Hello, ServerError, Status } from "./protocol";

export type ConnectionState = "connecting" | "connected" | "lost" | "refused";

export interface Listener {
  hello(message: Hello): void;
  frame(message: Frame): void;
  status(message: Status): void;
  error(message: ServerError): void;
  connection(state: ConnectionState, retryAt: number | null): void;
}

const POLICY_VIOLATION = 1008;
const QUIET_MS = 10_000; // without the frames that are due: the server vanished without a word

/** A WebSocket that comes back by itself and takes up after the last frame it saw. */
export class Connection {
  private socket: WebSocket | null = null;
  private attempt = 0;
  private timer = 0;
  private session: string | null = null;
  private sequence: number | null = null;
  private heard = 0;
  private refused = false;
  /** Milliseconds between two frames; infinite while none are due. */
  private period = Infinity;

  constructor(
    private readonly address: string,
    private readonly listener: Listener,
    private readonly token: () => string | null,
  ) {
    window.addEventListener("online", () => {
      this.retryNow();
    });
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.retryNow();
    });
    window.setInterval(() => {
      this.listen();
    }, 4_000);
  }

  open(): void {
    this.refused = false;
    window.clearTimeout(this.timer);
    this.socket?.close();
    this.listener.connection("connecting", null);
    const url = new URL(this.address);
    if (this.session !== null && this.sequence !== null) {
      url.searchParams.set("session", this.session);
      url.searchParams.set("since", String(this.sequence));
    }
    const token = this.token();
    const socket = new WebSocket(url, token === null ? ["gridjax"] : ["gridjax", `token.${token}`]);
    this.socket = socket;
    this.heard = performance.now();
    socket.onmessage = (event) => {
      if (socket === this.socket && typeof event.data === "string") this.receive(event.data);
    };
    socket.onclose = (event) => {
      if (socket === this.socket) this.closed(event.code);
    };
  }

  /** At once, rather than when the wait is over. */
  retryNow(): void {
    if (this.refused || (this.socket !== null && this.socket.readyState <= WebSocket.OPEN)) return;
    this.attempt = 0;
    this.open();
  }

  /** Gives up until `open` is called again: the server wants another token. */
  refuse(): void {
    const socket = this.socket;
    this.socket = null;
    this.refused = true;
    socket?.close();
    window.clearTimeout(this.timer);
    this.listener.connection("refused", null);
  }

  private receive(text: string): void {
    this.heard = performance.now();
    const message = parseMessage(text);
    if (message === null) return;
    switch (message.type) {
      case "hello":
        this.attempt = 0;
        if (message.session !== this.session) this.sequence = null;
        this.session = message.session;
        this.expect(message.state);
        this.listener.connection("connected", null);
        this.listener.hello(message);
        break;
      case "frame":
        this.sequence = Math.max(this.sequence ?? 0, message.sequence);
        this.listener.frame(message);
        break;
      case "status":
        this.expect(message);
        this.listener.status(message);
        break;
      case "error":
        this.listener.error(message);
    }
  }

  private closed(code: number): void {
    this.socket = null;
    if (code === POLICY_VIOLATION) {
      this.refuse();
      return;
    }
    const wait = backoff(this.attempt++);
    this.listener.connection("lost", Date.now() + wait);
    this.timer = window.setTimeout(() => {
      this.open();
    }, wait);
  }

  private expect({ running, paused, speed }: Status): void {
    this.period = running && !paused ? 1000 / speed : Infinity;
  }

  private listen(): void {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    if (performance.now() - this.heard < Math.max(QUIET_MS, 5 * this.period)) return;
    const dead = this.socket;
    this.closed(0);
    dead.close();
  }
}
