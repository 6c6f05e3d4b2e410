/** Rules as the page shows them. */

/** @typedef {"firing" | "pending" | "inactive" | "failed" | "recording"} State */
/** @typedef {{labels: Record<string, string>, annotations: Record<string, string>, state: State, since: number, kept: boolean, value: number}} Alert */
/** @typedef {{name: string, state: State, query: string, labels: Record<string, string>, annotations: Record<string, string>, error: string, holds: number, alerts: Alert[], key: string}} Rule */
/** @typedef {{name: string, file: string, interval: number, evaluated: number, rules: Rule[]}} Group */

export const STATES = /** @type {const} */ (["firing", "pending", "failed", "inactive", "recording"]);

/** @param {any} data of Prometheus' /rules @returns {Group[]} groups with alerts first */
export function readGroups(data) {
  const groups = data.groups.map((/** @type {any} */ group) => ({
    name: group.name,
    file: group.file,
    interval: group.interval,
    evaluated: Date.parse(group.lastEvaluation) * 1000,
    rules: group.rules
      .map((/** @type {any} */ rule) => readRule(rule, `${group.file};${group.name};${rule.name}`))
      .sort((/** @type {Rule} */ a, /** @type {Rule} */ b) => urgency(a) - urgency(b)),
  }));
  const worst = (/** @type {Group} */ group) => Math.min(...group.rules.map((rule) => STATES.indexOf(rule.state)), STATES.length);
  return groups.sort((/** @type {Group} */ a, /** @type {Group} */ b) => worst(a) - worst(b));
}

/** What needs a look comes first; the rest stays in the order of its file. @param {Rule} rule */
function urgency(rule) {
  const place = STATES.indexOf(rule.state);
  return place < STATES.indexOf("inactive") ? place : STATES.length;
}

/** @param {any} rule @param {string} key @returns {Rule} */
function readRule(rule, key) {
  const failed = rule.health === "err";
  return {
    name: rule.name,
    state: failed ? "failed" : rule.type === "recording" ? "recording" : rule.state,
    query: rule.query,
    labels: rule.labels ?? {},
    annotations: rule.annotations ?? {},
    error: rule.lastError ?? "",
    holds: rule.duration ?? 0,
    alerts: (rule.alerts ?? []).map(readAlert).sort((/** @type {Alert} */ a, /** @type {Alert} */ b) => a.since - b.since),
    key,
  };
}

/** @param {any} alert @returns {Alert} */
function readAlert(alert) {
  return {
    labels: alert.labels,
    annotations: alert.annotations,
    state: alert.state,
    since: Date.parse(alert.activeAt) * 1000,
    kept: Boolean(alert.keepFiringSince),
    value: Number(alert.value),
  };
}

/** How many rules are in each state. @param {Group[]} groups @returns {Record<string, number>} */
export function counts(groups) {
  /** @type {Record<string, number>} */
  const found = Object.fromEntries(STATES.map((state) => [state, 0]));
  for (const group of groups) for (const rule of group.rules) found[rule.state] += 1;
  return found;
}

/**
 * The groups with only the rules that are asked for.
 * @param {Group[]} groups @param {string} state "" for all @param {string} text in names, expressions and labels
 */
export function filtered(groups, state, text) {
  const wanted = text.toLowerCase();
  const has = (/** @type {Rule} */ rule) =>
    [rule.name, rule.query, ...Object.values(rule.labels), ...rule.alerts.flatMap((alert) => Object.values(alert.labels))].some((each) => each.toLowerCase().includes(wanted));
  return groups
    .map((group) => ({ ...group, rules: group.rules.filter((rule) => (!state || rule.state === state) && (!wanted || has(rule))) }))
    .filter((group) => group.rules.length);
}
