/** The heatmap of all spans that match: time, duration (logarithmic), darker where there are more, and where they usually are. */

import { h, s } from "../lib/dom.js";
import { count, duration, localTime } from "../lib/format.js";
import { t } from "../lib/texts.js";
import { axesOf, frame, MARGIN, roomOf, showTip } from "./axes.js";
import { brush } from "./brush.js";
import { darkness } from "./cells.js";

const CELL = 12; // pixels
const LEGEND = 28; // pixels
const DAY_S = 86_400;

/** @typedef {import("./axes.js").Axes} Axes @typedef {import("./brush.js").Area} Area @typedef {import("./cells.js").Cell} Cell @typedef {import("./cells.js").Heat} Heat */

/** @param {HTMLElement} place @param {(area: Area) => void} choose called with a cell or what was dragged over */
export function heatmap(place, choose) {
  /** @type {Heat | null} */
  let heat = null;
  let dragging = false;
  new ResizeObserver(() => draw(heat)).observe(place);

  /** How many columns there is room for. */
  function columns() {
    return Math.min(Math.max(Math.floor((roomOf(place).width - MARGIN.left - MARGIN.right) / CELL), 10), 240);
  }

  /** @param {Heat | null} shown null: nothing */
  function draw(shown) {
    heat = shown;
    if (dragging) return;
    if (!heat?.cells.length) return place.replaceChildren();
    const room = roomOf(place);
    const [width, height] = [room.width, room.height - LEGEND];
    if (width <= 0) return;
    const axes = axesOf(heat.extent, width, height);
    const { most } = heat;
    const tip = h("div", { class: "scatter-tip", hidden: true });
    const svg = s(
      "svg",
      { role: "img", "aria-label": t("{spans} by time and duration, most of them in one cell: {most}", { spans: count(heat.spans, "span"), most }) },
      ...frame(axes),
      s("rect", { class: "surface", x: MARGIN.left, y: 0, width: width - MARGIN.left, height: height - MARGIN.bottom }),
      ...heat.cells.map((cell) => drawn(cell, axes, most, tip)),
      ...heat.usual.flatMap((part) => [usual(part, part.low, axes), usual(part, part.high, axes)]),
    );
    brush(svg, axes, { area: () => true, picked: choose, during });
    place.replaceChildren(svg, tip, legend(heat));
  }

  /** @param {boolean} now */
  function during(now) {
    dragging = now;
    if (!dragging) draw(heat);
  }

  /** @param {Cell} cell @param {Axes} axes @param {number} most @param {HTMLElement} tip */
  function drawn(cell, axes, most, tip) {
    const [x, y] = [axes.x(cell.start), axes.y(cell.high)];
    const [width, height] = [Math.max(axes.x(cell.end) - x - 1, 1), Math.max(axes.y(cell.low) - y - 1, 1)];
    const failed = cell.errors && s("rect", { class: "failed", x, y: y + height - 2, width: Math.max((width * cell.errors) / cell.spans, 2), height: 2 });
    return s(
      "g",
      {
        class: "cell",
        on: {
          click: () => choose(cell),
          pointerenter: () => {
            describe(tip, cell);
            showTip(tip, x, y, place.clientWidth);
          },
          pointerleave: () => {
            tip.hidden = true;
          },
        },
      },
      s("rect", { class: "heat", x, y, width, height, "fill-opacity": darkness(cell.spans, most).toFixed(2) }),
      ...(failed ? [failed] : []),
    );
  }

  return { columns, draw };
}

/** A bound of where spans were earlier. @param {import("./cells.js").Part} part @param {number} took @param {Axes} axes */
function usual(part, took, axes) {
  return s("line", { class: "usual", x1: axes.x(part.start), x2: axes.x(part.end), y1: axes.y(took), y2: axes.y(took) });
}

/** @param {Heat} heat */
function legend({ most, usual: parts, ago }) {
  return h(
    "div",
    { class: "heat-legend", "aria-hidden": "true" },
    h("span", {}, "1"),
    h("i", { class: "ramp" }),
    h("span", {}, count(most, "span")),
    h("span", { class: "heat-failed" }, h("i"), t("failed")),
    parts.length > 0 && h("span", { class: "heat-usual" }, h("i"), ago > DAY_S ? t("nine of ten lay between, a week earlier") : t("nine of ten lay between, a day earlier")),
  );
}

/** @param {HTMLElement} tip @param {Cell} cell */
function describe(tip, cell) {
  tip.replaceChildren(
    h("strong", {}, `${count(cell.spans, "span")}${cell.errors ? `, ${t("{n} failed", { n: cell.errors })}` : ""}`),
    h("div", { class: "muted" }, t("{low} to {high}", { low: duration(cell.low), high: duration(cell.high) })),
    h("div", { class: "muted" }, t("{time}, for {length}", { time: localTime(cell.start), length: duration(cell.end - cell.start) })),
  );
}
