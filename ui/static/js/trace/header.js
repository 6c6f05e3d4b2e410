/** The facts at the head of a trace. */

import { href } from "../lib/address.js";
import { h, middle, one } from "../lib/dom.js";
import { count, duration, exactDuration, utc, when } from "../lib/format.js";
import { copyButton } from "../lib/states.js";
import { t } from "../lib/texts.js";

/** @param {import("./model.js").Trace} trace */
export function showHeader(trace) {
  const root = trace.roots.length ? trace.spans[trace.roots[0]] : null;
  if (root) {
    one("[data-root]").replaceChildren(
      h("a", { class: "root-service", href: href("/search", { service: root.service }), title: t("Search this service") }, middle(root.service || t("(no service)"))),
      " ",
      middle(root.name || t("(no name)"), "root-name"),
    );
    document.title = `${root.service}: ${root.name} - vigla`;
  }
  one("[data-id]").replaceChildren(h("span", { class: "trace-id-text" }, trace.id));
  one("[data-id]").append(copyButton(() => trace.id));
  const depth = trace.spans.reduce((deepest, span) => Math.max(deepest, span.depth + 1), 0);
  const facts = [
    fact(t("Duration"), duration(trace.duration), exactDuration(trace.duration)),
    fact(t("Spans"), trace.spans.length.toLocaleString("en")),
    fact(t("Services"), String(trace.services.length)),
    fact(t("Depth"), String(depth)),
    fact(t("Errors"), String(trace.errors), trace.errors ? t("{spans} failed", { spans: count(trace.errors, "span") }) : t("No span failed"), trace.errors > 0),
    fact(t("Start"), when(trace.start, Date.now()), utc(trace.start)),
  ];
  one("[data-facts]").replaceChildren(...facts);
}

/** @param {string} name @param {string} text @param {string} [exact] @param {boolean} [failed] */
function fact(name, text, exact, failed = false) {
  return h("div", { class: failed ? "failed" : null }, h("dt", {}, name), h("dd", { title: exact }, text));
}
