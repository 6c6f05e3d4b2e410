/** Loading again after a while, as long as the page is in sight. */

/**
 * @param {() => unknown} load @param {() => number} every milliseconds; 0: not by itself
 * @returns {() => void} to be called after each load, and when `every` changed
 */
export function refresher(load, every) {
  let timer = 0;
  function schedule() {
    clearTimeout(timer);
    const wait = every();
    if (wait > 0 && !document.hidden) timer = setTimeout(load, wait);
  }
  document.addEventListener("visibilitychange", schedule);
  return schedule;
}
