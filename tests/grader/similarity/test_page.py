"""similar.html: what it says, that strangers' text is only text, and that it works in a real browser."""

import base64
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grader.similarity.answers import Answers, Skipped
from grader.similarity.compare import compare
from grader.similarity.page import one_in, similar_page
from grader.similarity.times import handed_in_first
from tests.similarity.classes import made_class
from utils.assignments import load_assignment

NAME = "03_mnist_vae"
HOSTILE = '<script>document.title = "taken"</script><img src=x onerror=alert(1)>\'"&</pre></mark>{{ 7 * 7 }}'
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)


@pytest.fixture(scope="module")
def page() -> str:
    students = list(made_class(NAME, 40, [], seed=12).students)
    code = (
        f"def interpolate_linear(x, y, steps):\n    # {HOSTILE}\n    seltsam = x.cos() * 13 + y.sin() / 7\n"
        f"    return seltsam.expand(steps, 3).cumsum(1), {HOSTILE!r}"
    )
    words = f"The points lie on a {HOSTILE} line, as if a ruler had been laid through an orchard of codes."
    for k, name, at in (
        (3, HOSTILE, "2026-02-01T10:00:00Z"),
        (8, "x" * 90, "2026-02-01 12:00:00 UTC"),
        (20, "Zoë", ""),
    ):
        students[k] = replace(
            students[k], student=name, code=dict.fromkeys((task.id for task in load_assignment(NAME).tasks), code),
            words={"ae.samples.manual": words}, submitted_at=at, wrong=frozenset({"vae.interpolate"}),
            slips=frozenset({f"vae.interpolate.values: {HOSTILE}"}), quiet=frozenset({f"metadata:tag={HOSTILE}", "cell id:77"}),
        )  # fmt: skip
    return similar_page([compare(NAME, students)], [Skipped(HOSTILE, HOSTILE)], True, "digest")


def test_it_accuses_nobody_and_says_how_sure_it_is(page: str) -> None:
    assert "This page accuses nobody." in page
    assert "staff only" in page
    assert "780 pairs compared" in page
    assert "by chance under 1 in a million" in page
    assert "handed in first, 2 hours before the next" in page
    assert "Three and more that hang together" in page
    assert "Wrong with both." in page
    assert "seltsam" in page.partition("The same names:")[2][:40]
    assert "notebook metadata, as tag=" in page


def test_shared_rare_lines_are_marked_side_by_side(page: str) -> None:
    sides = re.findall(r'<div class="sides">(.*?)\n</div>', page, re.DOTALL)
    assert sides
    assert all(side.count("<pre>") == 2 for side in sides)
    assert "<mark>seltsam = x.cos() * 13 + y.sin() / 7</mark>" in page


def test_strangers_text_is_only_text(page: str) -> None:
    assert "<script" not in page
    assert "<img" not in page
    assert "49" not in re.findall(r"</mark>.{0,5}", page)
    assert page.count("<pre>") == page.count("</pre>")
    assert page.count("<mark>") == page.count("</mark>")


def test_nothing_comes_from_elsewhere_and_no_script_may_run(page: str) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    css = page.partition("<style>")[2].partition("</style>")[0]
    assert f"sha256-{base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()}" in policy[1]
    assert policy[1].startswith("default-src 'none'")
    assert "unsafe" not in policy[1]
    assert " style=" not in re.sub(r"<pre>.*?</pre>", "", page, flags=re.DOTALL)
    assert not re.search(r"(?:src|href)=\"(?!#|class\.html)", page)
    assert "url(" not in css


def test_odds_in_words() -> None:
    assert one_in(0.05) == "1 in 20"
    assert one_in(1 / 41_234) == "1 in 41,000"
    assert one_in(1e-12) == "under 1 in a million"


@pytest.mark.parametrize(
    ("times", "said"),
    [
        (("2026-02-01T10:00:00Z", "2026-02-03T10:00:00Z"), "a handed in first, 2 days before the next"),
        (
            ("2026-02-01 10:00:30 -0800", "2026-02-01 10:00:00 -0800"),
            "b handed in first, less than a minute before the next",
        ),
        (("2026-02-01T10:00:00Z", "2026-02-01T10:00:00Z"), ""),
        (("2026-02-01T10:00:00Z", "2026-02-01 10:00:00"), ""),
        (("yesterday-ish", "2026-02-01"), ""),
        (("", ""), ""),
        (("9" * 400, "1"), ""),
    ],
)
def test_the_likely_source_where_times_tell(times: tuple[str, str], said: str) -> None:
    pair = [
        Answers(student=name, notebook=NAME, code={}, words={}, pictures={}, quiet=frozenset(), submitted_at=time)
        for name, time in zip("ab", times, strict=True)
    ]
    assert handed_in_first(pair) == said


@pytest.fixture(scope="module")
def browser() -> Iterator:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: the page is tried in a real browser only where there is one")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        running = driver.chromium.launch(executable_path=CHROMIUM, args=options)
        yield running
        running.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)])
def test_it_works_in_a_browser(page: str, browser, tmp_path: Path, scheme: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    path = tmp_path / "similar.html"
    path.write_text(page, encoding="utf-8")
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=False)
    asked, faults = [], []
    tab = context.new_page()
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: faults.append(message.text))
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.goto(path.as_uri())
    assert tab.title().startswith("Similar answers")
    assert asked == [path.as_uri()]
    assert faults == []
    assert tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert tab.evaluate("getComputedStyle(document.querySelector('.card')).borderRadius") != "0px", (
        "the style is allowed"
    )
    last = tab.locator(".pairs a").last
    target = last.get_attribute("href")
    last.click()
    tab.wait_for_function(f"document.querySelector('{target}').checkVisibility()")
    found = Axe().run(tab)
    assert found.response["passes"], "axe has run"
    assert [f"{one['id']}: {[node['target'] for node in one['nodes']]}" for one in found.response["violations"]] == []
    context.close()
