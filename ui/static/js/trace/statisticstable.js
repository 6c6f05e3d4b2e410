/** The statistics of a trace as a table; grouping and order are in the address. */

import { change, params } from "../lib/address.js";
import { serviceClass } from "../lib/colours.js";
import { h, middle } from "../lib/dom.js";
import { duration, exactDuration } from "../lib/format.js";
import { t } from "../lib/texts.js";
import { groupings, sortGroups, statistics } from "./statistics.js";

/** @typedef {import("./statistics.js").Group} Group */

/** @type {[string, string, boolean][]} property, heading, whether it is a time */
const COLUMNS = [
  ["count", t("Count"), false],
  ["total", t("Total"), true],
  ["average", t("Average"), true],
  ["least", t("Min"), true],
  ["most", t("Max"), true],
  ["self", t("Self time"), true],
  ["errors", t("Errors"), false],
  ["slow", t("Beyond usual"), false],
];

/** @param {HTMLElement} place @param {import("./model.js").Trace} trace @param {(span: import("./model.js").Span) => import("./statistics.js").Usual | undefined} usual */
export function statisticsTable(place, trace, usual) {
  const keys = groupings(trace);
  const by = chooser(t("Group by"), keys, "group");
  const then = chooser(t("then by"), ["", ...keys], "then");
  const table = h("table", { class: "stats" });
  place.replaceChildren(h("div", { class: "stats-bar" }, by.label, then.label), h("div", { class: "stats-scroll", tabindex: 0, role: "region", "aria-label": t("Statistics") }, table));

  /** @param {string} text @param {string[]} options @param {string} parameter */
  function chooser(text, options, parameter) {
    const select = h("select", {}, ...options.map((key) => h("option", { value: key }, key || t("(nothing)"))));
    select.addEventListener("change", () => {
      change({ [parameter]: select.value }, "push");
      draw();
    });
    return { select, label: h("label", {}, text, " ", select) };
  }

  function draw() {
    const query = params();
    by.select.value = keys.includes(query.get("group") ?? "") ? query.get("group") : "service";
    then.select.value = keys.includes(query.get("then") ?? "") ? query.get("then") : "";
    const given = /^(-?)(\w+)$/.exec(query.get("sort") ?? "");
    const known = given !== null && (given[2] === "name" || COLUMNS.some(([property]) => property === given[2]));
    const [column, ascending] = known ? [given[2], given[1] === ""] : ["self", false];
    const groups = sortGroups(statistics(trace, by.select.value, then.select.value, usual), column, ascending);
    table.replaceChildren(
      h("thead", {}, h("tr", {}, heading("name", t("Group"), column, ascending), ...COLUMNS.map(([property, text]) => heading(property, text, column, ascending)))),
      h("tbody", {}, ...groups.flatMap((group) => [line(group, by.select.value, 0), ...group.groups.map((below) => line(below, then.select.value, 1))])),
    );
  }

  /** @param {string} property @param {string} text @param {string} sorted @param {boolean} ascending */
  function heading(property, text, sorted, ascending) {
    const own = property === sorted;
    const next = own ? !ascending : property === "name";
    const click = () => {
      change({ sort: `${next ? "" : "-"}${property}` }, "replace");
      draw();
      one(property)?.focus();
    };
    return h("th", { scope: "col", class: property === "name" ? null : "number", "aria-sort": own ? (ascending ? "ascending" : "descending") : "none" }, h("button", { type: "button", data: { sort: property }, on: { click } }, text, h("span", { "aria-hidden": "true" }, own ? (ascending ? " ↑" : " ↓") : "")));
  }

  /** @param {string} property @returns {HTMLElement | null} */
  function one(property) {
    return table.querySelector(`[data-sort="${property}"]`);
  }

  return { draw };
}

/** @param {Group} group @param {string} by @param {number} level */
function line(group, by, level) {
  const name = group.name === null ? t("(without {key})", { key: by }) : group.name || t("(empty)");
  return h(
    "tr",
    { class: level ? "nested" : null },
    h("th", { scope: "row", class: by === "service" ? `of-service ${serviceClass(group.name ?? "")}` : null }, middle(name)),
    ...COLUMNS.map(([property, , time]) => {
      const value = Number(group[/** @type {keyof Group} */ (property)]);
      const failed = property === "errors" && value > 0;
      return h("td", { class: failed ? "number failed" : "number", title: time ? exactDuration(value) : null }, time ? duration(value) : value.toLocaleString("en"));
    }),
  );
}
