import { byId } from "./dom";
import type { Theme } from "./scales";

const KEY = "gridjax-theme";

/** Dark or light: the system's choice until the viewer makes one. */
export class Themes {
  private readonly system = window.matchMedia("(prefers-color-scheme: light)");
  private chosen: Theme | null;

  constructor(private readonly onChange: (theme: Theme) => void) {
    const kept = remembered();
    this.chosen = kept === "dark" || kept === "light" ? kept : null;
    this.system.addEventListener("change", () => {
      this.apply();
    });
    byId("theme").addEventListener("click", () => {
      this.toggle();
    });
  }

  get current(): Theme {
    return this.chosen ?? (this.system.matches ? "light" : "dark");
  }

  toggle(): void {
    this.chosen = this.current === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(KEY, this.chosen);
    } catch {
      // a page opened from a file may have no storage
    }
    this.apply();
  }

  apply(): void {
    document.documentElement.dataset["theme"] = this.current;
    this.onChange(this.current);
  }
}

function remembered(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
