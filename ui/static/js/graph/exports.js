/** The graph as a file: SVG and PNG as it is drawn, DOT, Mermaid and JSON as the API gives it. */

import { ask } from "../lib/api.js";
import { h, s } from "../lib/dom.js";
import { graphBitmap } from "./bitmap.js";
import { drawGraph } from "./draw.js";
import { layered } from "./layout.js";

/** @typedef {import("./model.js").Graph} Graph @typedef {"svg" | "png" | "dot" | "mermaid" | "json"} Format */

const STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-size", "font-weight", "font-family", "text-anchor", "display"];
const MARGIN = 24;
const WIDEST = 4000; // pixels of a PNG
const REVOKED_MS = 60_000; // a download has begun by then
const EXTENSIONS = { svg: "svg", png: "png", dot: "dot", mermaid: "mmd", json: "json" };

/** @param {Format} format @param {Graph} graph @param {Record<string, string>} query of the API */
export async function save(format, graph, query) {
  if (format === "svg") return download(new Blob([svgText(graph)], { type: "image/svg+xml" }), format);
  if (format === "png") return download(await png(graph), format);
  const text = await ask("/api/vigla/v1/graph", { ...query, format }, {});
  download(new Blob([text], { type: "text/plain" }), format);
}

/** @param {Blob} content @param {Format} format */
function download(content, format) {
  const address = URL.createObjectURL(content);
  h("a", { href: address, download: `graph.${EXTENSIONS[format]}` }).click();
  setTimeout(() => URL.revokeObjectURL(address), REVOKED_MS);
}

/** A file of its own: what the style sheet says stands at each element. @param {Graph} graph */
export function svgText(graph) {
  const layout = layered(graph, "LR");
  const content = s("g", {}, ...drawGraph(graph, layout, new Set(graph.nodes.map(({ id }) => id))));
  const svg = s("svg", { xmlns: "http://www.w3.org/2000/svg", class: "graph-export" }, content);
  document.body.append(svg); // only what is in the document has computed styles
  const box = content.getBBox();
  for (const element of svg.querySelectorAll("*")) inline(element);
  const background = getComputedStyle(document.body).backgroundColor;
  svg.remove();
  const [x, y, width, height] = [box.x - MARGIN, box.y - MARGIN, box.width + 2 * MARGIN, box.height + 2 * MARGIN];
  svg.removeAttribute("class");
  svg.setAttribute("viewBox", `${x} ${y} ${width} ${height}`);
  svg.setAttribute("width", String(Math.ceil(width)));
  svg.setAttribute("height", String(Math.ceil(height)));
  svg.prepend(s("rect", { x, y, width, height, fill: background }));
  return new XMLSerializer().serializeToString(svg);
}

/** @param {Element} element */
function inline(element) {
  const style = getComputedStyle(element);
  for (const name of STYLES) {
    element.setAttribute(name, style.getPropertyValue(name));
  }
  for (const name of ["class", "tabindex", "role", "data-node", "data-edge", "data-name", "aria-label", "aria-hidden"]) element.removeAttribute(name);
}

/** @param {Graph} graph @returns {Promise<Blob>} */
async function png(graph) {
  const { boxes } = layered(graph, "LR");
  const all = [...boxes.values()];
  const size = (/** @type {"x" | "y"} */ axis, /** @type {"width" | "height"} */ extent) => Math.max(...all.map((box) => box[axis] + box[extent] / 2)) - Math.min(...all.map((box) => box[axis] - box[extent] / 2)) + 2 * MARGIN;
  const [width, height] = [size("x", "width"), size("y", "height")];
  const shrink = Math.min(1, WIDEST / Math.max(width, height));
  const place = h("div", { class: "graph-export", style: { width: `${Math.ceil(width * shrink)}px`, height: `${Math.ceil(height * shrink)}px` } });
  document.body.append(place);
  try {
    const painted = graphBitmap(place, () => {});
    painted.show(graph);
    // Painted in the next frame.
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    return await new Promise((done) => /** @type {HTMLCanvasElement} */ (place.querySelector("canvas")).toBlob((/** @type {Blob | null} */ blob) => done(/** @type {Blob} */ (blob)), "image/png"));
  } finally {
    place.remove();
  }
}
