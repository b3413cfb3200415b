"""A page of one's own: what a student's trained models make, a panel a notebook, on one sheet of A4.

Each notebook adds its panel to a folder beside it, and the sheet is drawn from all that are there. Letters and outlines
are vectors, so that it can be printed at any size.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
from numpy.typing import NDArray

from utils.exercise.said import folded
from utils.exercise.short_errors import is_open_gap
from utils.exercise.waiting import awaited
from utils.training.ours import is_ours

_A4_INCH = (8.27, 11.69)
_PARTS, _SHEET = "poster", "poster.pdf"
_LATER = "Train your model, then run this cell again: the sheet is yours to keep."
_OURS = "Poster: this shows weights of ours, and a poster is for what you trained yourself: set LOAD_OURS = False and run all."


def add_to_poster(name: str, make: Callable[[], Mapping[str, Any]], folder: str | Path = ".") -> None:
    """Add a panel to the poster and draw the sheet anew; says where it lies, or what is missing.

    Args:
        name: The panel's file, such as "02_wings"; panels stand in the order of their names.
        make: Without arguments, to the panel: `heading`, a text; `facts`, lines of text; `models`, the networks shown; and
            either `images`, values in [0, 1], shape (N, C, H, W), C of 1 or 3, with `columns`, or `profiles`, heights of
            shape (N, 200), with `x`. It is called here, so that what is not trained yet costs a sentence and no error.
        folder: Where the sheet lies; the notebook's own.
    """
    if waits := awaited(make):  # before it is called: what is half there draws no poster, and no error
        print(folded(f"Poster: {waits}. {_LATER}"))
        return
    try:
        panel = dict(make())
    except (NameError, NotImplementedError, AttributeError) as error:
        if isinstance(error, NotImplementedError) and not is_open_gap(str(error)):
            raise
        missing = getattr(error, "name", None)
        waits = f"`{missing}` is not there yet" if missing else str(error)
        print(folded(f"Poster: {waits}. {_LATER}"))
        return
    if is_ours(*panel.get("models", ())):
        print(folded(_OURS))
        return
    parts = Path(folder, _PARTS)
    parts.mkdir(exist_ok=True)
    _write(parts / f"{name}.npz", panel)
    panels = [_read(path) for path in sorted(parts.glob("*.npz"))]
    with matplotlib.rc_context({"pdf.fonttype": 42}):  # letters stay letters
        draw_poster(panels).savefig(Path(folder, _SHEET), metadata={"CreationDate": None})
    print(
        f"Your poster: {_SHEET}, one page of A4 beside this notebook, with {', '.join(p['heading'] for p in panels)}."
    )


def draw_poster(panels: Sequence[Mapping[str, Any]]) -> matplotlib.figure.Figure:
    """The sheet.

    Args:
        panels: As `add_to_poster` has them, at least one.

    Returns:
        A figure of A4, to be saved as PDF.
    """
    sheet = matplotlib.figure.Figure(figsize=_A4_INCH)
    rows = sheet.subfigures(len(panels), 1, squeeze=False)[:, 0]
    for row, panel in zip(rows, panels, strict=True):
        _draw(row, panel)
    return sheet


def _draw(row: matplotlib.figure.SubFigure, panel: Mapping[str, Any]) -> None:
    row.suptitle(panel["heading"], fontsize=20, fontweight="bold", x=0.06, y=0.95, ha="left")
    row.text(0.06, 0.06, "   ·   ".join(panel["facts"]), fontsize=9, va="bottom", wrap=True)
    axis = row.add_axes((0.06, 0.13, 0.88, 0.72))
    axis.axis("off")
    if "profiles" in panel:
        _draw_profiles(axis, np.asarray(panel["x"]), np.asarray(panel["profiles"]))
    else:
        axis.imshow(_sheet_of(np.asarray(panel["images"]), int(panel["columns"])), cmap="gray_r", vmin=0, vmax=255)


def _draw_profiles(axis: Any, x: NDArray, profiles: NDArray) -> None:
    columns = 4
    for index, y in enumerate(profiles):
        right, down = 1.15 * (index % columns), -0.5 * (index // columns)
        axis.fill(x + right, 0.2 * y / max(1e-9, np.abs(profiles).max()) + down, facecolor="#0072b2", alpha=0.2)
        axis.plot(x + right, 0.2 * y / max(1e-9, np.abs(profiles).max()) + down, color="#0072b2", linewidth=0.8)


def _sheet_of(images: NDArray, columns: int) -> NDArray:
    """Images side by side, (N, C, H, W) bytes to (rows * H, columns * W) or with three colours behind."""
    count, channels, height, width = images.shape
    rows = -(-count // columns)
    places = np.full((rows * columns, channels, height, width), 255 if channels == 3 else 0, np.uint8)
    places[:count] = images
    sheet = places.reshape(rows, columns, channels, height, width).transpose(0, 3, 1, 4, 2)
    return sheet.reshape(rows * height, columns * width, channels).squeeze(-1 if channels == 1 else ())


def _write(path: Path, panel: Mapping[str, Any]) -> None:
    texts = {"heading": str(panel["heading"]), "facts": [str(fact) for fact in panel["facts"]]}
    arrays: dict[str, Any] = {"texts": np.frombuffer(json.dumps(texts).encode(), np.uint8)}
    if "profiles" in panel:
        arrays |= {key: _array(panel[key]).astype(np.float32) for key in ("x", "profiles")}
    else:
        arrays["images"] = (_array(panel["images"]).clip(0, 1) * 255).round().astype(np.uint8)
        arrays["columns"] = np.array(panel["columns"])
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)


def _read(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as kept:
        panel: dict[str, Any] = {key: kept[key] for key in kept.files if key != "texts"}
        return panel | json.loads(kept["texts"].tobytes())


def _array(values: Any) -> NDArray:
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
