import { interpolateRgb, piecewise } from "d3-interpolate";
import { scaleSequential } from "d3-scale";
import type { AgentStatus } from "./protocol";

export type Theme = "dark" | "light";

/** pandapower's range for bus voltages, p.u. */
export const VOLTAGE_RANGE: [number, number] = [0.9, 1.1];

// green to red as in pandapower, but falling in lightness (on paper) or rising in warmth (in the dark), so
// that those who cannot tell red from green can still order them
const LOADING: Record<Theme, string[]> = {
  dark: ["#1f8a70", "#5fb36a", "#d8c95a", "#ef8d3b", "#ff4d4d"],
  light: ["#159f7b", "#7fae2f", "#d9a400", "#d9650f", "#b4122b"],
};
const VOLTAGE: Record<Theme, string[]> = {
  dark: ["#2166f3", "#7fb2ff", "#f7f7f7", "#ff9a8a", "#e8262d"],
  light: ["#1553d6", "#7aa9f5", "#ffffff", "#f59a8c", "#c8141f"],
};

const ramp = (colours: string[]) => piecewise(interpolateRgb, colours) as (share: number) => string;
const loadingScale = {
  dark: scaleSequential([0, 1], ramp(LOADING.dark)).clamp(true),
  light: scaleSequential([0, 1], ramp(LOADING.light)).clamp(true),
};
const voltageScale = {
  dark: scaleSequential(VOLTAGE_RANGE, ramp(VOLTAGE.dark)).clamp(true),
  light: scaleSequential(VOLTAGE_RANGE, ramp(VOLTAGE.light)).clamp(true),
};
const UNRATED: Record<Theme, string> = { dark: "#6b7d92", light: "#8494a6" };

/** Colour of a line by its share of the rating; 1 and more is the red end. */
export function loadingColour(loading: number | null, theme: Theme): string {
  return loading === null ? UNRATED[theme] : loadingScale[theme](loading);
}

/** Colour of a bus by its voltage in p.u., white at 1. */
export function voltageColour(voltage: number, theme: Theme): string {
  return voltageScale[theme](voltage);
}

/** Line width in px for `kw`, relative to the largest flow seen. */
export function flowWidth(kw: number, largest: number): number {
  return 1.2 + 5.8 * Math.sqrt(Math.min(1, Math.abs(kw) / Math.max(largest, 1e-9)));
}

export interface StatusLook {
  glyph: string;
  label: string;
  dark: string;
  light: string;
}

// Okabe and Ito's colours, shifted for either background; the glyph says the same without colour
export const STATUS: Record<AgentStatus, StatusLook> = {
  ok: { glyph: "\u2022", label: "balanced", dark: "#8fa3b8", light: "#5c6f82" },
  importing: { glyph: "\u2193", label: "importing", dark: "#56b4e9", light: "#0072b2" },
  exporting: { glyph: "\u2191", label: "exporting", dark: "#f0c53f", light: "#a37200" },
  charging: { glyph: "+", label: "charging", dark: "#2ecfa0", light: "#00805c" },
  discharging: { glyph: "\u2212", label: "discharging", dark: "#d98cc0", light: "#a8437f" },
  shortage: { glyph: "!", label: "shortage", dark: "#ff7a2f", light: "#c94700" },
  dark: { glyph: "\u00d7", label: "without power", dark: "#ff5c66", light: "#b4122b" },
  running: { glyph: "\u25b6", label: "running", dark: "#2ecfa0", light: "#00805c" },
  off: { glyph: "\u25cb", label: "off", dark: "#8fa3b8", light: "#5c6f82" },
  open: { glyph: "/", label: "open", dark: "#f0c53f", light: "#a37200" },
};

/** Colour of a stability in [0, 1]: good, strained, failing. */
export function stabilityLevel(stability: number): "good" | "strained" | "failing" {
  return stability >= 0.7 ? "good" : stability >= 0.4 ? "strained" : "failing";
}

export function gradient(kind: "loading" | "voltage", theme: Theme): string {
  return `linear-gradient(to right, ${(kind === "loading" ? LOADING : VOLTAGE)[theme].join(", ")})`;
}
