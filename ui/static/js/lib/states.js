/** What a view shows when it has no data: loading, empty, failed. */

import { ApiError } from "./api.js";
import { h, icon } from "./dom.js";
import { t } from "./texts.js";

const WARNING = "M8 2.2 14.5 13.5h-13zM8 6.5v3.2M8 11.6h.01";

/**
 * A bar above the data; data that was there before stays.
 * @param {HTMLElement} place @param {string} what what failed @param {unknown} error @param {() => void} retry
 */
export function showError(place, what, error, retry) {
  if (!(error instanceof ApiError)) throw error; // a defect of ours, not of the server
  place.replaceChildren(
    h(
      "div",
      { class: "notice failure", role: "alert" },
      icon(WARNING),
      h("div", {}, h("strong", {}, what), " ", h("span", {}, error.message)),
      h("button", { class: "button", type: "button", on: { click: retry } }, t("Try again")),
    ),
  );
}

/** @param {HTMLElement} place @param {string[]} lines warnings to the reader of the data */
export function showWarnings(place, lines) {
  place.replaceChildren(
    ...lines.map((line) => h("div", { class: "notice warning", role: "status" }, icon(WARNING), h("div", {}, line))),
  );
}

/** @param {string} title @param {...(Node | string)} body */
export function emptyState(title, ...body) {
  return h("section", { class: "state" }, h("h2", {}, title), ...body);
}

/** How to send the first trace. */
export function sendTraces() {
  const host = location.hostname.includes(":") ? `[${location.hostname}]` : location.hostname;
  const lines = `export OTEL_EXPORTER_OTLP_ENDPOINT=http://${host}:4318\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`;
  return emptyState(
    t("No traces yet"),
    h("p", {}, t("Point an OpenTelemetry SDK, agent or collector at this server. Traces show here within a second or two.")),
    snippet(t("OTLP over HTTP"), lines),
    snippet(t("OTLP over gRPC"), `export OTEL_EXPORTER_OTLP_ENDPOINT=http://${host}:4317\nexport OTEL_EXPORTER_OTLP_PROTOCOL=grpc`),
    snippet(t("Or run the demo"), "vigla demo"),
  );
}

/** @param {string} label @param {string} text */
function snippet(label, text) {
  return h("figure", { class: "snippet" }, h("figcaption", {}, label), h("pre", {}, h("code", {}, text)), copyButton(() => text));
}

/** @param {() => string} text read when clicked @param {string} [label] */
export function copyButton(text, label = t("Copy")) {
  const button = h("button", { class: "button quiet copy", type: "button" }, label);
  button.addEventListener("click", async () => {
    const done = await copy(text());
    button.textContent = done ? t("Copied") : t("Select and copy by hand");
    setTimeout(() => (button.textContent = label), 1500);
  });
  return button;
}

/** @param {string} text @returns {Promise<boolean>} false where the browser does not allow it (plain HTTP) */
async function copy(text) {
  if (!navigator.clipboard) return false;
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** @param {number} rows @param {string} kind class of a row */
export function skeleton(rows, kind) {
  return h(
    "div",
    { class: "skeleton", role: "status", "aria-busy": "true", "aria-label": t("Loading") },
    ...Array.from({ length: rows }, () => h("div", { class: kind }, h("span"), h("span"))),
  );
}
