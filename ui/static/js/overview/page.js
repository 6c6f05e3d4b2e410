/** The overview: is anything wrong, where, and since when. */

import { amount, latency, percent } from "../graph/words.js";
import { change, href, onNavigate, params } from "../lib/address.js";
import { get, Latest } from "../lib/api.js";
import { serviceClass } from "../lib/colours.js";
import { h, middle, one } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { healthMark, strip, words } from "../lib/health.js";
import { refresher } from "../lib/refresh.js";
import { emptyState, sendTraces, showError, skeleton } from "../lib/states.js";
import { t } from "../lib/texts.js";
import { timeControl } from "../lib/timecontrol.js";
import { rangeParams, readRange, resolve } from "../lib/timerange.js";
import { pageOf } from "../objects/model.js";
import { counts, spaces } from "./model.js";

/** @typedef {import("./model.js").Space} Space @typedef {import("./model.js").Row} Row */

const LOOKBACK = "1h";
const STEPS = 60;
const RECENT_S = 300; // how it is now
const EVERY_MS = 30_000;
const MESH = "/api/vigla/v1/mesh";
const hasMesh = document.documentElement.hasAttribute("data-mesh");

const notice = one("[data-notice]");
const body = one("[data-body]");
const loads = new Latest();
let loaded = false;

const time = timeControl({ select: one("[data-lookback]"), absolute: one("[data-absolute]"), start: one("[data-start]"), end: one("[data-end]") }, () => {
  const range = time.read();
  if (!range) return;
  change(rangeParams(range), "push");
  load();
});
one("[data-reload]").addEventListener("click", load);
const schedule = refresher(load, () => EVERY_MS);
onNavigate(restore);
body.replaceChildren(skeleton(6, "skeleton-rule"));
restore();

function restore() {
  time.show(readRange(params(), LOOKBACK));
  load();
}

async function load() {
  const range = readRange(params(), LOOKBACK);
  const { start, end } = resolve(range, Date.now());
  const [from, to] = [Math.floor(start / 1e6), Math.ceil(end / 1e6)];
  const step = Math.max(Math.ceil((to - from) / STEPS), 15);
  try {
    const answers = await loads.run((signal) =>
      Promise.all([
        get("/api/vigla/v1/graph", { time: to, duration: `${RECENT_S}s`, graphType: "app" }, signal),
        get("/api/vigla/v1/health", { start: from, end: to, step: `${step}s`, kinds: "app", window: `${Math.max(step, 60)}s` }, signal),
        // What is beside the mesh's own state does not hold it up: without an answer it is left out.
        get("/api/v1/alerts", {}, signal).catch(() => null),
        hasMesh ? get(`${MESH}/analyze`, {}, signal).catch(() => null) : null,
        hasMesh ? get(`${MESH}/proxies`, {}, signal).catch(() => null) : null,
      ]),
    );
    if (answers === undefined) return;
    loaded = true;
    notice.replaceChildren();
    draw(spaces(answers[0], answers[1]), answers.slice(2));
  } catch (error) {
    if (!loaded) body.replaceChildren();
    showError(notice, t("The overview could not be loaded."), error, load);
  }
  schedule();
}

/** @param {Space[]} all @param {any[]} beside alerts, findings, proxies */
async function draw(all, [alerts, findings, proxies]) {
  one("[data-count]").textContent = all.length ? t("{apps}, as of the last five minutes", { apps: count(all.flatMap(({ rows }) => rows).length, "app") }) : "";
  if (!all.length) {
    const known = await get("/api/v3/services").catch(() => ({ services: [] }));
    body.replaceChildren(known.services?.length ? emptyState(t("No calls in the last five minutes"), h("p", {}, t("Choose an absolute range above to look at an earlier time, or search the "), h("a", { href: href("/search") }, t("traces")), ".")) : sendTraces());
    return;
  }
  body.replaceChildren(h("div", { class: "tiles" }, ...health(all), ...others(alerts, findings, proxies)), ...all.map(section));
}

/** @param {Space[]} all */
function health(all) {
  const found = counts(all);
  return /** @type {const} */ (["failure", "degraded", "healthy"]).map((state) => tile(found[state], words(state), state, href("/graph", { find: state })));
}

/** @param {any} alerts @param {any} findings @param {any} proxies */
function others(alerts, findings, proxies) {
  const firing = alerts?.data.alerts.filter((/** @type {any} */ each) => each.state === "firing").length;
  const wrong = findings && findings.messages.length + findings.files.length;
  const late = proxies?.proxies.filter((/** @type {any} */ { types }) => Object.values(types).some((/** @type {any} */ { state }) => state === "STALE" || state === "NACK")).length;
  return [
    firing !== undefined && tile(firing, firing === 1 ? t("alert fires") : t("alerts fire"), firing ? "failure" : "idle", href("/alerts")),
    findings && tile(wrong, wrong === 1 ? t("finding in the configuration") : t("findings in the configuration"), wrong ? "degraded" : "idle", href("/configuration")),
    proxies && tile(proxies.proxies.length, late ? t("proxies, {n} not in sync", { n: late }) : t("proxies in sync"), late ? "degraded" : "idle", href("/configuration")),
  ].filter(Boolean);
}

/** @param {number} value @param {string} words @param {import("./model.js").Row["health"]} state @param {string} to */
function tile(value, words, state, to) {
  return h("a", { class: `tile ${value ? state : "none"}`, href: to }, h("strong", {}, value.toLocaleString("en")), h("span", {}, words));
}

/** @param {Space} space */
function section({ namespace, rows, history }) {
  const id = `space-${namespace || "none"}`;
  return h(
    "section",
    { class: "space", "aria-labelledby": id },
    h("header", {}, h("h2", { id }, namespace || t("Without a proxy")), history.length > 0 && strip(history, t("Health of {name}", { name: namespace }))),
    h(
      "table",
      { class: "apps" },
      h("thead", {}, h("tr", {}, ...[t("Health"), t("Name"), t("Calls"), t("Errors"), "p95", t("History")].map((title) => h("th", { scope: "col" }, title)))),
      h("tbody", {}, ...rows.map(line)),
    ),
  );
}

/** @param {Row} row */
function line(row) {
  return h(
    "tr",
    { class: row.health },
    h("td", {}, healthMark(row.health), row.reasons.length > 0 && h("span", { class: "muted why", title: row.reasons.join("\n") }, row.reasons[0])),
    h("td", {}, h("a", { class: `chip ${serviceClass(row.name)}`, href: href(pageOf(row) ?? "/graph") }, middle(row.name)), row.kind !== "app" && h("span", { class: "muted" }, ` ${row.kind}`)),
    h("td", { class: "number" }, amount(row) || "none"),
    h("td", { class: "number" }, row.rate > 0 ? percent(row.share) : "\u2013"),
    h("td", { class: "number" }, latency(row)),
    h("td", {}, row.history.length > 0 ? strip(row.history, t("Health of {name}", { name: row.name })) : h("span", { class: "muted" }, "\u2013")),
  );
}
