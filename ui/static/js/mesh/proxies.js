/** Control plane and proxies: who has which configuration, until when its certificate holds. */

import { href } from "../lib/address.js";
import { h, icon, middle } from "../lib/dom.js";
import { count, when } from "../lib/format.js";
import { emptyState } from "../lib/states.js";
import { t } from "../lib/texts.js";
import { daysLeft, inOrder, left, typesOf, worst } from "./model.js";

/** @typedef {import("./model.js").Proxy} Proxy @typedef {import("./model.js").TypeState} TypeState */

const ICONS = { SYNCED: "m3.5 8.5 3 3 6-7", STALE: "M8 4v4.5l3 1.5M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2", "NOT SENT": "M3.5 8h9", NACK: "m4.5 4.5 7 7M11.5 4.5l-7 7" };
const CLASSES = { SYNCED: "healthy", STALE: "degraded", "NOT SENT": "idle", NACK: "failure" };
const SOON_DAYS = 30; // of a root, which is renewed by hand

/** @param {keyof typeof ICONS} state */
function words(state) {
  switch (state) {
    case "SYNCED":
      return t("in sync");
    case "STALE":
      return t("not confirmed yet");
    case "NOT SENT":
      return t("nothing to send");
    case "NACK":
      return t("refused");
  }
}

/** @param {Proxy[]} proxies @param {any} certificates @param {any} revision the latest; none at first @param {number} at */
export function controlPlane(proxies, certificates, revision, at) {
  const wrong = proxies.filter((each) => worst(each) !== "healthy").length;
  const root = certificates.roots[0];
  return h(
    "dl",
    { class: "mesh-facts" },
    ...fact(t("Configuration"), revision ? [h("a", { href: href("/configuration", { view: "history" }) }, t("revision {number}", { number: revision.number })), ` ${when(Date.parse(revision.time) * 1000, at)}: ${revision.message}`] : [t("nothing applied yet")]),
    ...fact(t("Proxies"), [proxies.length ? (wrong ? t("{wrong} of {all} not in sync", { wrong, all: proxies.length }) : t("all in sync")) : t("none connected")]),
    ...fact(t("Root certificate"), root ? [root.subject, " ", h("span", { class: daysLeft(root.not_after, at) < SOON_DAYS ? "mesh-warn" : "muted", title: root.not_after }, root.valid ? t("{time} left", { time: left(root.not_after, at) }) : t("not valid"))] : [t("none")]),
    ...fact(t("Workload certificates"), [count(certificates.workloads.length, "certificate", "certificates"), ", ", certificates.workloads.every((/** @type {any} */ { valid }) => valid) ? t("all valid") : h("span", { class: "mesh-warn" }, t("some not valid"))]),
  );
}

/** @param {string} name @param {(Node | string)[]} value */
function fact(name, value) {
  return [h("dt", {}, name), h("dd", {}, ...value)];
}

/**
 * @param {Proxy[]} proxies @param {Map<string, string>} expiry of certificates by instance @param {number} at
 * @param {Set<string>} open instances whose details are shown @param {() => void} changed
 */
export function proxyTable(proxies, expiry, at, open, changed) {
  if (!proxies.length) return emptyState(t("No proxy is connected"), h("p", {}, t("Start workloads with "), h("code", {}, "vigla mesh up -f FILE"), t(", or point an Envoy or a real istio-agent at the control plane.")));
  const types = typesOf(proxies);
  return h(
    "div",
    { class: "mesh-scroll", tabindex: 0, role: "region", "aria-label": t("Proxies") },
    h(
      "table",
      { class: "mesh-table" },
      h("thead", {}, h("tr", {}, ...[t("Workload"), t("Namespace"), t("Connected"), ...types.map((type) => type.toUpperCase()), t("Certificate")].map((title) => h("th", { scope: "col" }, title)))),
      h("tbody", {}, ...inOrder(proxies).flatMap((proxy) => [row(proxy, types, expiry.get(proxy.instance), at, open, changed), ...(open.has(proxy.instance) ? [details(proxy, types)] : [])])),
    ),
  );
}

/** @param {Proxy} proxy @param {string[]} types @param {string | undefined} until @param {number} at @param {Set<string>} open @param {() => void} changed */
function row(proxy, types, until, at, open, changed) {
  const toggle = () => {
    if (!open.delete(proxy.instance)) open.add(proxy.instance);
    changed();
  };
  const shown = open.has(proxy.instance);
  return h(
    "tr",
    { class: worst(proxy) },
    h("td", {}, h("button", { type: "button", id: `proxy-${proxy.instance}`, class: "mesh-open", "aria-expanded": String(shown), on: { click: toggle } }, icon(shown ? "m4 6 4 4 4-4" : "m6 4 4 4-4 4"), middle(proxy.workload || proxy.instance))),
    h("td", {}, middle(proxy.namespace)),
    h("td", {}, when(Date.parse(proxy.connected) * 1000, at)),
    ...types.map((type) => h("td", {}, proxy.types[type] && mark(proxy.types[type]))),
    h("td", { class: until && Date.parse(until) < at ? "mesh-warn" : null, title: until ?? null }, until ? left(until, at) || t("expired") : "–"),
  );
}

/** @param {TypeState} state */
function mark({ state }) {
  return h("span", { class: `state-mark ${CLASSES[state]}` }, icon(ICONS[state]), words(state));
}

/** @param {Proxy} proxy @param {string[]} types */
function details(proxy, types) {
  return h(
    "tr",
    { class: "mesh-details" },
    h(
      "td",
      { colspan: types.length + 4 },
      h("p", { class: "muted" }, `${proxy.instance}, ${proxy.address}, ${proxy.type}, ${proxy.protocol}`),
      h(
        "ul",
        {},
        ...types.filter((type) => proxy.types[type]).map((type) => {
          const { state, version, resources, error } = proxy.types[type];
          return h("li", {}, h("strong", {}, type.toUpperCase()), ` ${words(state)}, ${count(resources, "resource", "resources")}, ${t("version {version}", { version: version || "–" })}`, error && h("pre", { class: "mesh-error" }, error));
        }),
      ),
    ),
  );
}
