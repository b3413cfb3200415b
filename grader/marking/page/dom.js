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

/** Put a view in place; the focus stays on the element of the same id, if there is one. */
export function show(title, ...children) {
  const focused = document.activeElement?.id, inside = main().contains(document.activeElement);
  main().replaceChildren(...children.filter(Boolean));
  document.title = `${title} · Marking`;
  const again = inside && focused && document.getElementById(focused);
  if (again) again.focus({ preventScroll: true });
  else if (inside || document.activeElement === document.body) main().focus({ preventScroll: true });
}

let silence = 0;

/** Say something to eyes and screen readers; it stays until something else is said, or for the seconds given. */
export function say(words, seconds = 4) {
  const status = document.getElementById("status");
  status.textContent = words;
  clearTimeout(silence);
  if (seconds) silence = setTimeout(() => { status.textContent = ""; }, 1000 * seconds);
}

export const points = number => number === null || number === undefined ? "–" : String(Math.round(number * 1e6) / 1e6).replace("-", "−");
export const signed = number => (number > 0 ? "+" : "") + points(number);
export const percent = share => share === null || share === undefined ? "–" : `${Math.round(100 * share)} %`;
