"""Same answers: texts that differ in spacing, punctuation and TeX's spelling only, beside the same pictures. Each stays its own."""

import hashlib
import re
import unicodedata

from grader.marking.answers import Answer

_TEX_SPACING = re.compile(r"\\(?:[,;:! ]|(?:quad|qquad|left|right|displaystyle|limits)(?![A-Za-z]))|~")
_TEX_NAMES = re.compile(r"\\[dt](?=frac)|\\(?:mathrm|text)(?=\{)")
_SENTENCE_CASE = re.compile(r"(?<![\\A-Za-z])[A-Z](?=[a-z])")  # The and the; but not X and x, \Sigma and \sigma
_SIGNS = re.compile(r"\*\*|[$`]|^[ \t]*[#>]+", re.MULTILINE)  # Markdown's and TeX's own
_SPACE = re.compile(r"(?<![^\W_])\s+|\s+(?![^\W_])")  # not between two words or two numbers
_STOPS = re.compile(r"(?<!\d)[.,]|[.,](?!\d)|[;?\"]")  # but not the point in 0.5


def same_as(answer: Answer) -> str:
    """A key that same answers share; "" for an answer without words and pictures."""
    words = normal_form(answer.text)
    if not words and not answer.pictures:
        return ""
    return hashlib.sha256("\n".join([words, *answer.pictures]).encode("utf-8", "replace")).hexdigest()[:16]


def normal_form(text: str) -> str:
    """A text without what does not change its meaning. Signs, digits, braces and the case of symbols all stay."""
    text = unicodedata.normalize("NFC", text).replace("\u2212", "-")
    text = _TEX_NAMES.sub(lambda match: "\\" if match[0] in ("\\d", "\\t") else "", _TEX_SPACING.sub(" ", text))
    text = _SENTENCE_CASE.sub(lambda match: match[0].lower(), _STOPS.sub("", _SIGNS.sub("", text)))
    return _SPACE.sub("", " ".join(text.split()))


def groups_of(answers: list[Answer]) -> dict[str, list[str]]:
    """By key, the students who gave the same answer; only where there are several."""
    found: dict[str, list[str]] = {}
    for answer in answers:
        if key := same_as(answer):
            found.setdefault(key, []).append(answer.student)
    return {key: students for key, students in found.items() if len(students) > 1}
