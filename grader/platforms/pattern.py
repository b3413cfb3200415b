"""A layout of one's own: `--layout "{login}/{file}"` says where in a path it stands who somebody is, and what kind of id it is."""

import re
from collections.abc import Callable

from grader.platforms.hand_ins import HandIn
from grader.platforms.people import KINDS, Person
from grader.platforms.tree import EMPTY, File

_WORD = re.compile(r"\{(\w{1,20})\}")
_IDS = (*(kind for kind in KINDS if kind not in ("email", "gradescope")),)
_WORDS = (*_IDS, "email", "name", "file", "any")


class PatternError(ValueError):
    """The pattern cannot be used; the message is one sentence."""


def layout_of(pattern: str) -> Callable[[list[File]], list[HandIn]]:
    """The layout that a pattern describes.

    Args:
        pattern: A path below the folder or zip, with words in braces: an id (`login`, `sis`, `canvas`, `participant`,
            `github`, `email`), `name`, `any`, and `file`, which may hold slashes and takes the rest of the path.

    Raises:
        PatternError: If it names nobody, or a word twice, or one that is not known.
    """
    words = _WORD.findall(pattern)
    if strange := [word for word in words if word not in _WORDS]:
        raise PatternError(
            f"--layout {pattern!r} holds {{{strange[0]}}}, which is not known; there is {', '.join(_WORDS)}."
        )
    doubled = [word for word in words if word != "any" and words.count(word) > 1]
    who = [word for word in words if word not in ("file", "any")]
    if doubled or not who:
        what = f"holds {{{doubled[0]}}} twice" if doubled else "says of nobody who it is"
        raise PatternError(
            f"--layout {pattern!r} {what}: write one such as {{login}}/{{file}} or {{name}}_{{sis}}.zip."
        )
    matcher = _compiled(pattern)

    def layout(files: list[File]) -> list[HandIn]:
        found: dict[tuple[str, ...], list[File]] = {}
        for file in files:
            is_empty = file.name == EMPTY  # a folder without files stands where a file would
            if match := matcher.fullmatch(f"{file.path}-" if is_empty else file.path):
                rest = EMPTY if is_empty else match["file"] if "file" in words else file.name
                key = tuple(match[word].strip() for word in who)
                found.setdefault(key, []).append(File(tuple(rest.split("/")), file.read))
        return [_hand_in(dict(zip(who, key, strict=True)), own) for key, own in found.items()]

    return layout


def _compiled(pattern: str) -> re.Pattern[str]:
    parts = []
    for n, text in enumerate(_WORD.split(pattern)):
        if n % 2 == 0:
            parts.append(re.escape(text))
        elif text == "any":
            parts.append("[^/]*?")
        else:
            parts.append(f"(?P<{text}>.+)" if text == "file" else f"(?P<{text}>[^/]+?)")
    return re.compile("".join(parts))


def _hand_in(said: dict[str, str], own: list[File]) -> HandIn:
    ids = tuple((kind, value) for kind, value in said.items() if kind in _IDS)
    label = " ".join(said.values())
    person = Person(said.get("name") or next(iter(said.values())), said.get("email", ""), ids)
    return HandIn(label, (person,), tuple(own))
