/** The state of the mesh and of vigla itself, from the APIs that tell it. */

/**
 * @typedef {"SYNCED" | "STALE" | "NOT SENT" | "NACK"} Sync
 * @typedef {{state: Sync, version: string, error: string, rejected: string[] | string, resources: number}} TypeState
 * @typedef {{instance: string, type: string, namespace: string, workload: string, address: string, protocol: string, connected: string, types: Record<string, TypeState>}} Proxy
 * @typedef {{name: string, labels: Record<string, string>, value: number}} Sample of a counter or gauge; of a histogram `_sum` and `_count`
 * @typedef {{signal: string, transport: string, total: number, rate: number | null, rejected: number, refused: {reason: string, total: number}[]}} Intake
 * @typedef {{topic: string, records: number, bytes: number}} Lag
 */

const TYPES = ["lds", "rds", "cds", "eds", "sds"]; // in the order of a request
const DAY_MS = 86_400_000;

/** Columns of the table of proxies: the types that any of them has. @param {Proxy[]} proxies @returns {string[]} */
export function typesOf(proxies) {
  const found = new Set(proxies.flatMap(({ types }) => Object.keys(types)));
  return [...TYPES.filter((each) => found.has(each)), ...[...found].filter((each) => !TYPES.includes(each)).sort()];
}

/** The worst of a proxy's states. @param {Proxy} proxy @returns {"healthy" | "degraded" | "failure"} */
export function worst({ types }) {
  const states = Object.values(types).map(({ state }) => state);
  if (states.includes("NACK")) return "failure";
  return states.includes("STALE") ? "degraded" : "healthy";
}

/** Those that need a look first, then by place. @param {Proxy[]} proxies @returns {Proxy[]} */
export function inOrder(proxies) {
  const rank = { failure: 0, degraded: 1, healthy: 2 };
  const place = (/** @type {Proxy} */ each) => `${each.namespace}/${each.workload}/${each.instance}`;
  return [...proxies].sort((a, b) => rank[worst(a)] - rank[worst(b)] || (place(a) < place(b) ? -1 : 1));
}

/** @param {any} answer of `/status/self_metrics` @returns {Sample[]} */
export function readMetrics(answer) {
  return answer.data.flatMap((/** @type {any} */ { name, metric }) =>
    metric.flatMap((/** @type {any} */ each) => {
      const labels = Object.fromEntries((each.label ?? []).map((/** @type {any} */ pair) => [pair.name, pair.value]));
      if (!each.histogram) return [{ name, labels, value: Number((each.counter ?? each.gauge).value) }];
      const { sampleSum, sampleCount } = each.histogram;
      return [{ name: `${name}_sum`, labels, value: Number(sampleSum) }, { name: `${name}_count`, labels, value: Number(sampleCount) }];
    }),
  );
}

/** @param {Sample[]} samples @param {string} name @returns {number} over all labels */
export function total(samples, name) {
  return samples.reduce((sum, each) => (each.name === name ? sum + each.value : sum), 0);
}

/**
 * What was taken in, by signal and transport; rates where there was a look before.
 * @param {Sample[]} samples @param {{samples: Sample[], at: number} | null} before @param {number} at milliseconds
 * @returns {Intake[]}
 */
export function intake(samples, before, at) {
  const of = (/** @type {string} */ name, /** @type {Sample[]} */ from) => from.filter((each) => each.name === `vigla_collector_${name}_total`);
  const same = (/** @type {Sample} */ a, /** @type {Record<string, string>} */ labels) => a.labels.signal === labels.signal && a.labels.transport === labels.transport;
  /** @type {Map<string, Record<string, string>>} */
  const places = new Map();
  for (const name of ["accepted", "rejected", "refused"]) for (const { labels } of of(name, samples)) places.set(`${labels.signal} ${labels.transport}`, labels);
  return [...places].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, labels]) => {
    const value = (/** @type {string} */ name, /** @type {Sample[]} */ from) => of(name, from).filter((each) => same(each, labels)).reduce((sum, each) => sum + each.value, 0);
    const now = value("accepted", samples);
    const rate = before && at > before.at ? Math.max(now - value("accepted", before.samples), 0) / ((at - before.at) / 1000) : null;
    const refused = of("refused", samples).filter((each) => same(each, labels)).map((each) => ({ reason: each.labels.reason, total: each.value }));
    return { signal: labels.signal, transport: labels.transport, total: now, rate, rejected: value("rejected", samples), refused };
  });
}

/** What waits on the bus, by topic. @param {Sample[]} samples @returns {Lag[]} */
export function lags(samples) {
  const found = samples.filter(({ name }) => name === "vigla_bus_lag_records");
  return found.map(({ labels, value }) => ({
    topic: labels.topic,
    records: value,
    bytes: samples.find((each) => each.name === "vigla_bus_backlog_bytes" && each.labels.topic === labels.topic)?.value ?? 0,
  }));
}

/** Whole days until a time. @param {string} until RFC 3339 @param {number} nowMs */
export function daysLeft(until, nowMs) {
  return Math.floor((Date.parse(until) - nowMs) / DAY_MS);
}

/** Time left in words that fit a column. @param {string} until @param {number} nowMs */
export function left(until, nowMs) {
  const hours = (Date.parse(until) - nowMs) / 3_600_000;
  if (hours < 0) return "";
  return hours < 48 ? `${Math.floor(hours)} h` : `${Math.floor(hours / 24)} d`;
}

/** Bytes in binary units. @param {number} value */
export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let place = 0;
  while (value >= 1023.5 && place < units.length - 1) {
    value /= 1024;
    place += 1;
  }
  return `${place ? Number(value.toPrecision(3)) : value} ${units[place]}`;
}
