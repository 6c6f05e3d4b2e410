/** The rows: only those near the window are in the document, so 10,000 spans scroll as ten do. */

import { h } from "../lib/dom.js";
import { duration } from "../lib/format.js";
import { linearTicks } from "../lib/scale.js";
import { t } from "../lib/texts.js";
import { details } from "./details.js";
import { row } from "./row.js";

/** @typedef {import("./row.js").Look} Look */

const ROW = 22; // pixels; as --row in trace.css
const AROUND = 12; // rows kept above and below the window
const GUESS = 320; // pixels of details before they were measured
const NAMES_KEY = "vigla.trace.names";

/**
 * @param {HTMLElement} place
 * @param {{select: (index: number) => void, toggle: (index: number) => void, fold: (index: number) => void}} actions
 */
export function timeline(place, actions) {
  const ruler = h("div", { class: "tl-ruler", "aria-hidden": "true" });
  const divider = h("div", { class: "tl-divider", role: "separator", tabindex: 0, "aria-orientation": "vertical", "aria-label": t("Width of the names"), "aria-valuemin": 15, "aria-valuemax": 70 });
  const body = h("div", { class: "tl-body", role: "treegrid", tabindex: 0, "aria-label": t("Spans") });
  const scroller = h("div", { class: "tl-scroll" }, body);
  place.replaceChildren(h("div", { class: "tl-head" }, h("div", { class: "tl-title" }, t("Service and operation")), ruler, divider), scroller);
  resizable(place, divider);

  /** @type {Look | null} */
  let look = null;
  /** @type {number[]} span indices */
  let rows = [];
  /** @type {Map<number, HTMLElement>} elements in the document, by span index */
  let shown = new Map();
  /** @type {Map<number, HTMLElement>} open details, by span index */
  const panels = new Map();
  /** @type {Map<number, number>} heights of open details, by span index */
  const heights = new Map();
  let queued = false;

  const measured = new ResizeObserver((entries) => {
    for (const { target } of entries) heights.set(Number(/** @type {HTMLElement} */ (target).dataset.details), /** @type {HTMLElement} */ (target).offsetHeight);
    schedule();
  });
  scroller.addEventListener("scroll", schedule, { passive: true });
  new ResizeObserver(schedule).observe(scroller);
  body.addEventListener("click", (/** @type {MouseEvent} */ event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const line = /** @type {HTMLElement | null} */ (target.closest(".tl-row"));
    if (!line) return;
    const index = Number(line.dataset.index);
    if (target.closest("[data-fold]")) actions.fold(index);
    else actions.toggle(index);
  });

  function schedule() {
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => {
      queued = false;
      draw();
    });
  }

  /** Another look at the trace. @param {Look} next @param {number[]} visible */
  function show(next, visible) {
    look = next;
    rows = visible;
    for (const element of shown.values()) element.remove();
    shown = new Map();
    for (const [index, panel] of panels) {
      if (look.open.has(look.trace.spans[index].key) && rows.includes(index)) continue;
      measured.unobserve(panel);
      panel.remove();
      panels.delete(index);
    }
    drawRuler(ruler, look.zoom);
    body.setAttribute("aria-rowcount", String(rows.length));
    draw();
  }

  /** Height of the rows before `position`, details included. @param {number} position */
  function top(position) {
    let height = position * ROW;
    for (const [at, tall] of openDetails()) if (at < position) height += tall;
    return height;
  }

  /** @returns {[number, number][]} position and height of open details */
  function openDetails() {
    if (!look || !look.open.size) return [];
    const { trace, open } = look;
    return rows.flatMap((index, at) => (open.has(trace.spans[index].key) ? [[at, heights.get(index) ?? GUESS]] : []));
  }

  function draw() {
    if (!look) return;
    const tall = openDetails();
    const extra = tall.reduce((sum, [, height]) => sum + height, 0);
    body.style.height = `${rows.length * ROW + extra}px`;
    const from = Math.max(0, positionAt(scroller.scrollTop, tall) - AROUND);
    const to = Math.min(rows.length, positionAt(scroller.scrollTop + scroller.clientHeight, tall) + AROUND);
    const wanted = new Set(rows.slice(from, to));
    for (const [index, element] of shown) {
      if (wanted.has(index)) continue;
      element.remove();
      panels.get(index)?.remove();
      shown.delete(index);
    }
    for (let position = from; position < to; position++) drawRow(look, position);
    const selected = look.trace.spans.find((span) => span.key === look?.selected);
    if (selected && shown.has(selected.index)) body.setAttribute("aria-activedescendant", `row-${selected.index}`);
    else body.removeAttribute("aria-activedescendant");
  }

  /** @param {Look} now @param {number} position */
  function drawRow(now, position) {
    const index = rows[position];
    let element = shown.get(index);
    if (!element) {
      element = /** @type {HTMLElement} */ (row(now, index, position + 1, Math.max(ruler.clientWidth, 1)));
      shown.set(index, element);
      body.append(element);
    }
    const y = top(position);
    element.style.transform = `translateY(${y}px)`;
    if (!now.open.has(now.trace.spans[index].key)) return;
    let panel = panels.get(index);
    if (!panel) {
      panel = /** @type {HTMLElement} */ (details(now.trace, now.trace.spans[index]));
      panels.set(index, panel);
      measured.observe(panel);
    }
    if (!panel.isConnected) body.append(panel);
    panel.style.transform = `translateY(${y + ROW}px)`;
  }

  /** Keeps a row in the window. @param {number} index of the span */
  function reveal(index) {
    const position = rows.indexOf(index);
    if (position < 0) return;
    const y = top(position);
    const { scrollTop, clientHeight } = scroller;
    if (y < scrollTop + ROW) scroller.scrollTop = y - ROW * 2;
    else if (y + ROW * 2 > scrollTop + clientHeight) scroller.scrollTop = y - clientHeight + ROW * 4;
    draw();
  }

  return { show, reveal, focus: () => body.focus({ preventScroll: true }), body };
}

/** @param {number} y @param {[number, number][]} tall */
function positionAt(y, tall) {
  let above = 0;
  for (const [at, height] of tall) {
    const start = (at + 1) * ROW + above;
    if (y < start) break;
    if (y < start + height) return at;
    above += height;
  }
  return Math.floor((y - above) / ROW);
}

/** @param {HTMLElement} ruler @param {{start: number, end: number}} zoom */
function drawRuler(ruler, zoom) {
  const most = Math.max(2, Math.min(8, Math.floor(ruler.clientWidth / 90)));
  const ticks = linearTicks(zoom.start, zoom.end, most).map((at) => {
    const left = ((at - zoom.start) / (zoom.end - zoom.start)) * 100;
    return h("span", { class: left > 92 ? "tick last" : "tick", style: { left: `${left}%` } }, duration(at));
  });
  ruler.replaceChildren(...ticks);
}

/** The line between names and bars can be moved. @param {HTMLElement} place @param {HTMLElement} divider */
function resizable(place, divider) {
  const clamp = (/** @type {number} */ percent) => Math.min(Math.max(percent, 15), 70);
  const narrow = matchMedia("(max-width: 720px)").matches;
  let width = clamp(Number(localStorage.getItem(NAMES_KEY)) || (narrow ? 52 : 34));
  apply();
  divider.addEventListener("pointerdown", (event) => {
    divider.setPointerCapture(event.pointerId);
    const move = (/** @type {PointerEvent} */ e) => {
      const box = place.getBoundingClientRect();
      width = clamp(((e.clientX - box.left) / box.width) * 100);
      apply();
    };
    divider.addEventListener("pointermove", move);
    divider.addEventListener("lostpointercapture", () => { divider.removeEventListener("pointermove", move); store(); }, { once: true });
  });
  divider.addEventListener("keydown", (event) => {
    const direction = { ArrowLeft: -2, ArrowRight: 2 }[event.key];
    if (!direction) return;
    event.preventDefault();
    width = clamp(width + direction);
    apply();
    store();
  });

  function apply() {
    place.style.setProperty("--names", `${width}%`);
    divider.setAttribute("aria-valuenow", String(Math.round(width)));
  }
  function store() {
    localStorage.setItem(NAMES_KEY, width.toFixed(1));
  }
}
