/** The configuration page: objects with an editor, or the history. */

import { change, href, onNavigate, params } from "../lib/address.js";
import { ApiError, ask, get, Latest } from "../lib/api.js";
import { h, middle, one } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { emptyState, showError, skeleton } from "../lib/states.js";
import { t } from "../lib/texts.js";
import { toast } from "../lib/toast.js";
import { editor } from "./editor.js";
import { findingRows } from "./findings.js";
import { historyView } from "./history.js";
import { yamlLanguage } from "./language.js";
import { byObject, grouped, keyOf, readFindings, readItems, TEMPLATE } from "./model.js";

/** @typedef {import("./model.js").Item} Item @typedef {import("./model.js").Finding} Finding */

const API = "/api/vigla/v1/mesh";

const notice = one("[data-notice]");
const body = one("[data-body]");
const loads = new Latest();
const checks = new Latest();
/** @type {Promise<import("./language.js").Schemas> | null} */
let schemas = null;
const source = editor(yamlLanguage(() => (schemas ??= get(`${API}/schemas`)), () => items), (text) => check(text));
const history = historyView(notice, load);
const list = h("nav", { class: "config-list", "aria-label": t("Objects") });
const find = h("input", { type: "search", placeholder: t("Find object"), "aria-label": t("Find object"), autocomplete: "off", spellcheck: "false" });
const findings = h("ul", { class: "findings", "aria-live": "polite", "aria-label": t("Findings") });
const title = h("h2");
const apply = h("button", { class: "button primary", type: "button", disabled: true, on: { click: applyText } }, t("Apply"));
const remove = h("button", { class: "button", type: "button", on: { click: removeObject } }, t("Delete"));
const pane = h("section", { class: "config-pane", "aria-label": t("Object") }, h("div", { class: "config-head" }, title, remove, apply), source.element, findings);
const objects = h("div", { class: "config-objects" }, h("div", { class: "config-side" }, find, list), pane);
/** @type {Item[]} */
let items = [];
/** @type {Finding[]} of the whole configuration */
let found = [];
let written = ""; // as the server has it
let opened = ""; // key of the object in the editor

find.addEventListener("input", () => {
  change({ find: find.value || null }, "replace");
  drawList();
});
one("[data-new]").addEventListener("click", () => {
  change({ object: "new", view: null }, "push");
  restore();
});
for (const button of document.querySelectorAll("[data-view]")) {
  button.addEventListener("click", () => {
    change({ view: button.dataset.view === "history" ? "history" : null, revision: null }, "push");
    restore();
  });
}
addEventListener("beforeunload", (event) => {
  if (pane.isConnected && source.text() !== written) event.preventDefault();
});
onNavigate(restore);
body.replaceChildren(skeleton(6, "skeleton-rule"));
load();

async function load() {
  if (!document.documentElement.hasAttribute("data-mesh")) {
    body.replaceChildren(emptyState(t("This server has no mesh"), h("p", {}, t("Start it with "), h("code", {}, "vigla serve --xds-port 15010"), t(", or try "), h("code", {}, "vigla demo"), ".")));
    for (const tool of ["[data-new]", "[data-wizards]"]) one(tool).hidden = true;
    return;
  }
  try {
    const answers = await loads.run((signal) => Promise.all([get(`${API}/config`, {}, signal), get(`${API}/analyze`, {}, signal)]));
    if (answers === undefined) return;
    items = readItems(answers[0]);
    found = readFindings(answers[1]);
    notice.replaceChildren();
    restore();
  } catch (error) {
    if (!items.length) body.replaceChildren();
    showError(notice, t("The configuration could not be loaded."), error, load);
  }
}

function restore() {
  const query = params();
  const past = query.get("view") === "history";
  for (const button of document.querySelectorAll("[data-view]")) button.setAttribute("aria-pressed", String((button.dataset.view === "history") === past));
  one("[data-count]").textContent = `${count(items.length, "object")}, ${found.length ? count(found.length, "finding") : "no findings"}`;
  if (past) {
    body.replaceChildren(history.element);
    history.load();
    return;
  }
  find.value = query.get("find") ?? "";
  const asked = query.get("object");
  if (!items.length && asked !== "new") {
    body.replaceChildren(emptyState(t("The mesh has no configuration yet"), h("p", {}, t("Apply a file with "), h("code", {}, "vigla apply -f FILE"), t(", or write an object here."))));
    return;
  }
  body.replaceChildren(objects);
  drawList();
  const known = asked === "new" || items.some(({ key }) => key === asked);
  notice.replaceChildren(...(asked && !known ? [gone(asked)] : []));
  const first = found.find(({ object }) => items.some(({ key }) => key === object))?.object || (items.find(({ kind }) => kind === "VirtualService") ?? items[0])?.key;
  open(asked && known ? asked : first);
}

/** Traces and logs name rules that may be deleted since. @param {string} key */
function gone(key) {
  const link = h("a", { href: href("/configuration", { view: "history" }) }, t("History"));
  return h("div", { class: "notice warning", role: "status" }, h("div", {}, t("{object} is not in the configuration any more.", { object: key }), " ", link));
}

function drawList() {
  const worst = byObject(found);
  const groups = [...grouped(items, find.value)];
  list.replaceChildren(
    ...groups.map(([kind, own]) =>
      h(
        "details",
        { open: own.length <= 12 || find.value !== "" || own.some(({ key }) => key === opened) },
        h("summary", {}, kind, h("span", { class: "muted" }, ` ${own.length}`)),
        h("ul", {}, ...own.map((item) => h("li", {}, row(item, worst.get(item.key))))),
      ),
    ),
    ...(groups.length ? [] : [h("p", { class: "muted" }, t("Nothing has this in its name"))]),
  );
}

/** @param {Item} item @param {{level: string, count: number} | undefined} worst */
function row({ key, name, namespace }, worst) {
  const choose = () => {
    if (source.text() !== written && !confirm(t("Leave the changes that are not applied?"))) return;
    change({ object: key }, "push");
    open(key);
  };
  return h(
    "button",
    { type: "button", data: { object: key }, "aria-current": key === opened ? "true" : null, on: { click: choose } },
    middle(name),
    h("span", { class: "muted" }, namespace),
    worst && h("span", { class: `badge ${worst.level}`, title: count(worst.count, "finding") }, worst.count),
  );
}

/** @param {string} key */
async function open(key) {
  opened = key;
  for (const button of list.querySelectorAll("[data-object]")) button.toggleAttribute("aria-current", button.dataset.object === key);
  list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  const item = items.find((each) => each.key === key);
  remove.hidden = !item;
  remove.textContent = t("Delete");
  title.replaceChildren(item ? middle(item.name) : t("New object"), ...(item ? [h("span", { class: "muted" }, t("{kind} in {namespace}", { kind: item.kind, namespace: item.namespace }))] : []));
  findings.replaceChildren();
  try {
    written = item ? await ask(`${API}/config`, { kind: item.kind, namespace: item.namespace, name: item.name, output: "yaml" }, {}) : "";
  } catch (error) {
    return showError(notice, t("The object could not be loaded."), error, () => open(key));
  }
  if (opened !== key) return;
  source.show(item ? written : TEMPLATE);
  check(source.text());
}

/** Shows what the server would say of a text; of a dry run nothing stays. @param {string} text */
async function check(text) {
  apply.disabled = true;
  try {
    const answer = await checks.run((signal) => ask(`${API}/apply`, { ...where(), dry_run: "true" }, { method: "POST", body: text, signal }));
    if (answer === undefined) return;
    tell(JSON.parse(answer));
    apply.disabled = text === written;
  } catch (error) {
    refused(error);
  }
}

/** The namespace of an object that names none. */
function where() {
  return { namespace: items.find(({ key }) => key === opened)?.namespace, author: "ui" };
}

/** @param {unknown} error */
function refused(error) {
  if (error instanceof ApiError && error.status === 422) tell(JSON.parse(error.body));
  else showError(notice, t("The text could not be checked."), error, () => check(source.text()));
}

/** @param {any} answer */
function tell(answer) {
  const told = readFindings(answer);
  source.mark(told);
  findings.replaceChildren(...findingRows(told, t("Nothing is wrong with it"), source.goTo));
}

async function applyText() {
  apply.disabled = true;
  try {
    const answer = JSON.parse(await ask(`${API}/apply`, { ...where(), message: "changed in the browser" }, { method: "POST", body: source.text() }));
    written = source.text();
    const [first] = answer.revision.changes.filter((/** @type {any} */ each) => each.change !== "deleted");
    if (first) change({ object: keyOf(first.kind, first.namespace, first.name) }, "replace");
    await load();
    toast(answer.revision.changes.length ? t("Applied as revision {number}", { number: answer.revision.number }) : t("Nothing changed by it"));
  } catch (error) {
    refused(error);
  }
}

/** Two clicks: the second says what it does. */
async function removeObject() {
  const item = items.find(({ key }) => key === opened);
  if (!item) return;
  if (remove.textContent === "Delete") {
    remove.textContent = t("Delete {kind} {name}?", { kind: item.kind, name: item.name });
    return;
  }
  try {
    const parts = [item.kind, item.namespace, item.name].map(encodeURIComponent).join("/");
    const answer = JSON.parse(await ask(`${API}/config/${parts}`, { author: "ui" }, { method: "DELETE" }));
    written = source.text();
    change({ object: null }, "replace");
    await load();
    toast(t("Deleted as revision {number}; the history has the way back", { number: answer.revision.number }));
  } catch (error) {
    showError(notice, t("Nothing was deleted."), error, () => open(opened));
  }
}
