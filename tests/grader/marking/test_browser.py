"""The page in a real browser: a class marked by keyboard alone, two at once, a killed server, strangers' content, axe.

Skipped, with the reason, where no Chromium is installed. Nothing is downloaded, nothing asks a network.
"""

import csv
import io
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.cli import main
from tests.marking.attacks import CANARY, TEXTS
from tests.marking.browser import WHY_NOT, chromium, come_in, until
from tests.marking.classroom import PARTS, make_class, result, write_result, write_run
from tests.marking.running import Running, wait_until

pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
CHECK, OTHER = PARTS[0][0], PARTS[1][0]
MARKED = "document.querySelector('#total').textContent"


@pytest.fixture(scope="module")
def browser() -> Iterator:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_class(tmp_path_factory.mktemp("class") / "results", 12)


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "results"))


def _total(page) -> str:
    return page.inner_text("#total").split()[0]


def _is_stored(page) -> None:
    """Until everything that was done is stored and shown."""
    until(page, "document.getElementById('saved').textContent === ''")


def _until_here(page, holds) -> None:
    """Wait for something on this side, while the browser's events come in."""
    for _ in range(400):
        if holds():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not come to hold")


def _is_shown(page) -> None:
    """Until the answer of the address is the one to be seen."""
    until(page, "document.querySelector('article')?.dataset.id === location.pathname.split('/')[3]")


def _open(page, check: str = CHECK) -> None:
    page.goto(f"{page.url.partition('/mark')[0].rstrip('/')}/mark/{check}")
    page.wait_for_selector("article")


def _make_item(page, points: str, words: str) -> None:
    """A rubric item, by keyboard; it is given to the answer that is open."""
    count = page.locator(".item").count()
    page.keyboard.press("a")
    page.keyboard.type(points)
    page.keyboard.press("Tab")
    page.keyboard.type(words)
    page.keyboard.press("Enter")
    until(page, f"document.querySelectorAll('.item[aria-pressed]').length === {count + 1}")
    _is_stored(page)


def _next(page, key: str = "n") -> None:
    before = page.url
    page.keyboard.press(key)
    until(page, f"location.href !== {before!r}")
    _is_shown(page)


def _grades(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "grades.csv").open(encoding="utf-8") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def test_sixty_answers_by_keyboard_alone(folder: Path, browser) -> None:
    """Twelve students, five parts. From the parts on, no pointer is touched."""
    pressed = 0
    with Running(folder) as running:
        page = come_in(browser, running.address)
        for check, *_ in PARTS:
            link = f"a[href='/mark/{check}']"
            for _ in range(60):  # from link to link, as the Tab key goes
                if page.evaluate(f"document.activeElement.matches({link!r})"):
                    break
                page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            page.wait_for_selector("article")
            _make_item(page, "2", f"no reason for $x$ in {check}")
            _make_item(page, "1.5", "a sign is wrong")
            for n in range(12):
                if n:
                    page.keyboard.press("12"[n % 2])
                    _is_stored(page)
                    pressed += 1
                until(page, f"{MARKED}.trim()[0] !== '–'")
                if n < 11:
                    _next(page)
                    pressed += 1
            page.keyboard.press("n")
            until(page, "document.getElementById('status').textContent.startsWith('Nothing else waits')")
            page.keyboard.press("b")
            page.wait_for_selector("h1:has-text('answers marked')")
        assert page.inner_text("h1").startswith("results: 60 of 60")
        assert page.faults == []
        running.stop()
    assert pressed == 5 * 22
    rows = _grades(folder)
    assert {row["pending"] for row in rows.values()} == {"0"}
    assert all(float(row["max_score"]) == 70 for row in rows.values())
    assert {float(row["kl.general"]) for row in rows.values()} == {6.5, 8, 8.5}


def test_an_item_changed_later_moves_totals(folder: Path, browser) -> None:
    with Running(folder) as running:
        page = come_in(browser, running.address)
        _open(page)
        _make_item(page, "2", "half")
        assert _total(page) == "8"
        first = page.url
        _next(page)
        page.keyboard.press("1")
        _is_stored(page)
        page.keyboard.press("e")
        page.locator("input[aria-label='Points of item 1']").fill("-4.5")
        page.keyboard.press("Enter")
        until(page, f"{MARKED}.startsWith('5.5')")
        page.keyboard.press("Escape")
        page.goto(first)
        page.wait_for_selector("article")
        assert _total(page) == "5.5"
        page.keyboard.press("u")  # the last step was the item's change
        until(page, f"{MARKED}.trim().startsWith('8')")
        page.goto(f"{running.base}/")
        page.wait_for_selector("td:has-text('8 (80 %)')")


def test_comments_corrections_and_the_same_answers(folder: Path, browser) -> None:
    for n in range(3):
        write_result(folder, result(f"twin {n}", {CHECK: f"{' ' * n}It is zero for $q = p$."}))
    write_run(folder)
    with Running(folder) as running:
        page = come_in(browser, running.address)
        _open(page)
        page.keyboard.press("/")
        page.keyboard.type("zero for $q = p$.")
        page.wait_for_selector("#hits button:has-text('It is zero')")
        page.keyboard.press("Enter")
        page.wait_for_selector("article:has-text('It is zero')")
        page.keyboard.press("c")
        page.keyboard.type("See $\\sigma^2$ and <img src=x onerror=window.struck=1>.")
        page.keyboard.press("Escape")
        page.wait_for_selector("#total:has-text('10')")
        page.keyboard.press("g")
        page.keyboard.press("p")
        page.keyboard.type("-1")
        page.keyboard.press("Tab")
        page.keyboard.type("too short")
        page.keyboard.press("Enter")
        until(page, "document.getElementById('status').textContent.startsWith('Marked, and 2 same')")
        page.wait_for_selector("#total:has-text('9')")
        page.keyboard.press("Escape")
        _next(page)
        page.keyboard.press("c")
        page.keyboard.press("ArrowDown")  # what was said before is offered again, its formula set
        assert page.evaluate("document.activeElement.querySelector('math') !== null")
        page.keyboard.press("Enter")
        until(page, "document.getElementById('comment').value.startsWith('See $')")
        _is_stored(page)
        assert page.evaluate(CANARY) is None
        running.stop()
    rows = _grades(folder)
    assert [rows[f"twin {n}"]["kl.general"] for n in range(3)] == ["9"] * 3
    feedback = (folder / "twin 2" / "feedback.html").read_text(encoding="utf-8")
    assert "too short" in feedback
    assert "<math" in feedback.partition("too short")[2]
    assert "<img src=x" not in feedback


def test_answers_that_overtake_each_other_change_nothing(folder: Path, browser) -> None:
    """The rubric as it was comes in after the rubric as it is, and is not believed."""
    with Running(folder, "--colleague", "Ben") as running:
        page, ben = come_in(browser, running.address), running.client(running.colleagues[0])
        _open(page)
        _make_item(page, "2", "half")
        old: list = []

        def hold_the_first(route) -> None:
            if old:
                route.continue_()
            else:
                old.append(route)  # others come in while this one is fetched
                old.append(route.fetch())

        page.wait_for_selector("article:not(.typed)")
        page.route("**/api/part?*", hold_the_first)
        page.keyboard.press("u")  # the mark; asks for the rubric
        _until_here(page, lambda: len(old) == 2)
        (item,) = ben.get("part", check=CHECK)["rubric"]["items"]
        change = {name: item[name] for name in ("id", "words", "place")} | {"points": -4.5}
        assert ben.send("item", check=CHECK, base=item["base"], item=change)[0] == 200
        page.wait_for_selector(".item:has-text('4.5')")
        with page.expect_response(
            "**/api/part?*"
        ):  # whoever asked for it: the mark, or a page that waits for a rubric of later
            old[0].fulfill(response=old[1])
        page.wait_for_timeout(500)
        assert page.locator(".item:has-text('4.5')").count() == 1


def test_enter_opens_a_hit_of_all_that_was_typed(folder: Path, browser) -> None:
    write_result(folder, result("last of all", {CHECK: "zzz, and no more"}))
    write_run(folder)
    with Running(folder) as running:
        page = come_in(browser, running.address)
        _open(page)
        page.keyboard.press("/")
        page.wait_for_selector("#hits button")
        page.route("**/api/search?*", lambda route: (time.sleep(0.3), route.continue_()))
        page.keyboard.type("zzz")
        page.keyboard.press("Enter")
        page.wait_for_selector("article:has-text('zzz, and no more')")


def test_a_view_drawn_anew_keeps_the_focus_on_what_has_no_id(folder: Path, browser) -> None:
    with Running(folder, "--colleague", "Ben") as running:
        page, ben = come_in(browser, running.address), running.client(running.colleagues[0])
        _open(page)
        focused = "document.activeElement.textContent"
        page.get_by_role("button", name="Undo").focus()
        assert not page.evaluate("document.activeElement.id")
        before = page.evaluate(focused)
        item = {"id": "b", "points": -1.0, "words": "made by Ben", "place": 1}
        assert ben.send("item", check=CHECK, base=0, item=item)[0] == 200
        page.wait_for_selector(".item:has-text('made by Ben')")
        assert page.evaluate(focused) == before


def test_a_number_half_typed_is_kept_when_the_view_is_drawn_anew(folder: Path, browser) -> None:
    """A lone minus was forgotten: a point came on where one was to go off."""
    with Running(folder, "--colleague", "Ben") as running:
        page, ben = come_in(browser, running.address), running.client(running.colleagues[0])
        _open(page)
        page.keyboard.press("p")
        page.keyboard.type("-")
        item = {"id": "b", "points": -1.0, "words": "made by Ben", "place": 1}
        assert ben.send("item", check=CHECK, base=0, item=item)[0] == 200
        page.wait_for_selector(".item:has-text('made by Ben')")
        page.keyboard.type("1")
        page.keyboard.press("Tab")
        page.keyboard.type("too short")
        page.keyboard.press("Enter")
        page.wait_for_selector("#total:has-text('9')")
        page.locator("#change").fill("two")
        page.keyboard.press("Enter")
        page.wait_for_selector("#status:has-text('Points are a number')")


def test_a_view_drawn_anew_takes_no_selection_and_no_click_away(folder: Path, browser) -> None:
    """What was selected was appended to instead of replaced; a click under way was lost."""
    with Running(folder, "--colleague", "Ben") as running:
        page, ben = come_in(browser, running.address), running.client(running.colleagues[0])

        def add(name: str) -> None:
            item = {"id": name, "points": -1.0, "words": f"made by {name}", "place": 1}
            assert ben.send("item", check=CHECK, base=0, item=item)[0] == 200

        _open(page)
        add("ben")
        page.wait_for_selector(".item:has-text('made by ben')")
        page.keyboard.press("e")
        page.locator("#points-ben").click()  # which waits out a view that is drawn anew just then
        page.keyboard.press("ControlOrMeta+a")
        add("carl")
        page.wait_for_selector("#points-carl")
        page.keyboard.type("-4")
        assert page.input_value("#points-ben") == "-4"
        page.keyboard.press("Enter")
        page.wait_for_selector("#points-ben:not([data-typed])")
        _is_stored(page)
        page.locator("#edit").click()

        page.keyboard.press("c")
        page.keyboard.type("Look at the mean")
        for _ in "mean":
            page.keyboard.press("ArrowLeft")
        add("dora")
        page.wait_for_selector(".item:has-text('made by dora')")
        page.keyboard.type("posterior ")
        page.keyboard.press("Escape")
        assert page.input_value("#comment") == "Look at the posterior mean"
        _is_stored(page)

        page.locator(".item:has-text('made by ben')").hover()
        page.mouse.down()
        add("emil")
        page.wait_for_timeout(1500)
        page.mouse.up()
        page.wait_for_selector(".item[aria-pressed=true]:has-text('made by ben')")
        page.wait_for_selector(".item:has-text('made by emil')")
        assert _total(page) == "6"


def test_two_markers_at_once(folder: Path, browser) -> None:
    with Running(folder, "--colleague", "Ben") as running:
        ada, ben = come_in(browser, running.address), come_in(browser, running.colleagues[0])
        _open(ada)
        _make_item(ada, "3", "no proof")
        ada.keyboard.press("u")
        until(ada, f"{MARKED}.trim()[0] === '–'")
        ben.goto(ada.url)
        for page, other in ((ada, "Ben"), (ben, "Ada")):
            page.wait_for_selector(f"[role=alert]:has-text('{other} is at this answer right now')")
        ben.keyboard.press("1")
        _is_stored(ben)
        until(ada, "document.getElementById('status').textContent === 'Ben has just marked this answer.'")
        until(ada, f"{MARKED}.startsWith('7')")
        _next(ben)
        ada.wait_for_selector("[role=alert]", state="detached")
        # Ben's next is not where Ada is; and a mark on what one has not seen is refused, not stored.
        assert ada.url != ben.url
        stale = {"check": CHECK, "id": ada.url.rpartition("/")[2], "base": 0, "mark": {"items": []}}
        status = ben.evaluate(
            """async sent => {
                const answer = await (await fetch(`/api/answer?check=${sent.check}&id=${sent.id}`)).json();
                const body = JSON.stringify({ ...sent, digest: answer.digest, key: "k", page: "p" });
                return (await fetch("/do/mark", { method: "POST", headers: { "Content-Type": "application/json" }, body })).status;
            }""",
            stale,
        )
        assert status == 409
        assert _total(ada) == "7"


def test_a_server_killed_in_the_middle_of_a_mark(folder: Path, browser) -> None:
    with Running(folder) as running:
        page = come_in(browser, running.address)
        _open(page)
        _make_item(page, "2", "half")
        _next(page)
        running.kill()
        page.keyboard.press("1")
        until(page, "document.getElementById('status').textContent.startsWith('Not stored yet')")
        running.start()
        until(page, "document.getElementById('saved').textContent === ''", seconds=60)
        page.reload()
        page.wait_for_selector("#total:has-text('8')")
        client = running.client()
        assert [part["done"] for part in client.get("overview")["parts"]] == [2, 0, 0, 0, 0]


def test_a_hostile_response_does_nothing(folder: Path, browser) -> None:
    for name, (_, text) in TEXTS.items():
        write_result(folder, result(name, {OTHER: text.encode("utf-8", "replace").decode()}))
    write_run(folder)
    with Running(folder) as running:
        page = come_in(browser, running.address)
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        _open(page, OTHER)
        page.keyboard.press("h")
        for _ in range(12 + len(TEXTS) - 1):
            page.wait_for_selector("article:not(.typed)")
            page.hover("article")
            assert page.evaluate(CANARY) is None, page.inner_text("article")
            assert (
                page.evaluate(
                    "document.querySelectorAll('article :is(script, img, iframe, a, form, style, svg)').length"
                )
                == 0
            )
            _next(page, "j")
        assert page.locator("#next").is_visible()
        assert {url for url in asked if not url.startswith(running.base)} == set()
        assert page.faults == []


def test_a_resubmission_reopens_and_shows_the_difference(folder: Path, browser) -> None:
    with Running(folder) as running:
        page = come_in(browser, running.address)
        _open(page)
        page.keyboard.press("0")
        _is_stored(page)
        page.keyboard.press("h")
        page.wait_for_selector("p:has-text('student 0')")
        student = re.search(r"student \d+", page.inner_text("main"))[0]
        write_result(folder, result(student, {CHECK: "Wholly another answer."}))
        write_run(folder)
        page.wait_for_selector(".alarm:has-text('Handed in anew since Ada marked it')")
        assert page.inner_text(".alarm ins")
        assert "handed in anew" in page.inner_text("main")
        page.keyboard.press("r")
        page.wait_for_selector(".alarm", state="detached")
        running.stop()
    assert _grades(folder)[student]["kl.general"] == "10"


def test_marks_go_into_a_canvas_file(folder: Path, browser, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book = tmp_path / "gradebook.csv"
    lines = [
        "Student,ID,SIS Login ID,Section,01_kl_divergence (901),Final Score",
        "    Points Possible,,,,70,(read only)",
    ]
    lines += [f"student {n:04},{n},s{n},A,," for n in range(12)]
    book.write_bytes("\r\n".join([*lines, ""]).encode())
    with Running(folder) as running:
        page = come_in(browser, running.address)
        page.goto(f"{running.base}/mark/{CHECK}")
        page.wait_for_selector("article")
        page.keyboard.press("h")
        page.keyboard.press("0")
        _is_stored(page)
        page.wait_for_selector("p:has-text('student 0')")
        student = re.search(r"student \d+", page.inner_text("main"))[0]
        page.goto(f"{running.base}/")
        page.get_by_role("button", name="Write the reports").click()
        until(
            page,
            "document.getElementById('status').textContent.includes('1 parts graded by hand are in, 59 still wait')",
        )
        with page.expect_download() as download:
            page.get_by_text("The marks as a sheet").click()
        sheet = Path(download.value.path()).read_text(encoding="utf-8")
    rows = {row["student"]: row for row in csv.DictReader(io.StringIO(sheet.lstrip("\ufeff")))}
    assert [value for name, value in rows[student].items() if name.startswith(f"{CHECK} (")] == ["10"]
    assert main(["mark", str(folder), "--fill", str(book)]) == 1, "59 parts still wait"
    assert "--fill-also waiting" in "".join(capsys.readouterr())
    assert main(["mark", str(folder), "--fill", str(book), "--fill-also", "waiting", "--trust-names"]) == 0
    assert "12 scores in the column 01_kl_divergence (901)" in capsys.readouterr().out
    number = int(student.split()[1])
    filled = (folder / "gradebook.csv").read_bytes().decode()
    assert f"{student},{number},s{number},A,43," in filled
    assert filled.count(",A,33,") == 11


# ---------------------------------------------------------------- for everybody


def _views(page, base: str) -> Iterator[str]:
    """Every view, one after the other, with something in it."""
    yield "parts"
    _open(page)
    _make_item(page, "2", "half of $x$")
    page.keyboard.press("c")
    page.keyboard.type("Well done")
    page.keyboard.press("Escape")
    _is_stored(page)
    for key in "qsp":
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    page.wait_for_selector("article:not(.typed)")
    yield "an answer"
    page.keyboard.press("e")
    yield "the rubric, to change"
    page.keyboard.press("?")
    yield "the keys"
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.wait_for_selector("#hits button")
    yield "the search"
    page.keyboard.press("Escape")
    for address in ("students", "team"):
        page.goto(f"{base}/{address}")
        page.wait_for_selector("h1")
        yield address
    page.goto(f"{base}/students")
    page.locator("main li a").first.click()
    page.wait_for_selector("h2:has-text('Adjustments')")
    page.wait_for_selector(".words:not(.typed)")
    yield "a student"


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 400)])
def test_axe_finds_nothing(folder: Path, browser, scheme: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    found = {}
    with Running(folder) as running:
        page = come_in(browser, running.address, color_scheme=scheme, viewport={"width": width, "height": 900})
        for view in _views(page, running.base):
            results = Axe().run(page)
            assert results.response["passes"], "axe has run"
            found[view] = [
                f"{one['id']}: {[node['target'] for node in one['nodes']]}" for one in results.response["violations"]
            ]
            for narrowed in (800, width):  # a tablet, too
                page.set_viewport_size({"width": narrowed, "height": 900})
                wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                assert wide <= 0, f"{view} is {wide} pixels too wide at {narrowed}"
    assert len(found) == 8
    assert found == {view: [] for view in found}


PLACE = """() => {
    const e = document.activeElement, b = e.getBoundingClientRect(), s = getComputedStyle(e);
    const name = e.id || e.textContent.trim().slice(0, 30);
    return [name, b.left, b.top + scrollY, s.outlineStyle, parseFloat(s.outlineWidth), e.tagName];
}"""
REACHABLE = """() => [...document.querySelectorAll("main :is(button, a[href], input, select, textarea, summary):not([disabled])")]
    .filter(e => e.checkVisibility()).length"""


def test_the_focus_goes_in_order_and_is_seen(folder: Path, browser) -> None:
    """Tab goes as the eye does, reaches everything, and where it is there is an outline."""
    with Running(folder) as running:
        page = come_in(browser, running.address)
        _open(page)
        _make_item(page, "2", "half")
        page.wait_for_selector("article:not(.typed)")
        page.focus(".skip")
        seen, outlines = [], []
        for n in range(60):
            if n:
                page.keyboard.press("Tab")
            place = page.evaluate(PLACE)
            if place[5] == "BODY":
                break
            seen.append(place)
            outlines.append(place[3] != "none" and place[4] >= 2)
        names = [place[0] for place in seen]
        assert all(outlines), [name for name, is_seen in zip(names, outlines, strict=True) if not is_seen]
        wanted = [
            "Skip to the answer",
            "Parts",
            "names",
            "helper",
            "fold-question",
            "fold-solution",
            "edit",
            "none",
            "add",
            "comment",
            "next",
        ]
        assert [name for name in names if name in wanted] == wanted
        in_marks = [place for place in seen if place[1] > 700 and place[2] > 60]
        assert [round(place[2] / 40) for place in in_marks] == sorted(round(place[2] / 40) for place in in_marks)
        reachable = page.evaluate(REACHABLE)
        assert len([place for place in seen if place[2] > 50]) >= reachable


def test_single_keys_can_be_switched_off(folder: Path, browser) -> None:
    with Running(folder) as running:
        page = come_in(browser, running.address)
        _open(page)
        page.keyboard.press("?")
        page.uncheck("#single")
        page.keyboard.press("Escape")
        page.keyboard.press("0")
        page.wait_for_timeout(200)
        assert _total(page) == "–"
        page.get_by_role("button", name="Full points").click()
        until(page, f"{MARKED}.startsWith('10')")


def test_it_waits_until_it_is_let_in(folder: Path, browser) -> None:
    with Running(folder) as running:
        page = browser.new_context().new_page()
        assert page.goto(f"{running.base}/").status == 401
        assert "an address of your own" in page.inner_text("h1")
        come_in(browser, running.address)
        assert page.goto(running.address).status == 403
        assert "opens nothing" in page.inner_text("h1")
        wait_until(lambda: running.process.poll() is None)
