/** The whole of a large graph in a corner, with what is in sight; a click goes there. */

import { h } from "../lib/dom.js";
import { t } from "../lib/texts.js";

/** @typedef {import("./model.js").Graph} Graph @typedef {import("./layout.js").Layout} Layout */

const FROM = 100; // nodes; fewer are seen at once
const SIZE = { width: 168, height: 112 };
const MARGIN = 4;

/** @param {ReturnType<typeof import("./viewport.js").viewport>} view */
export function minimap(view) {
  const surface = /** @type {HTMLCanvasElement} */ (h("canvas", { class: "minimap", width: SIZE.width, height: SIZE.height, hidden: true, role: "img", "aria-label": t("Where in the graph") }));
  const paper = /** @type {CanvasRenderingContext2D} */ (surface.getContext("2d"));
  /** @type {Graph} */
  let graph = { nodes: [], edges: [] };
  /** @type {Layout | null} */
  let layout = null;
  let [x, y, k] = [0, 0, 1];
  view.onMove(draw);
  for (const kind of /** @type {const} */ (["pointerdown", "pointermove"])) {
    surface.addEventListener(kind, (event) => {
      if (!(event.buttons & 1)) return;
      view.centre({ x: (event.offsetX - x) / k, y: (event.offsetY - y) / k });
    });
  }

  /** @param {Graph} next @param {Layout | null} places */
  function show(next, places) {
    [graph, layout] = [next, places];
    surface.hidden = next.nodes.length < FROM;
    if (surface.hidden || !layout) return;
    const all = [...layout.boxes.values()];
    const [left, right] = [Math.min(...all.map((box) => box.x - box.width / 2)), Math.max(...all.map((box) => box.x + box.width / 2))];
    const [top, bottom] = [Math.min(...all.map((box) => box.y - box.height / 2)), Math.max(...all.map((box) => box.y + box.height / 2))];
    k = Math.min((SIZE.width - 2 * MARGIN) / (right - left), (SIZE.height - 2 * MARGIN) / (bottom - top));
    x = (SIZE.width - (right - left) * k) / 2 - left * k;
    y = (SIZE.height - (bottom - top) * k) / 2 - top * k;
    draw();
  }

  function draw() {
    if (surface.hidden || !layout) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
    paper.clearRect(0, 0, SIZE.width, SIZE.height);
    for (const { id, health } of graph.nodes) {
      const box = layout.boxes.get(id);
      if (!box) continue;
      paper.fillStyle = colour(health);
      paper.fillRect(x + (box.x - box.width / 2) * k, y + (box.y - box.height / 2) * k, Math.max(box.width * k, 1.5), Math.max(box.height * k, 1.5));
    }
    const sight = view.sight();
    paper.strokeStyle = colour("accent");
    paper.lineWidth = 1.5;
    paper.strokeRect(x + sight.x * k, y + sight.y * k, sight.width * k, sight.height * k);
  }

  return { element: surface, show };
}
