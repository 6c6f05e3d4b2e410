/** The graph page: address -> time range -> graph, drawing, table, panel. */

import { change, onNavigate, params } from "../lib/address.js";
import { get, Latest } from "../lib/api.js";
import { one } from "../lib/dom.js";
import { loadFlags } from "../lib/flags.js";
import { count } from "../lib/format.js";
import { refresher } from "../lib/refresh.js";
import { emptyState, sendTraces, showError, skeleton } from "../lib/states.js";
import { t } from "../lib/texts.js";
import { timeControl } from "../lib/timecontrol.js";
import { rangeParams, readRange, resolve } from "../lib/timerange.js";
import { besideGraph } from "./beside.js";
import { graphBitmap } from "./bitmap.js";
import { graphCanvas } from "./canvas.js";
import { save } from "./exports.js";
import { accepts, FilterError, parse } from "./filter.js";
import { readGraph } from "./model.js";
import { optionsMenu } from "./options.js";
import { showPanel } from "./panel.js";
import { framesOf, replayBar, windowOf } from "./replay.js";
import { graphTable } from "./table.js";

/** @typedef {import("./canvas.js").Selection} Selection */

const TYPE = "versionedApp";
const ELEMENTS = { nodes: 320, edges: 1000 }; // of a graph that is drawn with an element each
const LEAST_S = 60; // a rate needs two samples, and metrics come every 15 s
const LOOKBACK = "15m"; // a graph tells how it is now
const HELP = 'A part of a name, or conditions such as "rt > 500 and (name contains rev or %error > 5)"';
const notice = one("[data-notice]");
const canvasPlace = one("[data-canvas]");
const tablePlace = one("[data-table]");
const panel = one("[data-panel]");
const refresh = one("[data-refresh]");
const find = one("[data-find]");
const hide = one("[data-hide]");
const type = one("[data-type]");
const saving = one("[data-export]");
const loads = new Latest();
/** @type {Set<string> | null} nodes that a list beside the graph is about */
let noted = null;
/** @type {ReturnType<typeof graphCanvas> | null} null until there is something to draw */
let canvas = null;
let drawn = ""; // how the canvas was made
const table = graphTable(tablePlace, select);
/** @type {import("./model.js").Graph | null} */
let graph = null;

const options = optionsMenu(one("[data-options]"), () => graph && draw(graph));
const replay = replayBar(one("[data-replay]"), {
  moved: async (at) => {
    change({ replay: String(at) }, "replace");
    await load();
  },
  closed: () => {
    change({ replay: null }, "push");
    load();
  },
});
const beside = besideGraph(
  { place: one("[data-changes]"), choice: one("[data-compare]"), notice },
  {
    asked,
    select,
    noted: (ids) => {
      noted = ids;
      showFound();
    },
  },
);
saving.addEventListener("change", async () => {
  const format = saving.value;
  saving.value = "";
  if (!graph || !format) return;
  try {
    await save(format, shown(graph), asked());
  } catch (error) {
    showError(notice, t("Nothing was saved."), error, load);
  }
});
one("[data-replay-open]").addEventListener("click", () => {
  const { start, end } = period();
  change({ replay: String(Math.round(end)), ...(params().get("start") ? {} : rangeParams({ lookback: "custom", start: Math.round(start * 1e6), end: Math.round(end * 1e6) })) }, "push");
  restore();
});
const time = timeControl(
  { select: one("[data-lookback]"), absolute: one("[data-absolute]"), start: one("[data-start]"), end: one("[data-end]") },
  () => {
    const range = time.read();
    if (!range) return;
    change({ ...rangeParams(range), replay: null }, "push");
    restore();
  },
);
one("[data-reload]").addEventListener("click", load);
refresh.addEventListener("change", () => {
  change({ refresh: refresh.value === "0" ? null : refresh.value }, "replace");
  schedule();
});
for (const button of document.querySelectorAll("[data-view]")) {
  button.addEventListener("click", () => {
    change({ view: button.dataset.view === "graph" ? null : button.dataset.view }, "push");
    showView();
  });
}
type.addEventListener("change", () => {
  change({ type: type.value === TYPE ? null : type.value, node: null, edge: null }, "push");
  canvas = null; // other nodes: a layout of its own
  load();
});
find.addEventListener("input", () => {
  change({ find: find.value || null }, "replace");
  showFound();
});
hide.addEventListener("change", () => {
  change({ hide: hide.value || null }, "push");
  if (graph) draw(graph);
});
find.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
  const id = event.key === "Enter" ? showFound()?.values().next().value : undefined;
  if (id === undefined) return;
  select({ node: id });
  canvas?.centre(id);
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !panel.hidden) select(null);
});
const schedule = refresher(load, () => (moment() === null ? Number(refresh.value) * 1000 : 0));
onNavigate(restore);
canvasPlace.replaceChildren(skeleton(6, "skeleton-node"));
restore();
loadFlags().then(showSelection);

function restore() {
  const query = params();
  time.show(readRange(query, LOOKBACK));
  refresh.value = [...refresh.options].some((option) => option.value === query.get("refresh")) ? query.get("refresh") : "0";
  find.value = query.get("find") ?? "";
  hide.value = query.get("hide") ?? "";
  type.value = [...type.options].some((option) => option.value === query.get("type")) ? query.get("type") : TYPE;
  options.show();
  showView();
  const at = moment();
  if (at === null) replay.hide();
  else replay.open(period(), at);
  load();
}

/** The chosen range in seconds. */
function period() {
  const { start, end } = resolve(readRange(params(), LOOKBACK), Date.now());
  return { start: start / 1e6, end: end / 1e6 };
}

/** What is replayed, in seconds; null: the whole range is shown. */
function moment() {
  const text = params().get("replay");
  return text && /^\d{1,11}$/.test(text) ? Number(text) : null;
}

async function load() {
  try {
    const answer = await loads.run((signal) => get("/api/vigla/v1/graph", asked(), signal));
    if (answer === undefined) return;
    graph = readGraph(answer);
    notice.replaceChildren();
    await draw(graph);
    beside.load();
  } catch (error) {
    if (graph === null) canvasPlace.replaceChildren();
    showError(notice, t("The graph could not be loaded."), error, load);
  }
  schedule();
}

/** Parameters of the graph that is shown. @returns {Record<string, string>} */
function asked() {
  const { start, end } = period();
  const at = moment();
  const duration = at === null ? Math.max(Math.ceil(end - start), LEAST_S) : windowOf(framesOf({ start, end }).step);
  return { time: String(at ?? Math.ceil(end)), duration: `${duration}s`, graphType: type.value };
}

/** @param {import("./model.js").Graph} all */
async function draw(all) {
  const now = shown(all);
  one("[data-count]").textContent = now.nodes.length ? `${count(now.nodes.length, "node")}, ${count(now.edges.length, "connection")}${all.nodes.length > now.nodes.length ? `, ${t("{n} hidden", { n: all.nodes.length - now.nodes.length })}` : ""}` : "";
  table.show(now);
  if (all.nodes.length && !now.nodes.length) {
    canvas = null;
    canvasPlace.replaceChildren(emptyState(t("Everything is hidden"), t("Clear the field \u201cHide\u201d above.")));
    return showSelection();
  }
  if (!now.nodes.length) {
    canvas = null;
    const known = await get("/api/v3/services").catch(() => ({ services: [] }));
    canvasPlace.replaceChildren(known.services?.length ? emptyState(t("No calls in this time range"), t("Choose a longer one above. Rates need half a minute of traffic.")) : sendTraces());
    return showSelection();
  }
  const large = now.nodes.length > ELEMENTS.nodes || now.edges.length > ELEMENTS.edges;
  const drawing = `${large} ${options.arrangement()} ${options.grouping()}`;
  const first = canvas === null || drawing !== drawn;
  if (first) canvas = (large ? graphBitmap : graphCanvas)(canvasPlace, select, options.arrangement(), options.grouping());
  drawn = drawing;
  canvas?.show(now);
  showFound();
  showSelection();
  if (first) canvas?.fit(); // again: an open panel has narrowed it
}

/** @returns {Selection} */
function selection() {
  const query = params();
  const [node, edge] = [query.get("node"), query.get("edge")];
  if (node !== null) return { node };
  return edge === null ? null : { edge };
}

/** What is not hidden. @param {import("./model.js").Graph} all @returns {import("./model.js").Graph} */
function shown(all) {
  const hidden = filter(hide);
  if (!hidden) return all;
  const nodes = all.nodes.filter((node) => !accepts(hidden, node));
  const ids = new Set(nodes.map(({ id }) => id));
  return { nodes, edges: all.edges.filter((edge) => ids.has(edge.parent) && ids.has(edge.child) && !accepts(hidden, edge)) };
}

/** Lights what is looked for; its ids. */
function showFound() {
  const wanted = filter(find);
  const ids = wanted && graph ? new Set(shown(graph).nodes.filter((node) => accepts(wanted, node)).map(({ id }) => id)) : null;
  if (wanted && graph && ids) for (const edge of graph.edges) if (accepts(wanted, edge)) ids.add(edge.parent).add(edge.child);
  canvas?.find(ids ?? (noted?.size ? noted : null));
  return ids;
}

/** The expression in a field; null when it is empty or wrong, which the field tells. @param {HTMLInputElement} field */
function filter(field) {
  try {
    field.setCustomValidity("");
    return parse(field.value);
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    field.setCustomValidity(error.message);
    return null;
  } finally {
    field.setAttribute("aria-invalid", String(!field.checkValidity()));
    field.title = field.validationMessage || HELP;
  }
}

/** @param {Selection} target */
function select(target) {
  change({ node: target && "node" in target ? target.node : null, edge: target && "edge" in target ? target.edge : null }, "replace");
  showSelection();
  if (target && "node" in target) canvas?.reveal(target.node);
}

function showSelection() {
  const chosen = selection();
  canvas?.mark(chosen);
  if (graph) showPanel(panel, graph, chosen, readRange(params(), LOOKBACK), select, depend);
}

/** What depends on a node, beside the graph. @param {string} id */
function depend(id) {
  beside.depend(id);
  showSelection();
}

function showView() {
  const tableShown = params().get("view") === "table";
  tablePlace.hidden = !tableShown;
  canvasPlace.hidden = tableShown;
  for (const button of document.querySelectorAll("[data-view]")) {
    button.setAttribute("aria-pressed", String((button.dataset.view === "table") === tableShown));
  }
  if (!tableShown) canvas?.fit();
}
