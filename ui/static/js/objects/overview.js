/** How an object is: numbers, health over time, neighbours, and what the configuration does to it. */

import { findingRows } from "../configuration/findings.js";
import { readFindings } from "../configuration/model.js";
import { graphCanvas } from "../graph/canvas.js";
import { BADGES } from "../graph/model.js";
import { amount, latency, percent } from "../graph/words.js";
import { href } from "../lib/address.js";
import { get } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { strip } from "../lib/health.js";
import { t } from "../lib/texts.js";
import { rangeParams } from "../lib/timerange.js";
import { around, historyOf, LISTS, pageOf } from "./model.js";

/** @typedef {import("./detail.js").Subject} Subject */

const STEPS = 60;
const MESH = "/api/vigla/v1/mesh";

/** @type {import("./detail.js").Tab} */
export async function overviewTab(subject, signal) {
  const { list, start, end, hasMesh } = subject;
  const step = Math.max(Math.ceil((end - start) / 1e6 / STEPS), 15);
  // What is beside the calls does not hold them up: without an answer it is left out.
  const [health, analysis] = await Promise.all([
    get("/api/vigla/v1/health", { start: Math.floor(start / 1e6), end: Math.ceil(end / 1e6), step: `${step}s`, kinds: LISTS[list].kind, window: `${Math.max(step, 60)}s` }, signal).catch(() => ({ objects: [] })),
    hasMesh ? get(`${MESH}/analyze`, {}, signal).catch(() => null) : null,
  ]);
  return [h("div", { class: "object-columns" }, h("div", {}, numbers(subject, health), configuration(subject), findings(subject, analysis)), neighbours(subject))];
}

/** @param {Subject} subject @param {any} health */
function numbers({ list, place, node }, health) {
  const history = historyOf(health, list, place);
  /** @type {[string, string][]} */
  const facts = node
    ? [
        [t("Calls"), amount(node) || t("none")],
        [t("Errors"), node.rate > 0 ? percent(node.share) : "–"],
        ["p95", latency(node)],
        ...(node.workload && node.workload !== node.name ? [/** @type {[string, string]} */ ([t("Workload"), node.workload])] : []),
      ]
    : [];
  return h(
    "section",
    { class: "object-part", "aria-label": t("Health") },
    h("h3", {}, t("Health")),
    node ? "" : h("p", { class: "muted" }, t("It neither got nor made calls in this time. Choose a longer one above.")),
    node && node.reasons.length > 0 ? h("ul", { class: "object-reasons" }, ...node.reasons.map((reason) => h("li", {}, reason))) : "",
    h("dl", { class: "object-numbers" }, ...facts.map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, text)))),
    history.length > 0 ? strip(history, t("Health of {name}", { name: place.name })) : "",
  );
}

/** @param {Subject} subject */
function configuration({ place, node, list, hasMesh }) {
  if (!hasMesh || !place.namespace) return "";
  const badges = node?.badges ?? [];
  return h(
    "section",
    { class: "object-part", "aria-label": t("Configuration") },
    h("h3", {}, t("Configuration")),
    badges.length
      ? h("p", { class: "object-badges" }, ...badges.map((name) => h("a", { class: "objects-badge", href: href("/configuration", { find: place.name }) }, BADGES[/** @type {keyof typeof BADGES} */ (name)])))
      : h("p", { class: "muted" }, t("No rule changes what happens to its calls.")),
    h("p", {}, h("a", { class: "button", href: href("/configuration", { find: place.name }) }, list === "services" ? t("Objects about it") : t("Objects of this name"))),
  );
}

/** Findings about objects of its namespace that name it. @param {Subject} subject @param {any} analysis */
function findings({ place }, analysis) {
  if (!analysis) return "";
  const found = readFindings(analysis).filter(({ object, text }) => object.includes(` ${place.namespace}/`) && (object.endsWith(`/${place.name}`) || text.includes(place.name)));
  if (!found.length) return "";
  return h("section", { class: "object-part", "aria-label": t("Findings") }, h("h3", {}, t("Findings")), h("ul", { class: "findings" }, ...findingRows(found, "", null)));
}

/** @param {Subject} subject */
function neighbours({ graph, node, range, list }) {
  const near = around(graph, node?.id ?? null);
  const place = h("div", { class: "object-graph graph-canvas" });
  const section = h(
    "section",
    { class: "object-part", "aria-label": t("Neighbours") },
    h("h3", {}, t("Neighbours"), h("a", { href: href("/graph", { type: LISTS[list].type, node: node?.id, ...rangeParams(range) }) }, t("Whole graph"))),
    near.edges.length ? place : h("p", { class: "muted" }, t("Nothing calls it, and it calls nothing.")),
  );
  if (near.edges.length) {
    const canvas = graphCanvas(place, (selection) => {
      const other = selection && "node" in selection ? near.nodes.find(({ id }) => id === selection.node) : null;
      const page = other && other.id !== node?.id ? pageOf(other) : null;
      if (page) location.assign(href(page, rangeParams(range)));
    });
    // It is laid out by the size that it has in the document.
    new ResizeObserver((_, observer) => {
      observer.disconnect();
      canvas.show(near);
    }).observe(place);
  }
  return section;
}
