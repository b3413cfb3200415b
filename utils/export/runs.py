"""Code, logs and tracebacks as coloured runs of text: what reaches Typst is data, never markup.

A line is a list of runs, a run `[text, colour, bold, italic, background]`; colours are `#rrggbb`, or empty for the default.
"""

import itertools
import re
import unicodedata

Run = list
Line = list[Run]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f\ue000-\ue0ff\ufeff\ufffe\uffff\ud800-\udfff]")
_ESCAPE = re.compile(r"(\x1b\[[0-9;:?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\))")
_PALETTE = ["#000000", "#b22222", "#1a7f37", "#8a5a00", "#1e50c8", "#8b008b", "#00727a", "#6e6e6e"]
_WRAP_MARK: Run = ["↪ ", "#9a9a9a", False, False, ""]


def clean(text: str) -> str:
    """The text without control characters, except tab, newline and escape."""
    return _CONTROL.sub("", text)


def plain_lines(text: str) -> list[Line]:
    """Uncoloured text, line by line."""
    return [[[part, "", False, False, ""]] if part else [] for part in clean(text.replace("\x1b", "")).split("\n")]


def code_lines(source: str, language: str) -> list[Line]:
    """Source code coloured by pygments.

    Args:
        source: The code.
        language: A pygments lexer's name; an unknown one leaves the code uncoloured.

    Returns:
        One list of runs a line, without empty lines at the end.
    """
    from pygments.lexers import get_lexer_by_name
    from pygments.styles import get_style_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return _without_empty_end(plain_lines(source))
    style = get_style_by_name("default")
    lines: list[Line] = [[]]
    for token, value in lexer.get_tokens(clean(source.replace("\x1b", ""))):
        look = style.style_for_token(token)
        colour = f"#{look['color']}" if look["color"] else ""
        for i, part in enumerate(value.split("\n")):
            if i:
                lines.append([])
            if part:
                lines[-1].append([part, colour, bool(look["bold"]), bool(look["italic"]), ""])
    return _without_empty_end(lines)


def terminal_lines(text: str) -> list[Line]:
    """Terminal output: ANSI colours become runs, a carriage return overwrites its line, other escapes vanish."""
    text = "\n".join(_after_carriage_return(line) for line in text.replace("\r\n", "\n").split("\n"))
    look = ["", False, False, ""]
    lines: list[Line] = [[]]
    for piece in _ESCAPE.split(text):
        if _ESCAPE.fullmatch(piece):
            if piece.startswith("\x1b[") and piece.endswith("m"):
                look = _after_codes(look, piece[2:-1])
            continue
        for i, part in enumerate(clean(piece.replace("\x1b", "")).split("\n")):
            if i:
                lines.append([])
            if part:
                lines[-1].append([part, *look])
    return _without_empty_end(lines)


def _after_carriage_return(line: str) -> str:
    """What a terminal shows of a line that was written several times: its last version (300 progress refreshes)."""
    return line.rstrip("\r").rpartition("\r")[2]


def _after_codes(look: list, codes: str) -> list:
    """The look after one `ESC [ … m` sequence: SGR colours (8, 16, 256 and 24 bit), bold, italic and their resets."""
    colour, bold, italic, background = look
    numbers = iter([int(code) if code.isdigit() else 0 for code in re.split("[;:]", codes)])
    for number in numbers:
        if number == 0:
            colour, bold, italic, background = "", False, False, ""
        elif number in (1, 22):
            bold = number == 1
        elif number in (3, 23):
            italic = number == 3
        elif 30 <= number <= 37 or 90 <= number <= 97:
            colour = _PALETTE[number % 10]
        elif number == 39:
            colour = ""
        elif 40 <= number <= 49 or 100 <= number <= 107:
            # the eight background colours make dark text unreadable in print
            background = _extended_colour(numbers) if number == 48 else ""
        elif number == 38:
            colour = _extended_colour(numbers)
    return [colour, bold, italic, background]


def _extended_colour(numbers) -> str:
    """The colour after 38 or 48: `5;n` from the 256 palette, or `2;r;g;b`."""
    kind = next(numbers, 0)
    if kind == 2:
        red, green, blue = (min(next(numbers, 0), 255) for _ in range(3))
        return f"#{red:02x}{green:02x}{blue:02x}"
    n = min(next(numbers, 0), 255) if kind == 5 else 0
    if n < 16:
        return _PALETTE[n % 8]
    if n >= 232:
        return f"#{8 + (n - 232) * 10:02x}" + f"{8 + (n - 232) * 10:02x}" * 2
    steps = (0, 95, 135, 175, 215, 255)
    n -= 16
    return f"#{steps[n // 36]:02x}{steps[n // 6 % 6]:02x}{steps[n % 6]:02x}"


def _without_empty_end(lines: list[Line]) -> list[Line]:
    while lines and not lines[-1]:
        lines.pop()
    return lines


def shortened(lines: list[Line], max_lines: int, max_characters: int) -> tuple[list[Line], int, int]:
    """Long lines cut at `max_characters`, long outputs to their first two thirds and last third of `max_lines`.

    Returns:
        The lines with a note in the place of what is left out, the number of lines left out, and of lines cut.
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
    return kept, omitted, cut


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
