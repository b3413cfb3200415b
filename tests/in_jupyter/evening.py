"""What a student does in one notebook, step by step; each step says what it expects to see."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.in_jupyter.lab import Book, running
from tools.notebooks import solved_notebook
from tools.student import write_bundle

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def spend(browser: Any, name: str, folder: Path, is_solved: bool = False) -> list[str]:
    """Unpack the bundle into a folder, open a notebook of it and go through it.

    Args:
        browser: A running browser.
        name: The notebook's name.
        folder: An empty folder.
        is_solved: Fill every gap, so that all of the notebook runs.

    Returns:
        One line a step that was taken.

    Raises:
        AssertionError: If something is not as the student was told.
    """
    bundle = unpack(folder)
    place = folder / "home"
    place.mkdir()
    with running(bundle, place) as (address, token):
        book = Book.open(browser, address, token, name)
        steps = [*_work(book, name, is_solved), *_hand_in(book, bundle / "notebooks", name)]
        assert not book.page.faults, book.page.faults
        book.page.context.close()
    return steps


def unpack(folder: Path) -> Path:
    """The student bundle, unpacked; the folder that it unpacks to."""
    write_bundle(folder / "student.zip")
    with zipfile.ZipFile(folder / "student.zip") as archive:
        archive.extractall(folder)
        top = archive.namelist()[0].split("/")[0]
    return folder / top


def _work(book: Book, name: str, is_solved: bool) -> Iterator[str]:
    answers = [cell.source for cell in solved_notebook(name).cells]
    cells = book.cells()
    sources = ["".join(cell["source"]) for cell in cells]
    gaps = [n for n, text in enumerate(sources) if text.startswith("# AUTOGRADED") and text != answers[n]]
    test = next(n for n in range(gaps[0], len(cells)) if sources[n].startswith("# TEST"))

    def said(n: int) -> str:
        return _COLOURS.sub("", book.run(n))

    _see_target_pictures(book)
    for n in range(test):
        if cells[n]["cell_type"] == "code":
            assert "Traceback" not in said(n), (n, said(n))
    assert "Not yet. " in said(test), book.said(test)
    assert "still open" in book.said(test)
    yield f"cell {test + 1}: the first test is red before its gap is filled"
    mine = [n for n in gaps if n < test]
    for n in mine:
        book.write(n, answers[n])
        said(n)
    green = said(test)
    assert "passed" in green, green
    assert "Not yet" not in green, green
    yield f"cell {test + 1}: the first test is green when {len(mine)} of {len(gaps)} gaps are filled"
    if is_solved:
        for n in sorted(set(range(len(cells))) - set(mine)):
            if sources[n] != answers[n]:
                book.write(n, answers[n])
    book.run_all()
    told = [_COLOURS.sub("", book.said(n)) for n in range(len(cells))]
    errors = [
        n + 1 for n, cell in enumerate(book.cells()) for out in cell.get("outputs", []) if out["output_type"] == "error"
    ]
    assert not errors, f"cells {errors} stopped"
    waiting = sum("Not yet. " in text for text in told)
    assert bool(waiting) != is_solved
    yield f"Run All reaches the end; {waiting} cells wait for open gaps"
    yield from _move_sliders(book)
    pictures = [
        data for cell in book.cells() for out in cell.get("outputs", []) if "image/png" in (data := out.get("data", {}))
    ]
    assert all('alt="' in "".join(data.get("text/html", "")) for data in pictures)
    assert pictures or not is_solved
    yield f"{len(pictures)} pictures, each with its text"


def _see_target_pictures(book: Book) -> None:
    """The pictures of good results are on the screen, with words, before anything has run."""
    book.go_to(0)
    book.until("document.querySelectorAll('.jp-MarkdownOutput img').length > 0")
    book.until(
        "[...document.querySelectorAll('.jp-MarkdownOutput img')].every(i => i.complete && i.naturalWidth > 9 && i.alt.length > 9)"
    )


def _move_sliders(book: Book) -> Iterator[str]:
    """Whatever slider a cell shows is moved a step with the keyboard; its number follows and nothing breaks."""
    shown = [n for n, cell in enumerate(book.cells()) for out in cell.get("outputs", []) if _is_widget(out)]
    moved = 0
    for n in dict.fromkeys(shown):
        book.go_to(n)
        handles = book.page.locator(".jp-Notebook .jp-Cell.jp-mod-active .noUi-handle")
        for at in range(min(3, handles.count())):
            handle = handles.nth(at)
            before = handle.get_attribute("aria-valuenow")
            key = "ArrowLeft" if before == handle.get_attribute("aria-valuemax") else "ArrowRight"
            handle.focus()
            handle.press(key)
            selector = {"n": at, "before": before}
            book.until(
                "document.querySelectorAll('.jp-Cell.jp-mod-active .noUi-handle')[given.n].ariaValueNow !== given.before",
                **selector,
            )
            book.until_quiet()
            moved += 1
        assert "Traceback" not in book.said(n)
    if moved:
        yield f"{moved} sliders moved"


def _is_widget(output: dict) -> bool:
    return "application/vnd.jupyter.widget-view+json" in output.get("data", {})


def _hand_in(book: Book, folder: Path, name: str) -> Iterator[str]:
    last = len(book.cells()) - 1
    book.save()
    told = _COLOURS.sub("", book.run(last))
    for suffix in ("zip", "pdf"):
        assert f"Wrote {name}_submission.{suffix}" in told, told
        assert (folder / f"{name}_submission.{suffix}").stat().st_size > 1000
    assert "SHA-256" in told
    with zipfile.ZipFile(folder / f"{name}_submission.zip") as archive:
        assert f"{name}.ipynb" in archive.namelist()
        assert archive.read(f"{name}.ipynb") == (folder / f"{name}.ipynb").read_bytes()
    yield "saved and handed in: zip, PDF, receipt"
