// Answers to a part that hold some words, or stand somewhere.

import { h, points } from "./dom.js";
import { get } from "./net.js";

const dialog = () => document.getElementById("search");
let marking = null, last = 0, finding = Promise.resolve();

export function openSearch(from) {
  marking = from;
  dialog().showModal();
  document.getElementById("words").select();
  finding = find();
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

const first = () => document.querySelector("#hits button");

document.getElementById("words").addEventListener("input", () => { finding = find(); });
document.getElementById("only").addEventListener("change", () => { finding = find(); });
document.getElementById("words").addEventListener("keydown", async event => {
  if (event.key === "ArrowDown") first()?.focus();
  if (event.key !== "Enter") return;
  await finding; // what is there may be the hits of the first letters alone
  if (dialog().open) first()?.click();
});
