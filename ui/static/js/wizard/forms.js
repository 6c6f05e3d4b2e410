/** A form for each wizard. `read` gives the values that the API takes. */

import { h } from "../lib/dom.js";
import { t } from "../lib/texts.js";
import { choice, condition, number, optional, text } from "./fields.js";
import { ruleList } from "./rules.js";
import { weights } from "./weights.js";

/** @typedef {import("./model.js").Described} Described @typedef {import("./model.js").Kind} Kind */
/** @typedef {{elements: HTMLElement[], read: () => any}} Form */

/** @param {Kind} kind @param {any} values @param {Described} about @param {() => void} changed @returns {Form} */
export function formOf(kind, values, about, changed) {
  switch (kind) {
    case "traffic-shifting":
      return shifting(values, about, changed);
    case "request-routing":
      return ruleList(values.rules, about.versions, changed);
    case "fault-injection":
      return faults(values, changed);
    case "timeouts":
      return timeouts(values, changed);
    case "mirroring":
      return mirroring(values, about, changed);
    case "circuit-breaker":
      return breaker(values, changed);
  }
}

/** @param {any} values @param {Described} about @param {() => void} changed @returns {Form} */
function shifting(values, { versions }, changed) {
  const shares = weights("weights", values.weights, changed);
  const wanted = values.preferred;
  const when = condition("preferred.when", wanted?.when ?? null, changed);
  const version = choice("preferred.version", t("Version"), versions.map((each) => [each, each]), wanted?.version ?? versions.at(-1) ?? "", changed);
  const preferred = optional(t("Requests of one kind always get one version (A/B)"), wanted !== null, [when.element, version.element], changed);
  return {
    elements: [shares.element, preferred.element],
    read: () => ({ weights: shares.value(), preferred: preferred.value() ? { when: when.value(), version: version.value() } : null }),
  };
}

/** @param {any} values @param {() => void} changed @returns {Form} */
function faults(values, changed) {
  const share = (/** @type {string} */ place, /** @type {any} */ given) => number(place, t("Share of the requests, %"), given?.percent ?? 100, changed, { max: 100 });
  const [delayShare, abortShare] = [share("delay.percent", values.delay), share("abort.percent", values.abort)];
  const duration = text("delay.duration", t("Wait"), values.delay?.duration ?? "5s", changed);
  const status = number("abort.status", t("HTTP status"), values.abort?.status ?? 503, changed, { min: 200, max: 599, step: 1 });
  const when = condition("when", values.when, changed);
  const delay = optional(t("Delay"), values.delay !== null, [delayShare.element, duration.element], changed);
  const abort = optional(t("Abort"), values.abort !== null, [abortShare.element, status.element], changed);
  const only = optional(t("Only some requests"), values.when !== null, [when.element], changed);
  return {
    elements: [delay.element, abort.element, only.element],
    read: () => ({
      delay: delay.value() ? { percent: delayShare.value(), duration: duration.value() } : null,
      abort: abort.value() ? { percent: abortShare.value(), status: status.value() } : null,
      when: only.value() ? when.value() : null,
    }),
  };
}

/** @param {any} values @param {() => void} changed @returns {Form} */
function timeouts(values, changed) {
  const timeout = text("timeout", t("Timeout"), values.timeout ?? "3s", changed);
  const limited = optional(t("Callers wait no longer than"), values.timeout !== null, [timeout.element], changed);
  const given = values.retries ?? { attempts: 2, per_try_timeout: "", retry_on: "5xx,reset,connect-failure" };
  const attempts = number("retries.attempts", t("Attempts after the first"), given.attempts, changed, { step: 1 });
  const each = text("retries.per_try_timeout", t("Timeout of each"), given.per_try_timeout, changed, { placeholder: t("that of the request") });
  const on = text("retries.retry_on", t("Retry on"), given.retry_on, changed, { placeholder: "5xx,reset" });
  const retries = optional(t("Own retries"), values.retries !== null, [attempts.element, each.element, on.element], changed);
  return {
    elements: [limited.element, retries.element],
    read: () => ({
      timeout: limited.value() ? timeout.value() : null,
      retries: retries.value() ? { attempts: attempts.value() ?? 0, per_try_timeout: each.value() || null, retry_on: on.value() } : null,
    }),
  };
}

/** @param {any} values @param {Described} about @param {() => void} changed @returns {Form} */
function mirroring(values, { versions }, changed) {
  /** @type {[string, string][]} */
  const options = [["", t("No copies")], ...versions.map((each) => /** @type {[string, string]} */ ([each, each]))];
  const version = choice("version", t("Copies go to"), options, values.version ?? "", changed);
  const percent = number("percent", t("Share of the requests, %"), values.percent, changed, { max: 100 });
  return { elements: [h("div", { class: "wizard-fields" }, version.element, percent.element)], read: () => ({ version: version.value() || null, percent: percent.value() }) };
}

/** @param {any} values @param {() => void} changed @returns {Form} */
function breaker(values, changed) {
  /** @type {[string, string][]} */
  const names = [
    ["max_connections", t("Connections")],
    ["max_pending_requests", t("Waiting requests")],
    ["max_requests", t("Requests at once")],
    ["max_requests_per_connection", t("Requests of a connection")],
    ["max_retries", t("Retries at once")],
  ];
  const fields = names.map(([name, label]) => ({ name, field: number(`limits.${name}`, label, values.limits?.[name] ?? null, changed, { min: 1, step: 1, placeholder: t("no limit") }) }));
  const limits = optional(t("Limits"), values.limits !== null, fields.map(({ field }) => field.element), changed);
  const given = values.ejection ?? { consecutive_errors: 5, interval: "10s", duration: "30s", max_percent: 10 };
  const errors = number("ejection.consecutive_errors", t("After errors in a row"), given.consecutive_errors, changed, { min: 1, step: 1 });
  const interval = text("ejection.interval", t("Looked at every"), given.interval, changed);
  const duration = text("ejection.duration", t("Left out for"), given.duration, changed);
  const most = number("ejection.max_percent", t("At most so many endpoints, %"), given.max_percent, changed, { max: 100, step: 1 });
  const ejection = optional(t("Leave out endpoints that fail"), values.ejection !== null, [errors.element, interval.element, duration.element, most.element], changed);
  return {
    elements: [limits.element, ejection.element],
    read: () => ({
      limits: limits.value() ? Object.fromEntries(fields.map(({ name, field }) => [name, field.value()])) : null,
      ejection: ejection.value() ? { consecutive_errors: errors.value(), interval: interval.value(), duration: duration.value(), max_percent: most.value() } : null,
    }),
  };
}
