// Who marks what, how strictly and how fast; where two differ; set answers.

import { button, h, percent, points, say } from "./dom.js";
import { get, send } from "./net.js";

export async function team(go) {
  const found = await get("team");
  return [
    "Team",
    h("h1", {}, "Team"),
    numbers(found),
    differences(found),
    calibration(found),
    found.is_lead ? joining(found, go) : h("p", { class: "soft" }, `Shares and addresses are given out by ${found.lead}.`),
    found.is_lead ? shares(found, go) : null,
    found.is_lead ? doubles(found, go) : null,
  ].filter(Boolean);
}

const act = async (what, body, go) => {
  try {
    await send(what, body);
    if (go) await go(location.pathname);
  } catch (error) {
    say(error.message, 8);
  }
};

function numbers(found) {
  const cells = one => [one.name, one.marked, percent(one.mean), percent(one.spread), one.pace === null ? "–" : `${one.pace} s`];
  return h("section", { class: "card wide" },
    h("h2", {}, "Markers"),
    found.markers.length ? h("table", {},
      h("thead", {}, h("tr", {}, ["marker", "marks", "mean", "spread", "seconds a mark"].map((title, n) => h("th", { scope: "col", class: n ? "n" : null }, title)))),
      h("tbody", {}, found.markers.map(one => h("tr", {}, cells(one).map((cell, n) => h("td", { class: n ? "n" : null }, String(cell)))))))
      : h("p", { class: "soft" }, "Nobody has marked anything yet."));
}

const compared = one => one.marks.map(mark => `${mark.who} ${points(mark.points)}${mark.is_set ? " (counts)" : ""}`).join(", ");
const linked = one => h("li", {}, h("a", { href: `/mark/${one.check}/${one.id}` }, `${one.check}${one.student ? `, ${one.student}` : ""}`), `: ${compared(one)}`);

function differences(found) {
  return h("section", { class: "card" },
    h("h2", {}, `Two marks that differ: ${found.differences.length}`),
    h("ul", { class: "plain" }, found.differences.map(linked)));
}

function calibration(found) {
  return h("section", { class: "card" },
    h("h2", {}, `Set answers to calibrate on: ${found.calibration.length}`),
    h("p", { class: "soft" }, "Mark an answer, then set it (under its history): everybody else meets it first, marks it blind, and then sees your mark."),
    h("ul", { class: "plain" }, found.calibration.map(linked)));
}

function joining(found, go) {
  const name = h("input", { id: "person", maxlength: 40, autocomplete: "off" }), shown = h("output", { class: "soft" });
  const invite = async event => {
    event.preventDefault();
    try {
      const made = await send("invite", { person: name.value });
      shown.textContent = `${location.origin}${made.path}  (once, within a week; from another machine through a tunnel: see the terminal)`;
    } catch (error) {
      shown.textContent = error.message;
    }
  };
  return h("section", { class: "card" },
    h("h2", {}, "Let a colleague in"),
    h("form", { class: "row", onsubmit: invite },
      h("label", {}, "Name", name), h("button", {}, "Make an address"),
      button("End all sessions of this name", "", () => act("end", { person: name.value }, go))),
    h("p", {}, shown));
}

function shares(found, go) {
  const who = h("input", { id: "sharer", maxlength: 40, autocomplete: "off" }), part = h("input", { id: "nth", type: "number", min: 1, value: 1 }), of = h("input", { id: "of", type: "number", min: 1, value: 1 });
  const boxes = found.parts.map(one => h("input", { type: "checkbox", value: one.check, id: `share-${one.check}` }));
  const give = event => {
    event.preventDefault();
    act("share", { person: who.value.trim(), checks: boxes.filter(box => box.checked).map(box => box.value), part: part.value - 1, of: Number(of.value) }, go);
  };
  return h("section", { class: "card" },
    h("h2", {}, "Shares"),
    h("ul", { class: "plain" }, found.shares.map(one => h("li", {}, `${one.person}: ${one.checks.length ? one.checks.join(", ") : "all parts"}, students ${one.part + 1} of ${one.of}`))),
    h("form", { onsubmit: give },
      h("div", { class: "row" }, h("label", {}, "Name", who), h("label", {}, "Students, part", part), h("label", {}, "of", of)),
      h("fieldset", {}, h("legend", {}, "Parts (none: all)"), found.parts.map((one, n) => h("label", {}, boxes[n], one.check, " "))),
      h("p", {}, h("button", {}, "Give this share"))));
}

function doubles(found, go) {
  const check = h("select", { id: "twice" }, found.parts.map(one => h("option", { value: one.check }, one.check))), share = h("input", { id: "share", type: "number", min: 0, max: 100, value: 10 });
  const set = event => {
    event.preventDefault();
    act("double", { check: check.value, share: Number(share.value) / 100 }, go);
  };
  return h("section", { class: "card" },
    h("h2", {}, "Marked by two"),
    h("ul", { class: "plain" }, Object.entries(found.doubles).map(([one, part]) => h("li", {}, `${one}: ${percent(part)}`))),
    h("form", { class: "row", onsubmit: set },
      h("label", {}, "Part", check), h("label", {}, "Percent of the answers", share), h("button", {}, "Let two mark them")));
}
