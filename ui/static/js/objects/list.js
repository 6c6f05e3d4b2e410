/** The lists of services, workloads and applications. */

import { BADGES } from "../graph/model.js";
import { amount, latency, percent } from "../graph/words.js";
import { base, change, href, onNavigate, params } from "../lib/address.js";
import { get, Latest } from "../lib/api.js";
import { serviceClass } from "../lib/colours.js";
import { h, middle, one } from "../lib/dom.js";
import { healthMark } from "../lib/health.js";
import { refresher } from "../lib/refresh.js";
import { emptyState, sendTraces, showError, skeleton } from "../lib/states.js";
import { t } from "../lib/texts.js";
import { configured, filtered, LISTS, pathOf, readPath, rows, sorted } from "./model.js";

/** @typedef {import("./model.js").Row} Row @typedef {import("./model.js").Plural} Plural */

const MESH = "/api/vigla/v1/mesh";
const LATELY = "300s";
const EVERY_MS = 30_000;

const notice = one("[data-notice]");
const body = one("[data-body]");
const find = one("[data-find]");
const loads = new Latest();
const list = /** @type {{list: Plural}} */ (readPath(location.pathname.slice(base.length))).list;
const hasMesh = document.documentElement.hasAttribute("data-mesh");
/** @type {Row[] | null} */
let all = null;

find.addEventListener("input", () => {
  change({ find: find.value || null }, "replace");
  draw();
});
one("[data-reload]").addEventListener("click", load);
const schedule = refresher(load, () => EVERY_MS);
onNavigate(draw);
body.replaceChildren(skeleton(6, "skeleton-rule"));
find.value = params().get("find") ?? "";
load();

async function load() {
  try {
    const answers = await loads.run((signal) =>
      Promise.all([
        get("/api/vigla/v1/graph", { duration: LATELY, graphType: LISTS[list].type }, signal),
        // What has no traffic is known from elsewhere, if there is a mesh.
        hasMesh && list === "services" ? get(`${MESH}/config`, { kind: "Service" }, signal) : null,
        hasMesh && list === "workloads" ? get(`${MESH}/proxies`, {}, signal) : null,
      ]),
    );
    if (answers === undefined) return;
    all = rows(list, answers[0], configured(list, answers[1], answers[2]));
    notice.replaceChildren();
    draw();
  } catch (error) {
    if (all === null) body.replaceChildren();
    showError(notice, t("The list could not be loaded."), error, load);
  }
  schedule();
}

async function draw() {
  if (all === null) return;
  const sort = params().get("sort") ?? "health";
  find.value = params().get("find") ?? "";
  const shown = sorted(filtered(all, find.value), sort);
  one("[data-count]").textContent = all.length ? t("{shown} of {all}, as of the last five minutes", { shown: shown.length, all: all.length }) : "";
  if (!all.length) {
    const known = await get("/api/v3/services").catch(() => ({ services: [] }));
    return body.replaceChildren(known.services?.length ? emptyState(t("No calls in the last five minutes"), h("p", {}, t("What got no calls is not listed here. Its "), h("a", { href: href("/search") }, t("traces")), t(" are still there."))) : sendTraces());
  }
  if (!shown.length) return body.replaceChildren(emptyState(t("Nothing has this in its name"), h("p", {}, t("Clear the field above to see all."))));
  body.replaceChildren(table(shown, sort));
}

/** @param {Row[]} shown @param {string} sort */
function table(shown, sort) {
  /** @type {[string, string, string][]} */
  const columns = [["health", t("Health"), ""], ["name", t("Name"), ""], ["rate", t("Calls"), "number"], ["errors", t("Errors"), "number"], ["p95", "p95", "number"]];
  const head = columns.map(([name, title, kind]) => {
    const choose = () => {
      change({ sort: name === "health" ? null : name }, "push");
      draw();
    };
    return h("th", { scope: "col", class: kind || null, "aria-sort": sort === name ? "descending" : null }, h("button", { type: "button", on: { click: choose } }, title, sort === name && " ↓"));
  });
  return h(
    "div",
    { class: "objects-scroll", tabindex: 0, role: "region", "aria-label": t("List") },
    h("table", { class: "objects" }, h("thead", {}, h("tr", {}, ...head, h("th", { scope: "col" }, t("Mutual TLS")), h("th", { scope: "col" }, t("Configuration")))), h("tbody", {}, ...shown.map(line))),
  );
}

/** @param {Row} row */
function line(row) {
  return h(
    "tr",
    { class: row.health },
    h("td", {}, healthMark(row.health), row.reasons.length > 0 && h("span", { class: "muted why", title: row.reasons.join("\n") }, row.reasons[0])),
    h("td", {}, h("a", { class: `chip ${serviceClass(row.name)}`, href: href(pathOf(list, row)) }, middle(row.name)), h("span", { class: "muted objects-space" }, row.namespace || t("from spans"))),
    h("td", { class: "number" }, amount(row) || t("none")),
    h("td", { class: "number" }, row.rate > 0 ? percent(row.share) : "–"),
    h("td", { class: "number" }, latency(row)),
    h("td", {}, row.mtls === null ? h("span", { class: "muted" }, "–") : `${row.mtls} %`),
    h("td", {}, ...row.badges.map((name) => h("span", { class: "objects-badge" }, BADGES[/** @type {keyof typeof BADGES} */ (name)]))),
  );
}
