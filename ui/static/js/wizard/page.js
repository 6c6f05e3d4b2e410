/** The wizards: a form, what it would change, and what the mesh does then. */

import { diffView, findingRows } from "../configuration/findings.js";
import { readFindings } from "../configuration/model.js";
import { base, change, href, onNavigate, params } from "../lib/address.js";
import { ApiError, ask, get, Latest, post } from "../lib/api.js";
import { h, one } from "../lib/dom.js";
import { emptyState, showError, skeleton } from "../lib/states.js";
import { t } from "../lib/texts.js";
import { toast } from "../lib/toast.js";
import { effect } from "./effect.js";
import { formOf } from "./forms.js";
import { asked, KINDS, purpose, readServices, title } from "./model.js";

/** @typedef {import("./model.js").Described} Described @typedef {import("./model.js").Kind} Kind */

const API = "/api/vigla/v1/mesh";
const CHECK_AFTER_MS = 300;
const ROOT = `${base}/configuration/wizards`;

const notice = one("[data-notice]");
const body = one("[data-body]");
const services = one("[data-service]");
const loads = new Latest();
const checks = new Latest();
const tabs = h("nav", { class: "wizard-tabs", "aria-label": t("Wizards") });
const formPlace = h("form", { class: "wizard-form", on: { submit: (/** @type {Event} */ event) => event.preventDefault() } });
const told = h("div", { class: "wizard-told", role: "status" });
const findings = h("ul", { class: "findings", "aria-label": t("Findings") });
const changes = h("div", { class: "wizard-changes" });
const apply = h("button", { class: "button primary", type: "button", disabled: true, on: { click: applyChange } }, t("Apply"));
const undo = h("button", { class: "button", type: "button", hidden: true, on: { click: undoChange } }, t("Undo"));
const preview = h("section", { class: "wizard-preview", "aria-label": t("What it changes") }, h("header", {}, h("h2", {}, t("What it changes")), undo, apply), told, findings, changes);
/** @type {{read: () => any} | null} */
let form = null;
/** @type {Described | null} */
let about = null;
/** @type {ReturnType<typeof effect> | null} */
let calls = null;
let text = ""; // YAML of what would change
let timer = 0;

services.addEventListener("change", () => {
  const [namespace, service] = services.value.split("/");
  change({ namespace, service, undo: null }, "push");
  restore();
});
onNavigate(restore);
restore();

/** @returns {Kind} */
function kind() {
  const last = location.pathname.slice(ROOT.length + 1);
  return KINDS.find((each) => each === last) ?? KINDS[0];
}

async function restore() {
  if (!document.documentElement.hasAttribute("data-mesh")) {
    one(".wizard-service").hidden = true;
    body.replaceChildren(emptyState(t("This server has no mesh"), h("p", {}, t("Start one with a mesh to change it: "), h("code", {}, "vigla demo"), ".")));
    return;
  }
  if (!body.childElementCount) body.replaceChildren(skeleton(5, "skeleton-rule"));
  try {
    const known = readServices(await get(`${API}/config`, { kind: "Service" }));
    const wanted = asked(params()) ?? known[0];
    if (!wanted) return body.replaceChildren(emptyState(t("The mesh has no services yet"), h("p", {}, t("Apply some first: "), h("a", { href: href("/configuration") }, t("configuration")), ".")));
    offer(known, wanted);
    about = (await loads.run((signal) => get(`${API}/wizards`, wanted, signal))) ?? about;
    notice.replaceChildren();
    draw();
  } catch (error) {
    body.replaceChildren();
    showError(notice, t("The service could not be loaded."), error, restore);
  }
}

/** @param {{namespace: string, service: string}[]} known @param {{namespace: string, service: string}} wanted */
function offer(known, wanted) {
  const here = `${wanted.namespace}/${wanted.service}`;
  const places = new Set([here, ...known.map(({ namespace, service }) => `${namespace}/${service}`)]);
  services.replaceChildren(...[...places].sort().map((place) => h("option", { value: place }, place)));
  services.value = here;
}

function draw() {
  if (!about) return;
  const own = about;
  const now = kind();
  tabs.replaceChildren(...KINDS.map((each) => h("a", { href: `${ROOT}/${each}${location.search}`, "aria-current": each === now ? "page" : null }, title(each))));
  const { values, problem } = own.wizards[now];
  form = values ? formOf(now, values, own, schedule) : null;
  const parts = /** @type {any} */ (form)?.elements ?? [];
  formPlace.replaceChildren(h("p", { class: "muted" }, purpose(now)), ...(problem ? [h("div", { class: "notice warning", role: "status" }, h("div", {}, problem, " ", h("a", { href: href("/configuration") }, t("Open the configuration"))))] : parts));
  calls = effect(own);
  body.replaceChildren(tabs, h("div", { class: "wizard-columns" }, h("div", { class: "wizard-side" }, formPlace, calls.element), preview));
  calls.load();
  preview.hidden = !form && !params().get("undo");
  undo.hidden = !params().get("undo");
  undo.textContent = t("Undo");
  show("", "", []);
}

function schedule() {
  clearTimeout(timer);
  timer = setTimeout(check, CHECK_AFTER_MS);
}

/** Ask what the form would change. */
async function check() {
  if (!form || !about) return;
  apply.disabled = true;
  const { namespace, service } = about;
  const values = form.read();
  try {
    const answer = await checks.run((signal) => post(`${API}/wizards/${kind()}`, { namespace, service, values }, signal));
    if (answer === undefined) return;
    wrong([]);
    show(answer.yaml, answer.diff, readFindings(answer));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 422) return showError(notice, t("The form could not be checked."), error, check);
    const refused = JSON.parse(error.body);
    text = "";
    findings.replaceChildren();
    changes.replaceChildren();
    wrong(refused.fields ?? []);
    told.replaceChildren(h("div", { class: "notice failure" }, h("div", {}, error.message)));
  }
}

/** Mark the inputs that the server refused. @param {{field: string, message: string}[]} fields */
function wrong(fields) {
  const messages = new Map(fields.map(({ field, message }) => [field, message]));
  for (const input of formPlace.querySelectorAll("[data-field]")) {
    const message = messages.get(input.dataset.field);
    if (message === undefined) input.removeAttribute("aria-invalid");
    else input.setAttribute("aria-invalid", "true");
    input.title = message ?? "";
  }
}

/** @param {string} yaml @param {string} diff @param {import("../configuration/model.js").Finding[]} found */
function show(yaml, diff, found) {
  text = yaml;
  apply.disabled = yaml === "" || found.some(({ level }) => level === "error");
  told.replaceChildren(yaml ? "" : h("p", { class: "muted" }, t("Nothing yet: the form shows how the mesh is configured now.")));
  findings.replaceChildren(...(yaml ? findingRows(found, t("Nothing is wrong with it"), null) : []));
  changes.replaceChildren(...(yaml ? [diffView(diff, t("Difference")), h("details", {}, h("summary", {}, "YAML"), h("pre", { class: "diff", tabindex: 0 }, yaml))] : []));
}

async function applyChange() {
  if (!about) return;
  apply.disabled = true;
  const { namespace, service } = about;
  try {
    const answer = JSON.parse(await ask(`${API}/apply`, { namespace, author: "ui", message: `${title(kind())}: ${service}` }, { method: "POST", body: text }));
    change({ undo: String(answer.revision.number - 1) }, "replace");
    toast(t("Applied as revision {number}", { number: answer.revision.number }));
    await restore();
  } catch (error) {
    showError(notice, t("Nothing was applied."), error, check);
  }
}

/** Two clicks when others changed the mesh since: the second says what else would go. */
async function undoChange() {
  const number = Number(params().get("undo"));
  try {
    const { revisions } = await get(`${API}/revisions`, { limit: 1 });
    const later = revisions[0].number - number - 1;
    if (later > 0 && undo.textContent === t("Undo")) {
      undo.textContent = later === 1 ? t("Undo this and one later change?") : t("Undo this and {count} later changes?", { count: later });
      return;
    }
    await ask(`${API}/revisions/${number}/rollback`, { author: "ui" }, { method: "POST" });
    change({ undo: null }, "replace");
    toast(t("Undone: the mesh is as at revision {number}", { number }));
    await restore();
  } catch (error) {
    showError(notice, t("Nothing was undone."), error, restore);
  }
}
