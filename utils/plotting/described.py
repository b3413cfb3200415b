"""Pictures with words: every figure a notebook shows carries a text for those who do not see it.

No notebook viewer shows a text beside a PNG, so a picture is sent as HTML too, whose `alt` says what is drawn: titles, axes, series
and their key numbers, read from the figure itself. So figures of the student's own have one as well.
"""

import base64
import html
from collections.abc import Callable, Iterator
from typing import Any

MAX_CHARACTERS = 1000
_MANY = 6  # panels or series are told one by one up to here


class Picture:
    """A PNG and what it shows, to be given to IPython's `display`.

    Args:
        png: The file's bytes.
        alt: What it shows, in words.
    """

    def __init__(self, png: bytes, alt: str) -> None:
        self._png, self._alt = png, alt

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        return bundle(base64.b64encode(self._png).decode("ascii"), self._alt)


def bundle(png: str, alt: str) -> tuple[dict[str, str], dict[str, Any]]:
    """A picture for every viewer: HTML with the text, the PNG for those who take no HTML, the text for a terminal.

    Args:
        png: The PNG in base64.
        alt: What it shows.

    Returns:
        Data and metadata, as IPython's `_repr_mimebundle_` gives them.
    """
    png = "".join(png.split())
    shown = f'<img src="data:image/png;base64,{png}" alt="{html.escape(alt)}">'
    return {"image/png": png, "text/html": shown, "text/plain": alt}, {"image/png": {"alt": alt}}


def describe_figures() -> None:
    """Ask the running IPython shell to send every matplotlib figure with its text; without a shell, do nothing."""
    try:
        from IPython import get_ipython
    except ImportError:
        return
    shell = get_ipython()
    if shell is None:
        return
    png = shell.display_formatter.formatters["image/png"]

    def described(figure: Any) -> tuple[dict[str, str], dict[str, Any]]:
        try:
            alt = describe(figure)
        except Exception:  # a strange figure is shown all the same
            alt = "A figure."
        try:
            printer = png.lookup(figure)
        except KeyError:  # the student chose another format
            return {"text/plain": alt}, {}
        if not isinstance(printer, _Once):  # matplotlib puts its own back when its backend is chosen anew
            printer = _Once(printer)
            png.for_type(type(figure), printer)
        made = printer.prepare(figure)
        if made is None:  # nothing is on it
            return {"text/plain": alt}, {}
        data, more = made if isinstance(made, tuple) else (made, {})
        texts, metadata = bundle(data, alt)
        printer.metadata = {**more, **metadata["image/png"]}
        return {kind: text for kind, text in texts.items() if kind != "image/png"}, {}

    shell.display_formatter.mimebundle_formatter.for_type_by_name("matplotlib.figure", "Figure", described)


class _Once:
    """IPython's two formatters both want the PNG: it is drawn once."""

    def __init__(self, printer: Callable[[Any], Any]) -> None:
        self._printer, self._ready = printer, None
        self.metadata: dict[str, Any] = {}

    def prepare(self, figure: Any) -> Any:
        self._ready = self._printer(figure)
        return self._ready

    def __call__(self, figure: Any) -> Any:
        made, self._ready = self._ready, None
        if made is None:
            return self._printer(figure)
        return (made[0] if isinstance(made, tuple) else made), self.metadata


def describe(figure: Any) -> str:
    """What a matplotlib figure shows: its title, then each panel's title, axes and series with their key numbers.

    Args:
        figure: The figure.

    Returns:
        Sentences, at most `MAX_CHARACTERS` characters.
    """
    panels = [axis for axis in figure.axes if axis.get_visible() and not _is_colorbar(axis)]
    told = [text for axis in panels if (text := _panel(axis))]
    if len(told) > 1:
        shown = [f"Panel {number}: {text}" for number, text in enumerate(told[:_MANY], 1)]
        more = [f"And {len(told) - _MANY} panels more."] if len(told) > _MANY else []
        told = [f"{len(told)} panels.", *shown, *more]
    keys = [
        f"Colour stands for {_plain(axis.get_ylabel() or axis.get_xlabel())}."
        for axis in figure.axes
        if _is_colorbar(axis)
    ]
    title = _plain(figure.get_suptitle() if hasattr(figure, "get_suptitle") else "")
    text = " ".join([*([_sentence(title)] if title else []), *told, *keys]) or "An empty figure."
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1].rsplit(" ", 1)[0] + "…"


def _panel(axis: Any) -> str:
    axes = [_plain(label) for label in (axis.get_ylabel(), axis.get_xlabel())]
    scales = [" (log scale)" if scale == "log" else "" for scale in (axis.get_yscale(), axis.get_xscale())]
    named = " against ".join(f"{label}{scale}" for label, scale in zip(axes, scales, strict=True) if label)
    head = [_sentence(text) for text in (_plain(axis.get_title()), named) if text]
    series = list(_series(axis))
    if len(series) > _MANY:
        series = [*series[:_MANY], f"{len(series) - _MANY} more"]
    return " ".join([*head, *([_sentence("; ".join(series))] if series else [])])


def _series(axis: Any) -> Iterator[str]:
    for image in axis.images:
        height, width = image.get_array().shape[:2]
        yield f"an image of {width} by {height} pixels"
    unnamed = []
    for line in axis.lines:
        y = _numbers(line.get_ydata())
        if not y:
            continue
        if line.get_label().startswith("_"):
            unnamed += [y]
        else:
            yield f"{_plain(line.get_label())}: {_course(y)}"
    if len(unnamed) == 1:
        yield f"a line: {_course(unnamed[0])}"
    elif unnamed:
        every = [value for y in unnamed for value in y]
        yield f"{len(unnamed)} lines between {_number(min(every))} and {_number(max(every))}"
    for bars in axis.containers:
        heights = _numbers([bar.get_height() for bar in bars if hasattr(bar, "get_height")])
        if heights:
            yield _bars(axis, bars, heights)
    for dots in axis.collections:
        points = _points(dots)
        if points:
            label = "" if str(dots.get_label()).startswith("_") else f"{_plain(dots.get_label())}: "
            across, up = zip(*points, strict=True)
            spread = f"from {_number(min(across))} to {_number(max(across))} across"
            yield f"{label}{len(points)} dots, {spread} and {_number(min(up))} to {_number(max(up))} up"
        elif not str(dots.get_label()).startswith("_"):
            yield f"an area: {_plain(dots.get_label())}"
    words = [_plain(text.get_text()) for text in axis.texts if text.get_text().strip()]
    if words:
        yield f"marked {', '.join(words[:12])}"


def _bars(axis: Any, bars: Any, heights: list[float]) -> str:
    label = "" if str(bars.get_label()).startswith("_") else f"{_plain(bars.get_label())}: "
    names = [_plain(tick.get_text()) for tick in axis.get_xticklabels()]
    if len(heights) == len(names) <= 12 and all(names):
        pairs = zip(names, heights, strict=True)
        return f"{label}bars {', '.join(f'{name} {_number(height)}' for name, height in pairs)}"
    return f"{label}{len(heights)} bars from {_number(min(heights))} to {_number(max(heights))}"


def _points(dots: Any) -> list[tuple[float, float]]:
    if type(dots).__name__ != "PathCollection":
        return []
    pairs = [(float(x), float(y)) for x, y in _filled(dots.get_offsets())]
    return [(x, y) for x, y in pairs if _is_finite(x) and _is_finite(y)]


def _course(y: list[float]) -> str:
    if len(y) == 1:
        return f"one point at {_number(y[0])}"
    if min(y) == max(y):
        return f"{_number(y[0])} throughout"
    return f"from {_number(y[0])} to {_number(y[-1])}, lowest {_number(min(y))}, highest {_number(max(y))}"


def _is_colorbar(axis: Any) -> bool:
    return axis.get_label() == "<colorbar>"


def _numbers(values: Any) -> list[float]:
    try:
        return [number for value in _filled(values) if _is_finite(number := float(value))]
    except (TypeError, ValueError):  # dates, names
        return []


def _filled(values: Any) -> Any:
    """A masked array without its mask."""
    return values.astype(float).filled(float("nan")) if hasattr(values, "filled") else values


def _is_finite(number: float) -> bool:
    return number - number == 0


def _number(value: float) -> str:
    return f"{value:.3g}"


def _plain(text: str) -> str:
    """A label without its formula's marks."""
    return " ".join(str(text).replace("$", "").replace("\\", "").split())


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
