// Single keys: each view binds its own. Off while somebody types, while a dialog is open, and on request.

let bound = {};
const single = () => document.getElementById("single").checked;

/** Bind a view's keys: { n: ["next that waits", f] }. */
export function bind(keys) {
  bound = keys;
}

export function help() {
  const list = document.getElementById("keys");
  list.replaceChildren();
  for (const [key, [words]] of Object.entries(bound)) {
    const term = document.createElement("dt"), cap = document.createElement("kbd"), what = document.createElement("dd");
    cap.textContent = key === "enter" ? "Enter" : key.length === 1 ? key.toUpperCase() : key;
    what.textContent = words;
    term.append(cap);
    list.append(term, what);
  }
  document.getElementById("help").showModal();
}

const types = element => element.matches("textarea, select, input:not([type=checkbox])") || element.isContentEditable;

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || !single() || document.querySelector("dialog[open]")) return;
  if (event.key === "Escape" && types(event.target)) {
    event.target.blur();
    document.getElementById("main").focus({ preventScroll: true });
    return;
  }
  if (types(event.target)) return;
  const key = event.key.toLowerCase();
  if (key === "enter" && event.target !== document.body && event.target.id !== "main") return;
  const found = bound[/^[1-9]$/.test(key) ? "1–9" : key];
  if (found) {
    event.preventDefault();
    found[1](event.key);
  }
});

document.addEventListener("click", event => {
  if (event.target.closest?.("[data-close]")) event.target.closest("dialog").close();
});
