"""Code, logs and colours become lines that fit the page."""

import pytest

from utils.export import colours, runs


def text(lines: list) -> list[str]:
    return ["".join(run[0] for run in line) for line in lines]


def test_code_is_coloured_and_complete():
    source = "def f(x):\n    return x  # square\n"
    lines = colours.code_lines(source, "ipython3")
    assert text(lines) == ["def f(x):", "    return x  # square"]
    look = {run[0]: run[1] for line in lines for run in line}
    assert look["def"] != look["# square"] != ""


def test_code_in_an_unknown_language_stays_plain():
    assert colours.code_lines("a\nb", "no such language") == [
        [["a", "", False, False, ""]],
        [["b", "", False, False, ""]],
    ]


@pytest.mark.parametrize(
    ("code", "look"),
    [
        ("0;31", ["#b22222", False, False, ""]),
        ("1", ["", True, False, ""]),
        ("3;92", ["#1a7f37", False, True, ""]),
        ("38;5;196", ["#ff0000", False, False, ""]),
        ("38;5;250", ["#bcbcbc", False, False, ""]),
        ("38;2;1;2;300", ["#0102ff", False, False, ""]),
        ("48;5;226", ["", False, False, "#ffff00"]),
        ("41", ["", False, False, ""]),
        ("38", ["#000000", False, False, ""]),
        ("", ["", False, False, ""]),
    ],
)
def test_terminal_colours(code, look):
    assert colours.terminal_lines(f"\x1b[{code}mx\x1b[0m y") == [[["x", *look], [" y", "", False, False, ""]]]


def test_escapes_that_are_no_colours_vanish():
    assert text(colours.terminal_lines("a\x1b[2Kb\x1b]0;title\x07c\x1b[?25ld\x00\x08e\x1b")) == ["abcde"]


def test_a_carriage_return_overwrites_its_line():
    assert text(colours.terminal_lines("1%\r50%\r100%\ndone\r\nnext\r")) == ["100%", "done", "next"]


def test_long_outputs_keep_their_first_two_thirds_and_last_third():
    lines = runs.plain_lines("\n".join(map(str, range(1000))))
    short = runs.shortened(lines, max_lines=90, max_characters=50)
    assert (short.omitted, short.cut) == (910, 0)
    assert text(short.lines)[:60] == [str(i) for i in range(60)]
    assert "910 lines omitted" in text(short.lines)[60]
    assert text(short.lines)[61:] == [str(i) for i in range(970, 1000)]


def test_short_outputs_are_left_alone():
    lines = runs.plain_lines("a\nb")
    assert runs.shortened(lines, 2, 1) == runs.Shortened(lines, 0, 0)


def test_long_lines_are_cut_with_a_count():
    short = runs.shortened([[["abc", "#111111", False, False, ""], ["defgh", "", False, False, ""]]], 10, 5)
    assert (short.omitted, short.cut) == (0, 1)
    assert text(short.lines) == ["abcde … 3 more characters"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("abcdef", ["abcdef"]),
        ("abcdefgh", ["abcdef", "↪ gh"]),
        ("abcdefghijk", ["abcdef", "↪ ghij", "↪ k"]),
        ("日本語文", ["日本語", "↪ 文"]),
        ("e\u0301" * 6, ["e\u0301" * 6]),
        ("\tb", ["      ", "↪   b"]),
        ("abcde fghij", ["abcde ", "↪ fghi", "↪ j"]),
        ("a bcdefghij", ["a bcde", "↪ fghi", "↪ j"]),
        ("", [""]),
    ],
)
def test_lines_are_wrapped_by_what_they_take_on_the_page(source, expected):
    wrapped = runs.wrapped([[[source, "#123456", False, False, ""]]], 6)
    assert text(wrapped) == expected
    assert all(sum(map(runs.display_width, line)) <= 6 for line in text(wrapped))


def test_a_wrapped_line_keeps_its_colours():
    wrapped = runs.wrapped([[["aaa", "#111111", True, False, ""], ["bbb", "#222222", False, False, ""]]], 4)
    assert [run[:2] for run in wrapped[0]] == [["aaa", "#111111"], ["b", "#222222"]]
    assert wrapped[1][1][:2] == ["bb", "#222222"]
