"""What a student does in one notebook, step by step; each step says what it expects to see."""

import re
import zipfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from tests.in_jupyter.lab import Book, running
from tools.notebooks import solved_notebook
from tools.student import write_bundle

_WORDS = re.compile(r'(alt|aria-label)="[^"]{10,}"')  # a picture's text
_PLANE = 'class="plane-'
_SHOWS_SLIDERS = ").show()"  # what ends the cells that make a `Movable`

# The active cell's picture has another text than before, and it names the value that the slider `given.at` shows.
_PICTURE_FOLLOWS = """(() => {
    const cell = document.querySelector('.jp-Notebook .jp-Cell.jp-mod-active');
    const slider = cell.querySelectorAll('.widget-slider')[given.at];
    const name = slider.querySelector('.widget-label').textContent;
    const value = Number(slider.querySelector('.widget-readout').textContent);
    const alt = cell.querySelector('img').alt;
    const told = alt.match(new RegExp(`[(, ]${name} = ([^,)]+)`));
    return alt !== given.said && told && Number(told[1]) === value;
})()"""


def spend(browser: Any, name: str, folder: Path, is_solved: bool = False, look: Path | None = None) -> list[str]:
    """Unpack the bundle into a folder, open a notebook of it and go through it.

    Args:
        browser: A running browser.
        name: The notebook's name.
        folder: An empty folder.
        is_solved: Fill every gap, so that all of the notebook runs.
        look: A folder for a picture of the page after each step.

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
        steps = []
        for step in chain(_work(book, name, is_solved), _hand_in(book, bundle / "notebooks", name)):
            steps.append(step)
            if look:
                book.page.screenshot(path=look / f"{name}-{len(steps)}.png")
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

    _see_target_pictures(book)
    for n in range(test):
        if cells[n]["cell_type"] == "code":
            assert "Traceback" not in book.run(n), (n, book.said(n))
    assert "Not yet. " in book.run(test), book.said(test)
    assert "still open" in book.said(test)
    yield f"cell {test + 1}: the first test is red before its gap is filled"
    mine = [n for n in gaps if n < test]
    for n in mine:
        book.write(n, answers[n])
        book.run(n)
    green = book.run(test)
    assert "passed" in green, green
    assert "Not yet" not in green, green
    yield f"cell {test + 1}: the first test is green when {len(mine)} of {len(gaps)} gaps are filled"
    if is_solved:
        for n in sorted(set(range(len(cells))) - set(mine)):
            if sources[n] != answers[n]:
                book.write(n, answers[n])
    book.run_all()
    told = [book.said(n) for n in range(len(cells))]
    errors = [
        n + 1 for n, cell in enumerate(book.cells()) for out in cell.get("outputs", []) if out["output_type"] == "error"
    ]
    assert not errors, f"cells {errors} stopped"
    waiting = sum("Not yet. " in text for text in told)
    assert bool(waiting) != is_solved
    yield f"Run All reaches the end; {waiting} cells wait for open gaps"
    yield from _move_sliders(book, [text if is_solved else sources[n] for n, text in enumerate(answers)])
    yield from _point_at_planes(book)
    pictures = [
        data for cell in book.cells() for out in cell.get("outputs", []) if "image/png" in (data := out.get("data", {}))
    ]
    assert all(_WORDS.search("".join(data.get("text/html", ""))) for data in pictures)
    assert pictures or not is_solved
    yield f"{len(pictures)} pictures, each with its text"


def _see_target_pictures(book: Book) -> None:
    """The pictures of good results are on the screen, with words, before anything has run."""
    book.go_to(0)
    book.until("document.querySelectorAll('.jp-MarkdownOutput img').length > 0")
    book.until(
        "[...document.querySelectorAll('.jp-MarkdownOutput img')].every(i => i.complete && i.naturalWidth > 9 && i.alt.length > 9)"
    )


def _move_sliders(book: Book, sources: list[str]) -> Iterator[str]:
    """Drag every slider that a cell shows; the picture above it says where it stands now, and looks another."""
    shown = [n for n, text in enumerate(sources) if _SHOWS_SLIDERS in text]
    able = [n for n in shown if "Not yet. " not in book.said(n)]
    assert able or not shown, f"the sliders of cells {shown} all wait"
    for n in able:
        book.go_to(n)
        cell = book.page.locator(".jp-Notebook .jp-Cell.jp-mod-active")
        cell.locator(".noUi-handle").first.wait_for()
        sliders, picture, changed = cell.locator(".widget-slider"), cell.locator("img").first, 0
        for at in range(sliders.count()):
            before, said = _look_of(picture), picture.get_attribute("alt")
            _drag(book, sliders.nth(at))
            book.until(_PICTURE_FOLLOWS, at=at, said=said)
            book.until_quiet()
            changed += _look_of(picture) != before
        assert changed, f"cell {n + 1}: no slider of it changes the picture"
        assert "Traceback" not in book.said(n)
        yield f"cell {n + 1}: {sliders.count()} sliders dragged, the picture changed for {changed} of them"


def _drag(book: Book, slider: Any) -> None:
    """Take a slider's handle, draw it to the right by a third of the slider's length, let it go."""
    handle = slider.locator(".noUi-handle")
    handle.scroll_into_view_if_needed()
    box, length = handle.bounding_box(), slider.locator(".noUi-target").bounding_box()["width"]
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    book.page.mouse.move(x, y)
    book.page.mouse.down()
    book.page.mouse.move(x + length / 3, y, steps=4)
    book.page.mouse.up()


def _look_of(picture: Any) -> str:
    """A picture as the page draws it: its pixels, wherever the page is scrolled to."""
    return picture.evaluate(
        "async i => { await i.decode(); const c = document.createElement('canvas'); c.width = i.naturalWidth; "
        "c.height = i.naturalHeight; c.getContext('2d').drawImage(i, 0, 0); return c.toDataURL(); }"
    )


def _point_at_planes(book: Book) -> Iterator[str]:
    """What lies under the pointer in a plane of pictures is enlarged, and its code is named."""
    for n, cell in enumerate(book.cells()):
        if not any(_PLANE in "".join(out.get("data", {}).get("text/html", "")) for out in cell.get("outputs", [])):
            continue
        book.go_to(n)
        images = book.page.locator(".jp-Notebook .jp-Cell.jp-mod-active [role=img] i")
        one = images.nth(images.count() // 3)
        one.scroll_into_view_if_needed()
        small = one.bounding_box()
        one.hover()
        large = one.bounding_box()
        assert large["width"] > 2 * small["width"], (small, large)
        assert (one.get_attribute("title") or "").startswith("z = ("), one.get_attribute("title")
        yield f"cell {n + 1}: the picture under the pointer is enlarged, of {images.count()}"


def _hand_in(book: Book, folder: Path, name: str) -> Iterator[str]:
    last = next(n for n, cell in enumerate(book.cells()) if _packs(cell))
    book.save()
    saved = (folder / f"{name}.ipynb").read_bytes()
    told = book.run(last)
    for suffix in ("zip", "pdf"):
        assert f"Wrote {name}_submission.{suffix}" in told, told
        assert (folder / f"{name}_submission.{suffix}").stat().st_size > 1000
    assert "SHA-256" in told
    with zipfile.ZipFile(folder / f"{name}_submission.zip") as archive:
        assert f"{name}.ipynb" in archive.namelist()
        assert archive.read(f"{name}.ipynb") == saved
    yield "saved and handed in: zip, PDF, receipt"


def _packs(cell: dict) -> bool:
    return cell["cell_type"] == "code" and "hand_in(" in "".join(cell["source"])
