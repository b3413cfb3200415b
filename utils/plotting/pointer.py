"""A plane of decoded codes that enlarges what lies under the pointer; a still picture where only pictures live."""

import base64
import io
from html import escape

import torch
from PIL import Image
from torch import Tensor

from utils.plotting.images import as_pictures
from utils.plotting.latent import Decode, plane_codes

_TIMES = 4  # as large as the others is the picture under the pointer


def show_plane(decode: Decode, size: int = 20, device: torch.device | None = None, about: str = "") -> None:
    """Show a plane of codes as `plot_manifold` does, with the picture under the pointer enlarged and its code named.

    No kernel is asked while the pointer moves: all pictures are in the output. What is printed is the plane.

    Args:
        decode: From z, shape (N, 2), to images in [0, 1], square, one channel.
        size: Images along each side.
        device: Where `decode` wants its z.
        about: What it shows, for who cannot see it.
    """
    from IPython.display import display

    codes = plane_codes(size)
    with torch.no_grad():
        images = as_pictures(decode(codes.to(device)))
    png, side = _sheet(images, size), images.shape[-1]
    bundle = {"text/html": _page(png, codes, size, side, about), "image/png": png, "text/plain": about}
    display(bundle, raw=True, metadata={"image/png": {"alt": about}})


def _sheet(images: Tensor, size: int) -> str:
    """All pictures without space between them, ink dark on paper, as PNG in base64."""
    side = images.shape[-1]
    sheet = images.reshape(size, size, side, side).transpose(1, 2).reshape(size * side, size * side)
    png = io.BytesIO()
    greys = 255 - 17 * (15 * sheet).round()  # sixteen are enough to the eye, and a third of the bytes
    Image.fromarray(greys.byte().numpy()).save(png, "PNG", optimize=True)
    return base64.b64encode(png.getvalue()).decode()


def _page(png: str, codes: Tensor, size: int, side: int, about: str) -> str:
    name = f"plane-{size}-{side}"
    cells = "".join(
        f'<i style="background-position:-{at % size * side}px -{at // size * side}px" title="z = ({z_1:.2f}, {z_2:.2f})"></i>'
        for at, (z_1, z_2) in enumerate(codes.tolist())
    )
    style = (
        f".{name}{{display:grid;grid-template-columns:repeat({size},{side}px);width:{size * side}px;"
        f"padding:{side}px {_TIMES * side // 2}px;background:#fff}}"
        f".{name} i{{width:{side}px;height:{side}px;background-image:url(data:image/png;base64,{png})}}"
        f".{name} i:hover{{transform:scale({_TIMES});z-index:1;outline:1px solid #0072b2}}"
    )
    return f'<style>{style}</style><div class="{name}" role="img" aria-label="{escape(about)}">{cells}</div>'
