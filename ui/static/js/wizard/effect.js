/** What the mesh does now: calls by version, live, so that a change shows within seconds. */

import { href } from "../lib/address.js";
import { get, Latest } from "../lib/api.js";
import { h, middle } from "../lib/dom.js";
import { duration, percent, significant } from "../lib/format.js";
import { t } from "../lib/texts.js";
import { byVersion } from "./model.js";

const EVERY_MS = 5000;
const WINDOW = "1m";
const HTTP = new Set(["HTTP", "HTTP2", "GRPC", "GRPC-Web"]);
const NOTHING = "absent(1)"; // connections have neither errors nor durations

/** @typedef {{version: string, rate: number, errors: number, p95: number}} Calls per second; p95 in milliseconds */

/** @param {import("./model.js").Described} about */
export function effect({ namespace, service, ports }) {
  const rows = h("tbody");
  const said = h("p", { class: "muted" }, t("No calls in the last minute. Send some, and their shares show here."));
  const table = h(
    "table",
    { class: "wizard-calls" },
    h("thead", {}, h("tr", {}, ...[t("Version"), t("Share"), t("Calls a second"), t("Errors"), "p95"].map((title) => h("th", { scope: "col" }, title)))),
    rows,
  );
  const graph = href("/graph", { find: `service = "${service}"` });
  const element = h("section", { class: "wizard-effect", "aria-label": t("Calls now") }, h("header", {}, h("h2", {}, t("Calls now")), h("span", { class: "muted" }, t("of the last minute, every five seconds")), h("a", { href: graph }, t("Show on the graph"))), table, said);
  const loads = new Latest();
  let timer = 0;

  async function load() {
    clearTimeout(timer);
    const own = `reporter="source",destination_service_namespace=${JSON.stringify(namespace)},destination_service_name=${JSON.stringify(service)}`;
    const rate = (/** @type {string} */ more) => `sum by (destination_version) (rate(istio_requests_total{${own}${more}}[${WINDOW}]))`;
    const requests = ports.some(({ protocol }) => HTTP.has(protocol));
    const queries = !requests ? [opened(own), NOTHING, NOTHING] : [
      rate(""),
      rate(',response_code=~"5..|0"'),
      `histogram_quantile(0.95, sum by (destination_version, le) (rate(istio_request_duration_milliseconds_bucket{${own}}[${WINDOW}])))`,
    ];
    // Without an answer the rows stay as they are: the page says elsewhere when the server is away.
    const answers = await loads.run((signal) => Promise.all(queries.map((query) => get("/api/v1/query", { query }, signal)))).catch(() => undefined);
    if (answers) draw(answers.map(byVersion));
    if (element.isConnected) timer = setTimeout(load, document.hidden ? EVERY_MS * 6 : EVERY_MS);
  }

  /** @param {Map<string, number>[]} found rates, rates of errors, p95 */
  function draw([rates, errors, p95]) {
    const calls = [...rates].filter(([, rate]) => rate > 0).sort(([a], [b]) => (a < b ? -1 : 1));
    const total = calls.reduce((sum, [, rate]) => sum + rate, 0);
    table.hidden = calls.length === 0;
    said.hidden = calls.length > 0;
    rows.replaceChildren(...calls.map(([version, rate]) => row({ version, rate, errors: (errors.get(version) ?? 0) / rate, p95: p95.get(version) ?? NaN }, rate / total)));
  }

  load();
  return { element, load };
}

/** Connections of a TCP service. @param {string} own matchers */
function opened(own) {
  return `sum by (destination_version) (rate(istio_tcp_connections_opened_total{${own}}[${WINDOW}]))`;
}

/** @param {Calls} calls @param {number} share */
function row({ version, rate, errors, p95 }, share) {
  return h(
    "tr",
    { data: { version } },
    h("th", { scope: "row" }, version && version !== "unknown" ? middle(version) : t("no version")),
    h("td", {}, h("span", { class: "wizard-bar" }, h("i", { style: { width: `${share * 100}%` } })), h("span", { class: "number", "data-share": "" }, percent(share))),
    h("td", { class: "number" }, significant(rate)),
    h("td", { class: errors > 0 ? "number failing" : "number" }, percent(errors)),
    h("td", { class: "number" }, Number.isFinite(p95) ? duration(p95 * 1000) : "–"),
  );
}
