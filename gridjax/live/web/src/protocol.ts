/** The messages of `gridjax/live/schema.py`, version 1. */

export const VERSION = "gridjax.live/1";

export interface Bus {
  id: string;
  name: string;
  x: number | null;
  y: number | null;
  kv: number;
}

export interface Line {
  id: string;
  name: string;
  source: string;
  target: string;
  kind: "line" | "transformer" | "switch";
}

export interface Layout {
  buses: Bus[];
  lines: Line[];
}

export interface Agent {
  id: string;
  name: string;
  group: string;
  bus: string | null;
  capacity_kwh: number | null;
  generation_kw_peak: number | null;
  line: string | null;
}

export type AgentStatus =
  | "ok"
  | "importing"
  | "exporting"
  | "charging"
  | "discharging"
  | "shortage"
  | "dark"
  | "running"
  | "off"
  | "open";

export interface AgentNow {
  id: string;
  status: AgentStatus;
  charge: number | null;
  energy_kwh: number | null;
  generation_kw: number;
  demand_kw: number;
  battery_kw: number;
  exchange_kw: number;
  transfer_kw: number;
  reactive_kvar: number | null;
  unserved_kw: number;
  voltage: number | null;
  reward: number;
  cost_eur: number | null;
}

export interface Flow {
  source: string;
  target: string;
  kind: "line" | "transfer";
  kw: number;
}

export type Severity = "info" | "warning" | "alarm";

export interface GridEvent {
  kind: string;
  severity: Severity;
  text: string;
}

/** One step under one policy. */
export interface Picture {
  policy: string;
  stability: number;
  agents: AgentNow[];
  energy_flows: Flow[];
  buses: { voltage: number[]; energised: boolean[] };
  lines: { loading: (number | null)[]; kw: number[]; service: boolean[] };
  metrics: Record<string, number | null>;
  grid: { connected: boolean; islanded: boolean; energised_share: number };
  events: GridEvent[];
}

export interface Frame extends Picture {
  type: "frame";
  sequence: number;
  timestamp: string;
  step: number;
  episode: number;
  clock: { day: number; hour: number };
  comparison: Picture | null;
}

export interface Status {
  type: "status";
  running: boolean;
  paused: boolean;
  speed: number;
  step: number;
  episode: number;
  seed: number;
  policy: string;
  comparison: string | null;
  scenario: string;
  weights: Record<string, number>;
  viewers: number;
  history_file: boolean;
  error: string | null;
}

export interface Hello {
  type: "hello";
  server: { version: string; jax: string; device: string };
  session: string;
  env: string;
  network: string;
  hours_per_step: number;
  policies: string[];
  scenarios: string[];
  days: number[];
  state: Status;
  weights: Record<string, number>;
  voltage_band: [number, number];
  hertz: number;
  grid: Layout;
  agents: Agent[];
  replayed: boolean;
}

export interface ServerError {
  type: "error";
  code: string;
  message: string;
}

export type ServerMessage = Hello | Frame | Status | ServerError;

export interface Training {
  run: string | null;
  finished: boolean;
  checkpoints: { policy: string; update: number; steps: number | null; best: boolean }[];
  curves: Record<string, [number, number][]>;
}

export interface History {
  session: string;
  first: number | null;
  last: number | null;
  frames: Frame[];
}

/** A recording: what `gridjax.evaluation.to_html` writes into the replay page. */
export interface Recording {
  hello: Hello;
  frames: Frame[];
}

const TYPES = new Set(["hello", "frame", "status", "error"]);

/** Null for what is no message of this version. */
export function parseMessage(text: string): ServerMessage | null {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof message !== "object" || message === null) return null;
  const { schema, type } = message as { schema?: unknown; type?: unknown };
  return schema === VERSION && typeof type === "string" && TYPES.has(type) ? (message as ServerMessage) : null;
}
