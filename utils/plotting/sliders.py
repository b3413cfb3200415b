"""A picture that follows sliders, and stays as a still picture where no kernel answers: GitHub, nbconvert, the PDF.

The picture is an output of its own, replaced in place when a slider moves; the sliders are another. What is saved with
the notebook, or printed, is the picture as it was left.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib.figure

from utils.plotting.described import Picture
from utils.training.trackers import in_notebook

Span = tuple[float, float, float]  # least, largest, and where the slider begins


class Movable:
    """A picture and the numbers it is drawn from.

    Args:
        draw: From the sliders' values, as keyword arguments, to a figure (`matplotlib.figure.Figure`, not pyplot's).
        sliders: From a name to its span, or to the values it chooses from, whose middle it begins at.
        about: What the picture shows, for who cannot see it.

    Attributes:
        values: Where each slider stands.
        figure: The picture as drawn from them.
    """

    def __init__(
        self,
        draw: Callable[..., matplotlib.figure.Figure],
        sliders: Mapping[str, Span | Sequence[Any]],
        about: str = "",
    ) -> None:
        self._draw, self._about, self._handle = draw, about, None
        self.sliders = {name: _span(given) for name, given in sliders.items()}
        self.values = {name: begin for name, (_, begin) in self.sliders.items()}
        self.figure = draw(**self.values)

    def move(self, name: str, value: Any) -> None:
        """Move one slider: what its widget calls, and what a cell may call where there is none."""
        if name not in self.values:
            raise ValueError(f"move: there is no slider {name!r}; there are: {', '.join(self.values)}.")
        self.values[name] = value
        self.figure = self._draw(**self.values)
        if self._handle is not None:
            self._handle.update(self._picture())

    def show(self) -> None:
        """Show the picture, and below it the sliders where widgets live."""
        from IPython.display import display

        self._handle = display(self._picture(), display_id=True)
        if in_notebook() and (box := self._widgets()) is not None:
            display(box)

    def _picture(self) -> Picture:
        stands = ", ".join(f"{name} = {value:.3g}" for name, value in self.values.items() if value)
        png = io.BytesIO()
        self.figure.savefig(png, format="png", dpi=80)
        return Picture(png.getvalue(), f"{self._about} ({stands or 'all sliders at 0'})")

    def _widgets(self) -> Any:
        try:
            import ipywidgets as widgets
        except ImportError:
            print("Sliders need the package ipywidgets; without it the picture stands still.")
            return None
        made = []
        for name, (given, begin) in self.sliders.items():
            common = {"description": name, "value": begin, "continuous_update": True}
            common["layout"] = widgets.Layout(width="auto")
            if isinstance(given, tuple):
                slider = widgets.FloatSlider(min=given[0], max=given[1], step=0.1, readout_format=".1f", **common)
            else:
                slider = widgets.SelectionSlider(options=[(f"{value:g}", value) for value in given], **common)
            slider.observe(lambda change, name=name: self.move(name, change["new"]), names="value")
            made.append(slider)

        class Sliders(widgets.GridBox):
            def __repr__(self) -> str:  # what stands there where widgets do not live
                return "The sliders of this picture move where the notebook runs."

        columns = "repeat(2, minmax(0, 1fr))" if len(made) > 1 else "1fr"
        return Sliders(made, layout=widgets.Layout(grid_template_columns=columns, max_width="640px"))


def _span(given: Span | Sequence[Any]) -> tuple[Any, Any]:
    """What a slider runs over, a pair or a list, and where it begins."""
    if isinstance(given, tuple) and len(given) == 3:
        low, high, begin = given
        if not low <= begin <= high:
            raise ValueError(f"a slider runs from {low} to {high} and cannot begin at {begin}.")
        return (low, high), begin
    if not isinstance(given, list) or not given:
        raise ValueError(f"a slider is (least, largest, begin) or a list of values, got {given!r}.")
    return given, given[len(given) // 2]
