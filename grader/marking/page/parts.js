// All parts, and how far they are.

import { button, h, percent, points, say } from "./dom.js";
import { get, send } from "./net.js";

export async function overview(go) {
  const found = await get("overview");
  const done = found.parts.reduce((sum, part) => sum + part.done, 0), total = found.parts.reduce((sum, part) => sum + part.total, 0);
  return [
    "Parts",
    h("h1", {}, `${found.folder}: ${done} of ${total} answers marked`),
    h("div", { class: "card wide" }, h("table", { class: "stack" },
      h("thead", {}, h("tr", {}, ...["part", "marked", "mean", "open for you", ""].map((title, n) => title
        ? h("th", { scope: "col", class: n && n < 4 ? "n" : null }, title) : h("td", {})))),
      h("tbody", {}, found.parts.map(part => row(part))))),
    h("div", { class: "card actions" },
      button("Write the reports", "", reports),
      h("a", { href: "/points.csv", download: true, class: "tap" }, "The marks as a sheet (CSV)"),
      h("span", { class: "soft" }, "Closing the page in the terminal writes the reports too.")),
  ];
}

function row(part) {
  const notes = [
    part.reopened && `${part.reopened} handed in anew`,
    part.disagree && `${part.disagree} with two marks that differ`,
    part.flagged && `${part.flagged} flagged`,
  ].filter(Boolean);
  return h("tr", {},
    h("td", {},
      h("a", { href: `/mark/${part.check}` }, `${part.number} ${part.title}`),
      h("div", { class: "soft" }, `${part.check}, ${points(part.points)} points`, notes.length ? `; ${notes.join(", ")}` : "")),
    h("td", { class: "n" },
      h("progress", { max: part.total, value: part.done, "aria-label": `marked of ${part.check}` }), ` ${part.done} of ${part.total}`),
    h("td", { class: "n" }, part.mean === null ? "–" : `${points(Math.round(100 * part.mean) / 100)} (${percent(part.mean / part.points)})`),
    h("td", { class: "n" }, String(part.mine)),
    h("td", {}, h("a", { href: `/mark/${part.check}`, class: "tap", "aria-label": `Mark ${part.check}` }, part.mine ? "Mark" : "Look")));
}

async function reports() {
  say("Writing feedback, grades and the class page …", 0);
  try {
    say((await send("reports", {}, "/api/")).said, 12);
  } catch (error) {
    say(error.message, 12);
  }
}
