/** The same numbers as tables. */

import { serviceClass } from "../lib/colours.js";
import { h, middle } from "../lib/dom.js";
import { compact } from "../lib/format.js";
import { t } from "../lib/texts.js";
import { title } from "./model.js";
import { amount, latency, percent } from "./words.js";

/** @typedef {import("./model.js").Graph} Graph @typedef {{title: string, value: (row: any) => string | number, show?: (row: any) => any}} Column */

/** @type {Column[]} */
const NODES = [
  { title: t("Name"), value: (n) => title(n), show: (n) => name(title(n), n.name) },
  { title: t("Calls"), value: (n) => n.rate + n.bytes / 1e12, show: (n) => amount(n) || t("none") },
  { title: t("Errors"), value: (n) => n.errors, show: (n) => (n.errors > 0 ? `${compact(n.errors)}/s` : "0") },
  { title: t("Error rate"), value: (n) => n.share, show: (n) => h("span", { class: n.health }, percent(n.share)) },
  { title: "p95", value: (n) => n.p95 ?? -1, show: latency },
  { title: t("Namespace"), value: (n) => n.namespace },
];
/** @type {Column[]} */
const EDGES = [
  { title: t("From"), value: (e) => e.from, show: (e) => name(e.from, e.from.split(" ")[0]) },
  { title: t("To"), value: (e) => e.to, show: (e) => name(e.to, e.to.split(" ")[0]) },
  { title: t("Calls"), value: (e) => e.rate + e.bytes / 1e12, show: (e) => amount(e) || t("none") },
  { title: t("Error rate"), value: (e) => e.share, show: (e) => h("span", { class: e.health }, percent(e.share)) },
  { title: "p95", value: (e) => e.p95 ?? -1, show: latency },
  { title: "mTLS", value: (e) => e.mtls ?? -1, show: (e) => (e.mtls === null ? "\u2013" : `${e.mtls} %`) },
  { title: t("Protocol"), value: (e) => e.protocol },
];

/**
 * @param {HTMLElement} place
 * @param {(selection: import("./canvas.js").Selection) => void} select
 */
export function graphTable(place, select) {
  const nodes = sortable(t("Services"), NODES, (row) => select({ node: row.id }));
  const edges = sortable(t("Calls"), EDGES, (row) => select({ edge: row.key }));
  place.replaceChildren(nodes.table, edges.table);
  return {
    /** @param {Graph} graph */
    show(graph) {
      nodes.show(graph.nodes);
      edges.show(graph.edges);
    },
  };
}

/** @param {string} title @param {Column[]} columns @param {(row: any) => void} choose */
function sortable(title, columns, choose) {
  /** @type {any[]} */
  let rows = [];
  let [by, down] = [columns[0], false];
  const body = h("tbody");
  const heads = columns.map((column) =>
    h("th", { scope: "col" }, h("button", { type: "button", on: { click: () => sort(column) } }, column.title)),
  );
  const table = h("table", { class: "grid" }, h("caption", {}, title), h("thead", {}, h("tr", {}, ...heads)), body);

  /** @param {Column} column */
  function sort(column) {
    // Numbers are first asked from the highest, names from the first.
    down = column === by ? !down : rows.length > 0 && typeof column.value(rows[0]) === "number";
    by = column;
    draw();
  }

  function draw() {
    for (const [i, column] of columns.entries()) {
      if (column === by) heads[i].setAttribute("aria-sort", down ? "descending" : "ascending");
      else heads[i].removeAttribute("aria-sort");
    }
    const ordered = [...rows].sort((a, b) => {
      const [left, right] = [by.value(a), by.value(b)];
      return (left < right ? -1 : Number(left > right)) * (down ? -1 : 1);
    });
    body.replaceChildren(...ordered.map((row) => h("tr", { on: { click: () => choose(row) } }, ...columns.map((column) => cell(column, row, () => choose(row))))));
  }

  return {
    table,
    /** @param {any[]} next */
    show(next) {
      rows = next;
      draw();
    },
  };
}

/** @param {Column} column @param {any} row @param {() => void} choose */
function cell(column, row, choose) {
  const shown = column.show ? column.show(row) : String(column.value(row));
  if (typeof column.value(row) === "number") return h("td", { class: "number" }, shown);
  if (shown === "") return h("td", { class: "muted" }, "\u2013");
  return h("td", {}, h("button", { class: "cell", type: "button", on: { click: (/** @type {Event} */ event) => { event.stopPropagation(); choose(); } } }, shown));
}

/** @param {string} text @param {string} service whose colour it has */
function name(text, service) {
  return h("span", { class: `chip ${serviceClass(service)}` }, middle(text));
}
