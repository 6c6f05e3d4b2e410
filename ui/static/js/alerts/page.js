/** The alerts page: rules by group, what fires first. */

import { change, href, onNavigate, params } from "../lib/address.js";
import { get, Latest } from "../lib/api.js";
import { h, icon, one } from "../lib/dom.js";
import { count, duration, localTime, when } from "../lib/format.js";
import { refresher } from "../lib/refresh.js";
import { emptyState, showError, skeleton } from "../lib/states.js";
import { t } from "../lib/texts.js";
import { shown } from "../metrics/chart.js";
import { counts, filtered, readGroups, STATES } from "./model.js";

/** @typedef {import("./model.js").Group} Group */
/** @typedef {import("./model.js").Rule} Rule */

const EVERY_MS = 15_000;
const WORDS = { firing: t("Firing"), pending: t("Pending"), failed: t("Failed"), inactive: t("Inactive"), recording: t("Recording") };
const ICONS = {
  firing: "M8 2.2 14.5 13.5h-13zM8 6.5v3.2M8 11.6h.01",
  pending: "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M8 5v3.2l2 1.4",
  failed: "m4.5 4.5 7 7M11.5 4.5l-7 7",
  inactive: "m3.5 8.5 3 3 6-7",
  recording: "M3 12.5 6.2 8l2.6 2.6L13 4.5",
};

const notice = one("[data-notice]");
const body = one("[data-body]");
const states = one("[data-states]");
const find = one("[data-find]");
const receivers = one("[data-receivers]");
const loads = new Latest();
/** @type {Group[] | null} */
let groups = null;
/** @type {Set<string>} rules that the user opened or closed against the default */
const toggled = new Set();

one("[data-reload]").addEventListener("click", load);
find.addEventListener("input", () => {
  change({ find: find.value }, "replace");
  draw();
});
const schedule = refresher(load, () => EVERY_MS);
onNavigate(restore);
body.replaceChildren(skeleton(6, "skeleton-rule"));
restore();
listReceivers();

function restore() {
  find.value = params().get("find") ?? "";
  draw();
  load();
}

async function load() {
  try {
    const answer = await loads.run((signal) => get("/api/v1/rules", {}, signal));
    if (answer === undefined) return;
    groups = readGroups(answer.data);
    notice.replaceChildren();
    draw();
  } catch (error) {
    if (groups === null) body.replaceChildren();
    showError(notice, t("The rules could not be loaded."), error, load);
  }
  schedule();
}

async function listReceivers() {
  // Who is told is a note beside the rules: without an answer the page is whole.
  const { data } = await get("/api/v1/alertmanagers").catch(() => ({ data: null }));
  if (data === null) return;
  const urls = data.activeAlertmanagers.map((/** @type {{url: string}} */ each) => new URL(each.url).host);
  receivers.textContent = urls.length ? `Alertmanager: ${urls.join(", ")}` : t("No Alertmanager is told (rules.alertmanagers)");
}

function draw() {
  if (groups === null) return;
  const state = params().get("state") ?? "";
  drawStates(counts(groups), state);
  if (!groups.length) {
    return body.replaceChildren(
      emptyState(t("No rules"), h("p", {}, t("Name files in Prometheus' format in rules.files, or turn the built-in rules of the mesh on with rules.mesh. Check files first with:")), h("pre", { class: "snippet-line" }, h("code", {}, "vigla rules check rules/*.yml"))),
    );
  }
  const found = filtered(groups, state, find.value);
  if (!found.length) return body.replaceChildren(emptyState(t("No rule matches"), h("p", {}, t("Clear the search or choose another state above."))));
  body.replaceChildren(...found.map(group));
}

/** @param {Record<string, number>} found @param {string} chosen */
function drawStates(found, chosen) {
  const all = Object.values(found).reduce((sum, each) => sum + each, 0);
  const offered = /** @type {[string, string, number][]} */ ([["", t("All"), all], ...STATES.filter((state) => state !== "failed" || found.failed).map((state) => [state, WORDS[state], found[state]])]);
  states.replaceChildren(
    ...offered.map(([value, label, amount]) =>
      h("button", { type: "button", "aria-pressed": String(value === chosen), on: { click: () => { change({ state: value }, "push"); draw(); } } }, `${label} `, h("b", {}, amount)),
    ),
  );
}

/** @param {Group} found */
function group(found) {
  const age = found.evaluated > 0 ? t("evaluated {time}", { time: when(found.evaluated, Date.now()) }) : t("not evaluated yet");
  return h(
    "section",
    { class: "group", "aria-label": found.name },
    h("header", {}, h("h2", {}, h("bdi", {}, found.name)), h("span", {}, `${found.file} · ${t("every {time}", { time: duration(found.interval * 1e6) })} · ${age}`)),
    ...found.rules.map(rule),
  );
}

/** @param {Rule} found */
function rule(found) {
  const active = found.state === "firing" || found.state === "pending" || found.state === "failed";
  const details = h(
    "details",
    { class: "rule", open: active !== toggled.has(found.key) },
    h(
      "summary",
      {},
      h("span", { class: `state-mark ${found.state}` }, icon(ICONS[found.state]), WORDS[found.state]),
      h("strong", {}, h("bdi", {}, found.name)),
      h("code", {}, found.query),
      h("span", { class: "count" }, found.alerts.length ? count(found.alerts.length, "alert") : ""),
    ),
    h(
      "div",
      { class: "rule-body" },
      found.error && h("div", { class: "failed", role: "alert" }, found.error),
      h("pre", {}, h("code", {}, found.query)),
      h("p", {}, h("a", { href: href("/metrics", { q: found.query }) }, t("Show as a graph"))),
      facts(found),
      ...found.alerts.map(alert),
    ),
  );
  details.addEventListener("toggle", () => {
    if (details.open === active) toggled.delete(found.key);
    else toggled.add(found.key);
  });
  return details;
}

/** @param {Rule} found */
function facts(found) {
  const rows = [
    ...(found.holds ? [["for", duration(found.holds * 1e6)]] : []),
    ...Object.entries(found.labels),
    ...(found.alerts.length ? [] : Object.entries(found.annotations)),
  ];
  return rows.length > 0 && h("dl", {}, ...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

/** @param {import("./model.js").Alert} found */
function alert(found) {
  const { summary, description, ...others } = found.annotations;
  const labels = Object.entries(found.labels).filter(([name]) => name !== "alertname");
  return h(
    "article",
    { class: `alert ${found.state}` },
    h(
      "header",
      {},
      h("strong", {}, h("bdi", {}, summary ?? found.labels.alertname)),
      h("time", { title: localTime(found.since) }, found.state === "pending" ? t("pending since {time}", { time: when(found.since, Date.now()) }) : t("active since {time}", { time: when(found.since, Date.now()) })),
      h("span", { class: "value" }, `value ${shown(found.value)}${found.kept ? ", fires on by keep_firing_for" : ""}`),
    ),
    description && h("p", {}, description),
    labels.length > 0 && h("div", { class: "labels" }, ...labels.map(([name, value]) => h("span", { class: "label" }, `${name}=${value}`))),
    Object.keys(others).length > 0 && h("dl", {}, ...Object.entries(others).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
  );
}
