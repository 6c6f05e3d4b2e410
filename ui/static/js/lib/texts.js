/** Texts of the pages. English is the key; what a catalogue of another language lacks is shown in English. */

/** @type {Record<string, string>} */
const catalogue = {};

/**
 * A text in the reader's language.
 * @param {string} text English, a literal where it is called: `"{count} rows of {table}"`
 * @param {Record<string, string | number>} [values] what stands for the names in braces; never translated
 */
export function t(text, values = {}) {
  return (catalogue[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
