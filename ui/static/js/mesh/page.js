/** The mesh page: control plane, proxies, certificates; and vigla itself: intake, bus, storage. */

import { get, Latest } from "../lib/api.js";
import { one, h } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { refresher } from "../lib/refresh.js";
import { showError, skeleton } from "../lib/states.js";
import { t } from "../lib/texts.js";
import { readMetrics } from "./model.js";
import { controlPlane, proxyTable } from "./proxies.js";
import { busTable, intakeTable, processFacts, storageTable } from "./server.js";

/** @typedef {{samples: import("./model.js").Sample[], at: number}} Look */

const EVERY_MS = 5000;
const MESH = "/api/vigla/v1/mesh";
const OWN = "vigla_.*|process_.*";
const hasMesh = document.documentElement.hasAttribute("data-mesh");

const notice = one("[data-notice]");
const body = one("[data-body]");
const loads = new Latest();
/** @type {Set<string>} instances whose details are open */
const open = new Set();
/** @type {Look | null} */
let before = null;
/** @type {any[] | null} */
let shown = null;

const schedule = refresher(load, () => EVERY_MS);
body.replaceChildren(skeleton(6, "skeleton-rule"));
load();

async function load() {
  try {
    const answers = await loads.run((signal) =>
      Promise.all([
        get("/api/v1/status/self_metrics", { metric_name_pattern: OWN }, signal),
        get("/api/vigla/v1/storage", {}, signal),
        get("/api/v1/status/buildinfo", {}, signal),
        ...(hasMesh ? [get(`${MESH}/proxies`, {}, signal), get(`${MESH}/certs`, {}, signal), get(`${MESH}/revisions`, { limit: 1 }, signal)] : []),
      ]),
    );
    if (answers === undefined) return;
    notice.replaceChildren();
    shown = answers;
    draw(Date.now());
  } catch (error) {
    if (shown === null) body.replaceChildren();
    showError(notice, t("The state could not be loaded."), error, load);
  }
  schedule();
}

/** @param {number} at milliseconds */
function draw(at) {
  const [metrics, storage, build, proxies, certificates, revisions] = /** @type {any[]} */ (shown);
  const samples = readMetrics(metrics);
  const held = body.contains(document.activeElement) ? document.activeElement?.id : "";
  body.replaceChildren(...(hasMesh ? mesh(proxies.proxies, certificates, revisions.revisions, at) : [without()]), ...server(samples, storage.tables, build.data, at));
  if (held) document.getElementById(held)?.focus();
  one("[data-count]").textContent = hasMesh ? count(proxies.proxies.length, "proxy", "proxies") : "";
  before = { samples, at };
}

/** @param {import("./model.js").Proxy[]} proxies @param {any} certificates @param {any[]} revisions @param {number} at */
function mesh(proxies, certificates, revisions, at) {
  const expiry = new Map(certificates.workloads.map((/** @type {any} */ each) => [each.instance, each.not_after]));
  return [
    section("control", t("Control plane"), controlPlane(proxies, certificates, revisions[0], at)),
    section("proxies", t("Proxies"), proxyTable(proxies, expiry, at, open, () => draw(Date.now()))),
  ];
}

/** @param {import("./model.js").Sample[]} samples @param {any[]} tables @param {any} build @param {number} at */
function server(samples, tables, build, at) {
  return [
    section("intake", t("Intake"), intakeTable(samples, before, at)),
    section("bus", t("Bus and ingester"), busTable(samples)),
    section("storage", t("Storage"), storageTable(tables, at)),
    section("process", t("This process"), processFacts(samples, build, at)),
  ];
}

function without() {
  return section(
    "control",
    t("Control plane"),
    h("p", { class: "muted" }, t("This server has no mesh. "), t("Start it with "), h("code", {}, "vigla serve --xds-port 15010"), t(", or try "), h("code", {}, "vigla demo"), "."),
  );
}

/** @param {string} id @param {string} title @param {...HTMLElement} content */
function section(id, title, ...content) {
  return h("section", { class: "mesh-section", "aria-labelledby": `mesh-${id}` }, h("h2", { id: `mesh-${id}` }, title), ...content);
}

