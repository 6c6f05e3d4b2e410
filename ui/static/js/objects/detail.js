/** The page of one service, workload or application: a head, and a tab. */

import { readGraph } from "../graph/model.js";
import { base, change, href, onNavigate, params } from "../lib/address.js";
import { get, Latest } from "../lib/api.js";
import { serviceClass } from "../lib/colours.js";
import { h, middle, one } from "../lib/dom.js";
import { healthMark } from "../lib/health.js";
import { showError, skeleton } from "../lib/states.js";
import { t } from "../lib/texts.js";
import { timeControl } from "../lib/timecontrol.js";
import { rangeParams, readRange, resolve } from "../lib/timerange.js";
import { envoyTab } from "./envoy.js";
import { logsTab, tracesTab } from "./evidence.js";
import { metricsTab } from "./metrics.js";
import { find, LISTS, readPath } from "./model.js";
import { overviewTab } from "./overview.js";
import { trafficTab } from "./traffic.js";

/** @typedef {import("./model.js").Plural} Plural @typedef {import("./model.js").Place} Place */
/**
 * @typedef {{list: Plural, place: Place, graph: import("../graph/model.js").Graph, node: import("../graph/model.js").Node | null,
 *   range: import("../lib/timerange.js").Range, start: number, end: number, hasMesh: boolean,
 *   go: (changes: Record<string, string | null>) => void}} Subject start and end in microseconds; go: with these in the address
 * @typedef {(subject: Subject, signal: AbortSignal) => Promise<HTMLElement[]>} Tab
 */

const LOOKBACK = "15m";
const LEAST_S = 60; // a rate needs two samples
const notice = one("[data-notice]");
const body = one("[data-body]");
const loads = new Latest();
const { list, place } = /** @type {{list: Plural, place: Place}} */ (readPath(location.pathname.slice(base.length)));
const hasMesh = document.documentElement.hasAttribute("data-mesh");
let drawn = "";

const time = timeControl({ select: one("[data-lookback]"), absolute: one("[data-absolute]"), start: one("[data-start]"), end: one("[data-end]") }, () => {
  const range = time.read();
  if (!range) return;
  change(rangeParams(range), "push");
  load();
});
one("[data-reload]").addEventListener("click", load);
onNavigate(load);
body.replaceChildren(skeleton(6, "skeleton-rule"));
load();

/** @returns {Record<string, {title: string, tab: Tab}>} */
function tabs() {
  return {
    overview: { title: t("Overview"), tab: overviewTab },
    traffic: { title: t("Traffic"), tab: trafficTab },
    inbound: { title: t("Inbound metrics"), tab: metricsTab("inbound") },
    ...(list === "services" && place.namespace ? {} : { outbound: { title: t("Outbound metrics"), tab: metricsTab("outbound") } }),
    traces: { title: t("Traces"), tab: tracesTab },
    ...(place.namespace ? { logs: { title: t("Access logs"), tab: logsTab } } : {}),
    ...(list === "workloads" && hasMesh ? { envoy: { title: "Envoy", tab: envoyTab } } : {}),
  };
}

/** @param {Record<string, string | null>} changes */
function go(changes) {
  change(changes, "push");
  load();
}

async function load() {
  const range = readRange(params(), LOOKBACK);
  time.show(range);
  const { start, end } = resolve(range, Date.now());
  const all = tabs();
  const wanted = params().get("tab") ?? "overview";
  const name = wanted in all ? wanted : "overview";
  try {
    const content = await loads.run(async (signal) => {
      const duration = Math.max(Math.ceil((end - start) / 1e6), LEAST_S);
      const graph = readGraph(await get("/api/vigla/v1/graph", { time: Math.ceil(end / 1e6), duration: `${duration}s`, graphType: LISTS[list].type }, signal));
      const subject = { list, place, graph, node: find(graph, list, place), range, start, end, hasMesh, go };
      head(subject);
      if (drawn !== name) one("[data-tab]").replaceChildren(skeleton(4, "skeleton-rule"));
      return all[name].tab(subject, signal);
    });
    if (content === undefined) return;
    notice.replaceChildren();
    one("[data-tab]").replaceChildren(...content);
    drawn = name;
  } catch (error) {
    if (!drawn) body.replaceChildren();
    showError(notice, t("It could not be loaded."), error, load);
  }

  /** @param {Subject} subject */
  function head(subject) {
    const kept = body.querySelector("[data-tab]") ?? h("div", { "data-tab": "" });
    body.replaceChildren(title(subject), navigation(all, name), kept);
  }
}

/** @param {Subject} subject */
function title({ node }) {
  return h(
    "header",
    { class: "object-head" },
    h("h2", {}, h("span", { class: `chip ${serviceClass(place.name)}` }, middle(place.name))),
    h("span", { class: "muted" }, place.namespace ? t("in {namespace}", { namespace: place.namespace }) : t("known from spans")),
    node ? healthMark(node.health) : h("span", { class: "muted" }, t("no calls in this time")),
    list === "services" && hasMesh && place.namespace ? h("a", { class: "button", href: href("/configuration/wizards/traffic-shifting", { namespace: place.namespace, service: place.name }) }, t("Change the mesh")) : "",
  );
}

/** @param {Record<string, {title: string}>} all @param {string} now */
function navigation(all, now) {
  const choose = (/** @type {Event} */ event, /** @type {string} */ name) => {
    event.preventDefault();
    go({ tab: name === "overview" ? null : name, by: null, kind: null });
  };
  const address = (/** @type {string} */ name) => {
    const query = params();
    query.set("tab", name);
    return `?${query}`;
  };
  return h("nav", { class: "object-tabs", "aria-label": t("Views") }, ...Object.entries(all).map(([name, { title: words }]) => h("a", { href: address(name), "aria-current": name === now ? "page" : null, on: { click: (/** @type {Event} */ event) => choose(event, name) } }, words)));
}
