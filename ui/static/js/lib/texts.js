/** Texts of the pages. English is the key; what a catalogue of another language lacks is shown in English. */

/** @type {Record<string, string>} */
const catalogue = await loaded(globalThis.document?.documentElement.lang ?? "en");

/** Waits, so that a module which imports this one never shows a text too early. @param {string} language */
async function loaded(language) {
  if (language === "en") return {};
  const answer = await fetch(new URL(`../../texts/${language}.json`, import.meta.url));
  return answer.ok ? answer.json() : {};
}

/**
 * A text in the reader's language.
 * @param {string} text English, a literal where it is called: `"{count} rows of {table}"`
 * @param {Record<string, string | number>} [values] what stands for the names in braces; never translated
 */
export function t(text, values = {}) {
  return (catalogue[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/**
 * A number of things: `count(2, "node")` is "2 nodes", or what the catalogue has for "{n} nodes".
 * @param {number} value @param {string} one @param {string} [many]
 */
export function count(value, one, many = `${one}s`) {
  const n = value.toLocaleString("en");
  return value === 1 && !(`{n} ${many}` in catalogue) ? `${n} ${one}` : t(`{n} ${many}`, { n });
}
