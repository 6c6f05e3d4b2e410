/** The graph page: address -> time range -> graph, drawing, table, panel. */

import { change, onNavigate, params } from "../lib/address.js";
import { get, Latest } from "../lib/api.js";
import { one } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { emptyState, sendTraces, showError, skeleton } from "../lib/states.js";
import { timeControl } from "../lib/timecontrol.js";
import { rangeParams, readRange, resolve } from "../lib/timerange.js";
import { graphCanvas } from "./canvas.js";
import { edgeKey, readGraph } from "./model.js";
import { showPanel } from "./panel.js";
import { graphTable } from "./table.js";

/** @typedef {import("./canvas.js").Selection} Selection */

const notice = one("[data-notice]");
const canvasPlace = one("[data-canvas]");
const tablePlace = one("[data-table]");
const panel = one("[data-panel]");
const refresh = one("[data-refresh]");
const find = one("[data-find]");
const loads = new Latest();
/** @type {ReturnType<typeof graphCanvas> | null} null until there is something to draw */
let canvas = null;
const table = graphTable(tablePlace, select);
/** @type {import("./model.js").Graph | null} */
let graph = null;
let timer = 0;

const time = timeControl(
  { select: one("[data-lookback]"), absolute: one("[data-absolute]"), start: one("[data-start]"), end: one("[data-end]") },
  () => {
    const range = time.read();
    if (!range) return;
    change(rangeParams(range), "push");
    load();
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
find.addEventListener("input", () => {
  change({ find: find.value }, "replace");
  canvas?.find(find.value);
});
find.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
  const name = event.key === "Enter" ? canvas?.find(find.value) : null;
  if (!name) return;
  select({ node: name });
  canvas?.centre(name);
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !panel.hidden) select(null);
});
document.addEventListener("visibilitychange", schedule);
onNavigate(restore);
canvasPlace.replaceChildren(skeleton(6, "skeleton-node"));
restore();

function restore() {
  const query = params();
  time.show(readRange(query));
  refresh.value = [...refresh.options].some((option) => option.value === query.get("refresh")) ? query.get("refresh") : "0";
  find.value = query.get("find") ?? "";
  showView();
  load();
}

/** A hidden page does not refresh. */
function schedule() {
  clearTimeout(timer);
  const seconds = Number(refresh.value);
  if (seconds && !document.hidden) timer = setTimeout(load, seconds * 1000);
}

async function load() {
  const range = readRange(params());
  const { start, end } = resolve(range, Date.now());
  try {
    const answer = await loads.run((signal) => get("/api/vigla/v1/graph/spans", { start: Math.floor(start), end: Math.ceil(end) }, signal));
    if (answer === undefined) return;
    graph = readGraph(answer, (end - start) / 1e6);
    notice.replaceChildren();
    await draw(graph);
  } catch (error) {
    if (graph === null) canvasPlace.replaceChildren();
    showError(notice, "The graph could not be loaded.", error, load);
  }
  schedule();
}

/** @param {import("./model.js").Graph} now */
async function draw(now) {
  one("[data-count]").textContent = now.nodes.length ? `${count(now.nodes.length, "service")}, ${count(now.edges.length, "connection")}` : "";
  table.show(now);
  if (!now.nodes.length) {
    canvas = null;
    const known = await get("/api/v3/services").catch(() => ({ services: [] }));
    canvasPlace.replaceChildren(known.services?.length ? emptyState("No spans in this time range", "Choose a longer one above.") : sendTraces());
    return showSelection();
  }
  const first = canvas === null;
  canvas ??= graphCanvas(canvasPlace, select);
  canvas.show(now);
  canvas.find(find.value);
  showSelection();
  if (first) canvas.fit(); // again: an open panel has narrowed it
}

/** @returns {Selection} */
function selection() {
  const query = params();
  const [node, from, to] = [query.get("node"), query.get("from"), query.get("to")];
  if (node !== null) return { node };
  return from !== null && to !== null ? { edge: edgeKey(from, to) } : null;
}

/** @param {Selection} target */
function select(target) {
  const edge = target && "edge" in target ? graph?.edges.find(({ key }) => key === target.edge) : undefined;
  change({ node: target && "node" in target ? target.node : null, from: edge?.parent, to: edge?.child }, "replace");
  showSelection();
  if (target && "node" in target) canvas?.reveal(target.node);
}

function showSelection() {
  const chosen = selection();
  canvas?.mark(chosen);
  if (graph) showPanel(panel, graph, chosen, readRange(params()), select);
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
