// One question through the class: an answer, its marks, and the next.

import { button, forget, h, points, say, show, typedNumber } from "./dom.js";
import { get, here, send, settled } from "./net.js";
import { rubricBox } from "./rubric.js";
import { openSearch } from "./search.js";

const EMPTY = { items: [], change: 0, reason: "", comment: "", fixed: null, is_open: false };
const HEARTBEAT = 15_000;
const STANDINGS = { open: "not marked", done: "marked", reopened: "handed in anew", second: "waits for a second mark", disagree: "two marks differ" };

export class Marking {
  constructor(check, go) {
    Object.assign(this, { check, go, part: null, answer: null, mark: EMPTY, by: "", together: false, editing: false, draft: null, edits: 0, moving: Promise.resolve(), unfolded: new Set(), inOrder: {} });
    this.beat = setInterval(() => this.isShown() && this.stay(), HEARTBEAT);
  }

  isShown() {
    return Boolean(this.answer) && location.pathname === this.address(this.answer).split("?")[0];
  }

  address(place) {
    return `/mark/${place.check}/${place.id}${this.by ? `?by=${this.by}` : ""}`;
  }

  /** Keys mean the answer that is to be seen when a move is over; a quick N 1 gives 1 to the next. */
  keys() {
    const moves = { n: 1, enter: 1, j: 1, k: 1 };
    const after = act => async key => {
      await this.moving;
      return act(key);
    };
    return Object.fromEntries(Object.entries(this.ownKeys()).map(([key, [words, act]]) => [key, [words, key in moves ? act : after(act)]]));
  }

  ownKeys() {
    return {
      "1–9": ["give or take a rubric item", key => this.toggleNth(Number(key) - 1)],
      0: ["no rubric item: where counting starts", () => this.give({ items: [], fixed: null })],
      r: ["the mark still holds, though handed in anew", () => this.keep()],
      n: ["next that waits", () => this.next()],
      enter: ["the same", () => this.next()],
      j: ["next answer", () => this.move("next")],
      k: ["answer before", () => this.move("previous")],
      u: ["take back your last step in this part", () => this.undo()],
      f: ["flag, for later", () => this.flag()],
      g: ["mark the same answers along", () => this.setTogether(!this.together)],
      c: ["comment", () => document.getElementById("comment")?.focus()],
      p: ["free correction", () => this.correct()],
      a: ["new rubric item", () => this.edit(true, "new-points")],
      e: ["change the rubric", () => this.edit(!this.editing)],
      q: ["question", () => this.unfold("question")],
      s: ["the course's solution", () => this.unfold("solution")],
      "/": ["search", () => openSearch(this)],
    };
  }

  async open(id, by) {
    this.by = by;
    await settled();
    if (!this.part) await this.reloadPart();
    if (!id) {
      const found = await get("open", { check: this.check });
      const first = found.open ?? (await get("search", { check: this.check })).found[0];
      if (first) return this.go(`/mark/${this.check}/${first.id}`, true);
      return show(this.part.title, "", h("h1", {}, "Nobody has written anything here"), h("p", {}, h("a", { href: "/" }, "All parts")));
    }
    if (this.answer?.id !== id) Object.assign(this, { draft: null, editing: false });
    await this.load(id);
    this.stay();
    scrollTo({ top: 0, behavior: "instant" });
  }

  /** Ask; null where something that was asked later has come already: answers may overtake each other. */
  async ask(what, asked) {
    const order = (this.inOrder[what] ??= { asked: 0, come: 0 }), mine = ++order.asked;
    const found = await get(what, asked);
    if (mine < order.come) return null;
    order.come = mine;
    return found;
  }

  async load(id) {
    const { edits } = this, before = this.answer?.id;
    const found = await this.ask("answer", { check: this.check, id, by: this.by });
    if (!found || location.pathname.split("/")[3] !== id || (edits !== this.edits && before === id)) return; // a later step asks again
    this.answer = found;
    this.mark = found.mark ? { ...EMPTY, ...pick(found.mark) } : EMPTY;
    if (before !== id) this.together = false;
    this.draw();
    if (found.is_typed) setTimeout(() => this.answer?.id === id && this.reload(), 300);
  }

  async reload() {
    await settled();
    if (this.isShown()) await this.load(this.answer.id);
  }

  async reloadPart() {
    const part = await this.ask("part", { check: this.check });
    if (!part) return;
    this.part = part;
    if (this.part.is_typed) setTimeout(() => this.isShown() && this.reloadPart().then(() => this.draw()), 400);
  }

  async stay() {
    const others = await here(this.check, this.answer.id);
    if (String(others) !== String(this.answer.here)) {
      this.answer.here = others;
      this.draw();
    }
  }

  hear(news) {
    if (news.kind === "here") return void (this.isShown() && this.stay());
    if (news.kind === "results") this.part = null;
    const concerns = news.kind === "change" || news.kind === "results" || news.check === this.check;
    if (!concerns || !this.isShown()) return;
    if (news.kind === "mark" && news.id === this.answer.id) say(`${news.who} has just marked this answer.`, 8);
    this.reloadPart().then(() => this.reload());
  }

  // ---------------------------------------------------------------- what a marker does

  toggleNth(n) {
    const item = this.part.rubric.items[n];
    if (item) this.toggle(item.id);
    else say(`There is no rubric item ${n + 1} yet: A makes one.`);
  }

  toggle(id) {
    const has = this.mark.items.includes(id);
    return this.give({ items: has ? this.mark.items.filter(one => one !== id) : [...this.mark.items, id], fixed: null });
  }

  /** Change the mark: shown at once, then stored. */
  async give(change, settles = false) {
    const { answer } = this;
    this.edits += 1;
    this.mark = { ...this.mark, ...change };
    const mark = this.mark;
    this.draw();
    try {
      const done = await this.store(answer, mark, settles);
      if (done.stored > 1) say(`Marked, and ${done.stored - 1} same answers with it.`);
      if (this.answer?.id === answer.id) await this.refresh();
      return true;
    } catch (error) {
      say(error.message, 10);
      await this.reloadPart();
      await this.reload();
      return false;
    }
  }

  async store(answer, mark, settles) {
    await settled(); // the base below is that of what was sent before
    const done = await send("mark", { check: this.check, id: answer.id, digest: answer.digest, base: answer.base, mark, same: this.together, settles });
    answer.base = done.base;
    return done;
  }

  async refresh() {
    const id = this.answer.id;
    await this.reloadPart();
    await settled();
    if (this.answer?.id === id && this.isShown()) await this.load(id);
  }

  /** One move after the other. */
  moves(where) {
    this.moving = this.moving.then(async () => {
      await this.keepDraft();
      await settled();
      await where();
    }).catch(error => say(error.message, 8));
    return this.moving;
  }

  next() {
    return this.moves(async () => {
      const found = await get("open", { check: this.check, id: this.answer.id, by: this.by });
      if (found.open) await this.go(this.address(found.open));
      else say("Nothing else waits for you here. B goes back to all parts.", 8);
    });
  }

  move(where) {
    return this.moves(async () => {
      if (this.answer[where]) await this.go(this.address(this.answer[where]));
      else say(where === "next" ? "This is the last answer." : "This is the first answer.");
    });
  }

  async undo() {
    try {
      const done = await send("undo", { check: this.check });
      say(`Taken back: ${done.kinds.join(", ")}${done.count > 1 ? ` (${done.count})` : ""}.`);
      await this.reloadPart();
      if (done.id && done.id !== this.answer.id) await this.go(this.address({ check: this.check, id: done.id }));
      else await this.reload();
    } catch (error) {
      say(error.message, 8);
    }
  }

  async flag() {
    await send("flag", { check: this.check, id: this.answer.id, on: !this.answer.flagged });
    await this.reload();
  }

  /** The same mark, for the answer as it is now. */
  keep() {
    if (this.answer.reopened && this.mark !== EMPTY) return this.give({});
    return say("This answer is not one that was handed in anew.");
  }

  setTogether(on) {
    if (!this.answer.same.count) return say("Nobody else gave the same answer.");
    this.together = on;
    this.draw();
  }

  unfold(what) {
    this.unfolded[this.unfolded.has(what) ? "delete" : "add"](what);
    this.draw();
  }

  correct() {
    this.unfolded.add("correction");
    this.draw();
    document.getElementById("change").focus();
  }

  edit(on, focus) {
    this.editing = on;
    this.draw();
    if (focus) document.getElementById(focus)?.focus();
  }

  async keepDraft() {
    if (this.draft !== null && this.draft !== this.mark.comment) {
      const comment = this.draft;
      this.draft = null;
      await this.give({ comment });
    }
  }

  // ---------------------------------------------------------------- what is shown

  total() {
    const { rubric, points: most } = this.part;
    const items = rubric.items.filter(item => this.mark.items.includes(item.id)).reduce((sum, item) => sum + item.points, 0);
    const raw = this.mark.fixed ?? (rubric.start === "full" ? most : 0) + items;
    return Math.min(Math.max(raw + this.mark.change, 0), most);
  }

  draw() {
    const { answer, part } = this;
    show(`${part.number} ${part.title}`, `${answer.check} ${answer.id}`,
      h("div", { class: "marking" },
        h("div", {},
          h("h1", {}, `${part.number} ${part.title}`),
          h("p", { class: "soft" }, `${part.check}: `,
            answer.name ? `${answer.name}, ` : "", answer.place ? `answer ${answer.place} of ${answer.total}, ` : "", `${answer.left} left, `,
            h("span", { class: answer.status === "done" ? "good" : "wait" }, STANDINGS[answer.status]), answer.flagged ? h("span", { class: "bad" }, ", flagged") : ""),
          this.banners(),
          h("div", { class: "card shown" },
            h("article", { class: `words${answer.is_typed ? " typed" : ""}`, "data-id": answer.id, "aria-label": "The answer", html: answer.html || "<p>No words.</p>" }),
            answer.pictures ? h("div", { class: "pictures" }, pictures(answer)) : null),
          this.folded()),
        h("aside", { class: "marks", "aria-label": "Marks" }, this.marks())));
  }

  banners() {
    const { answer } = this, found = [];
    if (answer.here.length) found.push(h("p", { class: "card note", role: "alert" }, `${answer.here.join(" and ")} ${answer.here.length > 1 ? "are" : "is"} at this answer right now.`));
    if (answer.set_by) found.push(h("p", { class: "card note" }, `A set answer, by ${answer.set_by}: mark it, then compare.`));
    if (answer.others.length) found.push(h("div", { class: "card note" }, h("h2", {}, "Marks by others"), h("ul", { class: "plain" }, answer.others.map(one => h("li", {}, `${one.who}: ${points(one.points)}${one.is_set ? " (counts)" : ""}${one.comment ? `, “${one.comment}”` : ""}`))), answer.status === "disagree" ? button("Let my mark be the last word", "", () => this.settle()) : null));
    if (answer.reopened) found.push(reopened(answer), button("The mark still holds", "R", () => this.keep()));
    return h("div", {}, found);
  }

  settle() {
    this.answer.base = 0;
    return this.give({}, true);
  }

  folded() {
    const { answer, part } = this;
    const fold = (id, title, content) => h("details", { open: this.unfolded.has(id), ontoggle: event => this.unfolded[event.target.open ? "add" : "delete"](id) }, h("summary", { id: `fold-${id}` }, title), content);
    return h("div", { class: "card" },
      fold("question", ["The question ", h("kbd", {}, "Q")], h("div", { class: "words", html: part.question || "<p>Its source is not here.</p>" })),
      fold("solution", ["The course's own solution ", h("kbd", {}, "S")], h("div", { class: "words", html: part.solution || "<p>There is none in words.</p>" })),
      fold("checks", `What the automatic checks say (${answer.checks.length})`, h("ul", { class: "plain" }, answer.checks.map(one => h("li", {}, h("span", { class: one.status === "passed" ? "good" : "bad" }, `${one.status} `), `${one.check}: ${points(one.score)} of ${points(one.max_score)}. ${one.sentence}`)))),
      fold("history", `History (${answer.history.length})`, this.history()));
  }

  history() {
    const { answer } = this;
    return h("div", {},
      h("ul", { class: "plain history" }, answer.history.map(one => h("li", {}, `${new Date(one.at).toLocaleString()}, ${one.who}: ${one.points === null ? "withdrawn" : points(one.points)}${one.comment ? `, “${one.comment}”` : ""}`))),
      answer.mark && !answer.set_by ? button("Set this answer for others to calibrate on", "", () => this.calibrate(true)) : null,
      answer.set_by === document.body.dataset.who ? button("No longer a set answer", "", () => this.calibrate(false)) : null,
      answer.mark ? button("Withdraw my mark", "", () => this.give({ ...EMPTY, is_open: true })) : null);
  }

  async calibrate(on) {
    try {
      await send("calibrate", { check: this.check, id: this.answer.id, on });
    } catch (error) {
      say(error.message, 8);
    }
    await this.reload();
  }

  marks() {
    const { answer, part, mark } = this, isMarked = Boolean(answer.mark) || mark !== EMPTY;
    return [
      h("div", { class: "card" },
        h("div", { class: "total", id: "total" }, isMarked && !mark.is_open ? points(this.total()) : "–", h("span", { class: "soft" }, ` of ${points(part.points)} points`)),
        mark.fixed !== null ? h("p", { class: "soft" }, `${points(mark.fixed)} given outright, as in a sheet; a rubric item takes its place.`) : null),
      answer.same.count ? h("div", { class: "card" }, h("label", {}, h("input", { type: "checkbox", id: "together", checked: this.together, onchange: event => this.setTogether(event.target.checked) }), `Also the ${answer.same.count} same answers (${answer.same.open} not marked) `, h("kbd", {}, "G"))) : null,
      rubricBox(this),
      this.correction(),
      this.comment(),
      h("div", { class: "card actions" },
        button("Next that waits", "N", () => this.next(), { class: "main", id: "next" }),
        button("Before", "K", () => this.move("previous")), button("After", "J", () => this.move("next")),
        button("Undo", "U", () => this.undo()),
        button(answer.flagged ? "Unflag" : "Flag", "F", () => this.flag(), { "aria-pressed": String(answer.flagged) }),
        button("Search", "/", () => openSearch(this))),
    ];
  }

  correction() {
    const { mark } = this;
    const change = h("input", { id: "change", inputmode: "decimal", value: mark.change || "", size: 5 }), reason = h("input", { id: "reason", value: mark.reason, maxlength: 500 });
    const store = async event => {
      event.preventDefault();
      const found = typedNumber(change.value);
      if (!Number.isFinite(found)) return void say("Points are a number, like −2 or 0.5.", 6);
      if (await this.give({ change: found, reason: reason.value.trim() })) forget("change", "reason");
    };
    return h("details", { class: "card", open: Boolean(mark.change || mark.reason) || this.unfolded.has("correction"), ontoggle: event => this.unfolded[event.target.open ? "add" : "delete"]("correction") },
      h("summary", { id: "fold-correction" }, "Free correction ", h("kbd", {}, "P")),
      h("form", { class: "row", onsubmit: store }, h("label", {}, "Points", change), h("label", {}, "Reason, for the student", reason), h("button", { id: "correct" }, "Correct")));
  }

  comment() {
    const { mark, part } = this;
    const box = h("textarea", {
      id: "comment", value: this.draft ?? mark.comment, maxlength: 10000, "aria-describedby": "comment-help",
      oninput: event => { this.draft = event.target.value; event.stopPropagation(); },
      onblur: () => this.keepDraft(),
      onkeydown: event => { if (event.key === "ArrowDown" && event.target.selectionStart === event.target.value.length) document.querySelector(".used button")?.focus(); },
    });
    const before = part.comments.filter(one => one.text !== (this.draft ?? mark.comment));
    return h("div", { class: "card" },
      h("label", { for: "comment" }, h("strong", {}, "Comment for the student"), h("kbd", {}, "C")), box,
      h("p", { class: "soft", id: "comment-help" }, "Formulas between dollars are set. Esc leaves the box and stores it."),
      before.length ? h("div", { class: "used", role: "group", "aria-label": "Used before", onkeydown: arrows }, before.map(one => h("button", { type: "button", html: one.html, onclick: () => { this.draft = null; this.give({ comment: one.text }); } }))) : null);
  }
}

function arrows(event) {
  const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
  if (!step) return;
  event.preventDefault();
  (event.target.closest("button")[step] ?? document.getElementById("comment")).focus();
}

const pick = mark => ({ items: mark.items, change: mark.change, reason: mark.reason, comment: mark.comment, fixed: mark.fixed, is_open: mark.is_open });

const pictures = answer => Array.from({ length: answer.pictures }, (_, n) =>
  h("img", { src: `/picture/${answer.check}/${answer.id}/${n}?${answer.digest}`, alt: `Picture ${n + 1} of this answer`, loading: "eager" }));

function reopened(answer) {
  const { difference, is_text_same: sameText, are_pictures_same: samePictures, who } = answer.reopened;
  return h("div", { class: "card alarm" },
    h("h2", {}, `Handed in anew since ${who} marked it`),
    sameText ? h("p", {}, "The words are the same.") : h("div", { class: "difference", html: difference }),
    h("p", { class: "soft" }, samePictures ? "The pictures are the same." : "The pictures have changed."));
}
