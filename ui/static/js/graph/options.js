/** How the graph is drawn, and views that are kept under a name. */

import { base, change, params } from "../lib/address.js";
import { h } from "../lib/dom.js";
import { t } from "../lib/texts.js";
import { GROUPINGS } from "./groups.js";

/** @typedef {import("./layout.js").Arrangement} Arrangement @typedef {{name: string, query: string}} View */

const VIEWS = "vigla.graph.views";
const MOST = 50;
const ARRANGEMENTS = /** @type {const} */ (["LR", "TB", "circle"]);
const MOVING = ["node", "edge", "replay", "start", "end"]; // of one visit, not of a view

/** @returns {View[]} in order of names */
export function views() {
  try {
    const found = JSON.parse(localStorage.getItem(VIEWS) ?? "[]");
    return Array.isArray(found) ? found.filter((each) => typeof each?.name === "string" && typeof each?.query === "string") : [];
  } catch {
    return []; // what another program wrote there
  }
}

/** @param {View[]} all */
function keep(all) {
  localStorage.setItem(VIEWS, JSON.stringify(all.sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, MOST)));
}

/** What of an address makes a view. @param {URLSearchParams} query */
export function viewOf(query) {
  const kept = new URLSearchParams(query);
  for (const name of MOVING) kept.delete(name);
  return String(kept);
}

/** @param {HTMLElement} place @param {() => void} changed called when the layout has to be another */
export function optionsMenu(place, changed) {
  const layout = h("select", { "aria-label": t("Layout") }, h("option", { value: "" }, t("As there is room")), h("option", { value: "LR" }, t("Left to right")), h("option", { value: "TB" }, t("Top to bottom")), h("option", { value: "circle" }, t("Circle")));
  const boxes = h("select", { "aria-label": t("Boxes") }, h("option", { value: "" }, t("No boxes")), h("option", { value: "namespace" }, t("Namespaces")), h("option", { value: "app" }, t("Apps with versions")));
  const flow = h("input", { type: "checkbox" });
  const list = h("ul", { class: "graph-views" });
  const name = h("input", { type: "text", maxlength: 60, placeholder: t("Name of this view"), "aria-label": t("Name of this view"), autocomplete: "off" });
  layout.addEventListener("change", () => {
    change({ layout: layout.value || null }, "push");
    changed();
  });
  boxes.addEventListener("change", () => {
    change({ boxes: boxes.value || null }, "push");
    changed();
  });
  flow.addEventListener("change", () => {
    change({ flow: flow.checked ? "1" : null }, "replace");
    show();
  });
  const save = h("form", { class: "graph-view-new", on: { submit: add } }, name, h("button", { class: "button", type: "submit" }, t("Keep")));
  place.append(
    h("div", { class: "graph-menu" }, h("label", {}, t("Layout"), layout), h("label", {}, t("Boxes"), boxes), h("label", { class: "check" }, flow, t("Show calls moving")), h("h3", {}, t("Views")), list, save),
  );

  /** @param {Event} event */
  function add(event) {
    event.preventDefault();
    const text = name.value.trim();
    if (!text) return;
    keep([...views().filter((each) => each.name !== text), { name: text, query: viewOf(params()) }]);
    name.value = "";
    draw();
  }

  function draw() {
    const all = views();
    list.replaceChildren(
      ...all.map((view) =>
        h(
          "li",
          {},
          h("a", { href: `${base}/graph?${view.query}` }, view.name),
          h("button", { class: "tool", type: "button", "aria-label": t("Forget {name}", { name: view.name }), title: t("Forget {name}", { name: view.name }), on: { click: () => (keep(all.filter((each) => each !== view)), draw()) } }, "×"),
        ),
      ),
    );
  }

  /** As the address says. */
  function show() {
    const query = params();
    layout.value = arrangement() ?? "";
    boxes.value = grouping() ?? "";
    flow.checked = query.get("flow") === "1";
    document.querySelector("[data-canvas]")?.classList.toggle("flowing", flow.checked);
    draw();
  }

  /** @returns {Arrangement | null} */
  function arrangement() {
    return ARRANGEMENTS.find((each) => each === params().get("layout")) ?? null;
  }

  /** @returns {import("./groups.js").Grouping | null} */
  function grouping() {
    return GROUPINGS.find((each) => each === params().get("boxes")) ?? null;
  }

  return { show, arrangement, grouping };
}
