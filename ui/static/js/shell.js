/** What every page has: theme, rail, lookup, keyboard. */

import { h, one } from "./lib/dom.js";
import { lookup } from "./lib/lookup.js";
import { t } from "./lib/texts.js";

const KEYS = /** @type {const} */ ([
  ["/", t("Find a trace, a service, an object of the mesh")],
  ["g o", t("Go to the overview")],
  ["g t", t("Go to traces")],
  ["g g", t("Go to the graph")],
  ["g l", t("Go to access logs")],
  ["g m", t("Go to metrics")],
  ["g a", t("Go to alerts")],
  ["g s", t("Go to services")],
  ["g c", t("Go to the configuration")],
  ["g h", t("Go to the mesh")],
  ["g q", t("Go to SQL")],
  ["?", t("This list")],
  ["Esc", t("Close")],
  ["↑ ↓ or k j", t("Trace: previous, next span")],
  ["← →", t("Trace: collapse, expand")],
  ["Enter", t("Trace: show or hide details")],
  ["n p", t("Trace: next, previous match")],
  ["+ − 0", t("Graph: zoom in, out, fit")],
  ["Tab, Enter", t("Graph: next node or call, open it")],
]);
const PAGES = { o: "overview", t: "search", g: "graph", l: "logs", m: "metrics", a: "alerts", c: "configuration", s: "services", h: "mesh", q: "sql" };
const SEQUENCE_MS = 1000; // between `g` and its letter

const root = document.documentElement;

one("[data-theme-toggle]").addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("vigla.theme", root.dataset.theme);
  dispatchEvent(new Event("themechange"));
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => dispatchEvent(new Event("themechange")));

for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => {
    const year = 365 * 24 * 3600;
    document.cookie = `vigla-language=${button.dataset.language}; path=${root.dataset.base || "/"}; max-age=${year}; samesite=lax`;
    location.reload();
  });
}

one("[data-rail-toggle]").addEventListener("click", () => {
  const folded = root.dataset.rail !== "folded";
  root.dataset.rail = folded ? "folded" : "open";
  localStorage.setItem("vigla.rail", root.dataset.rail);
});

// On a phone the list is wider than the window.
document.querySelector(".rail [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });

lookup(one("[data-lookup]"), one("#lookup-services"), "mesh" in root.dataset);
one("[data-keys]").addEventListener("click", showKeys);

let lastG = -Infinity;
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.matches("input, select, textarea")) {
    if (event.key === "Escape") target.blur();
    return;
  }
  if (event.timeStamp - lastG < SEQUENCE_MS && event.key in PAGES) {
    lastG = -Infinity;
    location.assign(one(`[data-page=${PAGES[/** @type {keyof typeof PAGES} */ (event.key)]}]`).href);
  } else if (event.key === "g") {
    lastG = event.timeStamp;
  } else if (event.key === "/") {
    event.preventDefault();
    one("[data-lookup] input").select();
  } else if (event.key === "?") {
    showKeys();
  }
});

function showKeys() {
  const dialog = h(
    "dialog",
    { class: "keys", "aria-label": t("Keyboard shortcuts") },
    h("h2", {}, t("Keyboard shortcuts")),
    h("dl", {}, ...KEYS.flatMap(([keys, action]) => [h("dt", {}, h("kbd", {}, keys)), h("dd", {}, action)])),
    h("form", { method: "dialog" }, h("button", { class: "button" }, t("Close"))),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
