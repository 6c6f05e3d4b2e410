/** PromQL of the charts of one object. */

/** @typedef {import("./model.js").Plural} Plural @typedef {import("./model.js").Place} Place */
/** @typedef {"inbound" | "outbound"} Direction @typedef {{id: string, query: string, unit: "rate" | "share" | "ms" | "bytes"}} Query */

const WINDOW = "2m";

/** @param {string} text */
function quoted(text) {
  return JSON.stringify(text);
}

/**
 * Matchers of the calls that an object gets or makes; null where no proxy could report them.
 * @param {Plural} list @param {Place} place @param {Direction} direction @returns {string | null}
 */
export function matchers(list, { namespace, name }, direction) {
  if (!namespace) return null;
  const side = direction === "inbound" ? "destination" : "source";
  const reporter = direction === "inbound" && list !== "services" ? "destination" : "source";
  const own = {
    services: `destination_service_name=${quoted(name)},destination_service_namespace=${quoted(namespace)}`,
    workloads: `${side}_workload=${quoted(name)},${side}_workload_namespace=${quoted(namespace)}`,
    applications: `${side}_app=${quoted(name)},${side}_workload_namespace=${quoted(namespace)}`,
  }[list];
  return `reporter=${quoted(reporter)},${own}`;
}

/** What charts can be grouped by. @param {Plural} list @param {Direction} direction @returns {string[]} labels */
export function groupings(list, direction) {
  const peer = direction === "inbound" ? "source" : "destination";
  const own = list === "services" ? ["destination_version"] : [];
  return ["", ...own, `${peer}_workload`, `${peer}_version`, "response_code", "response_flags", "request_protocol"];
}

/** @param {Plural} list @param {Place} place @param {Direction} direction @param {string} by a label, or none @returns {Query[]} */
export function queries(list, place, direction, by) {
  const own = matchers(list, place, direction);
  return own === null ? ofSpans(place.name, direction) : ofProxies(own, by);
}

/** @param {string} own matchers @param {string} by @returns {Query[]} */
function ofProxies(own, by) {
  const grouped = by ? ` by (${by})` : "";
  const rate = (/** @type {string} */ metric, more = "") => `sum${grouped} (rate(${metric}{${own}${more}}[${WINDOW}]))`;
  const quantile = (/** @type {number} */ q) => `histogram_quantile(${q}, sum by (${by ? `${by}, ` : ""}le) (rate(istio_request_duration_milliseconds_bucket{${own}}[${WINDOW}])))`;
  const durations = by ? quantile(0.95) : [0.5, 0.95, 0.99].map((q) => `label_replace(${quantile(q)}, "quantile", "p${q * 100}", "", "")`).join(" or ");
  return [
    { id: "requests", unit: "rate", query: rate("istio_requests_total") },
    { id: "durations", unit: "ms", query: durations },
    { id: "errors", unit: "share", query: `${rate("istio_requests_total", ',response_code=~"5..|0"')} / ${rate("istio_requests_total")}` },
    { id: "request-sizes", unit: "bytes", query: rate("istio_request_bytes_sum") },
    { id: "response-sizes", unit: "bytes", query: rate("istio_response_bytes_sum") },
    { id: "tcp-sent", unit: "bytes", query: rate("istio_tcp_sent_bytes_total") },
    { id: "tcp-received", unit: "bytes", query: rate("istio_tcp_received_bytes_total") },
  ];
}

/** What spans tell of an object without a proxy. @param {string} name @param {Direction} direction @returns {Query[]} */
function ofSpans(name, direction) {
  const own = direction === "inbound" ? `server=${quoted(name)}` : `client=${quoted(name)}`;
  const peer = direction === "inbound" ? "client" : "server";
  const rate = (/** @type {string} */ metric) => `sum by (${peer}) (rate(${metric}{${own}}[${WINDOW}]))`;
  return [
    { id: "requests", unit: "rate", query: rate("traces_service_graph_request_total") },
    { id: "durations", unit: "ms", query: `1000 * histogram_quantile(0.95, sum by (${peer}, le) (rate(traces_service_graph_request_server_seconds_bucket{${own}}[${WINDOW}])))` },
    { id: "errors", unit: "share", query: `${rate("traces_service_graph_request_failed_total")} / ${rate("traces_service_graph_request_total")}` },
  ];
}
