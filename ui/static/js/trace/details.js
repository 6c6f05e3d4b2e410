/** What is known of one span, below its row. */

import { href } from "../lib/address.js";
import { serviceClass } from "../lib/colours.js";
import { h } from "../lib/dom.js";
import { count, duration, exactDuration, localTime, utc } from "../lib/format.js";
import { copyButton } from "../lib/states.js";
import { t } from "../lib/texts.js";
import { selfTime } from "./selftime.js";

/** @typedef {import("./model.js").Trace} Trace @typedef {import("./model.js").Span} Span @typedef {import("./model.js").Tag} Tag */

const FILTER_FROM = 6; // attributes; fewer are seen at a glance
const AROUND_US = 3_600e6; // a search from here looks an hour before and after the trace

/** @param {Trace} trace @param {Span} span */
export function details(trace, span) {
  const tables = [table(t("Attributes"), span.tags, trace, span), table(t("Resource"), span.process, trace, span)];
  const attributes = span.tags.length + span.process.length;
  return h(
    "div",
    { class: `tl-details ${serviceClass(span.service)}`, role: "row", data: { details: span.index } },
    h(
      "div",
      { role: "gridcell", class: "details" },
      head(trace, span),
      ...span.warnings.map((text) => h("p", { class: "details-warning" }, text)),
      attributes >= FILTER_FROM && filter(tables),
      h("div", { class: "details-tables" }, ...tables),
      span.events.length > 0 && events(span),
      span.links.length > 0 && links(trace, span),
      json(span),
    ),
  );
}

/** @param {Trace} trace @param {Span} span */
function head(trace, span) {
  const at = trace.start + span.start;
  const facts = /** @type {const} */ ([
    [t("Service"), span.service],
    [t("Kind"), span.kind],
    [t("Duration"), duration(span.duration), exactDuration(span.duration)],
    [t("Self time"), duration(selfTime(trace.spans, span.index)), exactDuration(selfTime(trace.spans, span.index))],
    [t("Start"), `+${duration(span.start)}`, `${localTime(at)}, ${utc(at)}`],
    [t("Span ID"), span.id],
  ]);
  return h(
    "header",
    { class: "details-head" },
    h("h3", { dir: "auto" }, span.name || t("(no name)")),
    h(
      "dl",
      { class: "facts" },
      ...facts.filter(([, text]) => text).map(([name, text, exact]) => h("div", {}, h("dt", {}, name), h("dd", { title: exact ?? text, class: name === "Span ID" ? "mono" : null }, text))),
    ),
  );
}

/** @param {HTMLElement[]} tables */
function filter(tables) {
  const input = h("input", { type: "search", placeholder: t("Filter attributes"), "aria-label": t("Filter attributes"), class: "details-filter", spellcheck: "false" });
  input.addEventListener("input", () => {
    const text = input.value.trim().toLowerCase();
    for (const line of tables.flatMap((each) => [...each.querySelectorAll("tr")])) line.hidden = !line.textContent?.toLowerCase().includes(text);
  });
  return input;
}

/** @param {string} title @param {Tag[]} tags @param {Trace} trace @param {Span} span */
function table(title, tags, trace, span) {
  if (!tags.length) return h("div", { hidden: true });
  return h("table", { class: "attributes" }, h("caption", {}, title), h("tbody", {}, ...tags.map((tag) => line(tag, trace, span))));
}

/** @param {Tag} tag @param {Trace} trace @param {Span} span */
function line({ key, value, type }, trace, span) {
  const text = String(value);
  const address = href("/search", {
    service: span.service,
    tags: JSON.stringify({ [key]: text }),
    lookback: "custom",
    start: Math.max(0, Math.floor(trace.start - AROUND_US)),
    end: Math.ceil(trace.start + trace.duration + AROUND_US),
  });
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, key),
    h("td", { title: type && type !== "string" ? type : null }, h("a", { href: address, title: t("Find traces of {service} with this {key}", { service: span.service, key }), dir: "auto" }, text === "" ? t("(empty)") : text)),
  );
}

/** @param {Span} span */
function events(span) {
  const length = Math.max(span.duration, 1);
  const at = (/** @type {number} */ time) => Math.min(Math.max(((time - span.start) / length) * 100, 0), 100);
  return h(
    "section",
    { class: "events" },
    h("h4", {}, count(span.events.length, "event")),
    h("div", { class: "event-line", "aria-hidden": "true" }, ...span.events.map(({ time }) => h("i", { style: { left: `${at(time)}%` } }))),
    h(
      "ol",
      {},
      ...span.events.map(({ time, fields }) => {
        const name = fields.find(({ key }) => key === "event" || key === "message");
        const rest = fields.filter((field) => field !== name);
        return h(
          "li",
          {},
          h("span", { class: "event-time", title: exactDuration(time - span.start) }, `+${duration(time - span.start)}`),
          h("div", {}, h("strong", { dir: "auto" }, name ? String(name.value) : "event"), rest.length > 0 && fieldTable(rest)),
        );
      }),
    ),
  );
}

/** @param {Tag[]} fields */
function fieldTable(fields) {
  return h("table", { class: "attributes" }, h("tbody", {}, ...fields.map(({ key, value }) => h("tr", {}, h("th", { scope: "row" }, key), h("td", {}, String(value))))));
}

/** @param {Trace} trace @param {Span} span */
function links(trace, span) {
  return h(
    "section",
    { class: "links" },
    h("h4", {}, count(span.links.length, "link")),
    h(
      "ul",
      {},
      ...span.links.map(({ traceId, spanId }) =>
        h("li", {}, h("a", { class: "mono", href: href(`/trace/${encodeURIComponent(traceId)}`, { span: spanId, open: spanId }) }, traceId === trace.id ? t("this trace, span {span}", { span: spanId }) : t("trace {trace}, span {span}", { trace: traceId, span: spanId }))),
      ),
    ),
  );
}

/** @param {Span} span */
function json(span) {
  const text = () => JSON.stringify(span.source, null, 2);
  const code = h("pre", { tabindex: 0 });
  const box = h("details", { class: "span-json" }, h("summary", {}, "JSON"), h("div", {}, code, copyButton(text)));
  box.addEventListener("toggle", () => (code.textContent = box.open ? text() : ""));
  return box;
}
