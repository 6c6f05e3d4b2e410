/** One row of the timeline: name in the tree, bar on the time axis. */

import { serviceClass } from "../lib/colours.js";
import { h, icon, middle } from "../lib/dom.js";
import { duration, exactDuration } from "../lib/format.js";
import { t } from "../lib/texts.js";
import { judge } from "./judge.js";
import { selfSections } from "./selftime.js";

/**
 * @typedef {import("./model.js").Trace} Trace @typedef {import("./model.js").Span} Span
 * @typedef {{start: number, end: number}} Section
 * @typedef {{trace: Trace, zoom: Section, critical: Map<number, Section[]>, collapsed: Set<string>,
 *   open: Set<string>, matches: Set<number>, selected: string,
 *   usual: (span: Span) => import("./usual.js").Known | undefined}} Look what rows depend on
 */

const CHEVRON = "m6 4 4 4-4 4";
const ERROR = "M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8M8 4.8v3.8M8 11.2h.01";
const LABEL = 62; // pixels that a duration takes
const FINEST = 0.08; // per cent of the timeline; parts nearer than this are drawn as one

/** @param {Look} look @param {number} index @param {number} position of the row, from 1 @param {number} width of the bars, in pixels */
export function row(look, index, position, width) {
  const span = look.trace.spans[index];
  const collapsed = look.collapsed.has(span.key);
  const classes = ["tl-row", serviceClass(span.service)];
  if (span.error) classes.push("failed");
  if (look.matches.has(index)) classes.push("match");
  if (look.open.has(span.key)) classes.push("open");
  return h(
    "div",
    {
      class: classes.join(" "), role: "row", id: `row-${index}`, data: { index },
      "aria-level": span.depth + 1, "aria-rowindex": position, "aria-selected": String(look.selected === span.key),
      "aria-expanded": span.children.length ? String(!collapsed) : null,
    },
    nameCell(span, collapsed, look.usual(span)),
    h("div", { class: "tl-track", role: "gridcell", title: hover(look.trace, span) }, ...bar(look, span, width)),
  );
}

/** @param {Span} span @param {boolean} collapsed @param {import("./usual.js").Known | undefined} usual */
function nameCell(span, collapsed, usual) {
  const problem = span.error ? t("Failed") : collapsed && span.errorsBelow ? t("{n} failed below", { n: span.errorsBelow }) : "";
  return h(
    "div",
    { class: "tl-name", role: "gridcell" },
    h("span", { class: "indent", style: { "--depth": String(span.depth) } }),
    span.children.length
      ? h("button", { class: "fold", type: "button", tabindex: -1, "aria-label": collapsed ? t("Expand") : t("Collapse"), data: { fold: "" } }, icon(CHEVRON))
      : h("span", { class: "fold" }),
    h("span", { class: "stripe" }),
    problem && h("span", { class: span.error ? "flag error" : "flag below", title: problem, role: "img", "aria-label": problem }, icon(ERROR)),
    usual && judge(span.duration, usual) && slowMark(span, usual),
    middle(span.service || t("(no service)"), "service"),
    middle(span.name || t("(no name)"), "operation"),
    collapsed && h("span", { class: "hidden-count", title: t("Spans below") }, `+${span.children.length}`),
  );
}

/** @param {Span} span @param {import("./usual.js").Known} usual */
function slowMark(span, usual) {
  const text = t("Slower than usual: {time}; half take {p50}, 95 % at most {p95}", { time: duration(span.duration), p50: duration(usual.p50), p95: duration(usual.p95) });
  return h("span", { class: `unusual ${judge(span.duration, usual)}`, title: text, role: "img", "aria-label": text }, judge(span.duration, usual) === "slow" ? "▲▲" : "▲");
}

/** @param {Trace} trace @param {Span} span */
function hover(trace, span) {
  const self = selfSections(trace.spans, span.index).reduce((sum, part) => sum + part.end - part.start, 0);
  return t("{name}\n{time}, self {self}, starts at {start}", { name: `${span.service}: ${span.name}`, time: exactDuration(span.duration), self: exactDuration(self), start: exactDuration(span.start) });
}

/** @param {Look} look @param {Span} span @param {number} width */
function bar({ trace, zoom, critical }, span, width) {
  const whole = place({ start: span.start, end: span.start + span.duration }, zoom);
  if (whole === null) return [];
  const self = merge(selfSections(trace.spans, span.index), zoom).map((part) => piece("self", part));
  const path = merge([...(critical.get(span.index) ?? [])].reverse(), zoom).map((part) => piece("critical", part));
  const events = [...new Set(span.events.map(({ time }) => Math.round(percent(time, zoom) / FINEST) * FINEST))]
    .filter((at) => at >= 0 && at <= 100)
    .map((at) => h("i", { class: "event", style: { left: `${at}%` } }));
  return [piece("bar", whole), ...self, ...path, ...events, label(span, whole, (LABEL / width) * 100)];
}

/** The duration: after the bar, before it, or in it, where there is room. @param {Span} span @param {Placed} whole @param {number} room in per cent */
function label(span, { left, right }, room) {
  const text = duration(span.duration);
  if (right <= 100 - room) return h("span", { class: "took", style: { left: `${right}%` } }, text);
  if (left >= room) return h("span", { class: "took", style: { right: `${100 - left}%` } }, text);
  return h("span", { class: "took inside", style: { right: `${100 - right}%` } }, text);
}

/** @typedef {{left: number, right: number}} Placed per cent of the timeline */

/** @param {number} time @param {Section} zoom */
function percent(time, zoom) {
  return ((time - zoom.start) / (zoom.end - zoom.start)) * 100;
}

/** @param {Section} section @param {Section} zoom @returns {Placed | null} null when outside */
function place(section, zoom) {
  const [left, right] = [percent(section.start, zoom), percent(section.end, zoom)];
  return right < 0 || left > 100 ? null : { left: Math.max(left, 0), right: Math.min(right, 100) };
}

/** @param {Section[]} sections in order @param {Section} zoom @returns {Placed[]} */
function merge(sections, zoom) {
  /** @type {Placed[]} */
  const merged = [];
  for (const section of sections) {
    const next = place(section, zoom);
    const last = merged[merged.length - 1];
    if (next && last && next.left - last.right < FINEST) last.right = Math.max(last.right, next.right);
    else if (next) merged.push(next);
  }
  return merged;
}

/** @param {string} kind @param {Placed} placed */
function piece(kind, { left, right }) {
  return h("i", { class: kind, style: { left: `${left}%`, width: `${right - left}%` } });
}
