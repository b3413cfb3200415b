"""A stranger's picture, decoded and drawn anew: what reaches the browser are pixels, and no byte of theirs beside them."""

import io
import warnings
from functools import lru_cache

from PIL import Image, ImageOps

_LARGEST_SIDE = 2000
_MOST_PIXELS = 40_000_000  # a small file may unpack to any number


class NoPicture(ValueError):
    """Bytes that are no picture to show."""


@lru_cache(maxsize=256)
def redrawn(data: bytes) -> bytes:
    """A PNG of the same pixels, without text, profiles or anything else that the file carried.

    Args:
        data: Of any origin; only PNG and JPEG are read.

    Raises:
        NoPicture: If it cannot be decoded, or is too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=["PNG", "JPEG"]) as picture:
                if picture.width * picture.height > _MOST_PIXELS:
                    raise NoPicture("too large")
                is_clear = "A" in picture.getbands() or "transparency" in picture.info
                pixels = ImageOps.exif_transpose(picture).convert("RGBA" if is_clear else "RGB")  # a phone's way up
    except NoPicture:
        raise
    except Exception as error:  # a decoder meets a stranger's bytes: whatever it says, there is no picture
        raise NoPicture(type(error).__name__) from None
    pixels.thumbnail((_LARGEST_SIDE, _LARGEST_SIDE))
    clean = Image.new(pixels.mode, pixels.size)
    clean.paste(pixels)
    out = io.BytesIO()
    clean.save(out, "PNG", compress_level=1)
    return out.getvalue()
