/** Views of a trace beside the timeline, each with its own address (`view=`). */

import { change, href, params } from "../lib/address.js";
import { one } from "../lib/dom.js";
import { flameGraph } from "./flame.js";
import { statisticsTable } from "./statisticstable.js";

/**
 * @param {import("./model.js").Trace} trace
 * @param {(span: import("./model.js").Span) => import("./statistics.js").Usual | undefined} usual
 * @param {() => void} onTimeline called after the timeline came back into sight
 */
export function traceViews(trace, usual, onTimeline) {
  const frame = one("[data-trace]");
  /** @type {Record<string, {place: HTMLElement, made?: {draw: () => void}, make?: (place: HTMLElement) => {draw: () => void}}>} */
  const views = {
    timeline: { place: one("[data-timeline]"), made: { draw: onTimeline } },
    flame: { place: one("[data-flame]"), make: (place) => flameGraph(place, trace) },
    statistics: { place: one("[data-statistics]"), make: (place) => statisticsTable(place, trace, usual) },
  };
  for (const button of frame.querySelectorAll("[data-view-button]")) {
    button.addEventListener("click", () => {
      const name = button.dataset.viewButton;
      change({ view: name === "timeline" ? null : name }, "push");
      draw();
    });
  }
  one("[data-compare]").addEventListener("submit", (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const other = one("[data-compare] input").value.trim();
    if (other) location.assign(href("/traces/compare", { a: trace.id, b: other }));
  });

  for (const button of frame.querySelectorAll(".trace-views button")) button.disabled = false; // the trace is there

  function draw() {
    const asked = params().get("view") ?? "";
    const name = Object.hasOwn(views, asked) ? asked : "timeline";
    frame.dataset.view = name;
    for (const [key, { place }] of Object.entries(views)) place.hidden = key !== name;
    for (const button of frame.querySelectorAll("[data-view-button]")) button.setAttribute("aria-pressed", String(button.dataset.viewButton === name));
    const view = views[name];
    view.made ??= view.make?.(view.place);
    view.made?.draw();
  }

  return { draw };
}
