"""Two texts are compared word by word and number by number: a number is held to a tolerance, never left out.

Words must be the same. A whole number must be the same. A number with a point may differ by one unit of its last printed place, or
by `relative` of its size: sums are taken in another order on another processor. By rule, four kinds may differ more: an error
that the line itself allows (`error 1.2e-07 (allowed 1e-05)`), a time, the losses in a line that tells how far a training is
or describes a curve against its steps (hundreds of them lead rounding apart), and a file's size.
What a system says of a missing network is no matter.
"""

import re
from dataclasses import dataclass, replace

_NUMBER = re.compile(
    r"(?<![\w.])[-+−]?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?(?!\w*\.\w)", re.IGNORECASE
)
_ALLOWED = re.compile(r"error (\S+) \(allowed (\S+)\)")
_TIME = re.compile(r"\b\d[\d.]* ?(?:s|ms|seconds?|min|minutes?)\b")
_REFUSED = re.compile(r"Reason: <urlopen error [^>]*>")
_TRAINED = re.compile(r"\b(?:(?:iteration|epoch|step)s? \d+/\d+|against (?:iteration|epoch|step))")
_SIZE = re.compile(r" [kM]i?B\b")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Tolerance:
    """How far a cell's numbers may be from the kept ones."""

    relative: float = 3e-3  # of the kept number
    absolute: float = 1e-7  # beside the unit of the last printed place: what rounding makes of a zero
    whole: float = 0.0  # for whole numbers: counts of what a training decides


def settled(got: str, kept: str, tolerance: Tolerance = Tolerance()) -> str:
    """The text that a run printed, with each number that is within its tolerance replaced by the kept one.

    Args:
        got: What was printed.
        kept: What is expected.
        tolerance: How far numbers may be apart.

    Returns:
        `kept` if nothing else differs; otherwise a text that differs from it where the run does.
    """
    got, kept = _by_rule(got), _by_rule(kept)
    if _skeleton(got) != _skeleton(kept):
        return got
    numbers = iter(_NUMBER.findall(got))
    return _NUMBER.sub(lambda match: _chosen(next(numbers), match[0], _here(match, tolerance)), kept)


def _here(match: re.Match[str], tolerance: Tolerance) -> Tolerance:
    """What the words around a number allow it."""
    if _SIZE.match(match.string, match.end()):
        return replace(tolerance, relative=0.1, whole=max(tolerance.whole, 0.1 * _value(match[0])))
    line = match.string[match.string.rfind("\n", 0, match.start()) + 1 :].partition("\n")[0]
    return replace(tolerance, relative=max(tolerance.relative, 0.03)) if _TRAINED.search(line) else tolerance


def _by_rule(text: str) -> str:
    text = _ALLOWED.sub(_within, _COLOURS.sub("", text))
    return re.sub(r"[ \t]+", " ", _REFUSED.sub("Reason: no network", _TIME.sub("some seconds", text)))


def _within(match: re.Match[str]) -> str:
    try:
        holds = 0 <= float(match[1]) <= float(match[2])
    except ValueError:
        holds = False
    return f"error as allowed (allowed {match[2]})" if holds else match[0]


def _skeleton(text: str) -> str:
    return _NUMBER.sub("#", text)


def _chosen(got: str, kept: str, tolerance: Tolerance) -> str:
    if got == kept:
        return kept
    a, b = _value(got), _value(kept)
    if all(word.lstrip("+-−").replace(",", "").isdigit() for word in (got, kept)):
        return kept if abs(a - b) <= tolerance.whole else got
    near = max(_unit(got), _unit(kept)) * 1.001 + tolerance.absolute
    return kept if abs(a - b) <= max(near, tolerance.relative * abs(b)) else got


def _value(word: str) -> float:
    return float(word.replace(",", "").replace("−", "-"))


def _unit(word: str) -> float:
    """One unit of the last printed place; of a number without any, none."""
    if word.lstrip("+-−").replace(",", "").isdigit():
        return 0.0
    mantissa, _, exponent = word.lower().partition("e")
    return 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
