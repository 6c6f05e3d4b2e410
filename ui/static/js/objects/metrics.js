/** Charts of the calls that an object gets or makes. */

import { href, params } from "../lib/address.js";
import { get } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { t } from "../lib/texts.js";
import { rangeParams } from "../lib/timerange.js";
import { colour, lineChart, MOST_LINES } from "../metrics/chart.js";
import { readRange as readLines, stepOf } from "../metrics/model.js";
import { groupings, queries } from "./queries.js";

/** @typedef {import("./detail.js").Subject} Subject @typedef {import("./queries.js").Direction} Direction @typedef {import("./queries.js").Query} Query */

const POINTS = 120;

/** @param {string} id */
function title(id) {
  switch (id) {
    case "requests":
      return t("Calls a second");
    case "durations":
      return t("Duration, ms");
    case "errors":
      return t("Share of errors");
    case "request-sizes":
      return t("Request bytes a second");
    case "response-sizes":
      return t("Response bytes a second");
    case "tcp-sent":
      return t("TCP bytes sent a second");
    default:
      return t("TCP bytes received a second");
  }
}

/** @param {string} label */
function grouping(label) {
  switch (label) {
    case "":
      return t("All together");
    case "source_workload":
      return t("By caller");
    case "destination_workload":
      return t("By callee");
    case "source_version":
      return t("By version of the caller");
    case "destination_version":
      return t("By version of the callee");
    case "response_code":
      return t("By response code");
    case "response_flags":
      return t("By response flag");
    default:
      return t("By protocol");
  }
}

/** @param {Direction} direction @returns {import("./detail.js").Tab} */
export function metricsTab(direction) {
  return async (subject, signal) => {
    const { list, place, start, end } = subject;
    const labels = groupings(list, direction);
    const by = labels.find((each) => each === params().get("by")) ?? "";
    const step = stepOf(end - start, POINTS);
    const [first, last] = [Math.ceil(start / 1e6 / step) * step, Math.floor(end / 1e6 / step) * step];
    const asked = queries(list, place, direction, by);
    const answers = await Promise.all(asked.map(({ query }) => get("/api/v1/query_range", { query, start: first, end: last, step }, signal)));
    const charts = asked.map((query, number) => ({ query, lines: readLines(answers[number].data).filter(({ points }) => points.some(([, value]) => Number.isFinite(value))) })).filter(({ lines }) => lines.length > 0);
    if (!charts.length) return [h("p", { class: "muted object-part" }, direction === "inbound" ? t("It got no calls in this time.") : t("It made no calls in this time."))];
    return [place.namespace ? select(labels, by, subject.go) : "", h("div", { class: "object-charts" }, ...charts.map(({ query, lines }) => chart(subject, query, { lines, exemplars: [], start: first * 1e6, end: last * 1e6, step })))].filter((each) => each !== "");
  };
}

/** @param {string[]} labels @param {string} by @param {Subject["go"]} go */
function select(labels, by, go) {
  const box = h("select", { "aria-label": t("Group the charts") }, ...labels.map((label) => h("option", { value: label }, grouping(label))));
  box.value = by;
  box.addEventListener("change", () => go({ by: box.value || null }));
  return h("p", { class: "object-tools" }, box);
}

/** @param {Subject} subject @param {Query} query @param {import("../metrics/chart.js").Content} content */
function chart({ range, go }, query, content) {
  const place = h("div", { class: "chart" });
  const name = title(query.id);
  const drawn = lineChart(place, {
    zoom: (start, end) => go(rangeParams({ lookback: "custom", start, end })),
    open: (trace) => location.assign(href(`/trace/${trace}`)),
  });
  drawn.show(content, new Set());
  const rest = content.lines.length - MOST_LINES;
  return h(
    "section",
    { class: "object-chart", "aria-label": name },
    h("h3", {}, name, h("a", { href: href("/metrics", { q: query.query, ...rangeParams(range) }) }, t("Query"))),
    place,
    content.lines.length > 1 ? h("ul", { class: "object-legend" }, ...content.lines.slice(0, MOST_LINES).map((line, number) => h("li", { class: `chip ${colour(number)}` }, h("bdi", {}, line.name))), rest > 0 ? h("li", { class: "muted" }, t("and {rest} more", { rest })) : "") : "",
  );
}
