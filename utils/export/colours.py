"""Code coloured by pygments, logs and tracebacks by their terminal colours, as lines of runs."""

import re

from .runs import Line, clean, plain_lines

_ESCAPE = re.compile(r"(\x1b\[[0-9;:?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\))")
_PALETTE = ["#000000", "#b22222", "#1a7f37", "#8a5a00", "#1e50c8", "#8b008b", "#00727a", "#6e6e6e"]


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
