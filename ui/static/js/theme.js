// A classic script in <head>, not a module: it has to run before the first paint.
(() => {
  const stored = localStorage.getItem("vigla.theme");
  if (stored === "light" || stored === "dark") {
    document.documentElement.dataset.theme = stored;
  }
  if (localStorage.getItem("vigla.rail") === "folded") {
    document.documentElement.dataset.rail = "folded";
  }
})();
