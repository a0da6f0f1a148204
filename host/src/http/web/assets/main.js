// Begins everything. Each part looks for what it is about, and does nothing where the page has none of it.
import { keepNothing, makeKeys } from "./access.js";
import { showJson } from "./json.js";
import { takeKeys } from "./keys.js";
import { follow, refresh } from "./live.js";
import { send, takeOrders } from "./orders.js";
import { makeForms } from "./start.js";
import { drawTimeline } from "./timeline.js";

const NEXT_THEME = { system: "light", light: "dark", dark: "system" };

function theme() {
  return document.documentElement.dataset.theme ?? "system";
}

function tellTheme() {
  const button = document.getElementById("theme");
  const name = { system: "Auto", light: "Light", dark: "Dark" }[theme()];
  button.textContent = name;
  button.setAttribute("aria-label", `Colours: ${name}. Change`);
}

export function changeTheme() {
  const next = NEXT_THEME[theme()];
  if (next === "system") {
    delete document.documentElement.dataset.theme;
    localStorage.removeItem("stepwell-theme");
  } else {
    document.documentElement.dataset.theme = next;
    localStorage.setItem("stepwell-theme", next);
  }
  tellTheme();
}

tellTheme();
// On a phone the places are a strip that is wider than the screen. scrollIntoView would have Tab begin there.
const [strip, here] = [document.querySelector(".places"), document.querySelector(".places [aria-current]")];
if (here) strip.scrollLeft = here.offsetLeft - (strip.clientWidth - here.clientWidth) / 2;
document.getElementById("theme").addEventListener("click", changeTheme);
takeOrders();
takeKeys(changeTheme);
makeForms();
makeKeys(send, refresh);
keepNothing();
showJson(document);
const timeline = drawTimeline();
follow(timeline);
