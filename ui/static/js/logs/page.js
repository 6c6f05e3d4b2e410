/** The access log page: what proxies logged, newest first, every field of an entry. */

import { change, href, onNavigate, params } from "../lib/address.js";
import { get, Latest } from "../lib/api.js";
import { serviceClass } from "../lib/colours.js";
import { h, middle, one } from "../lib/dom.js";
import { loadFlags, meaning } from "../lib/flags.js";
import { count, duration, localTime } from "../lib/format.js";
import { objectLink, objectName } from "../lib/objects.js";
import { emptyState, showError, skeleton } from "../lib/states.js";
import { t } from "../lib/texts.js";
import { timeControl } from "../lib/timecontrol.js";
import { rangeParams, readRange, resolve } from "../lib/timerange.js";
import { fields, histogram, readEntry } from "./model.js";

/** @typedef {import("./model.js").Entry} Entry */

const API = "/api/vigla/v1/access-logs";
const LOOKBACK = "15m";
const FIELDS = ["source", "destination", "status_class", "flag", "path_prefix", "trace_id"];
const PAGE = 100;

const notice = one("[data-notice]");
const body = one("[data-body]");
const form = one("[data-filters]");
const chart = one("[data-chart]");
const loads = new Latest();
/** @type {Entry[]} */
let entries = [];
let next = "";
let until = 0; // microseconds; further pages have the same end

const time = timeControl({ select: one("[data-lookback]"), absolute: one("[data-absolute]"), start: one("[data-start]"), end: one("[data-end]") }, () => {
  const range = time.read();
  if (!range) return;
  change(rangeParams(range), "push");
  load();
});
form.addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  filter();
});
form.addEventListener("change", (/** @type {Event} */ event) => {
  if (/** @type {HTMLElement} */ (event.target).matches("[name]")) filter();
});
one("[data-reload]").addEventListener("click", load);
onNavigate(restore);
restore();
loadFlags().then(() => entries.length && draw());

function filter() {
  change(Object.fromEntries(FIELDS.map((name) => [name, form.elements.namedItem(name).value.trim() || null])), "push");
  load();
}

function restore() {
  const query = params();
  for (const name of FIELDS) form.elements.namedItem(name).value = query.get(name) ?? "";
  time.show(readRange(query, LOOKBACK));
  load();
}

async function load() {
  if (!entries.length) body.replaceChildren(skeleton(8, "skeleton-rule"));
  const { start, end } = resolve(readRange(params(), LOOKBACK), Date.now());
  until = Math.ceil(end);
  await ask(Math.floor(start), "");
}

/** @param {number} start microseconds @param {string} cursor */
async function ask(start, cursor) {
  const filters = Object.fromEntries(FIELDS.map((name) => [name, params().get(name)]));
  try {
    const answer = await loads.run((signal) => get(API, { ...filters, start, end: until, limit: PAGE, cursor }, signal));
    if (answer === undefined) return;
    const found = answer.entries.map(readEntry);
    entries = cursor ? [...entries, ...found] : found;
    next = answer.next ?? "";
    notice.replaceChildren();
    draw();
  } catch (error) {
    if (!entries.length) body.replaceChildren();
    showError(notice, t("The access logs could not be loaded."), error, load);
  }
}

function draw() {
  one("[data-count]").textContent = next ? t("Newest {entries}", { entries: count(entries.length, "entry", "entries") }) : entries.length ? count(entries.length, "entry", "entries") : "";
  chart.replaceChildren(...bars());
  if (!entries.length) {
    const asked = FIELDS.some((name) => params().get(name));
    body.replaceChildren(emptyState(t("No entries in this time range"), h("p", {}, asked ? t("Take filters away, or choose a longer range.") : t("Proxies of the mesh send their access logs here; another Envoy does with its gRPC access log service on port 4317."))));
    return;
  }
  body.replaceChildren(
    h("div", { class: "log-list", role: "list" }, ...entries.map(row)),
    next ? h("button", { class: "button more", type: "button", on: { click: () => ask(Math.floor(resolve(readRange(params(), LOOKBACK), Date.now()).start), next) } }, t("Show more")) : h("p", { class: "muted more" }, t("These are all")),
  );
}

/** How many ended well and badly, over the time of what is shown. */
function bars() {
  const columns = histogram(entries, 60);
  const highest = Math.max(...columns.map(({ all }) => all), 1);
  return columns.map(({ all, failed, at }) =>
    h("i", { title: `${localTime(at)}: ${count(all, "entry", "entries")}, ${t("{n} failed", { n: failed })}`, style: { "--all": `${(100 * all) / highest}%`, "--failed": `${(100 * failed) / highest}%` } }),
  );
}

/** @param {Entry} entry */
function row(entry) {
  const details = h("details", { class: `log ${entry.failed ? "failed" : ""}`, role: "listitem" });
  details.append(
    h(
      "summary",
      {},
      h("time", { title: entry.ts }, localTime(entry.at).slice(11)),
      h("span", { class: "who" }, name(entry.source), h("span", { class: "muted" }, "→"), name(entry.destination)),
      h("span", { class: "what" }, h("b", {}, entry.method || entry.protocol), " ", middle(entry.path || entry.authority)),
      h("span", { class: "flags" }, ...entry.flags.map((flag) => h("abbr", { class: "flag", title: meaning(flag) || flag }, flag))),
      h("span", { class: "status" }, entry.status || "\u2013"),
      h("span", { class: "number" }, duration(entry.duration)),
    ),
  );
  details.addEventListener("toggle", () => details.open && details.childElementCount === 1 && details.append(opened(entry)), { once: true });
  return details;
}

/** @param {string} workload */
function name(workload) {
  return workload ? h("span", { class: `chip ${serviceClass(workload)}` }, middle(workload)) : h("span", { class: "muted" }, t("unknown"));
}

/** @param {Entry} entry */
function opened(entry) {
  const rule = objectName(entry.raw.virtual_service ?? "");
  return h(
    "div",
    { class: "log-body" },
    ...entry.flags.map((flag) => h("p", { class: "flag-words" }, h("code", {}, flag), " ", meaning(flag) || t("not explained by the version of Envoy that this page knows"))),
    h(
      "p",
      { class: "log-links" },
      entry.trace && h("a", { class: "button", href: href(`/trace/${entry.trace}`) }, t("Show trace")),
      entry.destination && h("a", { class: "button", href: href("/graph", { type: "workload", find: `name = "${entry.destination}"` }) }, t("Show in the graph")),
      rule && h("span", {}, t("Routed by"), " ", objectLink(rule, rule)),
    ),
    h("dl", { class: "log-fields" }, ...fields(entry.raw).flatMap(([key, value]) => [h("dt", {}, key), h("dd", {}, value)])),
  );
}
