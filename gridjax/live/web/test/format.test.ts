import { describe, expect, it } from "vitest";
import { clock, number, quantity, withUnit, words } from "../src/format";

describe("numbers", () => {
  it("have about three figures and a true minus sign", () => {
    expect([1.234, 12.34, 123.4, -0.5, 0, 1234.5].map((value) => number(value))).toEqual([
      "1.23", "12.3", "123", "\u22120.50", "0.00", "1,235",
    ]);
    expect(number(-0.001)).toBe("0.00");
    expect(number(null)).toBe("\u2013");
  });

  it("go to mega and to per cent", () => {
    expect(quantity(12345, "kW")).toEqual(["12.3", "MW"]);
    expect(quantity(9999, "kWh")).toEqual(["9,999", "kWh"]);
    expect(quantity(0.42, "%")).toEqual(["42.0", "%"]);
    expect(withUnit(0.98765, "p.u.", 4)).toBe("0.9877\u202fp.u.");
  });
});

it("tells the time", () => {
  expect([0, 13.75, 23.9999].map(clock)).toEqual(["00:00", "13:45", "23:59"]);
});

it("names metrics that it was never told of", () => {
  expect(words("fuel_kwh")).toEqual({ label: "Fuel", unit: "kWh" });
  expect(words("controllable_tolerant")).toEqual({ label: "Controllable tolerant", unit: "" });
});
