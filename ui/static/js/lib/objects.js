/** Objects of the mesh's configuration by the names that proxies log, and the page that shows them. */

import { href } from "./address.js";
import { h } from "./dom.js";

/**
 * @param {string} path as Istio's telemetry has it: `/apis/<group>/<version>/namespaces/<namespace>/<kind>/<name>`
 * @returns {string} as in `virtual-service default/reviews`; empty when it is no such path
 */
export function objectName(path) {
  const [, namespace, kind, name] = /\/namespaces\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  return name ? `${kind} ${namespace}/${name}` : "";
}

/** The key of the configuration page. @param {string} named `virtual-service default/reviews` */
export function objectKey(named) {
  const [kind, place = ""] = named.split(" ");
  return `${kind.replace(/(?:^|-)([a-z])/g, (_, letter) => letter.toUpperCase())} ${place}`;
}

/**
 * A link to an object, where this server has a mesh; else the text alone.
 * @param {string} named `virtual-service default/reviews` @param {string} text
 */
export function objectLink(named, text) {
  return document.documentElement.hasAttribute("data-mesh") ? h("a", { href: href("/configuration", { object: objectKey(named) }) }, text) : text;
}
