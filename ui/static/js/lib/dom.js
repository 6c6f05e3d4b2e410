/** Building nodes. Text always becomes text nodes, so names from spans can never be read as markup. */

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * An HTML element.
 * @param {string} tag
 * @param {Record<string, any>} [props] attributes; `on` maps events to listeners, `style` sets properties,
 *   `data` sets data attributes; null, undefined and false leave an attribute out
 * @param {...(Child | Child[])} children
 * @returns {any}
 */
export function h(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** As `h`, for SVG. @param {string} tag @param {Record<string, any>} [props] @param {...(Child | Child[])} children @returns {any} */
export function s(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

/** @param {any} element @param {Record<string, any>} props @param {(Child | Child[])[]} children */
function fill(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === "style") {
      for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text);
    } else if (name === "data") {
      Object.assign(element.dataset, value);
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false) element.append(/** @type {any} */ (child));
  }
  return element;
}

/** An icon drawn with strokes in a box of 16 units. @param {string} path @param {string} [extra] class */
export function icon(path, extra = "") {
  return s("svg", { class: `icon ${extra}`.trim(), viewBox: "0 0 16 16", "aria-hidden": "true" }, s("path", { d: path }));
}

const TAIL = 8; // characters that stay visible at the end of a name too long for its place

/**
 * A name that gives way in its middle when there is no room (`reviews-v2…canary`); whole in DOM and on hover.
 * @param {string} name @param {string} [extra] class
 */
export function middle(name, extra = "") {
  const characters = [...name];
  const cut = characters.length > TAIL * 2 ? characters.length - TAIL : characters.length;
  return h(
    "bdi",
    { class: `mid ${extra}`.trim(), title: name },
    h("span", { class: "mid-head" }, characters.slice(0, cut).join("")),
    cut < characters.length && h("span", { class: "mid-tail" }, characters.slice(cut).join("")),
  );
}

/** The one element that `selector` names. @param {string} selector @param {ParentNode} [root] @returns {any} */
export function one(selector, root = document) {
  const found = root.querySelector(selector);
  if (!found) throw new Error(`no element ${selector}`);
  return found;
}
