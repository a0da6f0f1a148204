// Orders to the API: a button says which, a dialog asks what is missing, and what came of it is told.
import { copy, logIn } from "./access.js";
import { fill } from "./json.js";
import { refresh } from "./live.js";

const HEADERS = { "x-stepwell-dashboard": "1" };
// Orders for many are under way so many at once.
const AT_ONCE = 8;

// Sends one order. Answers what was answered; a problem is thrown.
export async function send(method, path, body) {
  const headers = body === undefined ? HEADERS : { ...HEADERS, "content-type": "application/json" };
  const response = await fetch(path, { method, headers, body });
  const text = await response.text();
  if (response.status === 401) logIn();
  if (!response.ok) throw problem(response, text);
  return text ? JSON.parse(text) : null;
}

function problem(response, text) {
  try {
    return JSON.parse(text);
  } catch {
    return { title: `The host answered ${response.status}`, detail: text.slice(0, 500) };
  }
}

export function tell(title, detail, tone = "good") {
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.dataset.tone = tone;
  const close = document.createElement("button");
  close.className = "quiet";
  close.textContent = "×";
  close.setAttribute("aria-label", "Close");
  close.addEventListener("click", () => toast.remove());
  const strong = document.createElement("strong");
  strong.textContent = title;
  toast.append(close, strong);
  if (detail) toast.append(detail);
  document.getElementById("toasts").append(toast);
  if (tone !== "bad") setTimeout(() => toast.remove(), 6000);
}

export function tellProblem(thrown) {
  const title = thrown.title ?? "The host did not answer";
  const places = (thrown.errors ?? []).map((breach) => `${breach.pointer || "/"}: ${breach.message}`);
  tell(title, [thrown.detail ?? String(thrown), ...places].join(" · "), "bad");
}

// Asks, and answers the values of the fields, or null where the answer is no.
export function ask(title, { text = "", fields = [], yes = "Do it", harms = false } = {}) {
  const dialog = document.getElementById("ask");
  const form = dialog.querySelector("form");
  document.getElementById("ask-title").textContent = title;
  document.getElementById("ask-text").textContent = text;
  const button = document.getElementById("ask-yes");
  button.textContent = yes;
  button.classList.toggle("danger", harms);
  const made = fields.map(field);
  document.getElementById("ask-fields").replaceChildren(...made.map(({ label }) => label));
  dialog.returnValue = "no";
  dialog.showModal();
  (made[0]?.input ?? button).focus();
  return new Promise((answer) => {
    const check = (event) => {
      if (event.submitter?.value !== "yes") return;
      for (const { input, spec } of made) {
        const wrong = spec.kind === "json" ? notJson(input.value) : "";
        input.setCustomValidity(wrong);
        if (!input.reportValidity()) event.preventDefault();
      }
    };
    form.noValidate = true;
    form.addEventListener("submit", check);
    dialog.addEventListener("close", () => {
      form.removeEventListener("submit", check);
      const values = made.map(({ input, spec }) => [spec.key, input.value]);
      answer(dialog.returnValue === "yes" ? Object.fromEntries(values) : null);
    }, { once: true });
  });
}

function field(spec) {
  const label = document.createElement("label");
  label.textContent = spec.label;
  const input = document.createElement(spec.kind === "json" ? "textarea" : "input");
  input.name = spec.key;
  input.value = spec.value ?? "";
  input.required = !spec.optional;
  if (spec.list) input.setAttribute("list", spec.list);
  input.addEventListener("input", () => input.setCustomValidity(""));
  label.append(input);
  return { label, input, spec };
}

export function notJson(text) {
  try {
    JSON.parse(text);
    return "";
  } catch (error) {
    return `This is no JSON: ${error.message}`;
  }
}

// A field stands in the path where that has its name; one that is JSON is the body; all others are members of the body.
async function perform(button) {
  const { order, asks, done } = button.dataset;
  const fields = JSON.parse(button.dataset.fields ?? "[]");
  let values = {};
  if (asks) {
    const [title, ...rest] = asks.split(/(?<=[?]) /);
    const harms = button.classList.contains("danger");
    values = await ask(title, { text: rest.join(" "), fields, yes: button.textContent, harms });
    if (values === null) return;
  }
  let [method, path] = order.split(" ");
  let body = button.dataset.body;
  const members = JSON.parse(body ?? "{}");
  for (const { key, kind } of fields) {
    if (path.includes(`{${key}}`)) path = path.replace(`{${key}}`, encodeURIComponent(values[key]));
    else if (kind === "json") body = values[key];
    else if (values[key]) body = JSON.stringify(Object.assign(members, { [key]: values[key] }));
  }
  button.disabled = true;
  try {
    const answer = await send(method, path, body);
    tell(done || "Done", answer?.id && order.includes("trigger") ? answer.id : "");
  } catch (thrown) {
    tellProblem(thrown);
  }
  button.disabled = false;
  refresh();
}

async function performEach(button) {
  const group = button.closest("[data-bulk]");
  const ids = selected(group).map((box) => box.value);
  const name = button.textContent;
  const harms = button.classList.contains("danger");
  const text = button.dataset.asks?.split(/(?<=[?]) /).slice(1).join(" ") ?? "";
  const what = `${name} ${ids.length} selected?`;
  if (button.dataset.asks && (await ask(what, { text, yes: name, harms })) === null) return;
  const [method, path] = button.dataset.each.split(" ");
  const refused = [];
  let sent = 0;
  const next = async () => {
    while (ids.length) {
      const id = ids.shift();
      try {
        await send(method, path.replace("{id}", id));
        sent += 1;
      } catch (thrown) {
        refused.push(thrown);
      }
    }
  };
  button.disabled = true;
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  button.disabled = false;
  if (sent) tell(`${name}: ${sent} done`);
  if (refused.length) tellProblem({ title: `${name}: ${refused.length} refused`, detail: refused[0].detail ?? String(refused[0]) });
  group.querySelectorAll("input[type=checkbox]").forEach((box) => (box.checked = false));
  count(group);
  refresh();
}

function selected(group) {
  return [...group.querySelectorAll("td input[type=checkbox]:checked")];
}

function count(group) {
  const number = selected(group).length;
  const bulk = group.querySelector(".bulk");
  bulk.hidden = number === 0;
  bulk.querySelector(".bulk-count").textContent = `${number} selected`;
}

async function loadInput(details) {
  const pre = details.querySelector("[data-input]");
  if (!pre) return;
  pre.removeAttribute("data-input");
  try {
    const letter = await send("GET", details.dataset.load);
    fill(pre, JSON.stringify(letter.input ?? null));
  } catch (thrown) {
    pre.textContent = thrown.detail ?? String(thrown);
  }
}

export function takeOrders() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.order) perform(button);
    else if (button?.dataset.each) performEach(button);
    else if (button?.dataset.copy) {
      copy(button.dataset.copy).then((said) => tell(said));
    } else if (!event.target.closest("a, button, input, summary, label, select")) {
      const row = event.target.closest("tr[data-href]");
      if (row && !getSelection().toString()) location.href = row.dataset.href;
    }
  });
  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.matches("[data-submits]")) box.form.requestSubmit();
    const group = box.closest("[data-bulk]");
    if (!group || box.type !== "checkbox") return;
    if (box.hasAttribute("data-all")) {
      group.querySelectorAll("td input[type=checkbox]").forEach((each) => (each.checked = box.checked));
    }
    count(group);
  });
  document.addEventListener("toggle", (event) => {
    if (event.target.dataset?.load && event.target.open) loadInput(event.target);
  }, true);
  // Empty fields say nothing, so they need not stand in the address.
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "get") return;
    for (const input of event.target.elements) input.disabled = input.name && !input.value;
    setTimeout(() => [...event.target.elements].forEach((input) => (input.disabled = false)));
  });
}
