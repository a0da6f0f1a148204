// Keeps a page true: when something has happened it is read anew, and what stands in [data-live] is exchanged.
import { logIn } from "./access.js";
import { showJson } from "./json.js";

const AT_MOST_EVERY = 1000;
const WITHOUT_STREAM_EVERY = 3000;
const OPEN_EXECUTION_EVERY = 2000;

let reading = false;
let wanted = false;
let last = 0;
let timer = null;

// Reads the page anew, at most once a second, and not where nobody looks.
export function refresh() {
  wanted = true;
  if (reading || timer || document.hidden) return;
  timer = setTimeout(read, Math.max(0, last + AT_MOST_EVERY - performance.now()));
}

async function read() {
  timer = null;
  wanted = false;
  reading = true;
  try {
    const response = await fetch(location.href, { headers: { accept: "text/html" } });
    // Whoever is not known any more is sent there.
    if (response.redirected && new URL(response.url).pathname === "/login") {
      say("out");
      logIn();
    } else {
      if (response.ok) exchange(new DOMParser().parseFromString(await response.text(), "text/html"));
      say(response.ok ? "on" : "off");
    }
  } catch {
    say("off");
  }
  last = performance.now();
  reading = false;
  if (wanted) refresh();
}

function exchange(page) {
  const title = page.querySelector("title");
  if (title) document.title = title.textContent;
  for (const old of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(old.id);
    if (!fresh || fresh.outerHTML === old.dataset.read || isBusy(old)) continue;
    const read = fresh.outerHTML;
    carryOver(old, fresh);
    old.replaceWith(fresh);
    fresh.dataset.read = read;
    showJson(fresh);
  }
  document.dispatchEvent(new CustomEvent("refreshed"));
}

// Somebody types or has opened something in it that would be lost.
function isBusy(old) {
  const at = document.activeElement;
  return old.contains(at) && at.matches("input:not([type=checkbox]), textarea, select");
}

// What a person has done to the old one: opened, selected, scrolled, and where they are.
function carryOver(old, fresh) {
  const opened = [...old.querySelectorAll("details")].map((each, at) => (each.open ? keyOf(each, at) : null));
  [...fresh.querySelectorAll("details")].forEach((each, at) => {
    const was = opened.includes(keyOf(each, at));
    each.open = was || (each.open && at >= opened.length);
  });
  for (const box of old.querySelectorAll("td input[type=checkbox]:checked")) {
    const same = fresh.querySelector(`td input[value="${CSS.escape(box.value)}"]`);
    if (same) same.checked = true;
  }
  const at = old.querySelector("tr[data-at]");
  if (at) fresh.querySelector(`tr[data-href="${CSS.escape(at.dataset.href)}"]`)?.setAttribute("data-at", "");
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const key = focused?.dataset.order ?? focused?.value ?? focused?.getAttribute("href");
  if (!key) return;
  queueMicrotask(() => {
    for (const each of fresh.querySelectorAll("button, input, a")) {
      if ((each.dataset.order ?? each.value ?? each.getAttribute("href")) === key) return each.focus();
    }
  });
}

function keyOf(details, at) {
  return details.id || details.dataset.load || details.parentElement.id || at;
}

function say(state) {
  const light = document.getElementById("live");
  light.dataset.state = state;
  light.textContent = { on: "live", off: "no answer", out: "logged out" }[state];
}

// Follows what happens: to one execution, or to any.
export function follow(timeline) {
  if (!document.querySelector("[data-live]")) return;
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
  say("on");
  if (timeline) timeline.onChange(refresh);
  // What one execution does is told by its own stream, which the timeline follows; the other parts of its page look for it.
  else if (document.querySelector("#head")) setInterval(lookAtExecution, OPEN_EXECUTION_EVERY);
  let every = null;
  const fallBack = () => {
    every ??= setInterval(() => refresh(), WITHOUT_STREAM_EVERY);
  };
  listen(() => "/v1/events", (events) => {
    events.addEventListener("execution", refresh);
    // What no event tells of, such as a lease, is looked at now and then.
    events.addEventListener("open", () => {
      clearInterval(every);
      every = setInterval(() => refresh(), WITHOUT_STREAM_EVERY * 3);
    });
    events.addEventListener("error", () => {
      if (events.readyState !== EventSource.CLOSED) return;
      clearInterval(every);
      every = null;
      fallBack();
      refresh();
    });
  });
}

function lookAtExecution() {
  if (!document.getElementById("head").hasAttribute("data-ended")) refresh();
}

// A stream that is open while its page is shown: a browser has few connections for one host, and pages that it keeps for going
// back must not hold them.
export function listen(path, prepare) {
  let events = null;
  const open = () => {
    events = new EventSource(path());
    prepare(events);
  };
  addEventListener("pagehide", () => events.close());
  addEventListener("pageshow", (shown) => {
    if (shown.persisted) open();
  });
  open();
}
