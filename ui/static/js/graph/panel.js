/** The side panel: numbers of what is selected, and where they lead. */

import { href } from "../lib/address.js";
import { serviceClass } from "../lib/colours.js";
import { h, icon, middle } from "../lib/dom.js";
import { meaning } from "../lib/flags.js";
import { compact, duration, exactDuration } from "../lib/format.js";
import { t } from "../lib/texts.js";
import { rangeParams } from "../lib/timerange.js";
import { pageOf } from "../objects/model.js";
import { BADGES, title } from "./model.js";
import { amount, latency, percent } from "./words.js";

/** @typedef {import("./model.js").Graph} Graph @typedef {import("./model.js").Node} Node @typedef {import("./model.js").Edge} Edge @typedef {import("./canvas.js").Selection} Selection @typedef {import("../lib/timerange.js").Range} Range */

const hasMesh = document.documentElement.hasAttribute("data-mesh");
const WORDS = { healthy: t("Healthy"), degraded: t("Degraded"), failure: t("Failing"), idle: t("No requests") };

/**
 * @param {HTMLElement} place @param {Graph} graph @param {Selection} selection @param {Range} range
 * @param {(selection: Selection) => void} select @param {(id: string) => void} depend called when asked what depends on a node
 */
export function showPanel(place, graph, selection, range, select, depend) {
  const content = selection && ("node" in selection ? ofNode(graph, selection.node, range, select, depend) : ofEdge(graph, selection.edge, range, select));
  place.hidden = !content;
  if (content) place.replaceChildren(h("button", { class: "tool panel-close", type: "button", "aria-label": t("Close"), on: { click: () => select(null) } }, icon("m4 4 8 8M12 4l-8 8")), ...content);
}

/** @param {Graph} graph @param {string} id @param {Range} range @param {(selection: Selection) => void} select @param {(id: string) => void} depend */
function ofNode(graph, id, range, select, depend) {
  const node = graph.nodes.find((candidate) => candidate.id === id);
  if (!node) return null;
  return [
    h("h2", {}, h("span", { class: `chip ${serviceClass(node.name)}` }, middle(title(node)))),
    h("p", { class: "muted" }, [node.kind, node.namespace && `namespace ${node.namespace}`, node.workload && node.workload !== node.name && `workload ${node.workload}`].filter(Boolean).join(" · ")),
    health(node),
    badges(node),
    numbers(node),
    node.kind === "unknown" || node.kind === "database" ? h("div", { hidden: true }) : leads(node, range),
    more(node, range, depend),
    neighbours(t("Called by"), graph.edges.filter(({ child }) => child === id), "parent", select),
    neighbours(t("Calls"), graph.edges.filter(({ parent }) => parent === id), "child", select),
  ];
}

/** @param {Graph} graph @param {string} key @param {Range} range @param {(selection: Selection) => void} select */
function ofEdge(graph, key, range, select) {
  const edge = graph.edges.find((candidate) => candidate.key === key);
  const to = graph.nodes.find(({ id }) => id === edge?.child);
  if (!edge || !to) return null;
  return [
    h("h2", { class: "panel-edge" }, nameButton(edge, "parent", select), h("span", { class: "muted" }, t("calls")), nameButton(edge, "child", select)),
    h("p", { class: "muted" }, edge.protocol === "span" ? t("Seen in spans only: no proxy reports these calls") : edge.protocol === "tcp" ? "TCP" : edge.protocol === "grpc" ? "gRPC" : "HTTP"),
    health(edge),
    numbers(edge),
    shares(t("Responses"), edge.codes.map(([code, rate]) => [code === "-" ? t("none") : code, "", rate])),
    shares(t("Response flags"), edge.flags.map(([flag, rate]) => [flag, meaning(flag), rate])),
    to.kind === "database" ? h("div", { hidden: true }) : leads(to, range),
  ];
}

/** @param {Node | Edge} of */
function health({ health: state, reasons }) {
  const path = { healthy: "m3.5 8.5 3 3 6-7", idle: "M3.5 8h9" }[/** @type {string} */ (state)] ?? "M8 2.2 14.5 13.5h-13zM8 6.5v3.2M8 11.6h.01";
  return h(
    "div",
    {},
    h("p", { class: `health ${state}` }, icon(path), WORDS[state]),
    reasons.length > 0 && h("ul", { class: "panel-reasons" }, ...reasons.map((reason) => h("li", {}, reason))),
  );
}

/** What the configuration does here. @param {Node} node */
function badges(node) {
  if (!node.badges.length) return h("div", { hidden: true });
  return h("p", { class: "panel-badges" }, ...node.badges.map((name) => h("a", { class: "panel-badge", href: href("/configuration", { find: node.name }) }, BADGES[/** @type {keyof typeof BADGES} */ (name)])));
}

/** @param {Node | Edge} of */
function numbers(of) {
  /** @type {[string, string, string?][]} */
  const rows = [["bytes" in of && of.bytes > 0 ? t("Bytes") : t("Calls"), amount(of) || t("none")]];
  if (of.rate > 0) rows.push([t("Errors"), of.errors > 0 ? `${compact(of.errors)}/s (${percent(of.share)})` : t("none")]);
  if ("p50" in of && of.p50 !== null) rows.push([t("Median"), duration(of.p50), exactDuration(of.p50)]);
  if (of.p95 !== null) rows.push([t("95th percentile"), latency(of), exactDuration(of.p95)]);
  if ("p99" in of && of.p99 !== null) rows.push([t("99th percentile"), duration(of.p99), exactDuration(of.p99)]);
  if ("mtls" in of && of.mtls !== null) rows.push([t("Mutual TLS"), `${of.mtls} %`]);
  return h("dl", { class: "panel-numbers" }, ...rows.map(([name, text, exact]) => h("div", {}, h("dt", {}, name), h("dd", { title: exact }, text))));
}

/** @param {string} heading @param {[string, string, number][]} rows name, meaning, a second */
function shares(heading, rows) {
  if (!rows.length) return h("div", { hidden: true });
  return h(
    "section",
    {},
    h("h3", {}, heading),
    h("ul", { class: "panel-list" }, ...rows.slice(0, 8).map(([name, meaning, rate]) => h("li", {}, h("span", {}, h("code", {}, name), meaning ? ` ${meaning}` : ""), h("span", { class: "muted" }, `${compact(rate)}/s`)))),
  );
}

/** @param {Node} node @param {Range} range */
function leads(node, range) {
  const time = rangeParams(range);
  const service = node.name;
  const query = node.workload ? `sum by (response_code) (rate(istio_requests_total{destination_workload=${JSON.stringify(node.workload)}}[2m]))` : `sum by (client) (rate(traces_service_graph_request_total{server=${JSON.stringify(service)}}[2m]))`;
  return h(
    "p",
    { class: "panel-links" },
    h("a", { class: "button", href: href("/search", { service, ...time }) }, t("Show traces")),
    node.errors > 0 && h("a", { class: "button", href: href("/search", { service, tags: '{"error":"true"}', ...time }) }, t("Show failed traces")),
    h("a", { class: "button", href: href("/metrics", { q: query, ...time }) }, t("Show metrics")),
  );
}

/** Its page, the wizards, and what depends on it. @param {Node} node @param {Range} range @param {(id: string) => void} depend */
function more(node, range, depend) {
  const page = pageOf(node);
  const changes = hasMesh && node.namespace && (node.kind === "service" || node.kind === "app");
  return h(
    "p",
    { class: "panel-links" },
    page && h("a", { class: "button", href: href(page, rangeParams(range)) }, t("Details")),
    changes && h("a", { class: "button", href: href("/configuration/wizards/traffic-shifting", { namespace: node.namespace, service: node.name }) }, t("Change the mesh")),
    h("button", { class: "button", type: "button", on: { click: () => depend(node.id) } }, t("What depends on it")),
  );
}

/** @param {string} heading @param {Edge[]} edges @param {"parent" | "child"} side @param {(selection: Selection) => void} select */
function neighbours(heading, edges, side, select) {
  if (!edges.length) return h("div", { hidden: true });
  const busiest = [...edges].sort((a, b) => b.rate - a.rate || b.bytes - a.bytes);
  return h(
    "section",
    {},
    h("h3", {}, heading),
    h("ul", { class: "panel-list" }, ...busiest.map((edge) => h("li", {}, nameButton(edge, side, select), h("span", { class: `muted ${edge.health}` }, [amount(edge), edge.p95 !== null && latency(edge)].filter(Boolean).join(", "))))),
  );
}

/** @param {Edge} edge @param {"parent" | "child"} side @param {(selection: Selection) => void} select */
function nameButton(edge, side, select) {
  const name = side === "parent" ? edge.from : edge.to;
  return h("button", { class: `chip ${serviceClass(name.split(" ")[0])}`, type: "button", on: { click: () => select({ node: edge[side] }) } }, middle(name));
}
