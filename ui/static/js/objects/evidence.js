/** Traces and access logs of one object, the newest. */

import { href } from "../lib/address.js";
import { ApiError, get } from "../lib/api.js";
import { h, middle } from "../lib/dom.js";
import { count, duration, when } from "../lib/format.js";
import { t } from "../lib/texts.js";
import { rangeParams } from "../lib/timerange.js";
import { readEntry } from "../logs/model.js";
import { fromAddress, toApi } from "../search/query.js";
import { readSummaries } from "../search/summaries.js";

/** @typedef {import("./detail.js").Subject} Subject */

const MOST = 50;

/** @type {import("./detail.js").Tab} */
export async function tracesTab({ place, node, range }, signal) {
  const service = node?.app || place.name; // spans know nothing of workloads
  const query = { ...fromAddress(new URLSearchParams({ service, limit: String(MOST) })), range };
  const none = (/** @type {unknown} */ error) => {
    if (error instanceof ApiError && error.status === 404) return { summaries: [] }; // Jaeger says so when nothing matches
    throw error;
  };
  const found = readSummaries(await get("/api/v3/trace-summaries", toApi(query, Date.now()), signal).catch(none));
  const more = h("p", { class: "object-tools" }, h("a", { class: "button", href: href("/search", { service, ...rangeParams(range) }) }, t("Search its traces")));
  if (!found.length) return [more, h("p", { class: "muted object-part" }, t("No trace in this time has a span of a service of this name."))];
  const now = Date.now();
  return [
    more,
    table(
      t("Traces"),
      [t("Started"), t("Operation"), t("Duration"), t("Spans"), t("Errors")],
      found.map((each) => [
        when(each.start, now),
        h("a", { href: href(`/trace/${each.id}`) }, middle(`${each.service}: ${each.operation}`)),
        duration(each.duration),
        String(each.spans),
        each.errors ? h("span", { class: "objects-bad" }, count(each.errors, "error", "errors")) : "0",
      ]),
    ),
  ];
}

/** @type {import("./detail.js").Tab} */
export async function logsTab({ list, place, range, start, end }, signal) {
  const period = { start: Math.floor(start), end: Math.ceil(end), limit: MOST };
  const asked = list === "services" ? [{ service: place.name, namespace: place.namespace }] : [{ destination: place.name, namespace: place.namespace }, { source: place.name, namespace: place.namespace }];
  const answers = await Promise.all(asked.map((filter) => get("/api/vigla/v1/access-logs", { ...period, ...filter }, signal)));
  const found = answers
    .flatMap(({ entries }) => entries.map(readEntry))
    .sort((a, b) => b.at - a.at)
    .slice(0, MOST);
  const more = h("p", { class: "object-tools" }, h("a", { class: "button", href: href("/logs", { destination: list === "services" ? undefined : place.name, ...rangeParams(range) }) }, t("All access logs")));
  if (!found.length) return [more, h("p", { class: "muted object-part" }, t("No proxy logged a request of it in this time."))];
  const now = Date.now();
  return [
    more,
    table(
      t("Access logs"),
      [t("Time"), t("From"), t("To"), t("Request"), t("Status"), t("Flags"), t("Duration"), ""],
      found.map((each) => [
        when(each.at, now),
        middle(each.source || t("unknown")),
        middle(each.destination || each.authority || t("unknown")),
        middle([each.method, each.path || each.protocol].filter(Boolean).join(" ")),
        each.failed ? h("span", { class: "objects-bad" }, String(each.status || "–")) : String(each.status || "–"),
        each.flags.join(" "),
        duration(each.duration),
        each.trace ? h("a", { href: href(`/trace/${each.trace}`) }, t("Trace")) : "",
      ]),
    ),
  ];
}

/** @param {string} label @param {string[]} titles @param {(string | Node)[][]} rows */
export function table(label, titles, rows) {
  return h(
    "div",
    { class: "objects-scroll", tabindex: 0, role: "region", "aria-label": label },
    h("table", { class: "objects" }, h("thead", {}, h("tr", {}, ...titles.map((title) => h("th", { scope: "col" }, title)))), h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell) => h("td", {}, cell)))))),
  );
}
