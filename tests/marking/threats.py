"""The marking page under attack: every hostile answer in a real browser, every hostile request, counted.

    python -m tests.marking.threats        writes its part of docs/threat-model.md

`python -m tests.threat_model` runs it as well.
"""

import sys
import tempfile
from pathlib import Path

from tests.marking.attacks import CANARY, REQUESTS, TEXTS
from tests.marking.browser import WHY_NOT, chromium, come_in, until
from tests.marking.classroom import PARTS, make_class, result, write_result, write_run
from tests.marking.running import Running
from tests.places import PROJECT

PAGE = PROJECT / "docs" / "threat-model.md"
_BEGIN, _END = (
    "<!-- made by the run on the marking page: begin -->",
    "<!-- made by the run on the marking page: end -->",
)
CHECK = PARTS[0][0]
FOREIGN = "article :is(script, img, iframe, a, form, style, svg, object, input, base, meta, link)"


def run() -> dict[str, dict[str, bool | None]]:
    """Try all; by kind and name, whether it was held; None where it was not tried."""
    with tempfile.TemporaryDirectory(prefix="marking-") as place:
        folder = make_class(Path(place) / "results", 3)
        for name, (_, text) in TEXTS.items():
            write_result(folder, result(name, {CHECK: text.encode("utf-8", "replace").decode()}))
        write_run(folder)
        with Running(folder, "--colleague", "Ben", "--colleague", "Eve") as running:
            lead, ben = running.client(), running.client(running.colleagues[0])
            requests = {name: _is_refused(lead, ben, name) for name in REQUESTS}
            texts = dict.fromkeys(TEXTS) if WHY_NOT else _shown(running)
    return {"answers": texts, "requests": requests}


def _is_refused(lead, ben, name: str) -> bool:
    before = lead.get("overview")["last"]
    status = REQUESTS[name][1](ben)
    return 400 <= status < 500 and lead.get("overview")["last"] == before


def _shown(running: Running) -> dict[str, bool | None]:
    """Each hostile answer, looked at in a browser."""
    held: dict[str, bool | None] = {}
    with chromium() as browser:
        page = come_in(browser, running.colleagues[1])
        page.keyboard.press("h")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        found = page.evaluate(f"fetch('/api/search?names=1&check={CHECK}').then(answer => answer.json())")["found"]
        for hit in found:
            if hit["name"] not in TEXTS:
                continue
            asked.clear()
            page.goto(f"{running.base}/mark/{CHECK}/{hit['id']}")
            page.wait_for_selector("article:not(.typed)")
            page.hover("article")
            page.keyboard.press("Tab")
            is_quiet = (
                page.evaluate(CANARY) is None and page.evaluate(f"document.querySelectorAll('{FOREIGN}').length") == 0
            )
            is_ours = all(url.startswith(running.base) for url in asked)
            page.keyboard.press("0")
            until(page, "!document.querySelector('#total').textContent.startsWith('–')")
            held[hit["name"]] = is_quiet and is_ours and page.locator("#next").is_visible()
    return held


def made(found: dict[str, dict[str, bool | None]]) -> str:
    """The page's part: counts, what got through, and every attack in a line."""
    texts, requests = found["answers"], found["requests"]
    tried = (
        "no browser was here to try them"
        if None in texts.values()
        else f"{sum(map(bool, texts.values()))}/{len(texts)}"
    )
    rows = [
        ("Tried on the marking page", "held", "held by"),
        ("---", "---", "---"),
        ("hostile answers, opened and marked in Chromium", tried, "a sanitiser's few elements, MathML or nothing, a policy"),
        ("hostile requests", f"{sum(map(bool, requests.values()))}/{len(requests)}", "sessions, origin and host, known kinds of values"),
    ]  # fmt: skip
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    through = [
        f"- `{name}`: **not expected**." for one in found.values() for name, held in one.items() if held is False
    ]
    what = "\n\n" + "\n".join(through) if through else "Nothing."
    lines = [f"- `{name}`: {aim}" for known in (TEXTS, REQUESTS) for name, (aim, _) in known.items()]
    listed = "<details><summary>All of them, one line each</summary>\n\n" + "\n".join(lines) + "\n</details>"
    return f"{table}\n\n**What got through.** {what}\n\n{listed}"


def surprises(found: dict[str, dict[str, bool | None]]) -> list[str]:
    """What was not held, a line each."""
    return [f"marking {kind} {name}" for kind, one in found.items() for name, held in one.items() if held is False]


def write(found: dict[str, dict[str, bool | None]]) -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    after = rest.partition(_END)[2]
    PAGE.write_text(f"{before}{_BEGIN}\n\n{made(found)}\n\n{_END}{after}", encoding="utf-8")


def main() -> int:
    found = run()
    write(found)
    print("\n".join(surprises(found)) or f"{PAGE.relative_to(PROJECT)}: nothing got through on the marking page.")
    return 1 if surprises(found) else 0


if __name__ == "__main__":
    sys.exit(main())
