/** Spans of a trace in groups: by service, operation or any tag. */

import { selfTime } from "./selftime.js";

/**
 * @typedef {import("./model.js").Trace} Trace @typedef {import("./model.js").Span} Span
 * @typedef {{p50: number, p95: number}} Usual microseconds
 * @typedef {{name: string | null, spans: number[], count: number, total: number, average: number, least: number, most: number,
 *   self: number, errors: number, slow: number, groups: Group[]}} Group
 *   name null for spans without the tag; times in microseconds; slow: spans beyond the usual p95
 */

/** @param {Span} span @param {string} by `service`, `operation` or a tag's key @returns {string | null} */
export function groupOf(span, by) {
  if (by === "service") return span.service;
  if (by === "operation") return span.name;
  const tag = span.tags.find(({ key }) => key === by) ?? span.process.find(({ key }) => key === by);
  return tag === undefined ? null : String(tag.value);
}

/** What spans can be grouped by. @param {Trace} trace @returns {string[]} */
export function groupings(trace) {
  const keys = new Set(trace.spans.flatMap(({ tags, process }) => [...tags, ...process].map(({ key }) => key)));
  return ["service", "operation", ...[...keys].filter((key) => key !== "service" && key !== "operation").sort()];
}

/**
 * @param {Trace} trace @param {string} by @param {string} then second grouping; empty for none
 * @param {(span: Span) => Usual | undefined} usual
 * @returns {Group[]}
 */
export function statistics(trace, by, then, usual) {
  const self = trace.spans.map(({ index }) => selfTime(trace.spans, index));
  return group(trace.spans, by).map((first) => ({ ...first, groups: then ? group(first.spans.map((index) => trace.spans[index]), then) : [] }));

  /** @param {Span[]} spans @param {string} key */
  function group(spans, key) {
    /** @type {Map<string | null, Group>} */
    const groups = new Map();
    for (const span of spans) {
      const name = groupOf(span, key);
      const entry = groups.get(name) ?? { name, spans: [], count: 0, total: 0, average: 0, least: Infinity, most: 0, self: 0, errors: 0, slow: 0, groups: [] };
      groups.set(name, entry);
      entry.spans.push(span.index);
      entry.count += 1;
      entry.total += span.duration;
      entry.average = entry.total / entry.count;
      entry.least = Math.min(entry.least, span.duration);
      entry.most = Math.max(entry.most, span.duration);
      entry.self += self[span.index];
      entry.errors += Number(span.error);
      entry.slow += Number(span.duration > (usual(span)?.p95 ?? Infinity));
    }
    return [...groups.values()];
  }
}

/** @param {Group[]} groups @param {string} column @param {boolean} ascending @returns {Group[]} sorted at both levels */
export function sortGroups(groups, column, ascending) {
  const sign = ascending ? 1 : -1;
  const names = (/** @type {Group} */ a, /** @type {Group} */ b) => (a.name ?? "").localeCompare(b.name ?? "");
  const compare = (/** @type {any} */ a, /** @type {any} */ b) => (column === "name" ? sign * names(a, b) : sign * (a[column] - b[column]) || names(a, b));
  return [...groups].sort(compare).map((entry) => ({ ...entry, groups: sortGroups(entry.groups, column, ascending) }));
}
