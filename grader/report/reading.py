"""What a person reads, a page a question, in the folder `class_pages` beside `class.html`; pictures are files beside them.

A page of a large class would hold hundreds of megabytes of pictures: as files a browser fetches those that are looked at.
"""

import base64
import binascii
import hashlib
import re
import time
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import escape

from grader.report.feedback import TEMPLATES
from grader.report.files import CLASS_PAGES, student_page, write_atomically
from grader.report.formulas import set_formulas
from grader.report.statistics import Results, waiting
from grader.stages.clock import REPORT_SECONDS, in_time

_PICTURES = "pictures"
_FORMULA_SECONDS = 30.0  # of all pages
_OURS = re.compile(r"[\w.]+\.html|[0-9a-f]{32}\.(?:png|jpg)")


def page_name(check: str) -> str:
    """A question's page in the folder."""
    return re.sub(r"[^\w.]", "_", check) + ".html"


def write_reading_pages(out: Path, graded: list[Results]) -> None:
    """Write a page for every part that waits for a person, and take away those that nobody waits for any more.

    Args:
        out: The folder of results.
        graded: Results with a score, with what persons gave in them.
    """
    folder = out / CLASS_PAGES
    if folder.is_symlink():
        folder.unlink()
    until, kept = time.monotonic() + _FORMULA_SECONDS, set()
    for question in waiting(graded):
        for answer in question["answers"]:
            names = [_write_picture(folder, picture) for picture in answer["pictures"]]
            answer["pictures"] = [name for name in names if name]
            kept |= {folder / name for name in answer["pictures"]}
        page = folder / page_name(question["check"])
        plain = partial(reading_page, question, sets_formulas=False)
        made = in_time(REPORT_SECONDS, partial(reading_page, question), plain) if time.monotonic() < until else plain()
        write_atomically(page, made)
        kept.add(page)
    for path in (*folder.glob("*"), *(folder / _PICTURES).glob("*")):
        if path not in kept and _OURS.fullmatch(path.name):
            path.unlink()


def reading_page(question: dict[str, Any], sets_formulas: bool = True) -> str:
    """Render the answers to one part.

    Args:
        question: As `waiting` gives it; pictures are names of files.
        sets_formulas: Whether there is time to set them.

    Returns:
        A complete HTML page.
    """
    texts = [answer["text"] for answer in question["answers"]]
    done = set_formulas(texts) if sets_formulas else [escape(text) for text in texts]
    answers = [answer | {"text": text} for answer, text in zip(question["answers"], done, strict=True)]
    return TEMPLATES.get_template("reading.html").render(question=question | {"answers": answers}, link=_link)


def _link(student: str) -> str:
    return f"../{student_page(student)}"


def _write_picture(folder: Path, picture: str) -> str:
    """A picture as a file, named by its bytes; "" for what is none."""
    try:
        data = base64.b64decode(picture, validate=True)
    except (ValueError, binascii.Error):
        return ""
    ending = "jpg" if data.startswith(b"\xff\xd8\xff") else "png"
    name = f"{_PICTURES}/{hashlib.sha256(data).hexdigest()[:32]}.{ending}"
    if not (folder / name).is_file():
        write_atomically(folder / name, data)
    return name
