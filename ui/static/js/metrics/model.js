/** What a query gave, as lines and rows. */

import { t } from "../lib/texts.js";

/** @typedef {Record<string, string>} Labels */
/** @typedef {{labels: Labels, name: string, points: [number, number][], text: string | null}} Line times in µs; text of a histogram */
/** @typedef {{trace: string | null, at: number, value: number, labels: Labels}} Exemplar */

/**
 * Series of a range query, in its order.
 * @param {any} data of Prometheus' API @returns {Line[]}
 */
export function readRange(data) {
  const items = /** @type {any[]} */ (data.result);
  const names = shortNames(items.map((item) => item.metric));
  return items.map((item, i) => ({
    labels: item.metric,
    name: names[i],
    points: item.values
      ? item.values.map((/** @type {[number, string]} */ [at, text]) => [at * 1e6, Number(text)])
      : (item.histograms ?? []).map((/** @type {[number, any]} */ [at, histogram]) => [at * 1e6, Number(histogram.count)]),
    text: null,
  }));
}

/** Elements of an instant query. @param {any} data @returns {Line[]} */
export function readInstant(data) {
  if (data.resultType === "scalar" || data.resultType === "string") {
    const [at, text] = data.result;
    return [{ labels: {}, name: data.resultType, points: [[at * 1e6, Number(text)]], text: data.resultType === "string" ? text : null }];
  }
  const items = /** @type {any[]} */ (data.result);
  return items.map((item) => {
    const [at, value] = item.value ?? item.histogram ?? item.values?.at(-1) ?? [0, "NaN"];
    const text = typeof value === "object" ? t("count {count}, sum {sum}", { count: value.count, sum: value.sum }) : null;
    return { labels: item.metric, name: selector(item.metric), points: [[at * 1e6, Number(text === null ? value : value.count)]], text };
  });
}

/** As PromQL would select it. @param {Labels} labels */
export function selector(labels) {
  const { __name__: name = "", ...rest } = labels;
  const inner = Object.entries(rest).map(([key, value]) => `${plain(key)}=${JSON.stringify(value)}`);
  return inner.length ? `${name}{${inner.join(", ")}}` : name || "{}";
}

/** @param {string} key */
function plain(key) {
  return /^[a-zA-Z_]\w*$/.test(key) ? key : JSON.stringify(key);
}

/**
 * What tells series apart: labels that are the same in all are left out.
 * @param {Labels[]} all @returns {string[]}
 */
export function shortNames(all) {
  const keys = new Set(all.flatMap((labels) => Object.keys(labels)));
  const different = [...keys].filter((key) => new Set(all.map((labels) => labels[key])).size > 1);
  if (all.length < 2 || !different.length) return all.map(selector);
  return all.map((labels) => {
    const { __name__: name, ...rest } = Object.fromEntries(different.filter((key) => key in labels).map((key) => [key, labels[key]]));
    const values = Object.entries(rest).map(([key, value]) => (different.length > 3 ? `${key}=${value}` : value));
    return [name, values.join(" · ")].filter(Boolean).join(" ") || selector(labels);
  });
}

const MOST_EXEMPLARS = 200;

/** The highest exemplars. @param {any[]} data @returns {Exemplar[]} */
export function readExemplars(data) {
  const found = data.flatMap((series) =>
    series.exemplars.map((/** @type {any} */ each) => ({
      trace: each.labels.trace_id ?? each.labels.traceID ?? each.labels.traceId ?? null,
      at: each.timestamp * 1e6,
      value: Number(each.value),
      labels: { ...series.seriesLabels, ...each.labels },
    })),
  );
  return found.sort((a, b) => b.value - a.value).slice(0, MOST_EXEMPLARS);
}

/**
 * Seconds between points, so that there are about `wanted` of them, on a round number.
 * @param {number} rangeUs @param {number} wanted
 */
export function stepOf(rangeUs, wanted) {
  const rough = rangeUs / 1e6 / wanted;
  const round = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];
  return round.find((step) => step >= rough) ?? Math.ceil(rough);
}
