// Answers to a part that hold some words, or stand somewhere.

import { h, points } from "./dom.js";
import { get } from "./net.js";

const dialog = () => document.getElementById("search");
let marking = null, last = 0;

export function openSearch(from) {
  marking = from;
  dialog().showModal();
  document.getElementById("words").select();
  find();
}

async function find() {
  const mine = ++last;
  const found = await get("search", { check: marking.check, words: document.getElementById("words").value, only: document.getElementById("only").value });
  if (mine !== last) return;
  document.getElementById("found").textContent = `${found.count} answers`;
  document.getElementById("hits").replaceChildren(...found.found.slice(0, 100).map(hit));
}

function hit(one) {
  const standing = one.points === null ? one.status : `${points(one.points)} points`;
  return h("li", {}, h("button", { type: "button", onclick: () => { dialog().close(); marking.go(marking.address({ check: marking.check, id: one.id })); } },
    h("strong", {}, one.name ?? `Answer ${one.place}`), h("span", { class: "soft" }, ` ${standing}${one.flagged ? ", flagged" : ""}`), h("br"), one.snippet));
}

document.getElementById("words").addEventListener("input", find);
document.getElementById("only").addEventListener("change", find);
document.getElementById("words").addEventListener("keydown", event => {
  const first = document.querySelector("#hits button");
  if (event.key === "Enter" && first) first.click();
  if (event.key === "ArrowDown" && first) first.focus();
});
