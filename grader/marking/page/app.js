// Which view is shown, and what all views share.

import { main, say, show, h } from "./dom.js";
import { here, listen, names } from "./net.js";
import { bind, help } from "./keys.js";
import { overview } from "./parts.js";
import { students, student } from "./students.js";
import { team } from "./team.js";
import { Marking } from "./marking.js";

let view = null, number = 0;

/** Go to an address of the page, without loading it again. */
export async function go(address, replaces = false) {
  if (address !== location.pathname + location.search) history[replaces ? "replaceState" : "pushState"]({}, "", address);
  await route();
}

async function route() {
  const mine = ++number, [, what, a, b] = location.pathname.split("/").map(decodeURIComponent);
  const by = new URLSearchParams(location.search).get("by") ?? "";
  for (const link of document.querySelectorAll("[data-view]")) {
    if (link.getAttribute("href") === (what === "mark" ? "/" : what === "student" ? "/students" : `/${what}`)) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const shared = {
    h: ["show or hide names", toggleNames],
    "?": ["this list", help],
    b: ["back to all parts", () => go("/")],
  };
  try {
    if (what === "mark") {
      const marking = view instanceof Marking && view.check === a ? view : new Marking(a, go);
      view = marking;
      bind({ ...marking.keys(), ...shared });
      await marking.open(b ?? "", by);
      return;
    }
    view = what;
    here();
    bind(shared);
    const made = await ({ students: () => students(go), student: () => student(a, go), team: () => team(go) }[what] ?? (() => overview(go)))();
    const [title, ...children] = made;
    if (mine === number) show(title, location.pathname, ...children);
  } catch (error) {
    if (mine === number) show("Not shown", "", h("h1", {}, "This cannot be shown"), h("p", { role: "alert" }, error.message));
  }
}

function toggleNames() {
  sessionStorage.setItem("names", names() ? "0" : "1");
  shownNames();
  route();
}

function shownNames() {
  const toggle = document.getElementById("names");
  toggle.setAttribute("aria-pressed", names());
  toggle.firstChild.textContent = names() ? "Hide names " : "Show names ";
}

document.addEventListener("click", event => {
  const link = event.target.closest?.("a[href^='/']");
  if (!link || link.hasAttribute("download") || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(link.getAttribute("href"));
});
document.getElementById("names").addEventListener("click", toggleNames);
document.getElementById("helper").addEventListener("click", help);
window.addEventListener("popstate", route);

listen(news => {
  if (news.kind === "results") say("A run has written new results: this page shows them now.");
  if (view instanceof Marking) view.hear(news);
  else if (["results", "change", "mark", "undo"].includes(news.kind) && !main().contains(document.activeElement?.closest("input, select"))) route();
});
shownNames();
route();
