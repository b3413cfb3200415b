"""Make the pictures of good results, `figures/*.png` of each assignment, by running the solved notebooks.

    python -m tools.figures NAME ...                write figures/*.png of its assignment
    python -m tools.figures NAME ... --keep DIR     and the executed notebooks, to read their numbers

A code cell of a source that begins `# %% figure="NAME"` gives its first picture to `figures/NAME.png`; `make notebooks` puts
a copy beside the notebooks. Colours are
reduced to a palette: pictures of this kind lose nothing one can see, and stay under 100 KB in the repository.
"""

import argparse
import base64
import io
import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

from tools.notebook_source import ROOT
from tools.notebooks import solved_notebook
from utils.assignments.course import add_course_option, enter_course
from utils.assignments.places import place_of, shown

MAX_BYTES = 100_000


def find_pictures(notebook: NotebookNode) -> dict[str, bytes]:
    """The first picture of every executed cell that names one.

    Args:
        notebook: An executed notebook.

    Returns:
        From the figure's name to its PNG as the kernel sent it.

    Raises:
        ValueError: If a cell names a figure and shows none.
    """
    pictures = {}
    for number, cell in enumerate(notebook.cells, 1):
        name = cell.metadata.get("figure")
        if not name:
            continue
        shown = [output.data["image/png"] for output in cell.outputs if "image/png" in output.get("data", {})]
        if not shown:
            raise ValueError(f"Cell {number} is to make the figure {name!r} but shows no picture; plot in that cell.")
        pictures[name] = base64.b64decode(shown[0])
    return pictures


def shrink(png: bytes) -> bytes:
    """Reduce a picture to a palette of at most 64 colours.

    Raises:
        ValueError: If it is still too large for the repository.
    """
    packed = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(packed, "png", optimize=True)
    if packed.tell() > MAX_BYTES:
        raise ValueError(
            f"The picture has {packed.tell()} bytes, at most {MAX_BYTES} may be committed; draw it smaller."
        )
    return packed.getvalue()


def make_figures(name: str, keep: Path | None = None) -> list[Path]:
    """Run a solved notebook and write the pictures its cells name.

    Args:
        name: The notebook's name, e.g. "07_flows".
        keep: A folder for the executed notebook.

    Returns:
        The files written.
    """
    notebook = solved_notebook(name)
    place = place_of(name)
    with tempfile.TemporaryDirectory(dir=place.course.root / "notebooks", prefix=".figures-") as folder:
        NotebookClient(notebook, timeout=None, kernel_name="python3", resources={"metadata": {"path": folder}}).execute(
            env=os.environ | {"PYTHONPATH": str(ROOT)}
        )  # `utils` is found there, where it is not above the folder
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, keep / f"{name}.ipynb")
    written = []
    for figure, png in find_pictures(notebook).items():
        written.append(place.path / "figures" / f"{figure}.png")
        written[-1].parent.mkdir(exist_ok=True)
        written[-1].write_bytes(shrink(png))
    return written


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    arguments = enter_course(arguments)
    parser = argparse.ArgumentParser(prog="python -m tools.figures", description="Make the pictures of good results.")
    parser.add_argument("names", nargs="+", metavar="NAME", help="notebooks to run")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the executed notebooks here")
    add_course_option(parser)
    options = parser.parse_args(arguments)
    if os.environ.get("FAST") == "1":
        print("FAST=1 is set: its pictures are rougher than a student's should be; unset it.", file=sys.stderr)
        return 1
    for name in options.names:
        began = time.monotonic()
        for path in make_figures(name, options.keep):
            print(f"wrote {shown(path)}, {path.stat().st_size / 1000:.0f} kB")
        print(f"{name} took {(time.monotonic() - began) / 60:.1f} minutes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
