import { byId } from "./dom";

const KEY = "gridjax-token";

/** The server's token: from the fragment of the address, which browsers never send, or asked for. */
export class Token {
  private value: string | null;

  constructor() {
    const fragment = new URLSearchParams(window.location.hash.slice(1));
    this.value = fragment.get("token") ?? sessionStorage.getItem(KEY);
    if (fragment.has("token")) {
      // out of the address bar and of the browser's history
      window.history.replaceState(null, "", window.location.pathname + window.location.search);
      this.keep();
    }
  }

  get = (): string | null => this.value;

  /** Asks the viewer; `then` is called once there is one. */
  ask(then: () => void): void {
    const dialog = byId("unlock", HTMLDialogElement);
    const input = byId("token", HTMLInputElement);
    if (dialog.open) return;
    input.value = "";
    dialog.showModal();
    dialog.addEventListener(
      "close",
      () => {
        this.value = input.value.trim() || null;
        this.keep();
        then();
      },
      { once: true },
    );
  }

  private keep(): void {
    if (this.value === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, this.value);
  }
}
