"""Changes made at random: to bytes, to text, to JSON, to arrays. Everything comes from the `Random` that is passed in."""

import json
import random
import string
from collections.abc import Callable
from typing import Any

import numpy as np

# Characters that files, terminals, encoders and parsers stumble over.
ODD_TEXT = (
    "", " ", "\0", "\x1b[31m", "\r", "\n\n", "\t", "\x0b", "\x85", "\u2028", "\u202e", "\ufeff", "\ud800", "\udcff", "é", "e\u0301",
    "作业", "😀", "ﷺ" * 20, "\U0001d160" * 9, "a" * 300, "../", "/etc/passwd", "..\\", "C:", "%s%n", "{0}", "{{x}}", "<b>&amp;", "'", '"',
    '""', ",", ";", "=1+1", "-", "#", "`", "**`kl.D_KL`**", "**RESPONSE:**", "# AUTOGRADED (5) D_KL", "None", "nan", "1e999", "²", "٣",
    "(" * 300, "\\N{DASH}", "\\x", "9" * 5000,
)  # fmt: skip
# JSON that Python's own writer would not write; put in as text.
RAW_JSON = (
    "9" * 5000, "-" + "9" * 400, "1e999", "-1e999", "NaN", "Infinity", "-", "0x10", "01", "[" * 3000 + "]" * 3000, "[" * 100_000,
    '{"a":' * 2000 + "1" + "}" * 2000, '"\\ud83d"', '"\\u0000"', '"\\', "nul", "{,}", "", "1 2", '"' + "x" * 200_000 + '"',
)  # fmt: skip
ODD_JSON = (
    None,
    True,
    False,
    0,
    -1,
    10**30,
    0.5,
    1e308,
    "",
    [],
    {},
    [[]],
    [None] * 50,
    {"": None},
    {"source": 1},
    "code",
    4,
)
_MARK = "@raw json "


def changed_bytes(rng: random.Random, data: bytes, most: int = 6) -> bytes:
    """Bytes flipped, dropped, doubled, put in; the end cut off."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, most)):
        if not changed:
            break
        at = rng.randrange(len(changed))
        kind = rng.randrange(6)
        if kind == 0:
            changed[at] = rng.randrange(256)
        elif kind == 1:
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == 2:
            del changed[at : at + rng.choice([1, 1, 4, 64, 4096])]
        elif kind == 3:
            changed[at:at] = changed[at : at + rng.choice([1, 8, 512])]
        elif kind == 4:
            changed[at:at] = rng.choice(
                [b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"PK\x05\x06", b"\x80", b"\n", b'"', rng.randbytes(5)]
            )
        elif rng.random() < 0.3:
            del changed[at:]
    return bytes(changed)


def changed_text(rng: random.Random, text: str, most: int = 3) -> str:
    """Lines and characters dropped, doubled, moved; odd ones put in."""
    for _ in range(rng.randint(1, most)):
        at = rng.randint(0, len(text))
        end = min(len(text), at + rng.choice([1, 1, 3, 20, 200]))
        kind = rng.randrange(6)
        if kind == 0:
            text = text[:at] + rng.choice(ODD_TEXT) + text[at:]
        elif kind == 1:
            text = text[:at] + text[end:]
        elif kind == 2:
            text = text[:at] + text[at:end] * rng.choice([2, 2, 30]) + text[end:]
        elif kind == 3:
            text = text[:at] + rng.choice(string.printable) + text[end:]
        elif kind == 4:
            lines = text.split("\n")
            rng.shuffle(lines)
            text = "\n".join(lines)
        else:
            text = rng.choice(
                [text.upper(), text.replace("\n", "\r\n"), text.replace("    ", "\t"), text[:at], text[::-1]]
            )
    return text


def changed_json(rng: random.Random, content: Any, most: int = 4) -> str:
    """A JSON text with some of its values replaced, dropped, doubled, wrapped or spelled as no writer would."""
    box = [json.loads(json.dumps(content))]
    for _ in range(rng.randint(1, most)):
        parent, key = _place(rng, box)
        parent[key] = _changed_value(rng, parent[key])
        if rng.random() < 0.15 and parent is not box:
            if isinstance(parent, dict):
                parent[rng.choice(ODD_TEXT)[:50]] = parent.pop(key)
            else:
                parent[key:key] = [parent[key]] * rng.choice([1, 1, 2500 if len(str(parent[key])) < 2000 else 1])
        elif rng.random() < 0.15 and parent is not box:
            del parent[key]
    text = json.dumps(box[0], ensure_ascii=rng.random() < 0.5)
    for n, raw in enumerate(RAW_JSON):
        text = text.replace(f'"{_MARK}{n}"', raw)
    return text


def _place(rng: random.Random, box: list) -> tuple[Any, Any]:
    """A random place in a tree, the deeper ones too."""
    parent, key = box, 0
    while True:
        value = parent[key]
        if not isinstance(value, dict | list) or not value or rng.random() < 0.1:
            return parent, key
        parent = value
        key = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))


def _changed_value(rng: random.Random, value: Any) -> Any:
    kind = rng.randrange(6)
    if kind == 0:
        return json.loads(json.dumps(rng.choice(ODD_JSON)))  # a copy: it may be changed in turn
    if kind == 1:
        return f"{_MARK}{rng.randrange(len(RAW_JSON))}"
    if kind == 2:
        return [value] if rng.random() < 0.5 else {"source": value}
    if kind == 3 and isinstance(value, str):
        return value.splitlines(keepends=True)
    if isinstance(value, str):
        return changed_text(rng, value)
    return rng.choice(ODD_TEXT) if kind == 4 else value


def changed_array(rng: random.Random, array: np.ndarray) -> np.ndarray:
    """An array of the same or another shape and kind, with numbers that no answer has."""
    odd = [np.nan, np.inf, -np.inf, 0, 1e38, -1e38, 5e-324, 1.0]
    shapes = [array.shape, (), (0,), (1,), (1, *array.shape), array.shape[1:], (0, *array.shape[1:]), array.shape[::-1]]
    choices: list[Callable[[], np.ndarray]] = [
        lambda: array + array.dtype.type(1) if array.dtype != bool else ~array,
        lambda: -array if array.dtype.kind == "f" else array[..., None],
        lambda: np.full(array.shape, rng.choice(odd)),
        lambda: np.full(array.shape, rng.choice(odd), np.float32),
        lambda: np.full(rng.choice(shapes), rng.choice(odd), np.float16),
        lambda: np.full(rng.choice(shapes), rng.choice([0, 1, -1]), rng.choice([np.int8, np.int64])),
        lambda: np.zeros(rng.choice(shapes), bool),
        lambda: np.where(np.indices(array.shape).sum(0) % 2, array, rng.choice(odd)) if array.shape else array,
        lambda: array.astype(rng.choice([np.float64, np.float32, np.float16, np.int8, np.bool_])),
        lambda: array.ravel(),
        lambda: np.full(array.shape, np.iinfo(np.int64).min),
    ]
    with np.errstate(all="ignore"):
        return np.asarray(rng.choice(choices)())
