"""Strangers' answers: whatever a text or a picture holds, what reaches the page is text, formulas and pixels."""

import io
import re
import struct
import time
import zlib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from grader.marking.answers import read_classroom
from grader.marking.groups import normal_form, same_as
from grader.marking.pictures import NoPicture, redrawn
from grader.marking.question import question_text
from grader.marking.texts import as_html, as_line, difference, ready
from tests.marking.attacks import TEXTS
from tests.marking.classroom import PARTS, drawing, result, write_result

BLOCKS = ("p", "hr", "pre", "blockquote", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td")
HTML = {*BLOCKS, "br", "em", "strong", "b", "i", "u", "s", "del", "ins", "sub", "sup", "code"}
MATHML = re.compile(r"math|semantics|m[a-z]+")


class Seen(HTMLParser):
    """The elements and attributes that a browser would make of a text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs} if tag in HTML else set()
        if tag not in HTML:
            assert MATHML.fullmatch(tag), tag
            assert not [name for name, _ in attrs if name.startswith(("on", "href", "xlink", "style", "src"))]

    def handle_data(self, data: str) -> None:
        self.words += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment came through: {data}")


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_text_is_shown_and_does_nothing(name: str) -> None:
    seen = Seen(as_html(TEXTS[name][1]))
    assert seen.attributes == set()
    assert not seen.tags & {
        "script",
        "img",
        "svg",
        "iframe",
        "a",
        "style",
        "form",
        "input",
        "object",
        "base",
        "meta",
        "link",
    }


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="<>/\"'=&;#$\\{}^_*`[]()!-|\n aonscriptjavmgldue\ue000\ue0017\0", max_size=120))
def test_whatever_is_written_holds_no_attribute_and_no_other_element(text: str) -> None:
    assert Seen(as_html(text)).attributes == set()
    assert Seen(difference(text, text[::-1])).tags <= {"ins", "del"}


def test_markdown_and_formulas_are_set_where_they_stand() -> None:
    html = as_html("# A **bold** claim\n\n- with $\\sigma_q^2$\n- and `code $5`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
    assert {"strong", "ul", "li", "code", "table", "math"} <= Seen(html).tags
    assert "<h1" not in html
    assert ready("# A **bold** claim") is None
    assert as_line(as_html("one\n\ntwo")).strip() == "one<br>two"


def test_a_difference_names_what_went_and_what_came() -> None:
    assert (
        difference("the <b>mean</b> is 2", "the <b>mean</b> is 3")
        == "the &lt;b&gt;mean&lt;/b&gt; is <del>2</del><ins>3</ins>"
    )


def test_a_long_text_is_compared_in_reasonable_time() -> None:
    before, after = ("a b " * 5000, "b a " * 5000)
    began = time.process_time()
    difference(before, after)
    assert time.process_time() - began < 20


# ---------------------------------------------------------------- pictures


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, rows: bytes) -> bytes:
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def test_a_picture_is_drawn_anew_without_what_it_carried() -> None:
    about = PngImagePlugin.PngInfo()
    about.add_text("Comment", "<script>alert(1)</script>")
    about.add_itxt("XML:com.adobe.xmp", "<x onload=alert(1)>")
    carrying = io.BytesIO()
    Image.open(io.BytesIO(drawing(1))).save(carrying, "PNG", pnginfo=about)
    stranger = carrying.getvalue() + b"<script>alert(2)</script>"
    clean = redrawn(stranger)
    assert b"script" in stranger
    assert b"script" not in clean
    assert b"alert" not in clean
    same = (
        Image.open(io.BytesIO(clean)).convert("RGB").tobytes()
        == Image.open(io.BytesIO(drawing(1))).convert("RGB").tobytes()
    )
    assert same


@pytest.mark.parametrize(
    "data",
    [
        b"", b"GIF89a" + bytes(50), b"\x89PNG\r\n\x1a\n" + bytes(60), drawing(1)[:200], b"<svg onload=alert(1)/>",
        _png(30_000, 30_000, b""), _png(7_900, 7_900, bytes(100)), b"%!PS-Adobe-3.0\n", b"\xff\xd8\xff\xe0" + bytes(100),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_not_shown(data: bytes) -> None:
    with pytest.raises(NoPicture):
        redrawn(data)


def test_a_large_picture_is_made_smaller() -> None:
    out = io.BytesIO()
    Image.new("L", (4000, 100), 255).save(out, "PNG")
    assert Image.open(io.BytesIO(redrawn(out.getvalue()))).size == (2000, 50)


# ---------------------------------------------------------------- same answers


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("It is zero for $q = p$.", "it is  zero, for $q=p$", True),
        (r"$\dfrac{1}{2}\,x$", r"$\frac{1}{2} x$", True),
        ("**Zero**, since", "Zero since", True),
        ("$x - y$", "$x \u2212 y$", True),
        (r"$\frac{12}{3}$", r"$\frac{1}{23}$", False),
        (r"$\sigma$", r"$\Sigma$", False),
        ("$X$", "$x$", False),
        ("0.5", "05", False),
        ("1 2", "12", False),
        ("2*3", "23", False),
        ("x > y", "x y", False),
        ("-x", "x", False),
        ("$x_1$", "$x^1$", False),
        ("not zero", "zero", False),
    ],
)
def test_same_is_what_means_the_same(one: str, other: str, are_same: bool) -> None:
    assert (normal_form(one) == normal_form(other)) is are_same


def test_other_pictures_are_other_answers(tmp_path: Path) -> None:
    check = PARTS[0][0]
    for n in range(3):
        write_result(tmp_path, result(f"s{n}", {check: "as drawn"}, {check: (drawing(min(n, 1)),)}))
    one, two, three = read_classroom(tmp_path).of_part(check)
    assert same_as(two) == same_as(three)
    assert same_as(one) != same_as(two)


# ---------------------------------------------------------------- the course's own texts


def test_the_question_and_the_solution_of_each_part_are_found() -> None:
    found = question_text("01_kl_divergence", "kl.beta")
    assert len(found.solutions) == 2
    assert "posterior collapse" in found.solutions[0]
    assert all(solution not in found.text for solution in found.solutions)
    assert "before you run the cells below" in found.text
    assert question_text("no_such_notebook", "kl.beta").solutions == ()
