/** The drawing with its behaviour: hover lights the neighbourhood, click selects. */

import { s } from "../lib/dom.js";
import { t } from "../lib/texts.js";
import { drawGraph } from "./draw.js";
import { laidOut } from "./groups.js";
import { settled } from "./layout.js";
import { minimap } from "./minimap.js";
import { among, neighbourhood } from "./model.js";
import { viewport, zoomTools } from "./viewport.js";

/** @typedef {import("./model.js").Graph} Graph @typedef {{node: string} | {edge: string} | null} Selection */

/**
 * @param {HTMLElement} place
 * @param {(selection: Selection) => void} select
 * @param {import("./layout.js").Arrangement | null} [arrangement] null: as the place has room
 * @param {import("./groups.js").Grouping | null} [grouping] boxes around nodes; null: none
 */
export function graphCanvas(place, select, arrangement = null, grouping = null) {
  const content = s("g", {});
  const svg = s("svg", { tabindex: 0, role: "group", "aria-label": t("Service graph; the table view has the same numbers") }, content);
  const view = viewport(svg, {
    bounds: () => content.getBBox(),
    move: (x, y, k) => content.setAttribute("transform", `translate(${x} ${y}) scale(${k})`),
  });
  /** @type {import("./layout.js").Layout | null} */
  let layout = null;
  /** @type {Graph} */
  let graph = { nodes: [], edges: [] };
  /** @type {Selection} */
  let selected = null;
  /** @type {Set<string> | null} ids that the find box matches; null when it is empty */
  let found = null;

  const map = minimap(view);
  place.replaceChildren(
    svg,
    zoomTools(view),
    map.element,
  );
  content.addEventListener("pointerover", (/** @type {Event} */ event) => light(hit(event)));
  content.addEventListener("pointerleave", () => light(null));
  content.addEventListener("focusin", (/** @type {Event} */ event) => light(hit(event)));
  content.addEventListener("focusout", () => light(null));
  svg.addEventListener("click", (/** @type {Event} */ event) => select(hit(event)));
  svg.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const target = hit(event);
    if (target && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      select(target);
    }
  });
  /** @param {Graph} next */
  function lay(next) {
    return laidOut(next, arrangement ?? (place.clientHeight > place.clientWidth ? "TB" : "LR"), grouping);
  }

  /** @param {Graph} next */
  function show(next) {
    const first = layout === null || graph.nodes.length === 0;
    const focused = /** @type {HTMLElement | null} */ (document.activeElement?.closest?.("[data-node]"))?.dataset.node;
    const known = new Set((first ? next : graph).nodes.map(({ id }) => id));
    layout = layout === null ? lay(next) : settled(layout, next, () => lay(next));
    graph = next;
    content.replaceChildren(...drawGraph(graph, layout, known));
    if (focused) content.querySelector(`[data-node="${CSS.escape(focused)}"] .target`)?.focus({ preventScroll: true });
    if (first) view.fit();
    map.show(graph, layout);
    light(null);
  }

  /** @param {Selection} target */
  function light(target) {
    const focus = target ?? selected;
    const near = lit(focus);
    svg.classList.toggle("lighting", near !== null);
    for (const node of content.querySelectorAll("[data-node]")) {
      node.classList.toggle("lit", near?.ids.has(node.dataset.node) ?? false);
      node.classList.toggle("selected", selected !== null && "node" in selected && selected.node === node.dataset.node);
    }
    for (const edge of content.querySelectorAll("[data-edge]")) edge.classList.toggle("lit", near?.keys.has(edge.dataset.edge) ?? false);
  }

  /** @param {Selection} focus @returns {{ids: Set<string>, keys: Set<string>} | null} */
  function lit(focus) {
    if (focus !== null && "node" in focus) return neighbourhood(graph, focus.node);
    const edge = focus !== null && graph.edges.find(({ key }) => key === focus.edge);
    if (edge) return { ids: new Set([edge.parent, edge.child]), keys: new Set([edge.key]) };
    return found && among(graph, found);
  }

  /** @param {Selection} selection */
  function mark(selection) {
    selected = selection;
    light(null);
  }

  /** @param {Set<string> | null} ids of nodes to light */
  function find(ids) {
    found = ids;
    light(null);
  }

  /** @param {string} id */
  function centre(id) {
    const box = layout?.boxes.get(id);
    if (box) view.centre(box);
  }

  /** Moves the drawing only if the node is outside of the window. @param {string} id */
  function reveal(id) {
    const box = layout?.boxes.get(id);
    if (box && !view.contains(box)) view.centre(box);
  }

  return { show, mark, find, centre, reveal, fit: view.fit };
}

/** @param {Event} event @returns {Selection} */
function hit(event) {
  const target = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-node], [data-edge]"));
  if (!target) return null;
  return target.dataset.node === undefined ? { edge: target.dataset.edge ?? "" } : { node: target.dataset.node };
}
