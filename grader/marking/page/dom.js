// Elements from plain data. Text goes in as text; HTML only as the server sanitised it, through one policy.

const policy = window.trustedTypes
  ? trustedTypes.createPolicy("page", { createHTML: text => text })
  : { createHTML: text => text };

/** An element: h("p", { class: "soft", onclick: f }, "words", another). Nothing is made for null and false. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else if (name === "html") element.innerHTML = policy.createHTML(value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

/** A button with its key, if it has one. */
export function button(label, key, onclick, attributes = {}) {
  return h("button", { type: "button", onclick, ...attributes }, label, key ? " " : null, key ? h("kbd", {}, key) : null);
}

export const main = () => document.getElementById("main");

let shown = "";

const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";
const looks = element => `${element.tagName} ${element.getAttribute("aria-label") ?? element.textContent}`;

/** How to find an element again when the view is drawn anew: by its id, or as the n-th that looks like it. */
function finder(element) {
  if (element.id) return () => document.getElementById(element.id);
  const like = () => [...main().querySelectorAll(FOCUSABLE)].filter(one => looks(one) === look);
  const look = looks(element), nth = like().indexOf(element);
  return () => like()[nth];
}

let pressed = false, waits = null;

/** What comes between a button's going down and up again would take the click away: it waits for the click. */
document.addEventListener("pointerdown", () => { pressed = true; }, true);
for (const kind of ["pointerup", "pointercancel", "blur"]) window.addEventListener(kind, release, true);

function release(event) {
  if (event.type === "blur" && event.target !== window) return;
  pressed = false;
  setTimeout(() => waits && !pressed && put(...waits)); // after the click
}

/** Put a view in place. The same view drawn anew keeps the focus, what is selected in a field and what somebody is typing. */
export function show(...view) {
  if (pressed) waits = view;
  else put(...view);
}

function put(title, view, ...children) {
  waits = null;
  const inside = main().contains(document.activeElement), found = inside ? finder(document.activeElement) : null;
  const typed = view === shown ? [...main().querySelectorAll("[data-typed]")].map(({ id, value }) => [id, value]) : [];
  const selected = selectionIn(document.activeElement);
  shown = view;
  main().replaceChildren(...children.filter(Boolean));
  document.title = `${title} · Marking`;
  reach();
  for (const [id, value] of typed) restore(document.getElementById(id), value);
  const again = found?.();
  if (again) {
    again.focus({ preventScroll: true });
    if (selected) again.setSelectionRange?.(...selected);
  } else if (inside || document.activeElement === document.body) main().focus({ preventScroll: true });
}

/** Where the caret stands, or what is selected, in a field of text. */
const selectionIn = ({ selectionStart: start, selectionEnd: end, selectionDirection: way }) => Number.isInteger(start) ? [start, end, way] : null;

function restore(field, value) {
  if (!field) return;
  field.value = value;
  field.dataset.typed = "";
}

document.addEventListener("input", event => { if (event.target.matches("input:not([type=checkbox]), textarea")) event.target.dataset.typed = ""; });

/** What was typed in these fields is stored now, or no longer wanted. */
export function forget(...ids) {
  for (const id of ids) delete document.getElementById(id)?.dataset.typed;
}

/** What is wider than its place can be scrolled with the keyboard, too. */
export function reach() {
  for (const box of main().querySelectorAll(".words, .wide")) {
    if (box.scrollWidth > box.clientWidth) {
      box.tabIndex = 0;
      if (!box.hasAttribute("aria-label")) box.setAttribute("aria-label", "Wide text");
      if (box.tagName !== "ARTICLE") box.setAttribute("role", "group");
    } else box.removeAttribute("tabindex");
  }
}

window.addEventListener("resize", reach);
document.addEventListener("toggle", reach, true);

let silence = 0;

/** Say something to eyes and screen readers; it stays until something else is said, or for the seconds given. */
export function say(words, seconds = 4) {
  const status = document.getElementById("status");
  status.textContent = words;
  clearTimeout(silence);
  if (seconds) silence = setTimeout(() => { status.textContent = ""; }, 1000 * seconds);
}

/** A number as people type it; NaN for anything else. Fields for points are texts: one of type number forgets a lone minus. */
export const typedNumber = text => Number(text.trim().replace(",", ".").replace("−", "-"));

export const points = number => number === null || number === undefined ? "–" : String(Math.round(number * 1e6) / 1e6).replace("-", "−");
export const signed = number => (number > 0 ? "+" : "") + points(number);
export const percent = share => share === null || share === undefined ? "–" : `${Math.round(100 * share)} %`;
