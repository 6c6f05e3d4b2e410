/** The flame graph of a trace: spans merged by path, drawn below their parents; a click zooms. */

import { change, params } from "../lib/address.js";
import { serviceClass } from "../lib/colours.js";
import { h, s } from "../lib/dom.js";
import { count, duration, percent } from "../lib/format.js";
import { t } from "../lib/texts.js";
import { icicle } from "./icicle.js";
import { mergePaths } from "./paths.js";

/** @typedef {import("./paths.js").PathNode} PathNode @typedef {import("./icicle.js").Box} Box */

const ROW = 22; // pixels
const LEAST = 0.0008; // about one pixel of a wide window

/** @param {HTMLElement} place @param {import("./model.js").Trace} trace */
export function flameGraph(place, trace) {
  const roots = mergePaths(trace);
  const whole = roots.reduce((sum, { weight }) => sum + weight, 0);
  const facts = h("p", { class: "flame-facts", "aria-live": "polite" });
  const back = h("button", { class: "button quiet", type: "button", on: { click: () => zoom("") } }, t("Show all"));
  const svg = s("svg", { class: "flame", role: "tree", tabindex: 0, "aria-label": t("Flame graph: spans by path, as wide as the time in them and below") });
  /** @type {Box[]} */
  let boxes = [];
  let focused = 0;
  place.replaceChildren(h("div", { class: "flame-bar" }, facts, back), h("div", { class: "flame-scroll" }, svg));
  svg.addEventListener("click", (/** @type {any} */ event) => {
    const at = event.target.closest("[data-at]");
    if (at) zoom(boxes[Number(at.dataset.at)].node.first);
  });
  svg.addEventListener("pointerover", (/** @type {any} */ event) => {
    const at = event.target.closest("[data-at]");
    if (at) describe(Number(at.dataset.at));
  });
  svg.addEventListener("pointerleave", () => describe(focused));
  svg.addEventListener("keydown", keys);

  /** @param {string} first key of the node's first span; empty for the whole trace */
  function zoom(first) {
    change({ at: first }, "push");
    draw();
  }

  function draw() {
    const chosen = find(roots, params().get("at") ?? "");
    boxes = icicle(chosen ? [chosen] : roots, LEAST);
    focused = 0;
    back.hidden = chosen === null;
    const levels = boxes.reduce((most, { level }) => Math.max(most, level), 0) + 1;
    svg.setAttribute("height", String(levels * ROW));
    svg.replaceChildren(...boxes.map(box));
    focus(0);
  }

  /** @param {Box} placed @param {number} at */
  function box({ node, left, width, level }, at) {
    return s(
      "g", // an inner svg has no role of its own in browsers
      { class: `flame-box ${serviceClass(node.service)}`, id: `flame-${at}`, role: "treeitem", "aria-level": level + 1, "aria-label": words(node), data: { at } },
      s(
        "svg",
        { x: `${left * 100}%`, y: level * ROW, width: `${width * 100}%`, height: ROW - 1 },
        s("rect", { width: "100%", height: "100%" }),
        node.errors > 0 && s("rect", { class: "failed", width: "100%", height: 3 }),
        width > 0.02 && s("text", { x: 5, y: 15 }, `${node.errors ? "! " : ""}${node.service}: ${node.name}`),
      ),
    );
  }

  /** @param {PathNode} node */
  function words(node) {
    const failed = node.errors ? `, ${count(node.errors, "error")}` : "";
    return `${node.service || t("(no service)")}: ${node.name || t("(no name)")}, ${count(node.count, "span")}, ${duration(node.total)}, ${t("self")} ${duration(node.self)} (${percent(whole ? node.self / whole : 0)})${failed}`;
  }

  /** @param {number} at */
  function describe(at) {
    facts.textContent = boxes[at] ? words(boxes[at].node) : "";
  }

  /** @param {number} at */
  function focus(at) {
    svg.querySelector(".focused")?.classList.remove("focused");
    focused = at;
    const element = svg.querySelector(`[data-at="${at}"]`);
    element?.classList.add("focused");
    if (element) svg.setAttribute("aria-activedescendant", `flame-${at}`);
    describe(at);
  }

  /** @param {KeyboardEvent} event */
  function keys(event) {
    const { parent } = boxes[focused] ?? { parent: -1 };
    const peers = boxes.flatMap((other, at) => (other.parent === parent ? [at] : []));
    const next = {
      ArrowUp: parent,
      ArrowDown: boxes.findIndex((other) => other.parent === focused),
      ArrowLeft: peers[peers.indexOf(focused) - 1] ?? -1,
      ArrowRight: peers[peers.indexOf(focused) + 1] ?? -1,
    }[event.key];
    if (next !== undefined) {
      if (next >= 0) focus(next);
    } else if (event.key === "Enter" || event.key === " ") zoom(boxes[focused].node.first);
    else if (event.key === "Escape") zoom("");
    else return;
    event.preventDefault();
  }

  return { draw };
}

/** @param {PathNode[]} roots @param {string} first @returns {PathNode | null} */
function find(roots, first) {
  const waiting = first ? [...roots] : [];
  while (waiting.length) {
    const node = /** @type {PathNode} */ (waiting.pop());
    if (node.first === first) return node;
    waiting.push(...node.children);
  }
  return null;
}
