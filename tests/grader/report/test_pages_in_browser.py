"""The pages of a class in a real browser: people sorted and filtered, pictures beside the pages, 3,000 students, axe."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.classes.diff import diff
from grader.report import feedback_page, write_atomically
from grader.report.items import question_numbers
from grader.report.statistics import is_graded
from grader.report.summary import write_summary
from tests.large_class import made_up, png, seconds_to_open, write_pages
from tests.marking.browser import WHY_NOT, chromium

pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
SOME, MANY, SECONDS, BYTES = 60, 3000, 2.0, 5 * 2**20


@pytest.fixture(scope="module")
def browser() -> Iterator:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def results() -> list[dict]:
    return made_up(SOME)


@pytest.fixture(scope="module")
def folder(results: list[dict], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class's pages, a student's, and a comparison with an earlier run."""
    root = tmp_path_factory.mktemp("class")
    old, new = root / "old", root / "new"
    for place, shift in ((old, 1), (new, 0)):
        for n, result in enumerate(results):
            changed = json.loads(json.dumps(result))
            if shift and "score" in changed and n % 9 == 1:
                changed["score"] += 1
            write_atomically(place / result["extra_data"]["student"] / "results.json", json.dumps(changed))
    write_pages(new, results)
    diff(old, new)
    special = [r for r in results if r["extra_data"].get("adjustments") or r["extra_data"]["rejection"]]
    write_atomically(new / "feedback-adjusted.html", feedback_page(special[0]))
    write_atomically(
        new / "feedback-rejected.html", feedback_page(next(r for r in results if r["extra_data"]["rejection"]))
    )
    write_pages(new, results)
    diff(old, new)
    several = [*results, *made_up(SOME, "01_kl_divergence", pictures=False)]
    names = sorted({result["extra_data"]["notebook"] for result in several} - {""})
    assert len(names) == 2
    facts = {"is_class": True, "absent": [], "found": ["two notebooks, a folder each"]}
    write_summary(root / "several", names, several, facts)
    write_atomically(new / "summary.html", (root / "several" / "class.html").read_text(encoding="utf-8"))
    return new


@pytest.mark.parametrize(
    ("scheme", "width", "media"), [("light", 1280, "screen"), ("dark", 390, "screen"), ("dark", 794, "print")]
)
def test_axe_finds_nothing_on_any_page(folder: Path, browser, scheme: str, width: int, media: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    tab, asked = context.new_page(), []
    tab.emulate_media(media=media, color_scheme=scheme)
    tab.on("request", lambda request: asked.append(request.url))
    pages = [*sorted(folder.glob("*.html")), *sorted((folder / "class_pages").glob("*.html"))]
    assert {"summary.html", "class.html", "diff.html", "feedback-adjusted.html", "feedback-rejected.html"} < {
        path.name for path in pages
    }
    assert len(pages) > 5
    for path in pages:
        tab.goto(path.as_uri())
        tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        found = Axe().run(tab)
        assert found.response["passes"], "axe has run"
        assert found.violations_count == 0, f"{path.name}: {found.generate_report()}"
        assert tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, path
    assert all(url.startswith(("file:", "data:")) for url in asked), "nothing comes from elsewhere"
    context.close()


_OUTSIDE = """() => [...document.querySelectorAll('.card')].flatMap(card => {
    const edge = card.getBoundingClientRect().right;
    return [...card.querySelectorAll(':scope *')].filter(one => !one.closest('blockquote > *')
        && one.getBoundingClientRect().right > edge).map(one => one.outerHTML.slice(0, 80));
})"""


@pytest.mark.parametrize("width", [360, 700, 1200])
def test_an_answer_with_a_wide_formula_stays_in_its_card(results: list[dict], browser, tmp_path, width: int) -> None:
    result = json.loads(json.dumps(next(r for r in results if is_graded(r))))
    check = result["tests"][0]["extra_data"]["check"]
    text = f"An answer with ${'+'.join('abcdefghijklmnopqrstuvwxyz' * 3)}$ in it."
    result["extra_data"]["written"] = [{"check": check, "text": text, "pictures": []}]
    path = tmp_path / "feedback.html"
    write_atomically(path, feedback_page(result))
    tab = browser.new_page(viewport={"width": width, "height": 900})
    tab.goto(path.as_uri())
    answer = "document.querySelector('blockquote')"
    assert tab.evaluate(f"{answer}.scrollWidth > {answer}.clientWidth"), "the formula is wider than its line"
    assert tab.evaluate(_OUTSIDE) == []
    assert tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    tab.close()


def _shown(tab) -> list[str]:
    return tab.evaluate(
        "[...document.querySelectorAll('.rows tbody tr')].filter(r => !r.hidden).map(r => r.cells[0].textContent)"
    )


def test_people_are_filtered_and_sorted_as_an_oracle_says(folder: Path, results: list[dict], browser) -> None:
    tab, chance = browser.new_page(), random.Random(1)
    tab.goto((folder / "class.html").as_uri())
    assert len(_shown(tab)) == SOME + 1
    flags = {
        "late": lambda e: bool(e.get("is_late")) or bool(e.get("late", {}).get("days")),
        "adjusted": lambda e: bool(e.get("adjustments")),
        "waits": lambda e: bool(e["pending_points"]),
        "mended": lambda e: bool(e["repairs"]),
    }
    statuses = sorted({r["extra_data"]["status"] for r in results})
    for _ in range(25):
        word, status = chance.choice(["", "ada", "ZOË", "son_1", "nobody"]), chance.choice(["", *statuses])
        wanted = {flag for flag in flags if chance.random() < 0.25}
        tab.fill("#by-name", word)
        tab.select_option("#by-status", status)
        for flag in flags:
            tab.set_checked(f"input[value={flag}]", flag in wanted)
        expected = {
            r["extra_data"]["student"]
            for r in results
            if word.lower() in r["extra_data"]["student"].lower()
            and status in ("", r["extra_data"]["status"])
            and all(flags[flag](r["extra_data"]) for flag in wanted)
        }
        if not wanted and not status and word in "hedy lamarr":
            expected.add("Hedy Lamarr")
        assert set(_shown(tab)) == expected, (word, status, wanted)
        assert tab.inner_text("#shown") == f"{len(expected)} of {SOME + 1}"
    tab.fill("#by-name", "")
    tab.select_option("#by-status", "")
    for flag in flags:
        tab.set_checked(f"input[value={flag}]", False)
    scores = {r["extra_data"]["student"]: r["score"] for r in results if is_graded(r)}
    tab.click(".rows th button:has-text('score')")
    order = [scores[name] for name in _shown(tab) if name in scores]
    assert order == sorted(scores.values())
    tab.click(".rows th button:has-text('score')")
    assert [scores[name] for name in _shown(tab) if name in scores] == sorted(scores.values(), reverse=True)
    tab.close()


def test_every_picture_of_a_class_is_shown(folder: Path, results: list[dict], browser) -> None:
    pictures = {png(r) for r in results if is_graded(r)}
    assert {path.read_bytes() for path in (folder / "class_pages" / "pictures").iterdir()} == pictures
    tab = browser.new_page()
    for path in sorted((folder / "class_pages").glob("*.html")):
        tab.goto(path.as_uri())
        broken = tab.evaluate(
            "Promise.all([...document.images].map(i => { i.loading = 'eager'; return i.decode().then(() => '', () => i.src); }))"
            ".then(all => all.filter(Boolean))"
        )
        assert broken == []
        assert tab.evaluate("document.images.length") == len(pictures)
    tab.close()


def test_three_thousand_open_in_two_seconds_and_five_megabytes(tmp_path: Path, browser) -> None:
    write_pages(tmp_path, made_up(MANY, pictures=False))
    page = tmp_path / "class.html"
    assert page.stat().st_size < BYTES
    tab = browser.new_page()
    assert min(seconds_to_open(tab, page) for _ in range(3)) < SECONDS
    assert len(_shown(tab)) == MANY + 1
    tab.close()


def test_difficulty_and_discrimination_are_those_of_the_definition() -> None:
    graded = [r for r in made_up(80, pictures=False) if is_graded(r)]
    found = {question.task: question for question in question_numbers(graded)}
    assert len(found) > 5
    for task, question in found.items():
        own, rest = [], []
        for result in graded:
            tests = [t for t in result["tests"] if "score" in t]
            mine = [t for t in tests if t["extra_data"]["task"] == task]
            own.append(sum(t["score"] for t in mine) / sum(t["max_score"] for t in mine))
            rest.append(sum(t["score"] for t in tests if t not in mine))
        assert question.mean == pytest.approx(sum(own) / len(own))
        assert question.students == len(graded)
        assert question.discrimination == pytest.approx(_pearson(own, rest))
        assert question.discrimination > 0, "who is able is able everywhere, in this class"
    assert all(question.discrimination is None for question in question_numbers(graded[:9]))


def _pearson(xs: list[float], ys: list[float]) -> float:
    n = len(xs)
    top = n * sum(x * y for x, y in zip(xs, ys, strict=True)) - sum(xs) * sum(ys)
    return top / ((n * sum(x * x for x in xs) - sum(xs) ** 2) * (n * sum(y * y for y in ys) - sum(ys) ** 2)) ** 0.5
