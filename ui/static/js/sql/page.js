/** The SQL page: a query, its rows, and the tables that there are. */

import { base, change, onNavigate, params } from "../lib/address.js";
import { ApiError, ask, get, Latest } from "../lib/api.js";
import { h, one } from "../lib/dom.js";
import { queryBox } from "../lib/querybox.js";
import { emptyState, showError } from "../lib/states.js";
import { t } from "../lib/texts.js";
import { sql } from "./language.js";
import { earlier, remember } from "./model.js";
import { schemaBrowser } from "./schema.js";
import { rowsTable } from "./table.js";

const API = "/api/vigla/v1/sql";
const MOST_ROWS = 100_000; // a browser's table; a download has them all
const REVOKED_MS = 60_000; // a download has begun by then
const EXAMPLES = /** @type {const} */ ([
  "SELECT service, count(*) AS spans, quantile_cont(dur, 0.95) / 1e6 AS p95_ms\nFROM spans\nWHERE ts > now() - INTERVAL 1 HOUR\nGROUP BY service\nORDER BY spans DESC",
  "SELECT source_workload, service, status, count(*) AS requests\nFROM access_logs\nWHERE ts > now() - INTERVAL 1 HOUR\nGROUP BY ALL\nORDER BY requests DESC",
  "SELECT trace_id, root_name, max(epoch_ms(end_ts) - epoch_ms(ts)) AS ms\nFROM traces\nWHERE errors > 0\nGROUP BY ALL\nORDER BY ms DESC\nLIMIT 20",
]);

const notice = one("[data-notice]");
const body = one("[data-body]");
const input = one("#sql-text");
const counted = one("[data-count]");
const history = one("[data-history]");
const download = one("[data-download]");
const button = one("[data-run]");
const loads = new Latest();
const table = rowsTable(body);
const schema = get("/api/vigla/v1/schema");
const box = queryBox(input, one("#sql-completions"), one("#sql-problem"), sql(() => schema), submit);
const browser = schemaBrowser(one("[data-schema]"), one("[data-find]"), { insert, run: set });
let running = false;

one("[data-query]").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  if (running) stop();
  else submit();
});
history.addEventListener("change", () => set(history.value));
download.addEventListener("change", save);
onNavigate(restore);
schema.then(({ tables }) => browser.show(tables)).catch((error) => showError(notice, t("The tables could not be listed."), error, () => location.reload()));
restore();

function restore() {
  box.set(params().get("q") ?? "");
  listHistory();
  load();
}

/** @param {string} query */
function set(query) {
  if (!query) return;
  box.set(query);
  submit();
}

/** @param {string} text */
function insert(text) {
  input.setRangeText(text, input.selectionStart, input.selectionEnd, "end");
  input.focus();
}

function submit() {
  change({ q: input.value.trim() }, "push");
  load();
}

function stop() {
  loads.run(async () => undefined); // the server stops a query whose client went away
  finished();
  counted.textContent = t("Stopped");
}

async function load() {
  const query = params().get("q") ?? "";
  box.mark(null);
  notice.replaceChildren();
  download.hidden = !query;
  if (!query) return begin();
  running = true;
  button.textContent = t("Stop");
  body.classList.add("refreshing");
  counted.textContent = t("Running");
  const started = performance.now();
  try {
    const answer = await loads.run(async (signal) => JSON.parse(await asked(query, signal)));
    if (answer === undefined) return;
    table.show(answer);
    counted.textContent = t("{rows} in {time} ms", { rows: table.said(), time: Math.round(performance.now() - started) });
    remember(query);
    listHistory();
  } catch (error) {
    counted.textContent = "";
    if (error instanceof ApiError && error.status === 400) box.mark(fullMessage(error));
    else showError(notice, t("The query failed."), error, load);
  }
  finished();
}

function finished() {
  running = false;
  button.textContent = t("Run");
  body.classList.remove("refreshing");
}

/** @param {string} query @param {AbortSignal} signal */
function asked(query, signal) {
  return ask(API, {}, { method: "POST", signal, headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify({ query, max_rows: MOST_ROWS }) });
}

/** With the engine's lines, which a short message has no more. @param {ApiError} error @returns {string} */
function fullMessage(error) {
  return JSON.parse(error.body).error?.message ?? error.message;
}

function listHistory() {
  const known = earlier();
  history.replaceChildren(h("option", { value: "" }, t("Earlier queries")), ...known.map((query) => h("option", { value: query }, query.replace(/\s+/g, " ").slice(0, 80))));
  history.closest("label").hidden = known.length === 0;
}

/** The whole answer as a file. */
async function save() {
  const format = download.value;
  download.value = "";
  if (!format) return;
  const query = params().get("q") ?? "";
  try {
    const answer = await fetch(`${base}${API}?format=${format}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ query }) });
    if (!answer.ok) throw new ApiError(answer.status, (await answer.json()).error.message);
    const address = URL.createObjectURL(await answer.blob());
    h("a", { href: address, download: `vigla.${format}` }).click();
    setTimeout(() => URL.revokeObjectURL(address), REVOKED_MS);
  } catch (error) {
    const failed = error instanceof ApiError ? error : new ApiError(0, t("No answer from the server."));
    showError(notice, t("Nothing was downloaded."), failed, load);
  }
}

function begin() {
  counted.textContent = "";
  body.replaceChildren(
    emptyState(
      t("Ask everything that is kept"),
      h("p", {}, t("One SELECT in DuckDB's SQL over spans, traces, access logs, series and samples. Write a query, or begin with one of these.")),
      ...EXAMPLES.map((query) => h("figure", { class: "snippet" }, h("pre", {}, h("code", {}, query)), h("button", { class: "button quiet copy", type: "button", on: { click: () => set(query) } }, t("Run")))),
    ),
  );
}
