/** The metrics page: address -> query -> API -> chart, legend, table. */

import { change, href, onNavigate, params } from "../lib/address.js";
import { ApiError, get, Latest } from "../lib/api.js";
import { h, one } from "../lib/dom.js";
import { count, localTime } from "../lib/format.js";
import { queryBox } from "../lib/querybox.js";
import { refresher } from "../lib/refresh.js";
import { copyButton, emptyState, showError, showWarnings, skeleton } from "../lib/states.js";
import { t } from "../lib/texts.js";
import { timeControl } from "../lib/timecontrol.js";
import { rangeParams, readRange as rangeOf, resolve } from "../lib/timerange.js";
import { colour, lineChart, MOST_LINES, shown } from "./chart.js";
import { promql } from "./language.js";
import { readExemplars, readInstant, readRange, selector, stepOf } from "./model.js";

/** @typedef {import("./model.js").Line} Line */

const POINTS = 240; // of a line: one every few pixels
const MOST_ROWS = 1000;
const BAD_QUERY = new Set([400, 422]);

const notice = one("[data-notice]");
const notes = one("[data-notes]");
const body = one("[data-body]");
const chartPlace = one("[data-chart]");
const legend = one("[data-legend]");
const values = one("[data-values]");
const refresh = one("[data-refresh]");
const exemplars = one("[data-exemplars]");
const counted = one("[data-count]");
const input = one("#m-query");
const loads = new Latest();
/** @type {Set<number>} */
let hidden = new Set();
/** @type {import("./chart.js").Content | null} */
let content = null;

const chart = lineChart(chartPlace, {
  zoom: (start, end) => {
    change(rangeParams({ lookback: "custom", start, end }), "push");
    restore();
  },
  open: (trace) => location.assign(href(`/trace/${encodeURIComponent(trace)}`)),
});
const box = queryBox(input, one("#m-completions"), one("[data-problem]"), promql(), submit);
const time = timeControl(
  { select: one("[data-lookback]"), absolute: one("[data-absolute]"), start: one("[data-start]"), end: one("[data-end]") },
  () => {
    const range = time.read();
    if (!range) return;
    change(rangeParams(range), "push");
    load();
  },
);
one("[data-query]").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  submit();
});
one("[data-reload]").addEventListener("click", load);
refresh.addEventListener("change", () => {
  change({ refresh: refresh.value === "0" ? null : refresh.value }, "replace");
  schedule();
});
exemplars.addEventListener("change", () => {
  change({ exemplars: exemplars.checked ? "1" : null }, "replace");
  load();
});
for (const button of document.querySelectorAll("[data-view]")) {
  button.addEventListener("click", () => {
    change({ view: button.dataset.view === "graph" ? null : button.dataset.view }, "push");
    showView();
    load();
  });
}
const schedule = refresher(load, () => Number(refresh.value) * 1000);
onNavigate(restore);
restore();

function submit() {
  change({ q: input.value.trim() }, "push");
  load();
}

function restore() {
  const query = params();
  box.set(query.get("q") ?? "");
  time.show(rangeOf(query));
  refresh.value = [...refresh.options].some((option) => option.value === query.get("refresh")) ? query.get("refresh") : "0";
  exemplars.checked = query.get("exemplars") === "1";
  showView();
  load();
}

function showView() {
  const table = params().get("view") === "table";
  chartPlace.hidden = legend.hidden = table;
  values.hidden = !table;
  for (const button of document.querySelectorAll("[data-view]")) {
    button.setAttribute("aria-pressed", String((button.dataset.view === "table") === table));
  }
}

async function load() {
  const query = params().get("q") ?? "";
  if (!query) return begin();
  const { start, end } = resolve(rangeOf(params()), Date.now());
  body.classList.add("refreshing");
  if (content === null && values.childElementCount === 0) legend.replaceChildren(skeleton(3, "skeleton-line"));
  try {
    const table = params().get("view") === "table";
    const done = await loads.run((signal) => (table ? showTable(query, end, signal) : showGraph(query, start, end, signal)));
    if (done === undefined) return;
    notice.replaceChildren();
    box.mark(null);
  } catch (error) {
    if (content === null) legend.replaceChildren();
    if (error instanceof ApiError && BAD_QUERY.has(error.status)) {
      notice.replaceChildren();
      box.mark(error.message);
    } else {
      showError(notice, t("The query failed."), error, load);
    }
  }
  body.classList.remove("refreshing");
  schedule();
}

/** @param {string} query @param {number} start @param {number} end @param {AbortSignal} signal */
async function showGraph(query, start, end, signal) {
  const step = stepOf(end - start, POINTS);
  const last = Math.floor(end / 1e6 / step) * step; // on the grid, so that points stay where they are
  const first = Math.ceil(start / 1e6 / step) * step;
  const asked = { query, start: first, end: last };
  const [answer, examples] = await Promise.all([
    get("/api/v1/query_range", { ...asked, step }, signal),
    exemplars.checked ? get("/api/v1/query_exemplars", asked, signal).catch(() => ({ data: [] })) : { data: [] },
  ]);
  if (signal.aborted) return true;
  const lines = readRange(answer.data);
  told(answer, lines.length);
  hidden = new Set([...hidden].filter((place) => place < lines.length));
  content = { lines, exemplars: readExemplars(examples.data ?? []), start: first * 1e6, end: last * 1e6, step };
  chartPlace.hidden = lines.length === 0;
  chart.show(content, hidden);
  drawLegend(lines);
  return true;
}

/** @param {Line[]} lines */
function drawLegend(lines) {
  if (!lines.length) return void legend.replaceChildren(noSeries());
  const rest = lines.length - MOST_LINES;
  legend.replaceChildren(
    h("ul", {}, ...lines.slice(0, MOST_LINES).map((line, i) =>
      h("li", {}, h(
        "button",
        { type: "button", class: `chip ${colour(i)}`, "aria-pressed": String(!hidden.has(i)), title: selector(line.labels), on: { click: () => toggle(i) } },
        h("bdi", {}, line.name),
      ), h("b", {}, line.points.length ? shown(line.points[line.points.length - 1][1]) : "")),
    )),
    rest > 0 ? h("p", { class: "more" }, t("and {others}: aggregate with ", { others: count(rest, "other") }), h("code", {}, "topk"), t(" or "), h("code", {}, "sum by"), t(", or look at the table.")) : "",
  );
}

/** @param {number} place */
function toggle(place) {
  if (!content) return;
  if (hidden.has(place)) hidden.delete(place);
  else hidden.add(place);
  chart.show(content, hidden);
  drawLegend(content.lines);
}

/** @param {string} query @param {number} end @param {AbortSignal} signal */
async function showTable(query, end, signal) {
  const answer = await get("/api/v1/query", { query, time: end / 1e6 }, signal);
  if (signal.aborted) return true;
  const lines = readInstant(answer.data);
  told(answer, lines.length);
  content = null;
  if (!lines.length) {
    values.replaceChildren(noSeries());
    return true;
  }
  const names = [...new Set(lines.flatMap((line) => Object.keys(line.labels)))].sort((a, b) => Number(b === "__name__") - Number(a === "__name__") || (a < b ? -1 : 1));
  const csv = () => [[...names, "value"], ...lines.map((line) => [...names.map((name) => line.labels[name] ?? ""), line.text ?? line.points[0][1]])].map((row) => row.map(quoted).join(",")).join("\n");
  values.replaceChildren(
    h("div", { class: "values-bar" }, h("span", {}, t("At {time}", { time: localTime(end) })), copyButton(csv, t("Copy as CSV"))),
    h("div", { class: "values-scroll", tabindex: "0", role: "region", "aria-label": t("Values") }, h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...names.map((name) => h("th", { scope: "col" }, name === "__name__" ? t("metric") : name)), h("th", { scope: "col", class: "number" }, t("value")))),
      h("tbody", {}, ...lines.slice(0, MOST_ROWS).map((line) => h("tr", {}, ...names.map((name) => h("td", {}, h("bdi", {}, line.labels[name] ?? ""))), h("td", { class: "number", title: String(line.points[0][1]) }, line.text ?? shown(line.points[0][1]))))),
    )),
  );
  return true;
}

/** @param {string | number} value a cell of CSV (RFC 4180) */
function quoted(value) {
  const text = String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @param {any} answer @param {number} found */
function told(answer, found) {
  counted.textContent = count(found, "series", "series");
  showWarnings(notes, [...(answer.warnings ?? []), ...(answer.infos ?? [])]);
}

function noSeries() {
  return emptyState(t("No series in this range"), h("p", {}, t("The expression is right, but no series it selects has a sample here. Choose a longer range, or look which labels there are with completion (Ctrl+Space inside braces).")));
}

/** Without a query: what could be asked of what is there. */
async function begin() {
  content = null;
  chart.clear();
  counted.textContent = "";
  notes.replaceChildren();
  box.mark(null);
  chartPlace.hidden = true;
  legend.hidden = false;
  values.replaceChildren();
  try {
    const { data } = await get("/api/v1/label/__name__/values", { limit: 40000 });
    const known = new Set(data);
    const fitting = STARTERS.filter(({ needs }) => known.has(needs));
    notice.replaceChildren();
    legend.replaceChildren(
      known.size === 0
        ? emptyState(t("No metrics yet"), h("p", {}, t("Send OTLP metrics to port 4318, point Prometheus' remote_write at /api/v1/write, or name a prometheus.yml in scrape.config. Metrics are also made of every span and access log.")))
        : emptyState(
            count(known.size, "metric"),
            h("p", {}, t("Write PromQL above, or begin with one of these:")),
            h("ul", { class: "starters" }, ...fitting.map(({ title, query }) => h("li", {}, h("a", { href: href("/metrics", { q: query }) }, title), h("code", {}, query)))),
          ),
    );
  } catch (error) {
    showError(notice, t("The list of metrics could not be loaded."), error, load);
  }
}

const STARTERS = [
  { needs: "istio_requests_total", title: t("Requests a second by service"), query: 'sum by (destination_service_name) (rate(istio_requests_total{reporter="destination"}[5m]))' },
  { needs: "istio_requests_total", title: t("Share of failed requests by service"), query: 'sum by (destination_service_name) (rate(istio_requests_total{reporter="destination", response_code=~"5.."}[5m])) / sum by (destination_service_name) (rate(istio_requests_total{reporter="destination"}[5m]))' },
  { needs: "istio_request_duration_milliseconds_bucket", title: t("95th percentile of latency by service, ms"), query: 'histogram_quantile(0.95, sum by (destination_service_name, le) (rate(istio_request_duration_milliseconds_bucket{reporter="destination"}[5m])))' },
  { needs: "traces_spanmetrics_calls_total", title: t("Spans a second by service"), query: "sum by (service) (rate(traces_spanmetrics_calls_total[5m]))" },
  { needs: "traces_spanmetrics_latency_bucket", title: t("95th percentile of span durations by service, s"), query: "histogram_quantile(0.95, sum by (service, le) (rate(traces_spanmetrics_latency_bucket[5m])))" },
  { needs: "up", title: t("Targets that are scraped"), query: "up" },
  { needs: "vigla_bus_lag_records", title: t("Records that wait to be stored"), query: "sum by (topic) (vigla_bus_lag_records)" },
];
