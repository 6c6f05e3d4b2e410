/** What every page has: theme, rail, lookup, keyboard. */

import { get } from "./lib/api.js";
import { href } from "./lib/address.js";
import { h, one } from "./lib/dom.js";

const KEYS = /** @type {const} */ ([
  ["/", "Find a trace or service"],
  ["g o", "Go to the overview"],
  ["g t", "Go to traces"],
  ["g g", "Go to the graph"],
  ["g l", "Go to access logs"],
  ["g m", "Go to metrics"],
  ["g a", "Go to alerts"],
  ["g s", "Go to services"],
  ["g c", "Go to the configuration"],
  ["g h", "Go to the mesh"],
  ["g q", "Go to SQL"],
  ["?", "This list"],
  ["Esc", "Close"],
  ["↑ ↓ or k j", "Trace: previous, next span"],
  ["← →", "Trace: collapse, expand"],
  ["Enter", "Trace: show or hide details"],
  ["n p", "Trace: next, previous match"],
  ["+ − 0", "Graph: zoom in, out, fit"],
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

one("[data-rail-toggle]").addEventListener("click", () => {
  const folded = root.dataset.rail !== "folded";
  root.dataset.rail = folded ? "folded" : "open";
  localStorage.setItem("vigla.rail", root.dataset.rail);
});

// On a phone the list is wider than the window.
document.querySelector(".rail [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });

lookup(one("[data-lookup]"));
one("[data-keys]").addEventListener("click", showKeys);

/** @param {HTMLFormElement} form */
function lookup(form) {
  const input = /** @type {HTMLInputElement} */ (form.elements.namedItem("id"));
  /** @type {string[]} */
  let services = [];
  input.addEventListener(
    "focus",
    async () => {
      // Suggestions are a help, not the purpose: the box works without them.
      services = (await get("/api/services").catch(() => ({ data: [] }))).data ?? [];
      one("#lookup-services").replaceChildren(...services.map((value) => h("option", { value })));
    },
    { once: true },
  );
  input.addEventListener("input", () => input.setCustomValidity(""));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text) return;
    if (services.includes(text)) {
      location.assign(href("/search", { service: text }));
    } else if (/^[0-9a-f]{1,32}$/i.test(text)) {
      location.assign(href(`/trace/${text.toLowerCase()}`));
    } else {
      input.setCustomValidity("A trace ID has up to 32 hexadecimal digits; a service has to be known here");
      form.reportValidity();
    }
  });
}

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
    { class: "keys", "aria-label": "Keyboard shortcuts" },
    h("h2", {}, "Keyboard shortcuts"),
    h("dl", {}, ...KEYS.flatMap(([keys, action]) => [h("dt", {}, h("kbd", {}, keys)), h("dd", {}, action)])),
    h("form", { method: "dialog" }, h("button", { class: "button" }, "Close")),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
