/** The search page: address -> query -> API -> plot and list. */

import { change, href, onNavigate, params } from "../lib/address.js";
import { ApiError, get, Latest } from "../lib/api.js";
import { h, one } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { emptyState, sendTraces, showError, skeleton } from "../lib/states.js";
import { formatTags, parseTags } from "../lib/tags.js";
import { t } from "../lib/texts.js";
import { DEFAULT_LOOKBACK } from "../lib/timerange.js";
import { bound, readHeat } from "./cells.js";
import { filterForm } from "./form.js";
import { heatmap } from "./heatmap.js";
import { fromAddress, toAddress, toApi, toHeatmap } from "./query.js";
import { resultList } from "./results.js";
import { scatter } from "./scatter.js";
import { writeArea } from "./selection.js";
import { special } from "./special.js";
import { readSummaries, sorted } from "./summaries.js";

const notice = one("[data-notice]");
const results = one(".results");
const listPlace = one("[data-results]");
const sortSelect = one("[data-sort]");
const bar = one(".results-bar");
const searches = new Latest();
/** @type {import("./summaries.js").Summary[] | null} null before the first answer */
let found = null;

const plot = scatter(one("[data-scatter]"), {
  open: (trace) => location.assign(href(`/trace/${encodeURIComponent(trace.id)}`)),
  zoom: (start, end) => apply({ ...fromAddress(params()), range: { lookback: "custom", start, end } }),
  light: (id) => list.highlight(id),
  marks: () => one("[data-mark]").checked,
  mark: (area) => differences.choose(writeArea(area)),
});
const heatPlace = one("[data-heatmap]");
const heats = new Latest();
const heat = heatmap(heatPlace, ({ start, end, low, high }) => {
  const range = /** @type {const} */ ({ lookback: "custom", start: Math.floor(start), end: Math.ceil(end) });
  apply({ ...fromAddress(params()), range, minDuration: bound(low, "down"), maxDuration: bound(high, "up") });
});
for (const button of document.querySelectorAll("[data-plot]")) {
  button.addEventListener("click", () => {
    change({ plot: button.dataset.plot === "traces" ? null : button.dataset.plot }, "push");
    draw();
    drawHeat(fromAddress(params()));
  });
}
const differences = special(one("[data-special]"), { add: addFilter });
const compare = one("[data-compare-picked]");
/** @type {string[]} */
let picked = [];
const list = resultList(listPlace, plot.light, (ids) => {
  picked = ids;
  compare.disabled = ids.length < 2;
  compare.textContent = ids.length === 1 ? t("Compare: mark one more") : t("Compare marked");
});
compare.addEventListener("click", () => location.assign(href("/traces/compare", { a: picked[0], b: picked[1] })));
const form = filterForm(one("[data-filters]"), () => {
  const query = form.read(sortSelect.value);
  if (query) apply(query);
});

sortSelect.addEventListener("change", () => {
  change({ sort: sortSelect.value === "newest" ? null : sortSelect.value }, "push");
  draw();
});
one("[data-clear]").addEventListener("click", () => apply(fromAddress(new URLSearchParams())));
onNavigate(restore);

restore();
const services = listServices();

/** A query that the user made: into the address, and run. @param {import("./query.js").Query} query */
function apply(query) {
  change(toAddress(query), "push");
  restore();
}

/** A value that was found to be special, as a filter. @param {import("./special.js").Difference} difference */
function addFilter({ level, key, value }) {
  const query = fromAddress(params());
  const { tags } = parseTags(query.tags);
  if (level === "intrinsic" && key === "service") return apply({ ...query, service: value });
  if (level === "intrinsic" && key === "operation") return apply({ ...query, operation: value });
  if (level === "intrinsic") tags.error = "true";
  else tags[key] = value;
  apply({ ...query, tags: formatTags(tags) });
}

function restore() {
  const query = fromAddress(params());
  sortSelect.value = query.sort;
  form.show(query);
  search(query);
  drawHeat(query);
}

function heated() {
  return params().get("plot") === "spans";
}

/** @param {import("./query.js").Query} query */
async function drawHeat(query) {
  if (!heated()) return;
  heatPlace.hidden = false;
  try {
    const answer = await heats.run((signal) => get("/api/vigla/v1/traces/heatmap", { ...toHeatmap(query, Date.now()), columns: heat.columns() }, signal));
    if (answer === undefined) return;
    const read = readHeat(answer);
    heatPlace.hidden = !read.cells.length;
    heat.draw(read);
  } catch (error) {
    heat.draw(null);
    showError(notice, t("The heatmap could not be loaded."), error, restore);
  }
}

/** @param {import("./query.js").Query} query */
async function search(query) {
  results.classList.add("refreshing");
  if (found === null) {
    bar.hidden = true;
    listPlace.replaceChildren(h("li", {}, skeleton(8, "skeleton-trace")));
  }
  try {
    const answer = await searches.run((signal) => get("/api/v3/trace-summaries", toApi(query, Date.now()), signal).catch(noneFound));
    if (answer === undefined) return;
    found = readSummaries(answer);
    notice.replaceChildren();
    draw();
    if (!found.length) await empty(query);
  } catch (error) {
    if (found === null) listPlace.replaceChildren();
    showError(notice, t("The search failed."), error, restore);
  }
  results.classList.remove("refreshing");
}

/** Jaeger answers 404 when nothing matches. @param {unknown} error */
function noneFound(error) {
  if (error instanceof ApiError && error.status === 404) return { summaries: [] };
  throw error;
}

function draw() {
  if (found === null) return;
  const query = fromAddress(params());
  bar.hidden = found.length === 0;
  const cut = found.length >= query.limit;
  one("[data-count]").textContent = cut ? t("Newest {traces}", { traces: count(found.length, "trace") }) : count(found.length, "trace");
  one("[data-plot-bar]").hidden = found.length === 0 && !heated();
  one("[data-mark]").closest("label").hidden = found.length < 2 || heated();
  for (const button of document.querySelectorAll("[data-plot]")) button.setAttribute("aria-pressed", String((button.dataset.plot === "spans") === heated()));
  if (!heated()) heatPlace.hidden = true;
  plot.draw(heated() ? [] : found);
  differences.draw(found);
  list.draw(sorted(found, query.sort));
}

/** @param {import("./query.js").Query} query */
async function empty(query) {
  const known = await services;
  if (found?.length) return; // a newer search was quicker
  listPlace.replaceChildren(h("li", {}, known?.length === 0 ? sendTraces() : noMatch(query)));
}

/** @param {import("./query.js").Query} query */
function noMatch(query) {
  const wider = { ...query, range: { lookback: "7d", start: null, end: null } };
  const filtered = query.service || query.tags || query.minDuration || query.maxDuration;
  return emptyState(
    t("No traces match"),
    h("p", {}, filtered ? t("All filters have to hold on one span, within the time range.") : t("Nothing was received within the time range.")),
    h(
      "p",
      {},
      query.range.lookback !== "7d" && h("button", { class: "button primary", type: "button", on: { click: () => apply(wider) } }, t("Search the last 7 days")),
      " ",
      filtered && h("button", { class: "button", type: "button", on: { click: () => apply({ ...fromAddress(new URLSearchParams()), range: query.range }) } }, t("Remove filters")),
    ),
    query.range.lookback === DEFAULT_LOOKBACK && !filtered ? h("p", {}, t("Clocks of senders that run ahead or behind can also hide new traces.")) : "",
  );
}

/** @returns {Promise<string[] | undefined>} undefined when the list cannot be had; the search reports why */
async function listServices() {
  const answer = await get("/api/v3/services").catch(() => undefined);
  const names = answer?.services?.slice().sort((/** @type {string} */ a, /** @type {string} */ b) => a.localeCompare(b));
  if (names) form.listServices(names);
  return names;
}
