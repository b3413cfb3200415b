"""The pictures of docs/marking.md, taken of the page at work on a made class.

python -m tests.marking.pictures [--out docs/marking]
"""

import argparse
import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

from tests.marking.browser import WHY_NOT, chromium, come_in, until
from tests.marking.classroom import PARTS, make_class, result, write_result, write_run
from tests.marking.running import Running
from tests.places import PROJECT

PAGES = PROJECT / "docs" / "marking"
LARGEST_BYTES = 100_000
NAMES = ("answer", "anew", "parts", "team", "narrow", "feedback")
ITEMS = (
    ("2", "no step says which moment of $q$ is used"),
    ("3", "the sign of $\\log\\sigma$ is wrong"),
    ("1", "constants are lost on the way"),
)
CHECK = PARTS[-1][0]


def take(out: Path) -> list[Path]:
    """Take all pictures; returns their paths."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="marking-") as place:
        folder = make_class(Path(place) / "results", 24)
        with Running(folder, "--colleague", "Ben") as running, chromium() as browser:
            page = come_in(browser, running.address, viewport={"width": 1240, "height": 860})
            ben = come_in(browser, running.colleagues[0], viewport={"width": 1240, "height": 860})
            _work(page, ben, running.base)
            _answer(page, out)
            _anew(page, folder, out)
            for name, path in (("parts", ""), ("team", "team")):
                page.goto(f"{running.base}/{path}")
                page.wait_for_selector("h1")
                _keep(page, out / f"{name}.png", 620)
            page.set_viewport_size({"width": 420, "height": 860})
            page.emulate_media(color_scheme="dark")
            page.goto(f"{running.base}/mark/{CHECK}")
            page.wait_for_selector("article:not(.typed) math")
            _keep(page, out / "narrow.png", 860)
            running.stop()
            written = sorted(
                folder.glob("*/feedback.html"),
                key=lambda path: -len(path.read_text(encoding="utf-8").split('class="given"')),
            )
            plain = browser.new_context(viewport={"width": 900, "height": 700}).new_page()
            plain.goto(written[0].as_uri())
            plain.locator(".given").first.scroll_into_view_if_needed()
            _keep(plain, out / "feedback.png", 700)
    return [out / f"{name}.png" for name in NAMES]


def _stored(page) -> None:
    page.wait_for_timeout(150)
    until(page, "document.getElementById('saved').textContent === ''")


def _work(page, ben, base: str) -> None:
    """A rubric, some marks by two persons, a comment, a share that two mark."""
    page.goto(f"{base}/mark/{CHECK}")
    page.wait_for_selector("article")
    for number, words in ITEMS:
        page.keyboard.press("a")
        page.keyboard.type(number)
        page.keyboard.press("Tab")
        page.keyboard.type(words)
        page.keyboard.press("Enter")
        _stored(page)
    ben.goto(f"{base}/mark/{CHECK}")
    ben.wait_for_selector("article")
    for person, keys in ((page, "1 2 0 1 3 1 0"), (ben, "0 1 0 3 1")):
        for key in keys.split():
            person.keyboard.press("n")
            _stored(person)
            person.keyboard.press(key)
            _stored(person)
    ben.goto(f"{base}/")


def _answer(page, out: Path) -> None:
    page.keyboard.press("n")
    _stored(page)
    page.keyboard.press("c")
    page.keyboard.type("Say where $\\mathbb{E}_q[(x-\\mu_q)^2]$ enters.")
    page.keyboard.press("Escape")
    _stored(page)
    page.keyboard.press("1")
    _stored(page)
    page.wait_for_selector("article:not(.typed) math")
    page.wait_for_timeout(600)
    _keep(page, out / "answer.png", 860)


def _anew(page, folder: Path, out: Path) -> None:
    """The answer that is open comes again, changed."""
    page.keyboard.press("h")
    page.wait_for_selector("p:has-text('student 0')")
    student = page.inner_text("main").partition("student ")[2][:4]
    text = "By definition, the constants cancel. With $\\mu_p = 0$ it is $\\tfrac12(\\mu^2 + \\sigma^2 - 1 - \\log\\sigma^2)$."
    write_result(folder, result(f"student {student}", {CHECK: text}))
    write_run(folder)
    page.wait_for_selector(".alarm")
    page.keyboard.press("h")
    page.wait_for_timeout(600)
    _keep(page, out / "anew.png", 560)


def _keep(page, path: Path, height: int) -> None:
    """A picture in few colours: small enough for a repository."""
    picture = Image.open(io.BytesIO(page.screenshot()))
    picture = picture.crop((0, 0, picture.width, min(height, picture.height))).convert("RGB")
    picture.quantize(48, dither=Image.Dither.NONE).save(path, optimize=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Take the pictures of docs/marking.md.")
    parser.add_argument("--out", type=Path, default=PAGES)
    if WHY_NOT:
        print(WHY_NOT)
        return 1
    for path in take(parser.parse_args(arguments).out):
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
