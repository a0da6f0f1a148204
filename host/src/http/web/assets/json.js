// JSON as people read it: indented and coloured, with every digit and escape as it was written.

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

// Text pieces, each with the class of its colour.
function pieces(text) {
  const tokens = text.match(TOKEN) ?? [];
  const out = [];
  let depth = 0;
  const line = () => "\n" + "  ".repeat(depth);
  tokens.forEach((token, at) => {
    const next = tokens[at + 1];
    if (token === "{" || token === "[") {
      const closes = next === "}" || next === "]";
      depth += 1;
      out.push(["", closes ? token : token + line()]);
    } else if (token === "}" || token === "]") {
      depth -= 1;
      const opened = tokens[at - 1] === "{" || tokens[at - 1] === "[";
      out.push(["", opened ? token : line() + token]);
    } else if (token === ",") {
      out.push(["", "," + line()]);
    } else if (token === ":") {
      out.push(["", ": "]);
    } else if (token.startsWith('"')) {
      out.push([next === ":" ? "k" : "s", token]);
    } else {
      out.push([/^[-\d]/.test(token) ? "n" : "w", token]);
    }
  });
  return out;
}

export function indent(text) {
  return pieces(text).map(([, piece]) => piece).join("");
}

export function fill(pre, text) {
  pre.replaceChildren(
    ...pieces(text).map(([kind, piece]) => {
      if (!kind) return document.createTextNode(piece);
      const span = document.createElement("span");
      span.className = kind;
      span.textContent = piece;
      return span;
    }),
  );
}

// What lies in something closed is filled when it is opened.
export function showJson(root) {
  const isSeen = (pre) => !pre.closest("details:not([open])");
  for (const pre of root.querySelectorAll("pre[data-json]")) {
    if (isSeen(pre)) fillOnce(pre);
  }
}

function fillOnce(pre) {
  pre.removeAttribute("data-json");
  fill(pre, pre.textContent);
}

document.addEventListener("toggle", (event) => showJson(event.target), true);
