// The rubric of a part: given with digits, made and changed while marking.

import { button, forget, h, say, signed, typedNumber } from "./dom.js";
import { send } from "./net.js";

export function rubricBox(marking) {
  const { rubric } = marking.part;
  return h("div", { class: "card" },
    h("div", { class: "row" }, h("h2", { id: "rubric-title" }, "Rubric"),
      h("span", { class: "soft" }, rubric.start === "full" ? "subtracted from full" : "added to zero"),
      button(marking.editing ? "Done" : "Change", "E", () => marking.edit(!marking.editing), { id: "edit", "aria-expanded": String(marking.editing) })),
    marking.editing ? editor(marking) : h("ol", { class: "items", "aria-labelledby": "rubric-title" }, rubric.items.map((item, n) => line(marking, item, n))),
    marking.editing ? null : h("div", { class: "actions" },
      button(rubric.start === "full" ? "Full points" : "No points", "0", () => marking.give({ items: [], fixed: null }), { id: "none" }),
      button("New item", "A", () => marking.edit(true, "new-points"), { id: "add" })));
}

function line(marking, item, n) {
  const isGiven = marking.mark.items.includes(item.id);
  return h("li", {}, h("button", { type: "button", class: "item", id: `item-${item.id}`, "aria-pressed": String(isGiven), onclick: () => marking.toggle(item.id) },
    h("kbd", {}, n < 9 ? String(n + 1) : "·"), h("b", {}, signed(item.points)), h("span", { html: item.html }), h("span", { class: "soft", title: "how many have it" }, String(item.used))));
}

/** Points as typed: without a sign they count the way the part counts. */
function asTyped(text, start) {
  const number = typedNumber(text);
  return start === "full" && !/^\s*[-+−]/.test(text) ? -number : number;
}

function editor(marking) {
  const { rubric } = marking.part, last = rubric.items.at(-1)?.place ?? 0;
  const number = h("input", { id: "new-points", inputmode: "decimal", "aria-label": "Points of a new item", placeholder: rubric.start === "full" ? "−2" : "+2" });
  const words = h("input", { id: "new-words", maxlength: 500, "aria-label": "Words of a new item, for the student", placeholder: "words for the student" });
  const add = async event => {
    event.preventDefault();
    const id = crypto.randomUUID().slice(0, 8);
    const isStored = await store(marking, { id, points: asTyped(number.value, rubric.start), words: words.value, place: last + 1 }, 0, event.target);
    if (!isStored) return;
    marking.editing = false;
    const given = marking.give({ items: [...marking.mark.items, id], fixed: null }); // draws at once
    document.getElementById("main").focus({ preventScroll: true });
    await given;
  };
  return h("div", {},
    h("ol", { class: "items" }, rubric.items.map((item, n) => row(marking, item, n))),
    h("form", { class: "edit", onsubmit: add }, number, words, h("button", { id: "new-store" }, "Add")),
    h("p", { class: "soft" }, "Enter stores. Whoever has an item gets its new points at once."),
    h("p", {}, h("label", {}, "Count", h("select", { id: "scheme", onchange: event => scheme(marking, event.target.value) },
      [["full", "down from full"], ["zero", "up from zero"]].map(([value, title]) => h("option", { value, selected: value === rubric.start }, title))))));
}

function row(marking, item, n) {
  const { rubric } = marking.part;
  const number = h("input", { id: `points-${item.id}`, inputmode: "decimal", "aria-label": `Points of item ${n + 1}`, value: signed(item.points) });
  const words = h("input", { id: `words-${item.id}`, maxlength: 500, "aria-label": `Words of item ${n + 1}`, value: item.words });
  const save = event => {
    event.preventDefault();
    store(marking, { ...plain(item), points: asTyped(number.value, rubric.start), words: words.value }, item.base);
  };
  return h("li", {}, h("form", { class: "edit", onsubmit: save }, number, words, h("span", { class: "row" },
    h("button", { "aria-label": `Store item ${n + 1}`, id: `store-${item.id}` }, "✓"),
    button("↑", "", () => swap(marking, n, n - 1), { "aria-label": `Item ${n + 1} up`, disabled: n === 0, id: `up-${item.id}` }),
    button("↓", "", () => swap(marking, n, n + 1), { "aria-label": `Item ${n + 1} down`, disabled: n === rubric.items.length - 1, id: `down-${item.id}` }),
    button("✕", "", () => store(marking, { ...plain(item), gone: true }, item.base), { "aria-label": `Remove item ${n + 1}`, id: `gone-${item.id}` }))));
}

const plain = ({ id, points, words, place }) => ({ id, points, words, place });

async function store(marking, item, base) {
  if (!Number.isFinite(item.points)) return void say("Points are a number, like −2 or 0.5.", 6);
  try {
    await send("item", { check: marking.check, base, item });
  } catch (error) {
    say(error.message, 8);
    await marking.reloadPart();
    marking.draw();
    return false;
  }
  forget(`points-${item.id}`, `words-${item.id}`);
  await marking.reloadPart();
  await marking.reload();
  return true;
}

async function swap(marking, a, b) {
  const [one, other] = [marking.part.rubric.items[a], marking.part.rubric.items[b]];
  const place = other.place === one.place ? other.place + (b > a ? 1 : -1) : other.place;
  const focus = document.activeElement.id;
  await send("item", { check: marking.check, base: other.base, item: { ...plain(other), place: one.place } }).catch(() => {});
  await store(marking, { ...plain(one), place }, one.base);
  document.getElementById(focus)?.focus();
}

async function scheme(marking, start) {
  await send("scheme", { check: marking.check, start });
  await marking.reloadPart();
  await marking.reload();
}
