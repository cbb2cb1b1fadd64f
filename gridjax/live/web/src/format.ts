const MINUS = "\u2212";
const NONE = "\u2013";

function digits(value: number, most: number): number {
  const size = Math.abs(value);
  return size >= 100 ? Math.min(most, 0) : size >= 10 ? Math.min(most, 1) : most;
}

// making one costs as much as hundreds of uses
const formatters = new Map<number, Intl.NumberFormat>();

function formatter(places: number): Intl.NumberFormat {
  let found = formatters.get(places);
  if (found === undefined) {
    found = new Intl.NumberFormat("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
    formatters.set(places, found);
  }
  return found;
}

/** A number of about three figures, with a true minus sign; a dash for what is unknown. */
export function number(value: number | null | undefined, most = 2): string {
  if (value === null || value === undefined) return NONE;
  const places = digits(value, most);
  const rounded = formatter(places).format(value);
  return rounded.replace(/^-(?=[0.,]*$)/, "").replace("-", MINUS);
}

/** Value and unit apart; from 10,000 kW or kWh on in mega. */
export function quantity(value: number | null | undefined, unit: string, most = 2): [string, string] {
  if (value === null || value === undefined) return [NONE, unit];
  if (unit.startsWith("k") && Math.abs(value) >= 1e4) return [number(value / 1e3, most), `M${unit.slice(1)}`];
  if (unit === "%") return [number(100 * value, most), unit];
  return [number(value, most), unit];
}

export function withUnit(value: number | null | undefined, unit: string, most = 2): string {
  const [text, scaled] = quantity(value, unit, most);
  return scaled === "" ? text : `${text}\u202f${scaled}`;
}

/** Hours of the day as a clock, 24-hour. */
export function clock(hour: number): string {
  const minutes = Math.floor(hour * 60 + 1e-6) % 1440;
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}

/** A name of the wire (`voltage_min`) as words, and the unit that its ending tells. */
export function words(name: string): { label: string; unit: string } {
  const known = METRICS[name];
  if (known !== undefined) return known;
  const unit = Object.keys(UNITS).find((ending) => name.endsWith(`_${ending}`));
  const stem = unit === undefined ? name : name.slice(0, -unit.length - 1);
  const text = stem.replaceAll("_", " ");
  return { label: text.charAt(0).toUpperCase() + text.slice(1), unit: unit === undefined ? "" : (UNITS[unit] ?? "") };
}

const UNITS: Record<string, string> = {
  kw: "kW",
  kwh: "kWh",
  kvar: "kvar",
  mw: "MW",
  mwh: "MWh",
  hz: "Hz",
  eur: "\u20ac",
  pu: "p.u.",
  kg: "kg",
  hours: "h",
};

const METRICS: Record<string, { label: string; unit: string }> = {
  stability: { label: "Stability", unit: "%" },
  mean_energy_kwh: { label: "Mean energy", unit: "kWh" },
  generation_kw: { label: "Generation", unit: "kW" },
  demand_kw: { label: "Demand", unit: "kW" },
  reward: { label: "Reward", unit: "" },
  cost_eur: { label: "Cost", unit: "\u20ac" },
  unserved_kwh: { label: "Unserved energy", unit: "kWh" },
  losses_kw: { label: "Losses", unit: "kW" },
  frequency_hz: { label: "Frequency", unit: "Hz" },
  voltage_min: { label: "Lowest voltage", unit: "p.u." },
  voltage_max: { label: "Highest voltage", unit: "p.u." },
  import_price: { label: "Import price", unit: "\u20ac/kWh" },
  loading_max: { label: "Highest loading", unit: "%" },
  slack_kw: { label: "From the grid outside", unit: "kW" },
  others_kw: { label: "Other customers", unit: "kW" },
  peer_kw: { label: "Between neighbours", unit: "kW" },
  curtailed_kw: { label: "Curtailed", unit: "kW" },
  export_price: { label: "Export price", unit: "\u20ac/kWh" },
};
