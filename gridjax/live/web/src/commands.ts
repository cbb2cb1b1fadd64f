import type { History, Training } from "./protocol";

const UNAUTHORISED = 401;

/** A request that the server refused, in its words. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** The server's REST interface. */
export class Commands {
  constructor(
    private readonly base: string,
    private readonly token: () => string | null,
  ) {}

  /** POST /api/simulation/`what`. */
  async simulation(what: string, body: object = {}): Promise<void> {
    await this.request(`api/simulation/${what}`, { method: "POST", body: JSON.stringify(body) });
  }

  /** Whether the server wants another token than this one. */
  async locked(): Promise<boolean> {
    try {
      await this.request("api/status");
      return false;
    } catch (error) {
      return error instanceof Refused && error.status === UNAUTHORISED;
    }
  }

  async training(): Promise<Training> {
    return (await this.request("api/training")) as Training;
  }

  /** Kept frames from one sequence to another, and which there are at all. */
  async history(from: number, to: number): Promise<History> {
    return (await this.request(`api/history?from=${from}&to=${to}`)) as History;
  }

  private async request(path: string, options: RequestInit = {}): Promise<unknown> {
    const headers: Record<string, string> = { "Content-Type": "application/json" };
    const token = this.token();
    if (token !== null) headers["Authorization"] = `Bearer ${token}`;
    const response = await fetch(new URL(path, this.base), { ...options, headers });
    const answer: unknown = await response.json().catch(() => null);
    if (!response.ok) throw new Refused(response.status, detail(answer) ?? `The server answered ${response.status}.`);
    return answer;
  }
}

function detail(answer: unknown): string | null {
  if (typeof answer !== "object" || answer === null || !("detail" in answer)) return null;
  return typeof answer.detail === "string" ? answer.detail : JSON.stringify(answer.detail);
}
