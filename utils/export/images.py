"""Pictures, checked before Typst sees them: one that cannot be read must cost its place, not the whole document."""

import base64
import binascii
import io
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, unquote_to_bytes
from xml.etree import ElementTree

TYPES = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/bmp": "bmp",
    "image/svg+xml": "svg",
}
_MAX_PIXELS = 60_000_000
_MAX_BYTES = 64 * 2**20
_MAX_SVG_BYTES = 4 * 2**20
_DATA = re.compile(r"data:(image/[\w.+-]+)(?:;[\w=-]+)*?(;base64)?,(.*)", re.S)


class ImageError(ValueError):
    """Why a picture cannot be printed, in a few words."""


@dataclass(frozen=True)
class Image:
    """A picture that Typst can draw.

    Args:
        data: The file's bytes.
        suffix: `png`, `jpg` or `svg`.
        width: Natural width in pixels at 100 %; 0 for an SVG, which knows its own.
    """

    data: bytes
    suffix: str
    width: int


def decode(content: str | list[str], mime: str) -> bytes:
    """The bytes of an output or attachment: base64 for pixels, text for SVG.

    Raises:
        ImageError: If the base64 is damaged.
    """
    text = content if isinstance(content, str) else "".join(content)
    if mime == "image/svg+xml":
        return text.encode()
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError):
        raise ImageError("its data is damaged") from None


def check(data: bytes, name: str, width: int = 0) -> Image:
    """Read a picture in full, and turn what Typst does not draw into PNG.

    Args:
        data: The picture's bytes, of any kind that Pillow reads, or SVG.
        name: File name or kind, for the message.
        width: Width in pixels at which the notebook shows it, or 0 for its own.

    Raises:
        ImageError: If it is empty, damaged, too large or of an unknown kind.
    """
    if not data.strip():
        raise ImageError("it is empty")
    if b"<svg" in data[:4096] or name.endswith(".svg"):
        return _checked_svg(data)
    return _checked_pixels(data, width)


def _checked_svg(data: bytes) -> Image:
    if len(data) > _MAX_SVG_BYTES or b"<!ENTITY" in data:
        raise ImageError("its SVG is too large, or defines entities")
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise ImageError(f"its SVG is damaged: {error}") from None
    if not root.tag.endswith("svg"):
        raise ImageError("it is not an SVG")
    for element in root.iter():
        for name, value in element.attrib.items():
            if name.endswith("href") and not value.strip().startswith(("#", "data:image/")):
                raise ImageError("its SVG refers to other files")
    return Image(data, "svg", 0)


def _checked_pixels(data: bytes, width: int) -> Image:
    import PIL.Image

    try:
        with PIL.Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > _MAX_PIXELS:
                raise ImageError(f"{picture.width} x {picture.height} pixels are too many to print")
            picture.load()
            kind, width = picture.format, width or picture.width
            if kind in ("PNG", "JPEG") and picture.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
                return Image(data, "png" if kind == "PNG" else "jpg", width)
            copy = io.BytesIO()
            picture.convert("RGBA" if "A" in picture.getbands() else "RGB").save(copy, "PNG")
            return Image(copy.getvalue(), "png", width)
    except ImageError:
        raise
    except Exception:  # Pillow's decoders raise what they like: OSError, SyntaxError, struct.error, …
        raise ImageError("its data is damaged") from None


def find(source: str, attachments: dict, folder: Path) -> bytes:
    """The bytes of a picture that Markdown or HTML names.

    Args:
        source: `attachment:NAME`, a `data:` address, or a path from the notebook's folder.
        attachments: The cell's attachments, `{name: {mime: base64}}`.
        folder: The notebook's folder.

    Raises:
        ImageError: If it is remote, missing or damaged.
    """
    if source.startswith("attachment:"):
        name = unquote(source.removeprefix("attachment:"))
        for mime, content in (attachments.get(name) or {}).items():
            return decode(content, mime)
        raise ImageError("the cell has no such attachment")
    if match := _DATA.match(source):
        mime, is_base64, content = match.groups()
        return decode(unquote(content), mime) if is_base64 else unquote_to_bytes(content)
    if re.match(r"(?!file:)[A-Za-z][\w+.-]{1,20}:|//", source):
        raise ImageError("it lies on the network; save it beside the notebook to print it")
    if source.startswith(("file:", "\\\\")):
        raise ImageError("only pictures in the notebook's folder are printed; save it there")
    try:
        here = folder.resolve()
        path = (here / unquote(source)).resolve()
        if not path.is_relative_to(here):  # absolute, a parent, or a link that leads there
            raise ImageError("only pictures in the notebook's folder are printed; save it there")
        if not path.is_file() or path.stat().st_size > _MAX_BYTES:
            raise ImageError("there is no such file beside the notebook, or it is too large")
        return path.read_bytes()
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, ImageError):
            raise
        raise ImageError("there is no such file beside the notebook") from None


def detach(text: str) -> tuple[str, dict]:
    """Text with its `data:` pictures made attachments: megabytes of base64 would only slow its reader down.

    Returns:
        The text with `attachment:` addresses, and the attachments they name.
    """
    attachments: dict[str, dict] = {}

    def attach(match: re.Match) -> str:
        name = f"embedded picture {len(attachments) + 1}"
        attachments[name] = {match[1]: match[2]}
        return "attachment:" + quote(name)

    return re.sub(r"data:(image/[\w.+-]+);base64,([A-Za-z0-9+/=%\s]+?)(?=[\"')>\s]|$)", attach, text), attachments


def short_name(source: str) -> str:
    """The source for a message: data addresses without their data, long paths by their end."""
    source = re.sub(r"^data:([^;,]*).*", r"\1 in the text", source, flags=re.S)
    source = unquote(source.removeprefix("attachment:"))
    return source if len(source) <= 80 else "…" + source[-78:]
