"""Fixed-width text as lines of runs, fitted to the page: what reaches Typst is data, never markup.

A line is a list of runs, a run `[text, colour, bold, italic, background]`; colours are `#rrggbb`, or empty for the default.
"""

import itertools
import re
import unicodedata
from dataclasses import dataclass

Run = list
Line = list[Run]


@dataclass(frozen=True)
class Shortened:
    """Lines that fit, and what they lack."""

    lines: list[Line]
    omitted: int  # lines left out in the middle
    cut: int  # lines that end early


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f\ue000-\ue0ff\ufeff\ufffe\uffff\ud800-\udfff]")
_WRAP_MARK: Run = ["↪ ", "#9a9a9a", False, False, ""]


def clean(text: str) -> str:
    """The text without control characters, except tab, newline and escape."""
    return _CONTROL.sub("", text)


def plain_lines(text: str) -> list[Line]:
    """Uncoloured text, line by line."""
    return [[[part, "", False, False, ""]] if part else [] for part in clean(text.replace("\x1b", "")).split("\n")]


def shortened(lines: list[Line], max_lines: int, max_characters: int) -> Shortened:
    """Long lines cut at `max_characters`, long outputs to their first two thirds and last third of `max_lines`.

    Returns:
        The lines with a note in the place of what is left out.
    """
    omitted = max(0, len(lines) - max_lines)
    head = max_lines * 2 // 3
    kept = [*lines[:head], *lines[len(lines) - (max_lines - head) :]] if omitted else lines
    lengths = [sum(len(run[0]) for run in line) for line in kept]
    cut = sum(length > max_characters for length in lengths)
    kept = [
        [*_first_characters(line, max_characters), _remark(f" … {length - max_characters} more characters")]
        if length > max_characters
        else line
        for line, length in zip(kept, lengths, strict=True)
    ]
    if omitted:
        kept.insert(head, [_remark(f"… {omitted} lines omitted here; the notebook file has all {len(lines)} …")])
    return Shortened(kept, omitted, cut)


def _remark(words: str) -> Run:
    return [words, "#a04000", True, False, ""]


def _first_characters(line: Line, count: int) -> Line:
    kept = []
    for text, *look in line:
        if count <= 0:
            break
        kept.append([text[:count], *look])
        count -= len(text)
    return kept


def display_width(character: str) -> int:
    """Columns a character takes in a fixed-width font: 0 for combining marks, 2 for wide ones, else 1."""
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def wrapped(lines: list[Line], columns: int) -> list[Line]:
    """Lines of at most `columns` display columns; a continued line begins with `↪`. Tabs go to the next multiple of 8."""
    return [part for line in lines for part in _wrapped_line(line, columns)]


def _wrapped_line(line: Line, columns: int) -> list[Line]:
    if sum(len(run[0]) for run in line) <= columns and all(run[0].isascii() and "\t" not in run[0] for run in line):
        return [line]
    characters = _with_spaces_for_tabs([(character, look) for text, *look in line for character in text])
    parts: list[Line] = []
    start = 0
    while start < len(characters) or not parts:
        end = _line_end(characters, start, columns - 2 if parts else columns)
        parts.append(([_WRAP_MARK] if parts else []) + _as_runs(characters[start:end]))
        start = end
    return parts


def _with_spaces_for_tabs(characters: list[tuple[str, list]]) -> list[tuple[str, list]]:
    expanded: list[tuple[str, list]] = []
    for character, look in characters:
        expanded += [(" ", look)] * (8 - len(expanded) % 8) if character == "\t" else [(character, look)]
    return expanded


def _line_end(characters: list[tuple[str, list]], start: int, columns: int) -> int:
    """Where a line that starts at `start` ends: after the last space of its last quarter, else where the page ends."""
    used = 0
    for end in range(start, len(characters)):
        used += display_width(characters[end][0])
        if used > columns:
            earliest = end - columns // 4
            spaces = [i for i in range(max(earliest, start), end) if characters[i][0] == " "]
            return spaces[-1] + 1 if spaces else end
    return len(characters)


def _as_runs(characters: list[tuple[str, list]]) -> Line:
    """Neighbouring characters of one look, joined."""
    return [
        ["".join(character for character, _ in group), *look]
        for look, group in itertools.groupby(characters, key=lambda pair: pair[1])
    ]
