// The timeline of an execution: a bar for each promise. Only the rows that are in view are drawn, so thousands stay fluid.
import { logIn } from "./access.js";
import { Attempts } from "./attempts.js";
import { detail } from "./detail.js";
import { listen } from "./live.js";
import { Promises } from "./promises.js";
import { span } from "./span.js";

const ROW = 26;
const PAGE = 1000;
const PAGES_AT_ONCE = 4;
const MINI = 40;
const STRIP = 24;
// A small picture for each kind of row, twelve pixels wide.
const SIGNS = {
  step: "M2 1.5h8a1.5 1.5 0 0 1 1.5 1.5v6a1.5 1.5 0 0 1-1.5 1.5h-8a1.5 1.5 0 0 1-1.5-1.5v-6a1.5 1.5 0 0 1 1.5-1.5zM4.5 3.8l4 2.2l-4 2.2z",
  child: "M2.5 1v7a2 2 0 0 0 2 2h6M2.5 4h8M8.5 2l2 2l-2 2M8.5 8l2 2l-2 2",
  sleep: "M6 1a5 5 0 1 0 .01 0M6 3.5v2.7l2 1.3",
  signal: "M1 2.5h10v7h-10zM1 3l5 4l5-4",
  event: "M6 1l5 5l-5 5l-5-5z",
};
const KINDS = [
  "started", "run", "ended", "noted", "call", "call-many", "start-child", "sleep", "receive", "cancel",
  "continue-as-new", "completed", "failed", "fired", "received", "cancel-requested", "expired",
];

function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

class Timeline {
  #host; #view; #space; #rows; #axis; #mini; #found = []; #isSet = false; #asked = false; #at = null;
  #from = 0; #to = 1; #listeners = []; #query = "";
  promises = new Promises();

  constructor(host) {
    this.#host = host;
    this.#mini = svg("svg", { class: "mini", height: MINI, "aria-hidden": "true" });
    this.#axis = svg("svg", { class: "axis-strip", height: STRIP, "aria-hidden": "true" });
    this.#rows = svg("svg", { role: "list", "aria-label": "Steps, timers, signals and children" });
    this.#space = document.createElement("div");
    const canvas = document.createElement("div");
    canvas.className = "canvas";
    canvas.append(this.#rows);
    this.#view = document.createElement("div");
    this.#view.className = "view";
    this.#view.tabIndex = 0;
    this.#view.setAttribute("role", "group");
    this.#view.setAttribute("aria-label", "Timeline: arrows move between rows");
    this.#view.append(canvas, this.#space);
    host.replaceChildren(this.#mini, this.#axis, this.#view);
    this.#listen();
  }

  onChange(listener) {
    this.#listeners.push(listener);
  }

  #listen() {
    this.#view.addEventListener("scroll", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.#host);
    this.#view.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.shiftKey && Math.abs(event.deltaX) <= Math.abs(event.deltaY)) return;
      event.preventDefault();
      if (event.ctrlKey) this.zoom(event.deltaY < 0 ? 0.8 : 1.25, this.#time(event));
      else this.#move(((event.deltaX || event.deltaY) / this.#wide) * (this.#to - this.#from));
    }, { passive: false });
    this.#rows.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row) this.#choose(Number(row.dataset.place));
    });
    this.#view.addEventListener("keydown", (event) => this.#key(event));
    for (const strip of [this.#mini, this.#axis]) this.#drag(strip);
    document.querySelectorAll("[data-zoom]").forEach((button) => button.addEventListener("click", () => {
      if (button.dataset.zoom === "all") this.all();
      else this.zoom(button.dataset.zoom === "in" ? 0.5 : 2);
    }));
    document.getElementById("timeline-find").addEventListener("input", (event) => {
      this.#query = event.target.value.trim().toLowerCase();
      this.#view.scrollTop = 0;
      this.draw();
    });
  }

  // On the small picture one drags the window, on the axis the time below it.
  #drag(strip) {
    let x = null;
    strip.addEventListener("pointerdown", (event) => {
      x = event.clientX;
      strip.setPointerCapture(event.pointerId);
      if (strip !== this.#mini) return;
      const [first, last] = this.#whole();
      const part = (event.offsetX - this.#label) / this.#wide;
      const middle = first + part * (last - first);
      this.#move(middle - (this.#from + this.#to) / 2);
    });
    strip.addEventListener("pointermove", (event) => {
      if (x === null) return;
      const [first, last] = this.#whole();
      const scale = strip === this.#mini ? last - first : this.#from - this.#to;
      this.#move(((event.clientX - x) / this.#wide) * scale);
      x = event.clientX;
    });
    for (const end of ["pointerup", "pointercancel"]) strip.addEventListener(end, () => (x = null));
  }

  #key(event) {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15 }[event.key];
    const sideways = { ArrowRight: 0.1, ArrowLeft: -0.1 }[event.key];
    if (by) this.#choose(Math.max(0, Math.min(this.#found.length - 1, (this.#at ?? -1) + by)), true);
    else if (sideways) this.#move(sideways * (this.#to - this.#from));
    else if (event.key === "Enter" && this.#found[this.#at]?.child) location.href = `/executions/${this.#found[this.#at].child}`;
    else return;
    event.preventDefault();
  }

  get #width() { return this.#host.clientWidth; }
  get #label() { return Math.min(230, Math.round(this.#width * 0.32)); }
  get #wide() { return Math.max(40, this.#width - this.#label - 70); }

  #whole() {
    const { first, last, open } = this.promises;
    const end = open.length && !this.ended ? Math.max(last, Date.now() * 1000) : last;
    return [first ?? 0, Math.max(end ?? 1, (first ?? 0) + 1)];
  }

  #x(at) { return this.#label + ((at - this.#from) / (this.#to - this.#from)) * this.#wide; }

  #time(event) {
    const left = this.#view.getBoundingClientRect().left;
    return this.#from + ((event.clientX - left - this.#label) / this.#wide) * (this.#to - this.#from);
  }

  all() {
    this.#isSet = false;
    this.draw();
  }

  zoom(by, around = (this.#from + this.#to) / 2) {
    const [first, last] = this.#whole();
    const length = Math.min(last - first, Math.max(20, (this.#to - this.#from) * by));
    if (length >= last - first) return this.all();
    const part = (around - this.#from) / (this.#to - this.#from);
    this.#show(around - part * length, length);
  }

  #move(by) {
    if (this.#isSet) this.#show(this.#from + by, this.#to - this.#from);
  }

  #show(from, length) {
    const [first, last] = this.#whole();
    this.#from = Math.max(first, Math.min(last - length, from));
    this.#to = this.#from + length;
    this.#isSet = true;
    this.#scrollTo(this.#from);
    this.draw();
  }

  // Rows stand in the order in which they began: those of the time in view come into view.
  #scrollTo(time) {
    let [low, high] = [0, this.#found.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#found[middle].begun < time) low = middle + 1;
      else high = middle;
    }
    this.#view.scrollTop = Math.max(0, low - 1) * ROW;
  }

  #choose(place, isMoved = false) {
    this.#at = place;
    if (isMoved) {
      const [top, high] = [this.#view.scrollTop, this.#view.clientHeight];
      if (place * ROW < top) this.#view.scrollTop = place * ROW;
      else if ((place + 1) * ROW > top + high) this.#view.scrollTop = (place + 1) * ROW - high;
    }
    detail(this.#found[place]);
    this.draw();
  }

  draw() {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#drawNow();
    });
  }

  #drawNow() {
    const { rows } = this.promises;
    this.#found = this.#query ? rows.filter((row) => row.name.toLowerCase().includes(this.#query)) : rows;
    if (!this.#isSet) [this.#from, this.#to] = this.#whole();
    this.#space.style.height = `${this.#found.length * ROW}px`;
    const [width, high] = [this.#width, this.#view.clientHeight];
    this.#rows.setAttribute("width", width);
    this.#rows.setAttribute("height", high);
    const top = this.#view.scrollTop;
    const begin = Math.max(0, Math.floor(top / ROW));
    const end = Math.min(this.#found.length, Math.ceil((top + high) / ROW) + 1);
    const drawn = [this.#ticks(high, false)];
    for (let place = begin; place < end; place += 1) drawn.push(this.#row(place, place * ROW - top));
    drawn.push(svg("line", { class: "edge", x1: this.#label - 6, x2: this.#label - 6, y1: 0, y2: high }));
    this.#rows.replaceChildren(...drawn);
    this.#axis.replaceChildren(this.#ticks(STRIP, true));
    this.#drawMini();
  }

  #ticks(high, isNamed) {
    const length = this.#to - this.#from;
    const about = length / Math.max(3, this.#wide / 90);
    const power = 10 ** Math.floor(Math.log10(about));
    const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= about) ?? about;
    const [first] = this.#whole();
    const group = svg("g", { class: "tick" });
    for (let at = Math.ceil((this.#from - first) / step) * step; at <= this.#to - first; at += step) {
      const x = this.#x(first + at);
      group.append(svg("line", { x1: x, x2: x, y1: isNamed ? STRIP - 6 : 0, y2: high }));
      if (isNamed) group.append(text({ x: x + 3, y: 15 }, at === 0 ? "0" : `+${span(at)}`));
    }
    return group;
  }

  #row(place, y) {
    const row = this.#found[place];
    const end = row.ended ?? this.#whole()[1];
    const [left, right] = [this.#x(row.begun), this.#x(end)];
    const [from, to] = [Math.max(this.#label, left), Math.min(this.#label + this.#wide, right)];
    const group = svg("g", { class: "row", role: "listitem", "data-place": place, "data-is": row.state, "data-what": row.what });
    group.setAttribute("aria-label", `${row.name}, ${row.state}${row.ended ? `, ${span(row.ended - row.begun)}` : ""}`);
    if (place === this.#at) group.setAttribute("data-at", "");
    group.append(svg("rect", { class: "stripe", x: 0, y, width: this.#width, height: ROW }));
    if (row.what === "event") {
      if (left >= this.#label && left <= this.#label + this.#wide) {
        group.append(svg("path", { class: "mark", d: `M${left} ${y + 7}l6 6l-6 6l-6-6z` }));
      }
    } else if (to >= from) {
      const wide = Math.max(2, to - from);
      group.append(svg("rect", { class: "waits", x: from, y: y + 6, width: wide, height: 14, rx: 3 }));
      for (const { begun, ended } of row.tried) {
        const [at, until] = [Math.max(from, this.#x(begun)), Math.min(to, this.#x(ended))];
        if (until >= at) group.append(svg("rect", { class: "tried", x: at, y: y + 6, width: Math.max(2, until - at), height: 14, rx: 2 }));
      }
      const begun = row.took ? Math.max(from, this.#x(end - row.took)) : row.what === "step" && row.ended ? to - 2 : null;
      if (begun !== null) group.append(svg("rect", { class: "runs", x: Math.min(begun, to - 2), y: y + 6, width: Math.max(2, to - begun), height: 14, rx: 3 }));
      const room = this.#label + this.#wide + 66 - to;
      const attempts = Math.max(row.attempt, row.state === "open" && row.tried.length ? row.tried.at(-1).number + 1 : 0);
      const told = span(end - row.begun) + (attempts > 1 ? ` · ${attempts}×` : "");
      if (room > 20) group.append(text({ class: "took", x: to + 5, y: y + 17 }, told));
    }
    const most = Math.floor((this.#label - 38) / 6.4);
    const name = row.name.length > most ? `${row.name.slice(0, most - 1)}…` : row.name;
    group.append(svg("path", { class: "sign", d: SIGNS[row.what], transform: `translate(11 ${y + 7})` }), text({ x: 30, y: y + 17 }, name), svg("title", {}, row.name));
    return group;
  }

  // All rows in a few pixels, and which part of the time is in view.
  #drawMini() {
    const [first, last] = this.#whole();
    const scale = this.#wide / (last - first);
    const { rows } = this.promises;
    const skip = Math.max(1, Math.ceil(rows.length / 1500));
    let path = "";
    for (let place = 0; place < rows.length; place += skip) {
      const row = rows[place];
      const x = this.#label + (row.begun - first) * scale;
      const wide = Math.max(1, ((row.ended ?? last) - row.begun) * scale);
      path += `M${x.toFixed(1)} ${(3 + (place / rows.length) * (MINI - 8)).toFixed(1)}h${wide.toFixed(1)}v2h-${wide.toFixed(1)}z`;
    }
    const window = { x: this.#label + (this.#from - first) * scale, width: Math.max(4, (this.#to - this.#from) * scale), y: 0.5, height: MINI - 1, rx: 3 };
    this.#mini.replaceChildren(svg("path", { class: "mini-bar", d: path || "M0 0" }), svg("rect", { class: "mini-window", ...window }));
  }

  changed() {
    summary(this.promises, this.ended);
    this.draw();
    this.#listeners.forEach((listener) => listener());
  }
}

function text(attributes, said) {
  return svg("text", attributes, said);
}

function summary({ rows, open, first, last }, ended) {
  const count = (state) => rows.filter((row) => row.state === state).length;
  const made = rows.filter((row) => row.what !== "event").length;
  const failed = count("failed");
  const parts = [`${made.toLocaleString("en")} ${made === 1 ? "promise" : "promises"}`];
  if (failed) parts.push(`${failed} failed`);
  if (open.length && !ended) parts.push(`${open.length} open`);
  if (first !== null) parts.push(span(last - first));
  document.getElementById("timeline-sum").textContent = parts.join(" · ");
  const names = [...new Set(open.filter((row) => row.what === "signal").map((row) => row.name))];
  document.getElementById("signals")?.replaceChildren(...names.map((name) => new Option(name, name)));
  tellOpen(open);
}

// What a parked execution waits for, beside the sentence that the host says.
function tellOpen(open) {
  const place = document.getElementById("open-now");
  if (!place) return;
  const told = open.slice(0, 6).map((row) => {
    if (row.what === "sleep") return `a timer, due at ${new Date(row.due / 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
    return `${{ signal: "the signal", child: "the child", step: "the step" }[row.what]} ${row.name}`;
  });
  const more = open.length > 6 ? ` and ${open.length - 6} more` : "";
  place.textContent = told.length ? `It waits for ${told.join(", ")}${more}.` : "";
}

async function page(id, after) {
  const response = await fetch(`/executions/${id}/entries?after=${after}&limit=${PAGE}`);
  if (response.status === 401) logIn();
  if (!response.ok) throw new Error(`the journal cannot be read: ${response.status}`);
  return response.json();
}

// Pages are read several at once, by where the next ones begin if each is full; one that is not says where to go on.
async function read(id, timeline) {
  let next = 0;
  while (next !== null) {
    const begins = next === 0 ? [0] : Array.from({ length: PAGES_AT_ONCE }, (_, at) => next + at * PAGE);
    const pages = begins.map((after) => page(id, after));
    for (const [at, coming] of pages.entries()) {
      const { entries, next_after: on } = await coming;
      entries.forEach((entry) => timeline.promises.take(entry));
      next = on;
      if (on === null || on !== begins[at] + PAGE) break;
    }
    timeline.changed();
  }
}

function followEntries(id, timeline) {
  let isAsked = false;
  const take = (event) => {
    const entry = JSON.parse(event.data);
    if (entry.seq <= timeline.promises.seq) return;
    timeline.promises.take(entry);
    if (isAsked) return;
    isAsked = true;
    setTimeout(() => {
      isAsked = false;
      timeline.changed();
    }, 100);
  };
  listen(() => `/v1/executions/${id}/events?after=${timeline.promises.seq}`, (events) => {
    KINDS.forEach((kind) => events.addEventListener(kind, take));
    events.addEventListener("end", () => {
      events.close();
      timeline.ended = true;
      timeline.changed();
    });
  });
  // What is open grows with the time.
  const growing = setInterval(() => (timeline.ended ? clearInterval(growing) : timeline.draw()), 1000);
}

export function drawTimeline() {
  const host = document.getElementById("timeline");
  if (!host) return null;
  const timeline = new Timeline(host);
  timeline.ended = host.hasAttribute("data-ended");
  const id = host.dataset.execution;
  const attempts = new Attempts(id, timeline);
  const begun = performance.now();
  read(id, timeline)
    .then(() => {
      requestAnimationFrame(() => requestAnimationFrame(() => (host.dataset.readyAfter = Math.round(performance.now()))));
      host.dataset.readIn = Math.round(performance.now() - begun);
      attempts.follow();
      if (!timeline.ended) followEntries(id, timeline);
    })
    .catch((thrown) => (document.getElementById("timeline-sum").textContent = String(thrown.message ?? thrown)));
  document.addEventListener("refreshed", () => {
    summary(timeline.promises, timeline.ended);
    // Somebody has had it go on after its end.
    if (!timeline.ended || document.getElementById("head").hasAttribute("data-ended")) return;
    timeline.ended = false;
    followEntries(id, timeline);
    attempts.follow();
  });
  return timeline;
}
