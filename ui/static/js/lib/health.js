/** States of health: a mark in words beside its icon, and a strip of how it was. */

import { h, icon, s } from "./dom.js";
import { t } from "./texts.js";

/** @typedef {"healthy" | "degraded" | "failure" | "idle"} Health */

const ICONS = { healthy: "m3.5 8.5 3 3 6-7", degraded: "M8 2.2 14.5 13.5h-13zM8 6.5v3.2M8 11.6h.01", failure: "m4.5 4.5 7 7M11.5 4.5l-7 7", idle: "M3.5 8h9" };

/** @param {Health} state */
export function words(state) {
  switch (state) {
    case "healthy":
      return t("healthy");
    case "degraded":
      return t("degraded");
    case "failure":
      return t("failing");
    case "idle":
      return t("without requests");
  }
}

/** @param {Health} state */
export function healthMark(state) {
  return h("span", { class: `state-mark ${state}` }, icon(ICONS[state]), words(state));
}

/** Runs of the same state. @param {Health[]} history @returns {{health: Health, from: number, length: number}[]} */
export function runs(history) {
  /** @type {{health: Health, from: number, length: number}[]} */
  const found = [];
  for (const [i, health] of history.entries()) {
    const last = found.at(-1);
    if (last?.health === health) last.length += 1;
    else found.push({ health, from: i, length: 1 });
  }
  return found;
}

/** @param {Health[]} history oldest first @param {string} label */
export function strip(history, label) {
  const bad = history.filter((state) => state === "failure" || state === "degraded").length;
  const said = bad ? t("{label}: {percent} % of the time degraded or failing", { label, percent: Math.round((100 * bad) / history.length) }) : t("{label}: always well", { label });
  return s(
    "svg",
    { class: "strip", viewBox: `0 0 ${history.length} 10`, preserveAspectRatio: "none", role: "img", "aria-label": said },
    s("title", {}, said),
    ...runs(history).map(({ health: state, from, length }) => s("rect", { class: state, x: from, y: state === "idle" ? 4 : 0, width: length, height: state === "idle" ? 2 : 10 })),
  );
}
