/** One search: read from the address (ours and Jaeger's spelling), written to it, and as the API takes it. */

import { utc } from "../lib/format.js";
import { formatTags, parseTags } from "../lib/tags.js";
import { rangeParams, readRange, resolve } from "../lib/timerange.js";

export const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 1500;
const SORTS = ["newest", "longest", "shortest", "spans"];

/**
 * @typedef {{service: string, operation: string, tags: string, minDuration: string, maxDuration: string,
 *   range: import("../lib/timerange.js").Range, limit: number, sort: string}} Query tags as typed (logfmt)
 */

/** @param {URLSearchParams} params @returns {Query} */
export function fromAddress(params) {
  const sort = params.get("sort") ?? "";
  return {
    service: params.get("service") ?? "",
    operation: jaegerAll(params.get("operation")),
    tags: readTags(params),
    minDuration: params.get("minDuration") ?? "",
    maxDuration: params.get("maxDuration") ?? "",
    range: readRange(params),
    limit: readLimit(params.get("limit") ?? ""),
    sort: SORTS.includes(sort) ? sort : "newest",
  };
}

/** @param {Query} query @returns {Record<string, string | null>} parameters of the address; null for the default */
export function toAddress(query) {
  const { tags } = parseTags(query.tags);
  return {
    service: query.service,
    operation: query.operation,
    tags: Object.keys(tags).length ? JSON.stringify(tags) : null,
    tag: null,
    minDuration: query.minDuration,
    maxDuration: query.maxDuration,
    ...rangeParams(query.range),
    limit: query.limit === DEFAULT_LIMIT ? null : String(query.limit),
    sort: query.sort === "newest" ? null : query.sort,
  };
}

/** Parameters of `GET /api/v3/trace-summaries`. @param {Query} query @param {number} nowMs */
export function toApi(query, nowMs) {
  const { start, end } = resolve(query.range, nowMs);
  const { tags } = parseTags(query.tags);
  return {
    "query.serviceName": query.service,
    "query.operationName": query.operation,
    "query.startTimeMin": utc(start),
    "query.startTimeMax": utc(end),
    "query.durationMin": query.minDuration,
    "query.durationMax": query.maxDuration,
    "query.searchDepth": query.limit,
    "query.attributes": Object.keys(tags).length ? JSON.stringify(tags) : "",
  };
}

/** Parameters of `GET /api/vigla/v1/traces/heatmap`. @param {Query} query @param {number} nowMs */
export function toHeatmap(query, nowMs) {
  const { start, end } = resolve(query.range, nowMs);
  const { tags } = parseTags(query.tags);
  return {
    start: Math.floor(start),
    end: Math.ceil(end),
    service: query.service,
    operation: query.operation,
    min_duration: query.minDuration,
    max_duration: query.maxDuration,
    tags: Object.keys(tags).length ? JSON.stringify(tags) : "",
  };
}

/** @param {string} text @returns {number} */
export function readLimit(text) {
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : DEFAULT_LIMIT;
  return Math.min(Math.max(limit, 1), MAX_LIMIT);
}

/** @param {URLSearchParams} params */
function readTags(params) {
  const { tags } = parseTags(params.get("tags") ?? "");
  for (const pair of params.getAll("tag")) {
    const colon = pair.indexOf(":");
    if (colon > 0) tags[pair.slice(0, colon)] = pair.slice(colon + 1);
  }
  return formatTags(tags);
}

/** Jaeger's own addresses say `operation=all`. @param {string | null} operation */
function jaegerAll(operation) {
  return operation === null || operation === "all" ? "" : operation;
}
