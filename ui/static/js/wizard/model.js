/** Wizards as the API describes them. */

import { t } from "../lib/texts.js";

/**
 * @typedef {"traffic-shifting" | "request-routing" | "fault-injection" | "timeouts" | "mirroring" | "circuit-breaker"} Kind
 * @typedef {{part: string, name: string, how: string, value: string}} Condition
 * @typedef {{of: number | null, kept: boolean, conditions: Condition[], weights: Record<string, number>}} Rule
 * @typedef {{namespace: string, service: string, host: string, ports: {name: string, number: number, protocol: string}[], versions: string[], virtual_service?: string, destination_rule?: string,
 *   wizards: Record<Kind, {values?: any, problem?: string}>}} Described
 */

/** @type {Kind[]} */
export const KINDS = ["traffic-shifting", "request-routing", "fault-injection", "timeouts", "mirroring", "circuit-breaker"];

/** @param {Kind} kind */
export function title(kind) {
  switch (kind) {
    case "traffic-shifting":
      return t("Traffic shifting");
    case "request-routing":
      return t("Request routing");
    case "fault-injection":
      return t("Fault injection");
    case "timeouts":
      return t("Timeouts and retries");
    case "mirroring":
      return t("Mirroring");
    case "circuit-breaker":
      return t("Circuit breaker");
  }
}

/** What a wizard does, in a sentence. @param {Kind} kind */
export function purpose(kind) {
  switch (kind) {
    case "traffic-shifting":
      return t("Which share of the requests each version gets: canary, blue/green, A/B by header.");
    case "request-routing":
      return t("Rules in order: the first whose conditions hold decides which version gets a request.");
    case "fault-injection":
      return t("Make requests wait or fail on purpose, to see what the callers do.");
    case "timeouts":
      return t("How long callers wait, and whether the proxy tries again.");
    case "mirroring":
      return t("Send a copy of requests to a version; its answers are thrown away.");
    case "circuit-breaker":
      return t("Refuse what is too much at once, and leave out endpoints that keep failing.");
  }
}

/**
 * Shares after one of them is set: the others keep their proportion, and all make a hundred.
 * @param {Record<string, number>} weights @param {string} version @param {number} share
 * @returns {Record<string, number>}
 */
export function rebalanced(weights, version, share) {
  const set = Math.min(Math.max(Math.round(share), 0), 100);
  const others = Object.keys(weights).filter((each) => each !== version);
  if (!others.length) return { [version]: 100 };
  const before = others.reduce((sum, each) => sum + weights[each], 0);
  const rest = 100 - set;
  /** @type {Record<string, number>} */
  const made = { ...weights, [version]: set };
  let given = 0;
  for (const each of others) {
    made[each] = Math.floor(before ? (weights[each] * rest) / before : rest / others.length);
    given += made[each];
  }
  const largest = others.reduce((best, each) => (weights[each] > weights[best] ? each : best), others[0]);
  made[largest] += rest - given;
  return made;
}

/** The service in the address bar's parameters. @param {URLSearchParams} query @returns {{namespace: string, service: string} | null} */
export function asked(query) {
  const [namespace, service] = [query.get("namespace"), query.get("service")];
  return namespace && service ? { namespace, service } : null;
}

/** @param {any} answer of `/config?kind=Service` @returns {{namespace: string, service: string}[]} */
export function readServices(answer) {
  const found = answer.items.map((/** @type {any} */ { namespace, metadata }) => ({ namespace, service: metadata.name }));
  const place = (/** @type {any} */ each) => `${each.namespace}/${each.service}`;
  return found.sort((/** @type {any} */ a, /** @type {any} */ b) => (place(a) < place(b) ? -1 : 1));
}

/**
 * Calls by version from an instant query's vector.
 * @param {any} answer of `/api/v1/query` @returns {Map<string, number>}
 */
export function byVersion(answer) {
  return new Map(answer.data.result.map((/** @type {any} */ { metric, value }) => [metric.destination_version ?? "", Number(value[1])]));
}
