/** Entries of access logs as the API tells them. */

/**
 * @typedef {{ts: string, at: number, source: string, destination: string, method: string, path: string, protocol: string,
 *   authority: string, status: number, flags: string[], duration: number, trace: string, failed: boolean, raw: Record<string, any>}} Entry
 *   at in microseconds since 1970, duration in microseconds
 */

const FAILED = 500;
const NS_PER_US = 1000;

/** @param {any} raw @returns {Entry} */
export function readEntry(raw) {
  const flags = raw.flags ?? [];
  return {
    ts: raw.ts,
    at: Date.parse(raw.ts) * 1000,
    source: raw.source_workload ?? "",
    destination: raw.destination_workload ?? "",
    method: raw.method ?? "",
    path: raw.path ?? "",
    protocol: raw.protocol ?? "",
    authority: raw.authority ?? "",
    status: raw.status ?? 0,
    flags,
    duration: (raw.dur ?? 0) / NS_PER_US,
    trace: raw.trace_id ?? "",
    failed: (raw.status ?? 0) >= FAILED || flags.length > 0,
    raw,
  };
}

/** Every field with a value, nested ones by their path. @param {Record<string, any>} raw @returns {[string, string][]} */
export function fields(raw, prefix = "") {
  return Object.entries(raw).flatMap(([key, value]) => {
    if (value === null || value === "" || (Array.isArray(value) && !value.length)) return [];
    if (typeof value === "object" && !Array.isArray(value)) return fields(value, `${prefix}${key}.`);
    return [/** @type {[string, string]} */ ([prefix + key, Array.isArray(value) ? value.join(", ") : String(value)])];
  });
}

/**
 * Entries over time. @param {Entry[]} entries newest first @param {number} most columns
 * @returns {{at: number, all: number, failed: number}[]}
 */
export function histogram(entries, most) {
  if (entries.length < 2) return [];
  const [first, last] = [entries[entries.length - 1].at, entries[0].at];
  const width = Math.max((last - first) / most, 1);
  const columns = Array.from({ length: Math.min(most, Math.ceil((last - first) / width) || 1) }, (_, i) => ({ at: first + i * width, all: 0, failed: 0 }));
  for (const { at, failed } of entries) {
    const column = columns[Math.min(Math.floor((at - first) / width), columns.length - 1)];
    column.all += 1;
    column.failed += Number(failed);
  }
  return columns;
}
