/** The comparison page: address -> two traces -> one table of their differences. */

import { change, href, onNavigate, params } from "../lib/address.js";
import { get, Latest } from "../lib/api.js";
import { serviceClass } from "../lib/colours.js";
import { h, middle, one } from "../lib/dom.js";
import { count, duration, exactDuration, significant } from "../lib/format.js";
import { emptyState, showError, skeleton } from "../lib/states.js";
import { t } from "../lib/texts.js";
import { buildTrace } from "../trace/model.js";
import { diffTraces } from "./diff.js";

/** @typedef {import("../trace/model.js").Trace} Trace @typedef {import("./diff.js").Line} Line */

const MARKS = { added: "+", removed: "−", more: "▲", fewer: "▼", same: "=" };
const WORDS = { added: t("only in B"), removed: t("only in A"), more: t("more in B"), fewer: t("fewer in B"), same: t("same") };
const NOTABLE = 0.1; // change of a duration that has a colour

const notice = one("[data-notice]");
const place = one("[data-diff]");
const form = one("[data-pair]");
const loads = new Latest();

form.addEventListener("submit", (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  change({ a: form.elements.a.value.trim(), b: form.elements.b.value.trim() }, "push");
  load();
});
one("[data-swap]").addEventListener("click", () => {
  change({ a: params().get("b"), b: params().get("a") }, "push");
  load();
});
one("[data-changed]").addEventListener("change", (/** @type {any} */ event) => {
  change({ changed: event.target.checked ? "on" : null }, "replace");
  load();
});
onNavigate(load);
load();

async function load() {
  const query = params();
  const [a, b] = [query.get("a") ?? "", query.get("b") ?? ""];
  form.elements.a.value = a;
  form.elements.b.value = b;
  one("[data-changed]").checked = query.get("changed") === "on";
  if (!a || !b) {
    notice.replaceChildren();
    one("[data-sum]").replaceChildren();
    place.replaceChildren(emptyState(t("Choose two traces"), h("p", {}, t("Mark two traces in the "), h("a", { href: href("/search") }, t("search")), t(", or paste their IDs above."))));
    return;
  }
  if (!place.childElementCount) place.replaceChildren(skeleton(8, "skeleton-span"));
  try {
    const traces = await loads.run((signal) => Promise.all([a, b].map((id) => get(`/api/traces/${encodeURIComponent(id)}`, {}, signal))));
    if (traces === undefined) return;
    notice.replaceChildren();
    const [left, right] = traces.map(({ data }) => buildTrace(data[0]));
    show(left, right, query.get("changed") === "on");
  } catch (error) {
    place.replaceChildren();
    one("[data-sum]").replaceChildren();
    showError(notice, t("The traces could not be compared."), error, load);
  }
}

/** @param {Trace} a @param {Trace} b @param {boolean} changed only what differs */
function show(a, b, changed) {
  const lines = diffTraces(a, b);
  const shown = changed ? lines.filter((line) => line.change !== "same") : lines;
  const sums = Object.entries(WORDS).map(([kind, word]) => `${lines.filter((line) => line.change === kind).length} ${word}`);
  one("[data-sum]").replaceChildren(facts("A", a), " · ", facts("B", b), h("br"), h("span", { class: "muted" }, t("Paths: {list}", { list: sums.join(", ") })));
  const headings = [t("Service and operation"), t("Change"), t("Spans A"), t("Spans B"), t("Average A"), t("Average B"), t("B against A")];
  place.replaceChildren(
    h(
      "table",
      { class: "stats" },
      h("thead", {}, h("tr", {}, ...headings.map((text, at) => h("th", { scope: "col", class: at > 1 ? "number" : null }, h("span", { class: "head" }, text))))),
      h("tbody", {}, ...shown.map(row)),
    ),
  );
}

/** @param {string} letter @param {Trace} trace */
function facts(letter, trace) {
  return h("span", {}, h("strong", {}, `${letter} `), h("a", { href: href(`/trace/${encodeURIComponent(trace.id)}`) }, trace.id.slice(0, 7)), ` ${duration(trace.duration)}, ${count(trace.spans.length, "span")}, ${count(trace.errors, "error")}`);
}

/** @param {Line} line */
function row(line) {
  const { a, b } = line;
  return h(
    "tr",
    { class: `diff-${line.change}` },
    h("th", { scope: "row", "aria-level": line.depth + 1, class: `diff-name of-service ${serviceClass(line.service)}` },
      h("span", { class: "diff-indent", style: { "--depth": String(line.depth) } }), middle(line.service || t("(no service)")), " ", middle(line.name || t("(no name)"), "muted")),
    h("td", {}, h("span", { class: "diff-mark", "aria-hidden": "true" }, MARKS[line.change]), h("span", { class: "diff-word" }, WORDS[line.change])),
    h("td", { class: "number" }, a ? String(a.count) : "–"),
    h("td", { class: "number" }, b ? String(b.count) : "–"),
    average(a),
    average(b),
    ratio(line.ratio),
  );
}

/** @param {import("../trace/paths.js").PathNode | null} node */
function average(node) {
  return node ? h("td", { class: "number", title: exactDuration(node.total / node.count) }, duration(node.total / node.count)) : h("td", { class: "number" }, "–");
}

/** @param {number | null} ratio */
function ratio(ratio) {
  if (ratio === null) return h("td", { class: "number" }, "–");
  const percent = significant(Math.abs(ratio - 1) * 100);
  const notable = Math.abs(ratio - 1) > NOTABLE;
  if (percent === "0") return h("td", { class: "number" }, t("as long"));
  const word = ratio > 1 ? "slower" : "faster";
  return h("td", { class: `number ${notable ? `took-${word}` : ""}` }, `${percent} % ${word}`);
}
