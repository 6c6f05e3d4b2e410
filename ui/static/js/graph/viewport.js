/** Panning and zooming a drawing. */

import { h, icon } from "../lib/dom.js";
import { t } from "../lib/texts.js";

const SCALE = { least: 0.08, most: 2.5, fit: 1.1, step: 1.25, far: 0.55 };
const PAN = 60; // pixels of one arrow key
const DRAG = 4; // pixels before a press is a drag

/**
 * @param {SVGSVGElement | HTMLCanvasElement} surface what is dragged and zoomed
 * @param {{bounds: () => {x: number, y: number, width: number, height: number}, move: (x: number, y: number, k: number) => void}} drawing
 *   bounds of the whole; move: show it with this offset and scale
 */
export function viewport(surface, drawing) {
  let [k, x, y] = [1, 0, 0];
  let dragged = false;
  /** @type {(() => void)[]} */
  const listeners = [];
  /** @type {Map<number, {x: number, y: number}>} */
  const pointers = new Map();

  surface.addEventListener("wheel", (/** @type {any} */ event) => {
    event.preventDefault();
    const box = surface.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  surface.addEventListener("pointerdown", (/** @type {any} */ event) => {
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    dragged = false;
  });
  surface.addEventListener("pointermove", /** @type {any} */ (move));
  for (const end of /** @type {const} */ (["pointerup", "pointercancel", "pointerleave"])) {
    surface.addEventListener(end, (/** @type {any} */ event) => pointers.delete(event.pointerId));
  }
  // A drag that ends on a node is no click on it.
  surface.addEventListener("click", (event) => dragged && event.stopPropagation(), { capture: true });
  surface.addEventListener("keydown", (/** @type {any} */ event) => {
    const [dx, dy] = { ArrowLeft: [PAN, 0], ArrowRight: [-PAN, 0], ArrowUp: [0, PAN], ArrowDown: [0, -PAN] }[event.key] ?? [0, 0];
    if (!dx && !dy) return;
    event.preventDefault();
    [x, y] = [x + dx, y + dy];
    apply();
  });

  /** @param {PointerEvent} event */
  function move(event) {
    const last = pointers.get(event.pointerId);
    if (!last) return;
    const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
    if (!dragged && Math.hypot(dx, dy) < DRAG) return;
    dragged = true;
    if (pointers.size === 2) pinch(event);
    else [x, y] = [x + dx, y + dy];
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    apply();
  }

  /** @param {PointerEvent} event */
  function pinch(event) {
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    const last = pointers.get(event.pointerId);
    if (!other || !last) return;
    const box = surface.getBoundingClientRect();
    const ratio = Math.hypot(event.clientX - other.x, event.clientY - other.y) / Math.max(Math.hypot(last.x - other.x, last.y - other.y), 1);
    zoom(ratio, (event.clientX + other.x) / 2 - box.left, (event.clientY + other.y) / 2 - box.top);
  }

  /** @param {number} ratio @param {number} [atX] stays where it is @param {number} [atY] */
  function zoom(ratio, atX = surface.clientWidth / 2, atY = surface.clientHeight / 2) {
    const next = Math.min(Math.max(k * ratio, SCALE.least), SCALE.most);
    [x, y, k] = [atX - ((atX - x) * next) / k, atY - ((atY - y) * next) / k, next];
    apply();
  }

  function fit() {
    const box = drawing.bounds();
    if (!box.width || !surface.clientWidth) return;
    const margin = 32;
    k = Math.min((surface.clientWidth - margin) / box.width, (surface.clientHeight - margin) / box.height, SCALE.fit);
    k = Math.max(k, SCALE.least);
    x = (surface.clientWidth - box.width * k) / 2 - box.x * k;
    y = (surface.clientHeight - box.height * k) / 2 - box.y * k;
    apply();
  }

  /** @param {{x: number, y: number}} point */
  function centre(point) {
    [x, y] = [surface.clientWidth / 2 - point.x * k, surface.clientHeight / 2 - point.y * k];
    apply();
  }

  /** @param {{x: number, y: number, width: number, height: number}} box */
  function contains(box) {
    const [left, top] = [x + (box.x - box.width / 2) * k, y + (box.y - box.height / 2) * k];
    return left >= 0 && top >= 0 && left + box.width * k <= surface.clientWidth && top + box.height * k <= surface.clientHeight;
  }

  function apply() {
    drawing.move(x, y, k);
    for (const listener of listeners) listener();
    surface.classList.toggle("far", k < SCALE.far);
  }

  /** What is in sight, in the drawing's units. */
  function sight() {
    return { x: -x / k, y: -y / k, width: surface.clientWidth / k, height: surface.clientHeight / k };
  }

  return { fit, centre, contains, sight, /** @param {() => void} listener */ onMove: (listener) => void listeners.push(listener), zoomIn: () => zoom(SCALE.step), zoomOut: () => zoom(1 / SCALE.step) };
}

/** Buttons and keys. @param {ReturnType<typeof viewport>} view */
export function zoomTools({ zoomIn, zoomOut, fit }) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || /** @type {Element} */ (event.target).matches("input, select, textarea")) return;
    ({ "+": zoomIn, "=": zoomIn, "-": zoomOut, 0: fit })[event.key]?.();
  });
  return h(
    "div",
    { class: "zoom-tools" },
    button(t("Zoom in"), "M8 3v10M3 8h10", zoomIn),
    button(t("Zoom out"), "M3 8h10", zoomOut),
    button(t("Fit"), "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10", fit),
  );
}

/** @param {string} label @param {string} path @param {() => void} act */
function button(label, path, act) {
  return h("button", { class: "tool", type: "button", "aria-label": label, title: label, on: { click: act } }, icon(path));
}
