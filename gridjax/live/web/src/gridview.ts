import { select } from "d3-selection";
import { zoom, zoomIdentity } from "d3-zoom";
import type { D3ZoomEvent, ZoomTransform } from "d3-zoom";
import { element, setAttribute, setText } from "./dom";
import { paintFlows } from "./flows";
import { number } from "./format";
import type { Lane } from "./history";
import type { Inks } from "./inks";
import type { Model } from "./model";
import { paintGround, paintNodes } from "./painter";
import type { Brush } from "./painter";
import type { Picture } from "./protocol";
import { stabilityLevel } from "./scales";
import { arrange } from "./scene";
import type { Arrangement, Scene } from "./scene";
import { describe, find } from "./inspect";
import type { Found } from "./inspect";
import { tooltip } from "./tooltip";

const FONT = "Inter, system-ui, sans-serif";
const FARTHEST = 12;

export interface Surroundings {
  arrangement: Arrangement;
  inks: Inks;
  largest: { line: number; transfer: number };
  picked: string | null;
}

/** One grid under one policy: canvases for what moves and for what lies under and over it. */
export class GridView {
  readonly root: HTMLElement;
  private readonly view = element("div", { class: "view", tabindex: "0", role: "group" });
  private readonly ground = element("canvas", { role: "img" });
  private readonly moving = element("canvas", { "aria-hidden": "true", class: "flows" });
  private readonly nodes = element("canvas", { "aria-hidden": "true" });
  private readonly hint = element("div", { class: "view-hint" });
  private readonly empty = element("div", { class: "view-empty" }, "Press Start to run the grid.");
  private readonly policy = element("span", { class: "lane-policy" });
  private readonly supply = element("span", { class: "lane-supply" });
  private readonly stability = element("div", { class: "stability", role: "meter", "aria-label": "Stability", "aria-valuemin": "0", "aria-valuemax": "1" });
  private readonly fill = element("span", { class: "stability-fill" });
  private readonly share = element("b");
  private readonly zooming = zoom<HTMLDivElement, unknown>().scaleExtent([0.6, FARTHEST]);
  private transform: ZoomTransform = zoomIdentity;
  private scene: Scene | null = null;
  private brush: Brush | null = null;
  private pointer: [number, number] | null = null;
  private stale = true;
  private size: [number, number] = [0, 0];
  private hintTimer = 0;

  constructor(
    readonly lane: Lane,
    private readonly model: Model,
    private readonly around: Surroundings,
    private readonly onZoom: (transform: ZoomTransform, from: GridView) => void,
  ) {
    const name = lane === "main" ? "Grid" : "Grid of the comparison";
    setAttribute(this.view, "aria-label", `${name}. Arrow keys move the view, plus and minus zoom, zero shows all.`);
    this.stability.append("Stability", element("span", { class: "stability-bar" }, this.fill), this.share);
    const caption = element("figcaption", {}, this.policy, this.supply, this.stability);
    this.view.append(this.ground, this.moving, this.nodes, this.empty, this.hint);
    this.root = element("figure", { class: "lane", "data-lane": lane }, caption, this.view);
    new ResizeObserver(([entry]) => {
      // kept, since asking the element lays the page out
      this.size = [entry?.contentRect.width ?? 0, entry?.contentRect.height ?? 0];
      this.rearrange();
    }).observe(this.view);
    this.listen();
  }

  /** Lays the grid out anew, for another size, grid or arrangement. */
  rearrange(): void {
    this.scene = null;
    this.stale = true;
  }

  refresh(): void {
    this.stale = true;
  }

  setTransform(transform: ZoomTransform): void {
    if (transform.toString() === this.transform.toString()) return;
    this.zooming.transform(select<HTMLDivElement, unknown>(this.view), transform);
  }

  zoomBy(factor: number): void {
    this.zooming.scaleBy(select<HTMLDivElement, unknown>(this.view), factor);
  }

  zoomFit(): void {
    this.zooming.transform(select<HTMLDivElement, unknown>(this.view), zoomIdentity);
  }

  /** Draws what there is to draw; the arrows at `phase` seconds of motion. */
  draw(phase: number, moved: boolean): void {
    const picture = this.picture();
    this.empty.hidden = picture !== null;
    if (picture === null || this.model.hello === null) return;
    if (this.stale) this.caption(picture);
    if (this.stale || this.brush === null) {
      this.stale = false;
      this.brush = this.prepare(picture);
      if (this.brush === null) return;
      paintGround(this.brush);
      paintNodes({ ...this.brush, context: context(this.nodes) });
      this.hover();
      moved = true;
    }
    if (moved) paintFlows({ ...this.brush, context: context(this.moving) }, phase);
  }

  private picture(): Picture | null {
    const { frame } = this.model;
    return this.lane === "main" ? frame : (frame?.comparison ?? null);
  }

  private prepare(picture: Picture): Brush | null {
    const { hello, theme } = this.model;
    const [width, height] = this.size;
    if (hello === null || width < 20 || height < 20) return null;
    if (this.scene === null) {
      this.scene = arrange(hello.grid, hello.agents, width, height, this.around.arrangement);
      const ratio = Math.min(window.devicePixelRatio || 1, 2);
      for (const canvas of [this.ground, this.moving, this.nodes]) {
        canvas.width = Math.round(width * ratio);
        canvas.height = Math.round(height * ratio);
        context(canvas).setTransform(ratio, 0, 0, ratio, 0, 0);
      }
      this.zooming.extent([[0, 0], [width, height]]).translateExtent([[-width, -height], [2 * width, 2 * height]]);
    }
    const { inks, largest, picked } = this.around;
    const { scene, transform } = this;
    return { context: context(this.ground), scene, hello, picture, transform, theme, inks, largest, picked, font: FONT };
  }

  private caption(picture: Picture): void {
    const { stability, grid } = picture;
    setText(this.policy, picture.policy);
    setAttribute(this.policy, "title", picture.policy);
    const state = grid.connected ? "connected" : grid.islanded ? "islanded" : "outage";
    setAttribute(this.root, "data-supply", state);
    const lit = grid.energised_share > 0 && grid.energised_share < 1 ? `, ${number(100 * grid.energised_share, 0)} % supplied` : "";
    const words = { connected: "Grid connected", islanded: "Islanded", outage: "No supply" }[state] + lit;
    setText(this.supply, words);
    setAttribute(this.stability, "data-level", stabilityLevel(stability));
    setAttribute(this.stability, "aria-valuenow", stability.toFixed(2));
    this.fill.style.transform = `scaleX(${stability})`;
    setText(this.share, `${number(100 * stability, 0)} %`);
    const low = picture.metrics["voltage_min"];
    setAttribute(
      this.ground,
      "aria-label",
      `${picture.policy}: ${words}, stability ${number(100 * stability, 0)} %, lowest voltage ${number(low, 3)} p.u.`,
    );
  }

  private listen(): void {
    const target = select<HTMLDivElement, unknown>(this.view);
    this.zooming
      .filter((event: Event) => {
        if (event instanceof WheelEvent) {
          const meant = event.ctrlKey || event.metaKey || document.activeElement === this.view;
          if (!meant) this.tell("Click the grid, then the wheel zooms");
          return meant;
        }
        // one finger scrolls the page until the grid is zoomed in
        if ("touches" in event) return (event as TouchEvent).touches.length > 1 || this.transform.k > 1;
        return !(event instanceof MouseEvent) || (event.button === 0 && !event.ctrlKey);
      })
      .on("zoom", (event: D3ZoomEvent<HTMLDivElement, unknown>) => {
        this.transform = event.transform;
        this.view.style.touchAction = event.transform.k > 1 ? "none" : "pan-y";
        this.stale = true;
        this.onZoom(event.transform, this);
      });
    target.call(this.zooming).on("dblclick.zoom", null);
    this.view.addEventListener("mousedown", () => {
      this.view.focus({ preventScroll: true });
    });
    this.view.addEventListener("dblclick", () => {
      this.zoomFit();
    });
    this.view.addEventListener("pointermove", (event) => {
      this.pointer = [event.clientX, event.clientY];
      this.hover();
    });
    this.view.addEventListener("pointerleave", () => {
      this.pointer = null;
      tooltip.hide();
    });
    this.view.addEventListener("keydown", (event) => {
      const step = 60 / this.transform.k;
      const moves: Record<string, [number, number]> = {
        ArrowLeft: [step, 0],
        ArrowRight: [-step, 0],
        ArrowUp: [0, step],
        ArrowDown: [0, -step],
      };
      const by = moves[event.key];
      if (by === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      this.zooming.translateBy(target, ...by);
    });
  }

  private hover(): void {
    if (this.pointer === null || this.brush === null) return;
    const box = this.view.getBoundingClientRect();
    const found: Found | null = find(this.brush, [this.pointer[0] - box.left, this.pointer[1] - box.top]);
    if (found === null) tooltip.hide();
    else tooltip.show(this.pointer, describe(this.brush, found));
  }

  private tell(text: string): void {
    setText(this.hint, text);
    this.hint.classList.add("shown");
    window.clearTimeout(this.hintTimer);
    this.hintTimer = window.setTimeout(() => {
      this.hint.classList.remove("shown");
    }, 1400);
  }
}

function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const found = canvas.getContext("2d");
  if (found === null) throw new Error("this browser draws no canvas");
  return found;
}
