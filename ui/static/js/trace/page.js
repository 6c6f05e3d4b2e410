/** The trace page: address -> trace -> header, minimap, rows. */

import { onNavigate } from "../lib/address.js";
import { ApiError, get } from "../lib/api.js";
import { serviceClass } from "../lib/colours.js";
import { h, middle, one } from "../lib/dom.js";
import { emptyState, showError, showWarnings, skeleton } from "../lib/states.js";
import { t } from "../lib/texts.js";
import { criticalPath } from "./criticalpath.js";
import { showDecisions } from "./decisions.js";
import { findSpans } from "./find.js";
import { showHeader } from "./header.js";
import { handleKeys } from "./keys.js";
import { minimap } from "./minimap.js";
import { buildTrace } from "./model.js";
import { readState, writeState } from "./state.js";
import { timeline } from "./timeline.js";
import { loadUsual, usualKey } from "./usual.js";
import { traceViews } from "./views.js";
import { ancestors, collapsible, visibleRows } from "./visible.js";

const frame = one("[data-trace]");
const notice = one("[data-notice]");
const place = one("[data-timeline]");

load();

async function load() {
  place.replaceChildren(skeleton(12, "skeleton-span"));
  try {
    const answer = await get(`/api/traces/${encodeURIComponent(frame.dataset.trace)}`);
    notice.replaceChildren();
    view(buildTrace(answer.data[0]));
  } catch (error) {
    place.replaceChildren();
    frame.classList.add("failed");
    if (error instanceof ApiError && error.status === 404) place.replaceChildren(notFound());
    else showError(notice, t("The trace could not be loaded."), error, load);
  }
}

function notFound() {
  return emptyState(
    t("Trace not found"),
    h("p", {}, t("There is no trace with this ID. It may not have arrived yet, may be older than what is kept, or was not sampled.")),
    h("p", {}, h("button", { class: "button primary", type: "button", on: { click: load } }, t("Try again"))),
  );
}

/** @param {import("./model.js").Trace} trace */
function view(trace) {
  frame.classList.remove("failed");
  const foldable = collapsible(trace);
  const critical = criticalPath(trace);
  const none = new Map();
  let state = restore();
  state.find ||= one("[data-find]").value.trim(); // typed while the trace was on its way
  /** @type {number[]} */
  let matches = [];
  /** @type {number[]} */
  let rows = [];

  showHeader(trace);
  showWarnings(notice, trace.warnings);
  showDecisions(one("[data-decisions]"), trace);
  const map = minimap(one("[data-minimap]"), trace, (zoom) => update({ zoom }, "push"));
  const lines = timeline(place, { select, toggle, fold });
  const find = findControl();
  /** @type {Map<string, import("./usual.js").Known>} empty until it is known */
  let known = new Map();
  const usual = (/** @type {import("./model.js").Span} */ span) => known.get(usualKey(span.service, span.name));
  const views = traceViews(trace, usual, draw);
  controls();
  handleKeys(lines.body, { move, fold: foldSelected, toggle: () => toggleSelected(), match: find.step });
  onNavigate(() => {
    state = restore();
    views.draw();
  });
  views.draw();
  compareWithUsual();
  if (state.selected) lines.reveal(indexOf(state.selected));

  /** Marks come later than the rows; a failure costs only them. */
  async function compareWithUsual() {
    try {
      known = await loadUsual(trace);
    } catch (error) {
      if (error instanceof ApiError) return;
      throw error;
    }
    views.draw();
  }

  function restore() {
    const read = readState();
    return { ...read, collapsed: read.collapsed.has("*") ? new Set(foldable) : read.collapsed };
  }

  /** @param {Partial<import("./state.js").ViewState>} changes @param {"push" | "replace"} mode */
  function update(changes, mode) {
    state = { ...state, ...changes };
    writeState(state, mode, foldable.length);
    draw();
  }

  function draw() {
    matches = findSpans(trace, state.find);
    rows = visibleRows(trace, state.collapsed, state.services);
    const zoom = state.zoom ?? { start: 0, end: Math.max(trace.duration, 1) };
    map.show(state.zoom);
    one("[data-unzoom]").hidden = state.zoom === null;
    one("[data-critical]").checked = state.critical;
    listServices();
    find.show();
    lines.show({ trace, zoom, critical: state.critical ? critical : none, collapsed: state.collapsed, open: state.open, usual, matches: new Set(matches), selected: state.selected }, rows);
  }

  /** @param {string} key @returns {number} -1 when there is none */
  function indexOf(key) {
    return trace.spans.findIndex((span) => span.key === key);
  }

  /** @param {number} index */
  function select(index) {
    // A span below a collapsed one has to be shown to be selected.
    const collapsed = new Set(state.collapsed);
    for (const above of ancestors(trace, index)) collapsed.delete(trace.spans[above].key);
    update({ selected: trace.spans[index].key, collapsed }, "replace");
    lines.reveal(index);
  }

  /** @param {number} index */
  function toggle(index) {
    const { key } = trace.spans[index];
    const open = new Set(state.open);
    if (!open.delete(key)) open.add(key);
    update({ selected: key, open }, "replace");
    lines.focus();
  }

  /** @param {number} index */
  function fold(index) {
    const { key } = trace.spans[index];
    const collapsed = new Set(state.collapsed);
    if (!collapsed.delete(key)) collapsed.add(key);
    update({ collapsed }, "replace");
  }

  /** @param {number} by rows */
  function move(by) {
    const at = rows.indexOf(indexOf(state.selected));
    const next = at < 0 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1);
    if (rows.length) select(rows[next]);
  }

  /** Left collapses, then goes to the parent; right expands, then goes to the first child. @param {boolean} expand */
  function foldSelected(expand) {
    const span = trace.spans[indexOf(state.selected)];
    if (!span) return;
    const collapsed = state.collapsed.has(span.key);
    if (span.children.length && collapsed === expand) fold(span.index);
    else if (expand && span.children.length) select(span.children[0]);
    else if (!expand && span.parent !== -1) select(span.parent);
  }

  function toggleSelected() {
    const index = indexOf(state.selected);
    if (index >= 0) toggle(index);
  }

  function controls() {
    one("[data-expand]").addEventListener("click", () => update({ collapsed: new Set() }, "push"));
    one("[data-collapse]").addEventListener("click", () => update({ collapsed: new Set(foldable) }, "push"));
    one("[data-unzoom]").addEventListener("click", () => update({ zoom: null }, "push"));
    one("[data-critical]").addEventListener("change", (/** @type {any} */ event) => update({ critical: event.target.checked }, "replace"));
  }

  function listServices() {
    const menu = one("[data-services-list]");
    one("[data-services] summary").textContent = state.services.size ? t("Services: {n} of {all}", { n: state.services.size, all: trace.services.length }) : t("Services");
    if (menu.childElementCount === trace.services.length) {
      for (const box of menu.querySelectorAll("input")) box.checked = state.services.has(box.value);
      return;
    }
    menu.replaceChildren(
      ...trace.services.map(({ name, spans }) => {
        const box = h("input", { type: "checkbox", value: name });
        box.checked = state.services.has(name);
        box.addEventListener("change", () => {
          const chosen = new Set(state.services);
          if (box.checked) chosen.add(name);
          else chosen.delete(name);
          update({ services: chosen }, "push");
        });
        return h("label", { class: `check ${serviceClass(name)}` }, box, h("span", { class: "chip" }, middle(name || t("(no service)"))), h("span", { class: "muted" }, String(spans)));
      }),
    );
  }

  function findControl() {
    const input = one("[data-find]");
    input.addEventListener("input", () => update({ find: input.value.trim() }, "replace"));
    input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter") step(event.shiftKey ? -1 : 1);
    });
    one("[data-find-prev]").addEventListener("click", () => step(-1));
    one("[data-find-next]").addEventListener("click", () => step(1));

    /** @param {number} by */
    function step(by) {
      if (!matches.length) return;
      const at = matches.indexOf(indexOf(state.selected));
      select(matches[at < 0 ? (by > 0 ? 0 : matches.length - 1) : (at + by + matches.length) % matches.length]);
    }

    function show() {
      if (document.activeElement !== input) input.value = state.find;
      const at = matches.indexOf(indexOf(state.selected));
      one("[data-find-count]").textContent = state.find ? (at >= 0 ? `${at + 1} of ${matches.length}` : t("{n} found", { n: matches.length })) : "";
      for (const button of [one("[data-find-prev]"), one("[data-find-next]")]) button.disabled = matches.length === 0;
    }

    return { step, show };
  }
}
