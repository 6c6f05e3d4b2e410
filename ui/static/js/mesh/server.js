/** vigla itself: what comes in, what waits, what is kept. */

import { h } from "../lib/dom.js";
import { compact, duration, when } from "../lib/format.js";
import { t } from "../lib/texts.js";
import { bytes, intake, lags, total } from "./model.js";

/** @typedef {import("./model.js").Sample} Sample */

/** @param {Sample[]} samples @param {{samples: Sample[], at: number} | null} before @param {number} at */
export function intakeTable(samples, before, at) {
  const rows = intake(samples, before, at);
  if (!rows.length) return h("p", { class: "muted" }, t("Nothing was sent to this server yet."));
  return table(
    t("Intake"),
    2,
    [t("Signal"), t("Protocol"), t("Accepted"), t("A second"), t("Left out"), t("Refused")],
    rows.map(({ signal, transport, total: all, rate, rejected, refused }) => [
      signal.replaceAll("_", " "),
      transport,
      number(all),
      rate === null ? "–" : compact(rate),
      warning(rejected ? number(rejected) : "0", rejected > 0),
      warning(refused.length ? refused.map(({ reason, total: many }) => `${number(many)} ${reason.replaceAll("_", " ")}`).join(", ") : "0", refused.length > 0),
    ]),
  );
}

/** @param {Sample[]} samples */
export function busTable(samples) {
  const rows = lags(samples);
  const flushes = total(samples, "vigla_ingester_flush_seconds_count");
  const said = [
    flushes ? t("A flush takes {time}. ", { time: duration((total(samples, "vigla_ingester_flush_seconds_sum") / flushes) * 1e6) }) : "",
    t("{rows} rows wait in memory. ", { rows: number(total(samples, "vigla_storage_buffered_rows")) }),
    troubles(samples),
  ];
  return h(
    "div",
    {},
    table(t("Bus"), 1, [t("Topic"), t("Records that wait"), t("Bytes that wait")], rows.map(({ topic, records, bytes: size }) => [topic.replaceAll("_", " "), number(records), bytes(size)])),
    h("p", { class: "muted mesh-said" }, ...said),
  );
}

/** What should never happen, if it did. @param {Sample[]} samples */
function troubles(samples) {
  const names = /** @type {const} */ ([
    ["vigla_ingester_undecodable_total", t("records could not be decoded")],
    ["vigla_ingester_flush_failures_total", t("flushes failed")],
    ["vigla_bus_lost_records_total", t("records were lost to damaged segments")],
    ["vigla_rules_failed_total", t("evaluations of rules failed")],
    ["vigla_notifications_dropped_total", t("notices of alerts were dropped")],
  ]);
  const found = names.map(([name, words]) => ({ words, value: total(samples, name) })).filter(({ value }) => value > 0);
  return found.length ? h("span", { class: "mesh-warn" }, found.map(({ words, value }) => `${number(value)} ${words}`).join(", ")) : t("Nothing failed since the start.");
}

/** @param {any[]} tables @param {number} at */
export function storageTable(tables, at) {
  // Series are kept by day: theirs is its end, which may be to come.
  const time = (/** @type {string | null} */ ns) => {
    const us = ns === null ? NaN : Number(BigInt(ns) / 1000n);
    return Number.isNaN(us) ? "–" : us > at * 1000 ? t("today") : when(us, at);
  };
  const sum = (/** @type {string} */ field) => tables.reduce((all, each) => all + each[field], 0);
  return table(
    t("Storage"),
    1,
    [t("Table"), t("Rows"), t("Size"), t("Files"), t("Oldest"), t("Newest")],
    [...tables.map((each) => [each.name, number(each.rows), bytes(each.bytes), number(each.files), time(each.oldest), time(each.newest)]), [t("all"), number(sum("rows")), bytes(sum("bytes")), number(sum("files")), "", ""]],
  );
}

/** @param {Sample[]} samples @param {any} build @param {number} at */
export function processFacts(samples, build, at) {
  const late = total(samples, "vigla_event_loop_lateness_seconds_count");
  const started = total(samples, "process_start_time_seconds");
  /** @type {[string, string][]} */
  const facts = [
    [t("Version"), `${build.revision}, ${build.goVersion}`],
    [t("Started"), started ? when(started * 1e6, at) : "–"],
    [t("Memory"), bytes(total(samples, "process_resident_memory_bytes"))],
    [t("Open files"), number(total(samples, "process_open_fds"))],
    [t("Lateness of the event loop"), late ? duration((total(samples, "vigla_event_loop_lateness_seconds_sum") / late) * 1e6) : "–"],
  ];
  return h("dl", { class: "mesh-facts" }, ...facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

/** @param {string} label @param {number} words how many columns stand before the numbers @param {string[]} titles @param {(string | Node)[][]} rows */
function table(label, words, titles, rows) {
  const kind = (/** @type {number} */ place) => (place < words ? null : "number");
  const cell = (/** @type {string | Node} */ value, /** @type {number} */ place) => h("td", { class: kind(place) }, value);
  return h(
    "div",
    { class: "mesh-scroll", tabindex: 0, role: "region", "aria-label": label },
    h("table", { class: "mesh-table numbers" }, h("thead", {}, h("tr", {}, ...titles.map((title, place) => h("th", { scope: "col", class: kind(place) }, title)))), h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map(cell))))),
  );
}

/** @param {number} value */
function number(value) {
  return value.toLocaleString("en", { maximumFractionDigits: 0 });
}

/** @param {string} text @param {boolean} bad */
function warning(text, bad) {
  return bad ? h("span", { class: "mesh-warn" }, text) : text;
}
