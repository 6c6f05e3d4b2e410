/** Who calls an object, and whom it calls: a row for each peer and protocol. */

import { amount, latency, percent } from "../graph/words.js";
import { href } from "../lib/address.js";
import { serviceClass } from "../lib/colours.js";
import { h, middle } from "../lib/dom.js";
import { duration } from "../lib/format.js";
import { healthMark } from "../lib/health.js";
import { t } from "../lib/texts.js";
import { rangeParams } from "../lib/timerange.js";
import { pageOf } from "./model.js";

/** @typedef {import("./detail.js").Subject} Subject @typedef {import("../graph/model.js").Edge} Edge */

/** @type {import("./detail.js").Tab} */
export async function trafficTab(subject) {
  const { graph, node } = subject;
  const of = (/** @type {"parent" | "child"} */ side) => graph.edges.filter((edge) => edge[side] === node?.id);
  return [table(subject, t("Inbound"), of("child"), "parent"), table(subject, t("Outbound"), of("parent"), "child")];
}

/** @param {Subject} subject @param {string} title @param {Edge[]} edges @param {"parent" | "child"} side of the peer */
function table(subject, title, edges, side) {
  const busiest = [...edges].sort((a, b) => b.rate - a.rate || b.bytes - a.bytes);
  const titles = [t("Health"), t("Peer"), t("Protocol"), t("Calls"), t("Errors"), t("Median"), "p95", t("Mutual TLS"), ""];
  return h(
    "section",
    { class: "object-part", "aria-label": title },
    h("h3", {}, title),
    busiest.length
      ? h("div", { class: "objects-scroll", tabindex: 0, role: "region", "aria-label": title }, h("table", { class: "objects" }, h("thead", {}, h("tr", {}, ...titles.map((each, place) => h("th", { scope: "col", class: place > 2 && place < 8 ? "number" : null }, each)))), h("tbody", {}, ...busiest.map((edge) => row(subject, edge, side)))))
      : h("p", { class: "muted" }, t("No calls in this time.")),
  );
}

/** @param {Subject} subject @param {Edge} edge @param {"parent" | "child"} side */
function row({ graph, range }, edge, side) {
  const peer = graph.nodes.find(({ id }) => id === edge[side]);
  const name = side === "parent" ? edge.from : edge.to;
  const page = peer && pageOf(peer);
  const time = rangeParams(range);
  return h(
    "tr",
    { class: edge.health },
    h("td", {}, healthMark(edge.health)),
    h("td", {}, page ? h("a", { class: `chip ${serviceClass(peer.name)}`, href: href(page, time) }, middle(name)) : middle(name), peer?.namespace && h("span", { class: "muted objects-space" }, peer.namespace)),
    h("td", {}, edge.protocol === "span" ? t("from spans") : edge.protocol === "tcp" ? "TCP" : edge.protocol === "grpc" ? "gRPC" : "HTTP"),
    h("td", { class: "number" }, amount(edge) || t("none")),
    h("td", { class: "number" }, edge.rate > 0 ? percent(edge.share) : "–"),
    h("td", { class: "number" }, edge.p50 === null ? "–" : duration(edge.p50)),
    h("td", { class: "number" }, latency(edge)),
    h("td", { class: "number" }, edge.mtls === null ? "–" : `${edge.mtls} %`),
    h("td", {}, peer ? h("a", { href: href("/search", { service: side === "child" ? peer.name : undefined, ...time }) }, t("Traces")) : ""),
  );
}
