"""Pictures that Typst can draw pass; every other one says why in a few words."""

import base64

import pytest

from utils.export import images


@pytest.mark.parametrize(
    ("kind", "mode", "suffix"),
    [
        ("PNG", "RGB", "png"), ("PNG", "RGBA", "png"), ("PNG", "P", "png"), ("JPEG", "RGB", "jpg"), ("JPEG", "CMYK", "png"),
        ("GIF", "P", "png"), ("WEBP", "RGBA", "png"), ("BMP", "RGB", "png"), ("TIFF", "F", "png"),
    ],
)  # fmt: skip
def test_what_pillow_reads_is_printed(make_picture, kind, mode, suffix):
    image = images.check(make_picture(kind, mode), "x")
    assert (image.suffix, image.width) == (suffix, 12)
    assert image.data.startswith(b"\x89PNG" if suffix == "png" else b"\xff\xd8")


def test_the_notebooks_width_goes_before_the_pictures_own(png):
    assert images.check(png, "x", width=5).width == 5


@pytest.mark.parametrize("data", [b"no picture", b"\x89PNG\r\n\x1a\n broken", b"\xff\xd8\xff\xe0junk"])
def test_damaged_pictures_are_refused(data):
    with pytest.raises(images.ImageError, match="damaged"):
        images.check(data, "x")


def test_a_truncated_picture_is_refused(make_picture):
    data = make_picture(size=(200, 200))
    with pytest.raises(images.ImageError, match="damaged"):
        images.check(data[: len(data) // 2], "x")


def test_empty_and_huge_pictures_are_refused(make_picture, monkeypatch):
    with pytest.raises(images.ImageError, match="empty"):
        images.check(b" ", "x")
    monkeypatch.setattr(images, "_MAX_PIXELS", 50)
    with pytest.raises(images.ImageError, match="12 x 8 pixels are too many"):
        images.check(make_picture(), "x")


def test_svg_is_checked_as_xml():
    good = b"<svg xmlns='http://www.w3.org/2000/svg'><rect width='1' height='1'/></svg>"
    assert images.check(good, "x.svg").suffix == "svg"
    for bad in (b"<svg><rect", b"<svg xmlns='a'>&nbsp;</svg>"):
        with pytest.raises(images.ImageError, match="SVG is damaged"):
            images.check(bad, "x")
    with pytest.raises(images.ImageError, match="not an SVG"):
        images.check(b"<html/>", "x.svg")


def test_pictures_are_found_where_markdown_says(tmp_path, png):
    (tmp_path / "a b.png").write_bytes(png)
    encoded = base64.b64encode(png).decode()
    assert images.find("a%20b.png", {}, tmp_path) == png
    assert images.find("attachment:c.png", {"c.png": {"image/png": encoded}}, tmp_path) == png
    assert images.find(f"data:image/png;base64,{encoded}", {}, tmp_path) == png
    assert images.find("data:image/svg+xml,%3Csvg/%3E", {}, tmp_path) == b"<svg/>"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("https://example.org/x.png", "on the network"), ("//example.org/x.png", "on the network"),
        ("gone.png", "no such file"), ("attachment:gone.png", "no such attachment"), ("\0", "no such file"),
    ],
)  # fmt: skip
def test_pictures_that_are_not_there(tmp_path, source, words):
    with pytest.raises(images.ImageError, match=words):
        images.find(source, {}, tmp_path)


def test_embedded_pictures_become_attachments(png, tmp_path):
    encoded = base64.b64encode(png).decode()
    text, attachments = images.detach(
        f"![x](data:image/png;base64,{encoded}) <img src='data:image/png;base64,{encoded}'>"
    )
    assert encoded not in text
    assert text.count("attachment:") == len(attachments) == 2
    assert images.find("attachment:embedded%20picture%201", attachments, tmp_path) == png


def test_names_in_messages_are_short():
    assert images.short_name("data:image/png;base64,AAAA") == "image/png in the text"
    assert len(images.short_name("x" * 500)) < 90
