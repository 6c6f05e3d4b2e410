/** Finding text in a trace: services, names, ids, attributes, events. */

/** @typedef {import("./model.js").Span} Span */

/**
 * @param {import("./model.js").Trace} trace
 * @param {string} text all its words have to occur in a span
 * @returns {number[]} indices in order of rows
 */
export function findSpans({ spans, order }, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  return order.filter((index) => {
    const content = searchable(spans[index]);
    return words.every((word) => content.includes(word));
  });
}

/** @type {WeakMap<Span, string>} */
const texts = new WeakMap();

/** @param {Span} span */
function searchable(span) {
  let text = texts.get(span);
  if (text === undefined) {
    const tags = [...span.tags, ...span.process, ...span.events.flatMap((event) => event.fields)];
    // Joined by a character that nobody types, so that no match spans two fields.
    text = [span.service, span.name, span.id, ...span.warnings, ...tags.map(({ key, value }) => `${key}=${value}`)].join("\u0001").toLowerCase();
    texts.set(span, text);
  }
  return text;
}
