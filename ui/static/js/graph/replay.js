/** Replay: the graph at each moment of the chosen range, with the configuration of that moment. */

import { get, Latest } from "../lib/api.js";
import { h, icon } from "../lib/dom.js";
import { localTime } from "../lib/format.js";
import { strip } from "../lib/health.js";
import { t } from "../lib/texts.js";
import { healthOf } from "./model.js";

/** @typedef {import("../lib/health.js").Health} Health @typedef {{start: number, end: number}} Period seconds since 1970 */

const MOST_FRAMES = 60;
const LEAST_STEP_S = 15; // proxies tell their metrics no oftener
const LEAST_WINDOW_S = 60; // a rate needs two samples
const SPEEDS = /** @type {const} */ ([3000, 1500, 700]); // milliseconds for a frame
const ORDER = ["failure", "degraded", "healthy", "idle"];
const ICONS = { play: "M4.5 3v10l8-5z", pause: "M4.5 3v10M11.5 3v10", back: "M11 3 5 8l6 5zM3.5 3v10", on: "m5 3 6 5-6 5zM12.5 3v10" };

/** Moments of a range, the last at its end. @param {Period} period @returns {{frames: number[], step: number}} seconds */
export function framesOf({ start, end }) {
  const step = Math.max(Math.ceil((end - start) / MOST_FRAMES), LEAST_STEP_S);
  const count = Math.max(Math.floor((end - start) / step), 1);
  return { frames: Array.from({ length: count }, (_, place) => Math.round(end) - (count - 1 - place) * step), step };
}

/** How much of the past a frame shows. @param {number} step seconds */
export function windowOf(step) {
  return Math.max(step, LEAST_WINDOW_S);
}

/** The frame nearest to a moment. @param {number[]} frames @param {number} at */
export function nearest(frames, at) {
  return frames.reduce((best, frame, place) => (Math.abs(frame - at) < Math.abs(frames[best] - at) ? place : best), 0);
}

/** The worst of all namespaces at each step. @param {any} answer of `/health` @returns {Health[]} */
export function worstOf(answer) {
  const histories = answer.namespaces.map((/** @type {any} */ each) => each.history.map(healthOf));
  const length = Math.max(0, ...histories.map((/** @type {Health[]} */ each) => each.length));
  return Array.from({ length }, (_, place) => /** @type {Health} */ (ORDER.find((state) => histories.some((/** @type {Health[]} */ each) => each[place] === state)) ?? "idle"));
}

/**
 * @param {HTMLElement} place
 * @param {{moved: (at: number) => Promise<void>, closed: () => void}} actions moved: show this moment; closed: live again
 */
export function replayBar(place, actions) {
  const loads = new Latest();
  const slider = h("input", { type: "range", min: 0, "aria-label": t("Moment"), on: { input: () => seek(Number(slider.value)) } });
  const said = h("output", { class: "replay-time" });
  const health = h("div", { class: "replay-health" });
  const play = tool(t("Play"), ICONS.play, () => (playing ? pause() : start()));
  const speed = h("select", { "aria-label": t("Speed") }, h("option", { value: SPEEDS[0] }, t("Slow")), h("option", { value: SPEEDS[1] }, t("Medium")), h("option", { value: SPEEDS[2] }, t("Fast")));
  speed.value = String(SPEEDS[1]);
  place.replaceChildren(
    tool(t("Step back"), ICONS.back, () => step(-1)),
    play,
    tool(t("Step on"), ICONS.on, () => step(1)),
    h("div", { class: "replay-track" }, health, slider),
    said,
    speed,
    h("button", { class: "button", type: "button", on: { click: close } }, t("Back to now")),
  );
  /** @type {number[]} */
  let frames = [];
  let now = 0;
  let playing = false;
  let timer = 0;

  /** @param {Period} period @param {number} at */
  async function open(period, at) {
    const found = framesOf(period);
    frames = found.frames;
    now = nearest(frames, at);
    slider.max = String(frames.length - 1);
    place.hidden = false;
    tell();
    // The strip is a help to find the moment: without it the slider works.
    const answer = await loads.run((signal) => get("/api/vigla/v1/health", { start: frames[0], end: frames[frames.length - 1], step: `${found.step}s`, kinds: "app", window: `${windowOf(found.step)}s` }, signal)).catch(() => undefined);
    const history = answer ? worstOf(answer) : [];
    health.replaceChildren(...(history.length ? [strip(history, t("Health of the mesh"))] : []));
  }

  function tell() {
    slider.value = String(now);
    said.textContent = localTime(frames[now] * 1e6);
    slider.setAttribute("aria-valuetext", said.textContent ?? "");
  }

  /** @param {number} frame */
  async function seek(frame) {
    now = Math.min(Math.max(frame, 0), frames.length - 1);
    tell();
    await actions.moved(frames[now]);
  }

  /** @param {number} by */
  function step(by) {
    pause();
    seek(now + by);
  }

  function start() {
    playing = true;
    show();
    if (now === frames.length - 1) now = -1;
    next();
  }

  async function next() {
    const began = performance.now();
    await seek(now + 1);
    if (!playing) return;
    if (now === frames.length - 1) return pause();
    timer = setTimeout(next, Math.max(Number(speed.value) - (performance.now() - began), 0));
  }

  function pause() {
    playing = false;
    clearTimeout(timer);
    show();
  }

  function show() {
    const label = playing ? t("Pause") : t("Play");
    play.setAttribute("aria-label", label);
    play.title = label;
    play.replaceChildren(icon(playing ? ICONS.pause : ICONS.play));
  }

  function close() {
    pause();
    place.hidden = true;
    actions.closed();
  }

  return { open, hide: () => (pause(), (place.hidden = true)) };
}

/** @param {string} label @param {string} path @param {() => void} act */
function tool(label, path, act) {
  return h("button", { class: "tool", type: "button", "aria-label": label, title: label, on: { click: act } }, icon(path));
}
