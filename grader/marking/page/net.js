// Asking and sending. What is sent is sent in order, and again until the server has said that it is stored.

import { say } from "./dom.js";

export const page = crypto.randomUUID();
export const names = () => sessionStorage.getItem("names") === "1";

export class Refusal extends Error {
  constructor(status, words) {
    super(words);
    this.status = status;
  }
}

async function answerOf(response) {
  let content = {};
  try {
    content = await response.json();
  } catch {
    content = { error: "The server's answer cannot be read." };
  }
  if (!response.ok) throw new Refusal(response.status, content.error ?? "The server refused.");
  return content;
}

/** Ask: get("answer", { check, id }). */
export async function get(what, asked = {}) {
  const query = new URLSearchParams({ ...asked, names: names() ? "1" : "" });
  return answerOf(await fetch(`/api/${what}?${query}`));
}

let line = Promise.resolve(), waiting = 0;

function count(change) {
  waiting += change;
  document.getElementById("saved").textContent = waiting ? "storing …" : "";
}

/** Send, after everything sent before. A key of its own makes it safe to send again: it is stored once. */
export function send(what, body = {}, where = "/do/") {
  const sent = JSON.stringify({ page, key: crypto.randomUUID(), ...body });
  count(1);
  const mine = line.then(() => untilStored(where + what, sent)).finally(() => count(-1));
  line = mine.catch(() => {});
  return mine;
}

async function untilStored(address, body) {
  for (let wait = 300, said = false; ; wait = Math.min(2 * wait, 4000)) {
    try {
      const response = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body });
      if (response.status < 500) {
        if (said) say("The server is back, and it is stored.");
        return await answerOf(response);
      }
    } catch (error) {
      if (error instanceof Refusal) throw error;
    }
    say("Not stored yet: the server does not answer. Trying again; keep this page open.", 0);
    said = true;
    await new Promise(done => setTimeout(done, wait));
  }
}

/** When all that was sent is stored. */
export const settled = () => line;

/** Say where this page is; not worth repeating when it fails. */
export async function here(check = "", id = "") {
  const body = JSON.stringify({ page, check, id });
  try {
    const response = await fetch("/do/here", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    return response.ok ? (await response.json()).here : [];
  } catch {
    return [];
  }
}

/** Hear what happens elsewhere. */
export function listen(hear) {
  const news = new EventSource("/api/news");
  news.onmessage = message => {
    const heard = JSON.parse(message.data);
    if (heard.page !== page) hear(heard);
  };
}

window.addEventListener("beforeunload", event => { if (waiting) event.preventDefault(); });
