/** A trace as a tree, from Jaeger's trace JSON. Survives cycles, duplicate ids, missing parents. */

import { count, t } from "../lib/texts.js";

/**
 * @typedef {{key: string, value: any, type?: string}} Tag
 * @typedef {{traceId: string, spanId: string, kind: string}} Link
 * @typedef {{index: number, key: string, id: string, parent: number, children: number[], depth: number,
 *   service: string, name: string, kind: string, start: number, duration: number, error: boolean,
 *   errorsBelow: number, asynchronous: boolean, orphan: boolean, tags: Tag[], process: Tag[],
 *   events: {time: number, fields: Tag[]}[], links: Link[], warnings: string[], source: any}} Span
 *   times in microseconds from the start of the trace; parent -1 when a root; key is unique, id as sent
 * @typedef {{id: string, spans: Span[], order: number[], roots: number[], start: number, duration: number,
 *   errors: number, services: {name: string, spans: number, errors: number}[], warnings: string[]}} Trace
 *   spans by start, order by tree (parents before children), start in microseconds since 1970
 */

/** @param {any} json one element of `data` @returns {Trace} */
export function buildTrace(json) {
  const sources = [...json.spans].sort((a, b) => a.startTime - b.startTime || b.duration - a.duration);
  const start = sources.length ? sources[0].startTime : 0;
  const spans = sources.map((source, index) => readSpan(source, index, start, json.processes));
  nameKeys(spans);
  const warnings = [...(json.warnings ?? [])];
  join(spans, json.traceID, warnings);
  const { roots, order } = walk(spans);
  countErrors(spans, order);
  return {
    id: json.traceID,
    spans,
    order,
    roots,
    start,
    duration: spans.reduce((end, span) => Math.max(end, span.start + span.duration), 0),
    errors: spans.reduce((sum, span) => sum + Number(span.error), 0),
    services: services(spans),
    warnings,
  };
}

/** @param {any} source @param {number} index @param {number} start @param {Record<string, any>} processes @returns {Span} */
function readSpan(source, index, start, processes) {
  const process = processes[source.processID] ?? { serviceName: "", tags: [] };
  const tags = source.tags ?? [];
  return {
    index,
    key: source.spanID,
    id: source.spanID,
    parent: -1,
    children: [],
    depth: 0,
    service: process.serviceName,
    name: source.operationName,
    kind: String(tags.find((/** @type {Tag} */ tag) => tag.key === "span.kind")?.value ?? ""),
    start: source.startTime - start,
    duration: Math.max(0, source.duration),
    error: tags.some(isError),
    errorsBelow: 0,
    asynchronous: false,
    orphan: false,
    tags,
    process: process.tags ?? [],
    events: (source.logs ?? []).map((/** @type {any} */ log) => ({ time: log.timestamp - start, fields: log.fields })),
    links: [],
    warnings: source.warnings ?? [],
    source,
  };
}

/** @param {Tag} tag */
function isError({ key, value }) {
  return (key === "error" && (value === true || value === "true")) || (key === "otel.status_code" && value === "ERROR");
}

/** A second span of one id is called `id~2`, so that every span has its own address. @param {Span[]} spans */
function nameKeys(spans) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  for (const span of spans) {
    const times = (seen.get(span.id) ?? 0) + 1;
    seen.set(span.id, times);
    if (times > 1) span.key = `${span.id}~${times}`;
  }
}

/** Finds parents, keeps the other references as links. @param {Span[]} spans @param {string} traceId @param {string[]} warnings */
function join(spans, traceId, warnings) {
  /** @type {Map<string, number>} */
  const byId = new Map();
  for (const span of spans) if (!byId.has(span.id)) byId.set(span.id, span.index);
  let orphans = 0;
  for (const span of spans) {
    const inside = (span.source.references ?? []).filter((/** @type {any} */ r) => r.traceID === traceId);
    const parent = inside.find((/** @type {any} */ r) => r.refType === "CHILD_OF") ?? inside[0];
    span.links = (span.source.references ?? [])
      .filter((/** @type {any} */ r) => r !== parent)
      .map((/** @type {any} */ r) => ({ traceId: r.traceID, spanId: r.spanID, kind: r.refType }));
    if (!parent) continue;
    const index = byId.get(parent.spanID);
    span.asynchronous = parent.refType !== "CHILD_OF";
    if (index === undefined) {
      span.orphan = true;
      orphans += 1;
    } else if (index !== span.index) {
      span.parent = index;
    }
  }
  if (orphans) warnings.push(`${count(orphans, "span names a parent that was", "spans name parents that were")} ${t("not received; shown at the top level.")}`);
  if (cutCycles(spans)) warnings.push(t("Some spans are their own ancestors; the circle was cut at the earliest one."));
}

/** @param {Span[]} spans @returns {boolean} whether there was one */
function cutCycles(spans) {
  const OPEN = 1;
  const DONE = 2;
  const state = new Uint8Array(spans.length);
  let cut = false;
  for (const { index } of spans) {
    const path = [];
    let at = index;
    while (at !== -1 && state[at] === 0) {
      state[at] = OPEN;
      path.push(at);
      at = spans[at].parent;
    }
    if (at !== -1 && state[at] === OPEN) {
      const circle = path.slice(path.indexOf(at));
      spans[Math.min(...circle)].parent = -1; // indices are in order of start
      cut = true;
    }
    for (const passed of path) state[passed] = DONE;
  }
  return cut;
}

/** Depth first, children by start. @param {Span[]} spans */
function walk(spans) {
  /** @type {number[]} */
  const roots = [];
  for (const span of spans) (span.parent === -1 ? roots : spans[span.parent].children).push(span.index);
  const order = [];
  const waiting = [...roots].reverse();
  while (waiting.length) {
    const span = spans[/** @type {number} */ (waiting.pop())];
    span.depth = span.parent === -1 ? 0 : spans[span.parent].depth + 1;
    order.push(span.index);
    for (let i = span.children.length - 1; i >= 0; i--) waiting.push(span.children[i]);
  }
  return { roots, order };
}

/** @param {Span[]} spans @param {number[]} order */
function countErrors(spans, order) {
  for (let i = order.length - 1; i >= 0; i--) {
    const { parent, error, errorsBelow } = spans[order[i]];
    if (parent !== -1) spans[parent].errorsBelow += errorsBelow + Number(error);
  }
}

/** @param {Span[]} spans @returns {Trace["services"]} most spans first */
function services(spans) {
  /** @type {Map<string, {name: string, spans: number, errors: number}>} */
  const counted = new Map();
  for (const { service, error } of spans) {
    const entry = counted.get(service) ?? { name: service, spans: 0, errors: 0 };
    entry.spans += 1;
    entry.errors += Number(error);
    counted.set(service, entry);
  }
  return [...counted.values()].sort((a, b) => b.spans - a.spans || (a.name < b.name ? -1 : 1));
}
