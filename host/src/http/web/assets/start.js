// A form made from the JSON schema of a workflow's input. What it cannot show as fields is asked for as JSON.
import { notJson, send, tellProblem } from "./orders.js";

const DEPTH_MAX = 5;
const OPTIONS = [
  ["queue", "Queue"], ["priority", "Priority", Number], ["delay", "Delay, such as 30s or 2h"],
  ["max_duration", "At most, such as 1h"], ["idempotency_key", "Idempotency key"],
];

function make(tag, attributes = {}, ...children) {
  const element = Object.assign(document.createElement(tag), attributes);
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

// The schema that is meant: references looked up, and "this or null" taken as this, optional.
function resolve(schema, root) {
  let found = schema;
  for (let hops = 0; found?.$ref && hops < 10; hops += 1) {
    const path = found.$ref.replace(/^#\/?/, "").split("/").filter(Boolean);
    found = path.reduce((at, key) => at?.[key.replaceAll("~1", "/").replaceAll("~0", "~")], root);
  }
  if (typeof found !== "object" || found === null) return {};
  if (found.allOf?.length === 1) return { ...found, ...resolve(found.allOf[0], root), allOf: undefined };
  const choices = found.anyOf ?? found.oneOf;
  const real = choices?.filter((choice) => choice.type !== "null");
  if (real?.length === 1 && choices.length === 2) {
    return { ...resolve(real[0], root), description: found.description, nullable: true };
  }
  if (real?.every((choice) => typeof choice.const === "string")) {
    return { ...found, type: "string", enum: real.map((choice) => choice.const) };
  }
  if (Array.isArray(found.type)) {
    const types = found.type.filter((type) => type !== "null");
    if (types.length === 1) return { ...found, type: types[0], nullable: types.length < found.type.length };
  }
  return found;
}

// A field: its element, and what it says; undefined where it is left empty.
function field(schema, root, name, required, depth) {
  const meant = resolve(schema, root);
  const makers = { object, array, string, integer: number, number, boolean };
  const isSimple = !meant.anyOf && !meant.oneOf && !meant.allOf;
  const maker = meant.enum ? choice : isSimple && depth < DEPTH_MAX ? makers[meant.type] : undefined;
  return (maker ?? json)(meant, { root, name, required: required && !meant.nullable, depth });
}

function labelled({ name, required }, meant, input, extra) {
  const hint = meant.description ? make("span", { className: "hint", textContent: meant.description }) : null;
  const text = `${meant.title && !name ? meant.title : name}${required ? "" : " (optional)"}`;
  return make("label", extra ?? {}, text, hint, input);
}

function string(meant, at) {
  const types = { "date-time": "text", date: "date", email: "email", uri: "url" };
  const input = make("input", { type: types[meant.format] ?? "text", required: at.required });
  if (meant.maxLength) input.maxLength = meant.maxLength;
  if (meant.default !== undefined) input.value = meant.default;
  const read = () => (input.value === "" && !at.required ? undefined : input.value);
  return { element: labelled(at, meant, input), read };
}

function number(meant, at) {
  const input = make("input", { type: "number", required: at.required, step: meant.type === "integer" ? "1" : "any" });
  if (meant.minimum !== undefined) input.min = meant.minimum;
  if (meant.maximum !== undefined) input.max = meant.maximum;
  if (meant.default !== undefined) input.value = meant.default;
  return { element: labelled(at, meant, input), read: () => (input.value === "" ? undefined : Number(input.value)) };
}

function boolean(meant, at) {
  const input = make("input", { type: "checkbox", checked: meant.default === true });
  const hint = meant.description ? make("span", { className: "hint", textContent: meant.description }) : null;
  return { element: make("label", { className: "tick" }, input, at.name, hint), read: () => input.checked };
}

function choice(meant, at) {
  const select = make("select", { required: at.required });
  if (!at.required) select.append(make("option", { value: "", textContent: "—" }));
  meant.enum.forEach((value, place) => {
    const option = make("option", { value: String(place), textContent: typeof value === "string" ? value : JSON.stringify(value) });
    option.selected = value === meant.default;
    select.append(option);
  });
  return { element: labelled(at, meant, select), read: () => (select.value === "" ? undefined : meant.enum[Number(select.value)]) };
}

function object(meant, at) {
  const isRequired = (name) => meant.required?.includes(name) ?? false;
  const properties = Object.entries(meant.properties ?? {}).sort(([one], [other]) => isRequired(other) - isRequired(one));
  if (!properties.length || (meant.additionalProperties && meant.additionalProperties !== true)) return json(meant, at);
  const fields = properties.map(([name, schema]) => {
    return [name, field(schema, at.root, name, isRequired(name), at.depth + 1)];
  });
  const elements = fields.map(([, made]) => made.element);
  const element = at.name ? make("fieldset", {}, make("legend", { textContent: at.name }), ...elements) : make("div", {}, ...elements);
  const read = () => {
    const given = fields.map(([name, made]) => [name, made.read()]).filter(([, value]) => value !== undefined);
    return given.length || at.required || !at.name ? Object.fromEntries(given) : undefined;
  };
  return { element, read };
}

function array(meant, at) {
  const items = [];
  const list = make("div");
  const add = () => {
    const made = field(meant.items ?? {}, at.root, `${at.name || "item"} ${items.length + 1}`, true, at.depth + 1);
    const remove = make("button", { type: "button", textContent: "Remove" });
    remove.setAttribute("aria-label", `Remove ${at.name} ${items.length + 1}`);
    const row = make("div", { className: "item" }, made.element, remove);
    remove.addEventListener("click", () => {
      items.splice(items.indexOf(made), 1);
      row.remove();
    });
    items.push(made);
    list.append(row);
  };
  for (let place = 0; place < (meant.minItems ?? 0) && place < 10; place += 1) add();
  const more = make("button", { type: "button", textContent: "Add one" });
  more.addEventListener("click", add);
  const hint = meant.description ? make("span", { className: "hint", textContent: meant.description }) : null;
  const legend = make("legend", { textContent: at.name || "Items" });
  const read = () => (items.length || at.required || !at.name ? items.map((item) => item.read()) : undefined);
  return { element: make("fieldset", {}, legend, hint, list, make("div", { className: "row-end" }, more)), read };
}

function json(meant, at) {
  const area = make("textarea", { required: at.required, spellcheck: false });
  area.value = meant.default !== undefined ? JSON.stringify(meant.default, null, 2) : at.name ? "" : "null";
  area.addEventListener("input", () => area.setCustomValidity(""));
  const read = () => {
    if (area.value.trim() === "" && !at.required) return undefined;
    area.setCustomValidity(notJson(area.value));
    if (!area.reportValidity()) throw new SyntaxError("no JSON");
    return JSON.parse(area.value);
  };
  // As a whole input it goes as it was typed: digits of a number beyond what a script can hold stay.
  const raw = () => (read() === undefined ? "null" : area.value);
  return { element: labelled({ ...at, name: `${at.name || "Input"} (JSON)` }, meant, area), read, raw };
}

function options() {
  const fields = OPTIONS.map(([key, label, of = String]) => {
    const input = make("input", { type: of === Number ? "number" : "text" });
    return { key, of, input, element: make("label", {}, label, input) };
  });
  const summary = make("summary", { textContent: "Options" });
  const element = make("details", { className: "quiet-details" }, summary, ...fields.map((each) => each.element));
  const read = () => Object.fromEntries(fields.filter(({ input }) => input.value !== "").map(({ key, of, input }) => [key, of(input.value)]));
  return { element, read };
}

function makeForm(form) {
  const schema = JSON.parse(form.dataset.schema);
  const place = form.querySelector(".start-fields");
  let input = field(schema, schema, "", true, 0);
  const chosen = options();
  place.append(input.element, chosen.element);
  if (!input.raw) {
    const asJson = make("button", { type: "button", className: "quiet", textContent: "Write it as JSON" });
    asJson.addEventListener("click", () => {
      const instead = json({ default: input.read() }, { root: schema, name: "", required: true });
      input.element.replaceWith(instead.element);
      input = instead;
      asJson.remove();
    });
    form.querySelector(".row-end").append(asJson);
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const text = input.raw ? input.raw() : JSON.stringify(input.read());
      const order = JSON.stringify({ workflow: form.dataset.start, module: form.dataset.module, ...chosen.read() });
      const started = await send("POST", "/v1/executions", `${order.slice(0, -1)},"input":${text}}`);
      location.href = `/executions/${started.id}`;
    } catch (thrown) {
      if (!(thrown instanceof SyntaxError)) tellProblem(thrown);
    }
  });
}

// A form is made when it is first opened: a module may have hundreds of workflows.
export function makeForms() {
  const open = (details) => {
    for (const form of details.querySelectorAll("form[data-start]")) {
      if (form.closest("details:not([open])") || form.dataset.made) continue;
      form.dataset.made = "";
      makeForm(form);
    }
  };
  document.addEventListener("toggle", (event) => open(event.target), true);
  const wanted = location.hash ? document.getElementById(location.hash.slice(1)) : null;
  const only = document.querySelectorAll("details.spec:has(form[data-start])");
  const first = wanted?.matches("details") ? wanted : only.length === 1 ? only[0] : null;
  if (first) first.open = true;
}
