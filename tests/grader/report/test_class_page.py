"""The class page: what it shows, that it needs nothing from elsewhere, and that it works in a real browser."""

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from grader.records import Report, Verdict
from grader.report import class_page, results_json
from grader.report.files import folder_name
from grader.report.reading import write_reading_pages
from grader.report.statistics import check_numbers, distribution, is_graded, waiting

HOSTILE = '<script>alert(1)</script>"&'
BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome", "chrome") if (path := shutil.which(name))), None
)
# Clicks the heading "score" twice, then leaves what it saw in the page's title, which the test reads from the dump.
PROBE = """<script>
const table = document.querySelector("table.rows");
const names = () => [...table.tBodies[0].rows].map(row => row.cells[0].querySelector("a")?.textContent ?? row.cells[0].textContent);
const button = [...table.querySelectorAll("th button")].find(b => b.textContent === "score");
button.click(); const up = names(); button.click(); const down = names();
const wide = [document.documentElement, ...document.querySelectorAll(".wide")].some(part => part.scrollWidth > part.clientWidth);
document.title = JSON.stringify({up, down, wide, sort: table.querySelector("[aria-sort]").getAttribute("aria-sort")});
</script></body>"""


def _verdict(status: str, points: float, check: str = "kl.D_KL.values", slip: str = "", number: str = "1.3") -> Verdict:
    return Verdict(
        check=check,
        task="kl.D_KL",
        title="a title",
        number=number,
        status=status,
        points=points,
        max_points=10,
        sentence=f"about {status} {slip}",
        slip=slip,
    )


def _results(student: str, *verdicts: Verdict, **changes) -> dict:
    facts = {
        "student": student,
        "file_name": "a.zip",
        "notebook": "01_kl_divergence",
        "submission_sha256": "0",
        "tier": "A",
    }
    return results_json(Report(**facts | changes, verdicts=verdicts))


@pytest.fixture
def classroom() -> list[dict]:
    manual = _verdict("manual", 0, "kl.beta.manual", number="2.10")
    return [
        _results("ada", _verdict("passed", 10), manual, wall_seconds=0.1),
        _results("bob", _verdict("wrong", 0, slip="sum_for_mean"), manual, wall_seconds=9.5),
        _results("cid", _verdict("wrong", 0, slip="sum_for_mean"), repairs=("its tag was mended",)),
        _results("dan", _verdict("missing", 0)),
        _results("eve", rejection="not a zip at all"),
        _results("fay", _verdict("grader_error", 0), fault="RuntimeError"),
        _results(HOSTILE, _verdict("partial", 4), repairs=(HOSTILE,)),
    ]


def test_the_numbers_are_those_of_the_results(classroom: list[dict]) -> None:
    graded = [r for r in classroom if is_graded(r)]
    assert len(graded) == 5
    assert distribution(graded) == [3, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    (check,) = check_numbers(graded)
    assert (check.passed, check.total) == (1, 5)
    assert check.trouble[0] == ("sum_for_mean", 2)
    assert check.example == "about wrong sum_for_mean"
    (question,) = waiting(graded)
    assert [answer["student"] for answer in question["answers"]] == ["ada", "bob"]


def test_the_page_shows_what_an_instructor_looks_for(classroom: list[dict]) -> None:
    page = class_page(classroom, ["Zoë Absent"], ["it is a Canvas download."])
    assert "it is a Canvas download." in page
    for words in (
        "sum_for_mean (2)",
        "20 %",
        "not a zip at all",
        "its tag was mended",
        "Our fault",
        "Zoë Absent",
        "a Canvas download",
        "10 s",
        "2 to read",
    ):
        assert words in page, words


def test_the_page_shows_hostile_text_as_text_and_needs_nothing_from_elsewhere(classroom: list[dict]) -> None:
    page = class_page(classroom, [HOSTILE], [HOSTILE])
    assert page.count("<script") == 1
    assert "alert(1)</script>" not in page
    assert "http" not in page
    assert not re.search(r'(src|href)="(?!diff\.html|[^":]+/feedback\.html|class_pages/[\w.]+\.html)', page)


def _picture(number: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + bytes([number]) * 40


def test_what_waits_has_a_page_of_its_own_with_pictures_as_files(classroom: list[dict], tmp_path: Path) -> None:
    pictures = [base64.b64encode(_picture(n)).decode() for n in (1, 2)] + ["no picture"]
    classroom[0]["extra_data"]["written"] = [{"check": "kl.beta.manual", "text": HOSTILE, "pictures": pictures}]
    assert 'href="class_pages/kl.beta.manual.html"' in class_page(classroom, [], [])
    write_reading_pages(tmp_path, [r for r in classroom if is_graded(r)])
    page = (tmp_path / "class_pages" / "kl.beta.manual.html").read_text(encoding="utf-8")
    assert "alert(1)&lt;/script&gt;" in page
    assert "<script" not in page
    assert 'href="../ada/feedback.html"' in page
    shown = [(tmp_path / "class_pages" / name).read_bytes() for name in re.findall(r'<img [^>]*src="([^"]+)"', page)]
    assert shown == [_picture(1), _picture(2)]
    (tmp_path / "class_pages" / "notes.txt").write_text("mine", encoding="utf-8")
    write_reading_pages(tmp_path, classroom[2:4])  # nothing waits any more
    left = [path.name for path in (tmp_path / "class_pages").rglob("*") if path.is_file()]
    assert left == ["notes.txt"]


def test_a_student_of_that_name_has_a_folder_of_their_own() -> None:
    assert folder_name("class_pages") == folder_name("class_pages_") == "class_pages_"
    assert folder_name("Class_Pages") == "Class_Pages_"


def test_an_empty_class_has_a_page() -> None:
    assert "Nothing graded" in class_page([], [], [])


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
@pytest.mark.parametrize("width", [390, 1200], ids=["phone", "desk"])
def test_a_browser_sorts_the_table_on_any_screen(classroom: list[dict], tmp_path: Path, width: int) -> None:
    path = tmp_path / "class.html"
    path.write_text(class_page(classroom, ["Zoë Absent"], []).replace("</body>", PROBE), encoding="utf-8")
    frame = tmp_path / "frame.html"  # a headless window is never narrower than 500 pixels, a frame is
    reader = "onload='document.title=this.contentDocument.title'"
    frame.write_text(
        f'<!doctype html><title>-</title><iframe src="class.html" style="width:{width}px;height:800px" {reader}></iframe>',
        encoding="utf-8",
    )
    assert BROWSER is not None
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    flags += [
        "--disable-background-networking",
        "--disable-component-update",
        "--allow-file-access-from-files",
        "--virtual-time-budget=3000",
    ]
    command = [BROWSER, *flags, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", frame.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, encoding="utf-8").stdout
    title = re.search(r"<title>(.*?)</title>", shown, re.DOTALL)
    assert title, shown
    seen = json.loads(title[1].replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">"))
    assert seen["up"][-1] == seen["down"][0] == "ada"
    assert seen["up"][0] == "Zoë Absent"
    assert seen["sort"] == "descending"
    assert not seen["wide"], "the page must not scroll sideways"
