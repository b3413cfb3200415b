"""A text with what two students share marked in it, as safe HTML."""

from collections.abc import Iterable

from markupsafe import Markup, escape

from grader.similarity.structure import Span

_LONGEST = 12_000  # characters of a text that are shown


def marked(text: str, spans: Iterable[Span]) -> Markup:
    """Mark spans of a text.

    Args:
        text: As a student wrote it.
        spans: Lines from 1, columns in UTF-8 bytes, as Python's syntax trees have them; they may overlap.

    Returns:
        The escaped text with `<mark>` around what lies in a span; of a very long text the beginning.
    """
    data = text.encode("utf-8", "replace")
    starts = [0]
    for row in data.split(b"\n"):
        starts.append(starts[-1] + len(row) + 1)
    flags = bytearray(len(data) + 1)
    for line, column, end_line, end_column in spans:
        if 1 <= line <= end_line < len(starts):
            opens, closes = starts[line - 1] + column, min(starts[end_line - 1] + end_column, len(data))
            flags[opens:closes] = b"\1" * max(0, closes - opens)
    pieces, begin = [], 0
    stop = min(len(data), _LONGEST)
    while begin < stop:
        end = flags.find(1 - flags[begin], begin, stop)
        end = stop if end < 0 else end
        piece = escape(data[begin:end].decode("utf-8", "ignore"))
        is_plain = not flags[begin] or not piece.strip()
        pieces.append(piece if is_plain else Markup("<mark>{}</mark>").format(piece))
        begin = end
    if len(data) > stop:
        pieces.append(Markup(" … the rest is not shown"))
    return Markup("").join(pieces)
