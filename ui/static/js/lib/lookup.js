/** The box in the top bar: a trace ID, a service, a workload or object of the mesh, or PromQL; each leads to its page. */

import { href } from "./address.js";
import { get } from "./api.js";
import { h } from "./dom.js";
import { t } from "./texts.js";

const API = "/api/vigla/v1/mesh";
const TRACE_ID = /^[0-9a-f]{1,32}$/i;
const PROMQL = /[({]/;

/** @typedef {Map<string, string>} Known addresses by what is typed */

/**
 * Where a text leads; what is known comes first, for a service may be named like a trace ID.
 * @param {string} text @param {Known} known @returns {string | null}
 */
export function leads(text, known) {
  const found = known.get(text);
  if (found) return found;
  if (TRACE_ID.test(text)) return href(`/trace/${text.toLowerCase()}`);
  return PROMQL.test(text) ? href("/metrics", { q: text }) : null;
}

/**
 * @param {string[]} services with spans
 * @param {{kind: string, namespace: string, metadata: {name: string}}[]} objects of the mesh
 * @param {{workload: string, namespace: string}[]} proxies @returns {Known}
 */
export function knownOf(services, objects, proxies) {
  return new Map([
    ...services.map((name) => /** @type {const} */ ([name, href("/search", { service: name })])),
    ...proxies.map(({ namespace, workload }) => /** @type {const} */ ([`Workload ${namespace}/${workload}`, href(`/workloads/${encodeURIComponent(namespace)}/${encodeURIComponent(workload)}`)])),
    ...objects.map(({ kind, namespace, metadata }) => {
      const key = `${kind} ${namespace}/${metadata.name}`;
      return /** @type {const} */ ([key, href("/configuration", { object: key })]);
    }),
  ]);
}

/** @param {HTMLFormElement} form @param {HTMLElement} list of suggestions @param {boolean} mesh the server has one */
export function lookup(form, list, mesh) {
  const input = /** @type {HTMLInputElement} */ (form.elements.namedItem("id"));
  /** @type {Promise<Known> | null} */
  let known = null;
  const load = () => (known ??= loaded(mesh));
  input.addEventListener("focus", async () => list.replaceChildren(...[...(await load()).keys()].map((value) => h("option", { value }))), { once: true });
  input.addEventListener("input", () => input.setCustomValidity(""));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text) return;
    const address = leads(text, await load());
    if (address) return location.assign(address);
    input.setCustomValidity(t("Nothing here has this name. A trace ID has up to 32 hexadecimal digits; PromQL has brackets"));
    form.reportValidity();
  });
}

/** Suggestions are a help, not the purpose: the box works without them. @param {boolean} mesh @returns {Promise<Known>} */
async function loaded(mesh) {
  const [services, config, proxies] = await Promise.all([
    get("/api/services").catch(() => null),
    mesh ? get(`${API}/config`).catch(() => null) : null,
    mesh ? get(`${API}/proxies`).catch(() => null) : null,
  ]);
  return knownOf(services?.data ?? [], config?.items ?? [], proxies?.proxies ?? []);
}
