import { lab } from "d3-color";
import { describe, expect, it } from "vitest";
import { flowWidth, loadingColour, stabilityLevel, STATUS, voltageColour } from "../src/scales";

const themes = ["dark", "light"] as const;

describe.each(themes)("scales, %s", (theme) => {
  it("are red at a full line, green at an empty one, and the same beyond", () => {
    expect(lab(loadingColour(1, theme)).a).toBeGreaterThan(40);
    expect(lab(loadingColour(0, theme)).a).toBeLessThan(-20);
    expect(loadingColour(1.7, theme)).toBe(loadingColour(1, theme));
    expect(loadingColour(null, theme)).not.toBe(loadingColour(0, theme));
  });

  it("are blue below 1 p.u., white at it, red above", () => {
    expect(lab(voltageColour(1, theme)).l).toBeGreaterThan(90);
    expect(lab(voltageColour(0.9, theme)).b).toBeLessThan(-40);
    expect(lab(voltageColour(1.1, theme)).a).toBeGreaterThan(40);
  });

  it("give every status of a working agent a colour of its own", () => {
    const colours = (["importing", "exporting", "charging", "discharging", "shortage", "dark"] as const).map((status) => STATUS[status][theme]);
    expect(new Set(colours).size).toBe(colours.length);
  });
});

it("widens flows within bounds", () => {
  expect(flowWidth(0, 10)).toBeLessThan(flowWidth(-2, 10));
  expect(flowWidth(50, 10)).toBe(flowWidth(10, 10));
});

it("grades stability", () => {
  expect([1, 0.7, 0.69, 0.39].map(stabilityLevel)).toEqual(["good", "good", "strained", "failing"]);
});
