/** What the proxy of a workload was given: its clusters, listeners, routes and endpoints. */

import { params } from "../lib/address.js";
import { get } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { t } from "../lib/texts.js";

const MESH = "/api/vigla/v1/mesh";
const KINDS = ["clusters", "listeners", "routes", "endpoints", "secrets"];

/** @param {string} kind */
function title(kind) {
  switch (kind) {
    case "clusters":
      return t("Clusters");
    case "listeners":
      return t("Listeners");
    case "routes":
      return t("Routes");
    case "endpoints":
      return t("Endpoints");
    default:
      return t("Certificates");
  }
}

/** @type {import("./detail.js").Tab} */
export async function envoyTab({ place, go }, signal) {
  const { proxies } = await get(`${MESH}/proxies`, {}, signal);
  const own = proxies.filter((/** @type {any} */ { workload, namespace }) => workload === place.name && namespace === place.namespace);
  if (!own.length) return [h("p", { class: "muted object-part" }, t("No proxy of this workload is connected to this control plane."))];
  const query = params();
  const chosen = own.find((/** @type {any} */ { instance }) => instance === query.get("proxy")) ?? own[0];
  const kind = KINDS.find((each) => each === query.get("kind")) ?? KINDS[0];
  const { resources } = await get(`${MESH}/proxies/${encodeURIComponent(chosen.instance)}/config/${kind}`, {}, signal);
  return [tools(own, chosen, kind, go), list(kind, resources)];
}

/** @param {any[]} proxies @param {any} chosen @param {string} kind @param {import("./detail.js").Subject["go"]} go */
function tools(proxies, chosen, kind, go) {
  const which = h("select", { "aria-label": t("Proxy") }, ...proxies.map(({ instance }) => h("option", { value: instance }, instance)));
  which.value = chosen.instance;
  which.addEventListener("change", () => go({ proxy: which.value }));
  const kinds = KINDS.map((each) => h("button", { type: "button", "aria-pressed": String(each === kind), on: { click: () => go({ kind: each }) } }, title(each)));
  return h("p", { class: "object-tools" }, proxies.length > 1 ? which : h("code", {}, chosen.instance), h("span", { class: "segments", role: "group", "aria-label": t("Resources") }, ...kinds));
}

/** @param {string} kind @param {any[]} resources */
function list(kind, resources) {
  const find = h("input", { type: "search", placeholder: t("Find by name"), "aria-label": t("Find by name"), autocomplete: "off", spellcheck: "false" });
  const rows = h("div", { class: "object-resources" });
  const draw = () => {
    const wanted = find.value.trim().toLowerCase();
    const shown = resources.filter((each) => nameOf(each).toLowerCase().includes(wanted));
    rows.replaceChildren(...(shown.length ? shown.map(resource) : [h("p", { class: "muted" }, resources.length ? t("Nothing has this in its name") : t("The proxy was given none."))]));
  };
  find.addEventListener("input", draw);
  draw();
  return h("section", { class: "object-part", "aria-label": title(kind) }, find, rows);
}

/** @param {any} each @returns {string} */
function nameOf(each) {
  return each.name ?? each.clusterName ?? each.cluster_name ?? "";
}

/** @param {any} each */
function resource(each) {
  const details = h("details", {}, h("summary", {}, nameOf(each) || t("without a name")));
  // Large resources are written only once somebody looks at them.
  details.addEventListener("toggle", () => details.open && details.children.length === 1 && details.append(h("pre", { tabindex: 0 }, JSON.stringify(each, null, 2))));
  return details;
}
