/** What the proxies on a trace's way decided, from their access logs; nothing where no proxy logged it. */

import { href } from "../lib/address.js";
import { get } from "../lib/api.js";
import { h, middle } from "../lib/dom.js";
import { count, duration } from "../lib/format.js";
import { objectLink } from "../lib/objects.js";
import { t } from "../lib/texts.js";

const MARGIN_US = 60_000_000; // proxies may begin before the first span
const NS_PER_US = 1000;
const HEADINGS = [t("From"), t("To"), t("Request"), t("Answer"), t("Decided by")];

/**
 * @typedef {{flag: string, meaning: string}} Flag
 * @typedef {{ts: string, dur?: number, reporter?: string, source?: string, destination?: string, service?: string,
 *   method?: string, path?: string, status?: number, details?: string, mutual_tls?: boolean, flags: Flag[],
 *   decided_by: Record<string, string | number>}} Hop
 */

/** @param {HTMLElement} place @param {import("./model.js").Trace} trace */
export async function showDecisions(place, trace) {
  const range = { start: Math.max(0, Math.floor(trace.start - MARGIN_US)), end: Math.ceil(trace.start + trace.duration + MARGIN_US) };
  const path = `/api/vigla/v1/explain/${encodeURIComponent(trace.id)}`;
  let answer;
  try {
    answer = await get(path, range);
  } catch {
    return; // the trace says the rest
  }
  /** @type {Hop[]} */
  const hops = answer.hops;
  if (!hops.length) return;
  const odd = hops.filter((hop) => hop.flags.length).length;
  place.replaceChildren(
    h(
      "details",
      { class: "decisions" },
      h("summary", {}, t("What the proxies decided "), h("span", { class: "muted" }, `${count(hops.length, "log entry", "log entries")}${odd ? `, ${t("{n} with response flags", { n: odd })}` : ""}`)),
      h("div", { class: "decisions-table", tabindex: "0", role: "region", "aria-label": t("What the proxies decided") }, table(hops)),
      h("p", {}, h("a", { href: href("/logs", { trace_id: trace.id, lookback: "custom", ...range }) }, t("Show access logs"))),
    ),
  );
}

/** @param {Hop[]} hops */
function table(hops) {
  return h(
    "table",
    {},
    h("thead", {}, h("tr", {}, HEADINGS.map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, hops.map(row)),
  );
}

/** @param {Hop} hop */
function row(hop) {
  const request = [hop.method, hop.path].filter(Boolean).join(" ") || "connection";
  const logged = h("i", { class: "muted" }, t(" logged it"));
  const cells = [
    [middle(hop.source || "unknown"), hop.reporter === "source" && logged],
    [middle(hop.destination || hop.service || "unknown"), hop.reporter === "destination" && logged],
    h("span", { class: "mono" }, request),
    answerOf(hop),
    decidedBy(hop),
  ];
  const named = cells.map((content, column) => h("td", { "data-heading": HEADINGS[column] }, content));
  return h("tr", { class: hop.flags.length ? "odd" : null }, named);
}

/** @param {Hop} hop */
function answerOf(hop) {
  return [
    h("span", {}, `${hop.status || t("no status")}${hop.dur === undefined ? "" : `, ${duration(hop.dur / NS_PER_US)}`}`),
    ...hop.flags.map(({ flag, meaning }) => h("span", { class: "flag" }, h("b", {}, flag), ` ${meaning}`)),
  ];
}

/** @param {Hop} hop */
function decidedBy(hop) {
  const by = hop.decided_by;
  const facts = [
    by.virtual_service && objectLink(String(by.virtual_service), `${by.virtual_service}, ${[by.route, by.rule].filter(Boolean).join(" ")}`),
    by.source && `line ${by.source}`,
    by.destination_rule && objectLink(String(by.destination_rule), String(by.destination_rule)),
    by.policy && `policy ${by.policy}`,
    by.fault && `fault ${by.fault}`,
    Number(by.attempts) > 1 && t("{n} attempts", { n: by.attempts }),
    hop.mutual_tls && t("mutual TLS"),
    !by.virtual_service && hop.reporter === "source" && t("route {name}", { name: by.route ?? "none" }),
  ];
  return facts.filter(Boolean).map((fact) => h("span", { class: "fact" }, fact));
}
