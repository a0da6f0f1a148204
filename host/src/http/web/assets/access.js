// Who may do what: making a key, and what becomes of a page whose session has ended.

// Leads to where a session is opened, and back here from there. A key that is shown once, and what somebody is writing, stays.
export function logIn() {
  const at = document.activeElement;
  if (document.querySelector("dialog[open]") || at?.matches("input:not([type=checkbox]), textarea, select")) return;
  location.assign(`/login?to=${encodeURIComponent(location.pathname + location.search + location.hash)}`);
}

// A browser keeps pages to go back to, whatever they say of keeping, also those of a session that was closed since. Such a one is
// hidden as it is left, and asked for anew.
export function keepNothing() {
  if (!document.querySelector(".who form")) return;
  addEventListener("pagehide", () => (document.documentElement.hidden = true));
  addEventListener("pageshow", (shown) => shown.persisted && location.reload());
}

// Copies a text; where a browser has no clipboard for pages (without TLS), it is selected to be copied by hand.
export async function copy(text, shown) {
  try {
    await navigator.clipboard.writeText(text);
    return "Copied";
  } catch {
    if (shown) getSelection().selectAllChildren(shown);
    return shown ? "Selected: copy it by hand" : "The browser does not let this page copy";
  }
}

// What the form says, as the API takes it.
function order(form) {
  const roles = [...form.querySelectorAll("[name=role]:checked")].map((box) => box.value);
  const lines = form.workflows.value.split("\n").map((line) => line.trim()).filter(Boolean);
  return { name: form.elements.name.value, roles, workflows: isForStarts(roles) ? lines : [] };
}

function isForStarts(roles) {
  return roles.length === 1 && roles[0] === "start";
}

function show(dialog, key) {
  const text = dialog.querySelector("pre");
  text.textContent = key;
  dialog.showModal();
  dialog.querySelector("#made-key-copy").focus();
}

export function makeKeys(send, refresh) {
  const [making, made] = ["make-key", "made-key"].map((id) => document.getElementById(id));
  if (!making) return;
  const form = making.querySelector("form");
  const said = form.querySelector(".said");
  const say = (text) => {
    said.textContent = text;
    said.hidden = !text;
  };
  document.getElementById("new-key").addEventListener("click", () => {
    say("");
    making.showModal();
  });
  for (const button of document.querySelectorAll("dialog [data-closes]")) {
    button.addEventListener("click", () => button.closest("dialog").close());
  }
  form.addEventListener("change", () => {
    say("");
    document.getElementById("make-key-workflows").hidden = !isForStarts(order(form).roles);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const wanted = order(form);
    if (!wanted.roles.length) return say("Choose what it may do.");
    const button = form.querySelector(".primary");
    button.disabled = true;
    try {
      const { key } = await send("POST", "/v1/keys", JSON.stringify(wanted));
      making.close();
      form.reset();
      form.dispatchEvent(new Event("change"));
      show(made, key);
    } catch (thrown) {
      say(thrown.detail ?? String(thrown));
    }
    button.disabled = false;
  });
  const copies = document.getElementById("made-key-copy");
  copies.addEventListener("click", async () => {
    const text = made.querySelector("pre");
    copies.textContent = await copy(text.textContent, text);
  });
  // Escape by mistake would lose it.
  made.addEventListener("cancel", (event) => event.preventDefault());
  made.addEventListener("close", () => {
    made.querySelector("pre").textContent = "";
    copies.textContent = "Copy";
    if (made.dataset.then) location.assign(made.dataset.then);
    else refresh();
  });
}
