// The keyboard: a search, rows, places, and a list of the keys.

const PLACES_WITHIN = 1200;

let went = 0;

function types(event) {
  return event.target.matches("input:not([type=checkbox]), textarea, select") || event.target.isContentEditable;
}

function rows() {
  return [...document.querySelectorAll("tr[data-href]")];
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.hasAttribute("data-at"));
  all[at]?.removeAttribute("data-at");
  const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
  next.setAttribute("data-at", "");
  next.scrollIntoView({ block: "nearest" });
}

function here() {
  return document.querySelector("tr[data-at]");
}

function find() {
  const field = document.querySelector("[data-search], #timeline-find");
  if (field) field.focus();
  else location.href = "/executions";
}

export function takeKeys(changeTheme) {
  const help = document.getElementById("keys");
  document.getElementById("help").addEventListener("click", () => help.showModal());
  const does = {
    "/": find,
    "?": () => help.showModal(),
    j: () => step(1),
    k: () => step(-1),
    x: () => here()?.querySelector("input[type=checkbox]")?.click(),
    Enter: () => {
      if (here() && document.activeElement === document.body) location.href = here().dataset.href;
    },
    t: changeTheme,
    "+": () => document.querySelector('[data-zoom="in"]')?.click(),
    "-": () => document.querySelector('[data-zoom="out"]')?.click(),
    0: () => document.querySelector('[data-zoom="all"]')?.click(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || types(event)) return;
    if (document.querySelector("dialog[open]")) return;
    if (performance.now() - went < PLACES_WITHIN) {
      went = 0;
      const place = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
      if (place) return place.click();
    }
    if (event.key === "g") went = performance.now();
    const act = does[event.key];
    if (!act) return;
    if (event.key !== "Enter") event.preventDefault();
    act();
  });
}
