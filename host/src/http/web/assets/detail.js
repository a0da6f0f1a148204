// What there is to say of a row of the timeline.
import { span } from "./span.js";

// Attempts that are told of one by one, the last ones.
const TRIED_MAX = 10;

export function detail(row) {
  const place = document.getElementById("timeline-detail");
  if (!row) return place.replaceChildren();
  const list = document.createElement("dl");
  list.className = "facts";
  const fact = (name, ...value) => {
    const [box, dt, dd] = ["div", "dt", "dd"].map((tag) => document.createElement(tag));
    dt.textContent = name;
    dd.append(...value);
    box.append(dt, dd);
    list.append(box);
  };
  fact(row.what === "event" ? "What happened" : row.what, row.name);
  if (row.state !== "happened") fact("State", row.state);
  if (row.ended && row.what !== "event") fact("From call to end", span(row.ended - row.begun));
  if (row.took) fact("The last attempt took", span(row.took));
  if (row.attempt) fact("Attempts", String(row.attempt));
  for (const { number, begun, ended, why } of row.tried.slice(-TRIED_MAX)) fact(`Attempt ${number}`, `after ${span(ended - begun)}: ${why}`);
  if (row.fuel) fact("Fuel", row.fuel.toLocaleString("en"));
  if (row.memory) fact("Memory at most", `${Math.ceil(row.memory / 1024).toLocaleString("en")} KiB`);
  if (row.child) fact("Child", link(`/executions/${row.child}`, row.child));
  if (row.why) fact("Why", row.why);
  const entries = [link(entryPath(row.seq), `entry ${row.seq}`)];
  if (row.endSeq && row.endSeq !== row.seq) entries.push(" to ", link(entryPath(row.endSeq), `entry ${row.endSeq}`));
  fact("Journal", ...entries);
  place.replaceChildren(list);
}

function entryPath(seq) {
  return `${location.pathname}?tab=journal&after=${seq - 1}#entry-${seq}`;
}

function link(href, said) {
  const a = document.createElement("a");
  a.href = href;
  a.textContent = said;
  return a;
}
