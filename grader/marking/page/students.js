// One student through all questions.

import { button, h, points, say, signed, typedNumber } from "./dom.js";
import { get, send } from "./net.js";

const called = one => one.name ?? `Student ${one.place}`;

export async function students() {
  const found = (await get("students")).students;
  return [
    "Students",
    h("h1", {}, `${found.length} submissions`),
    h("div", { class: "card" }, h("ul", { class: "plain" }, found.map(one =>
      h("li", {}, h("a", { href: `/student/${one.id}` }, called(one)), h("span", { class: "soft" }, ` ${one.done} of ${one.total} marked`))))),
  ];
}

export async function student(id, go) {
  const found = await get("student", { id });
  if (found.is_typed) setTimeout(() => location.pathname === `/student/${id}` && !document.activeElement?.closest("form") && go(location.pathname), 400);
  const first = found.parts.find(part => !part.missing);
  return [
    called(found),
    h("h1", {}, called(found)),
    h("p", {}, `By a person ${points(found.given)} of ${points(found.of)}, automatically ${points(found.automatic)} of ${points(found.automatic_of)}.`),
    first && h("p", {}, h("a", { href: `/mark/${first.check}/${id}?by=student`, class: "tap" }, "Mark these one after the other")),
    ...found.parts.map(part => piece(part, id, found)),
    adjusting(found, id, go),
  ];
}

function piece(part, id, found) {
  const standing = part.missing ? "nothing written: 0" : part.given === null ? part.status : points(part.given);
  return h("section", { class: "card" },
    h("h2", {}, `${part.number} ${part.title} `, h("span", { class: "soft" }, `${part.check}: ${standing} of ${points(part.points)}`)),
    part.missing ? null : h("div", { class: found.is_typed ? "words typed" : "words", html: part.html }),
    part.pictures ? h("p", { class: "soft" }, `${part.pictures} pictures`) : null,
    part.missing ? null : h("p", {}, h("a", { href: `/mark/${part.check}/${id}?by=student`, "aria-label": `Mark ${part.check}` }, "Mark")));
}

function adjusting(found, id, go) {
  const target = h("select", { id: "target" }, ["total", ...found.checks, ...found.parts.map(part => part.check)].map(check => h("option", { value: check }, check)));
  const number = h("input", { id: "adjust-points", inputmode: "decimal", required: true }), reason = h("input", { id: "adjust-reason", required: true, maxlength: 500 });
  const act = async body => {
    try {
      await send("adjust", { id, ...body });
      await go(location.pathname);
    } catch (error) {
      say(error.message, 8);
    }
  };
  const submit = event => {
    event.preventDefault();
    const found = typedNumber(number.value);
    if (!Number.isFinite(found)) return void say("Points are a number, like −2 or 0.5.", 6);
    act({ target: target.value, points: found, reason: reason.value });
  };
  return h("section", { class: "card" },
    h("h2", {}, "Adjustments"),
    h("ul", { class: "plain" }, found.adjustments.map(one => h("li", {},
      `${signed(one.points)} on ${one.target}: ${one.reason} (${one.who}) `, button("Withdraw", "", () => act({ withdraws: one.id }), { "aria-label": `Withdraw ${signed(one.points)} on ${one.target}` })))),
    h("form", { onsubmit: submit, class: "row" },
      h("label", {}, "What", target), h("label", {}, "Points", number), h("label", {}, "Reason, for the student", reason),
      h("button", {}, "Adjust")));
}
