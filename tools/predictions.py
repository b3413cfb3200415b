"""The predictions of a notebook's source: what is asked before an experiment, and what is said behind it.

A text cell asks, the code cell below it takes the guess, a later code cell reveals what the run shows, and a text behind that
one says of every choice why it holds or what makes it tempting:

    # **Predict `swap`.** Which of the two is larger?
    #
    # - **A**: the first
    # - **B**: the second

    predict("", "swap", "AB")

    reveal("swap", {"A": first > second, "B": second > first})

    # <details><summary>Prediction <code>swap</code></summary>
    #
    # - **B** holds: …
    # - **A** tempts: …
    #
    # </details>
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tools.notebook_source import HEADING, NotebookSource, SourceCell

LETTERS = ("AB", "ABC")
_ASKED = re.compile(
    r"\*\*Predict `(\w[\w-]*)`\.\*\*\s*(.*?)\n\n((?:- \*\*[A-Z]\*\*: .*(?:\n|\Z)(?:  .*(?:\n|\Z))*)+)", re.S
)
_CHOICE = re.compile(r"^- \*\*([A-Z])\*\*: (.*?)(?=^- |\Z)", re.M | re.S)
_ANSWERED = re.compile(r"<details><summary>Prediction <code>(\w[\w-]*)</code></summary>\n\n(.*?)\n\n</details>", re.S)
_REASON = re.compile(r"^- \*\*([A-Z])\*\* (holds|tempts): (.*?)(?=^- |\Z)", re.M | re.S)
_OLD = re.compile(r"\*Predict\b(?! `)")
_WORDS = 5  # that a reason has at least


@dataclass(frozen=True)
class Prediction:
    """One prediction as the source has it; what was not found is empty."""

    id: str
    number: str  # of the heading above: "1.5"
    question: str
    choices: dict[str, str]
    asked: SourceCell
    taken: SourceCell | None = None  # the cell of `predict`
    shown: SourceCell | None = None  # the cell of `reveal`
    conditions: tuple[tuple[str, ast.expr], ...] = ()
    answered: SourceCell | None = None
    reasons: tuple[tuple[str, str, str], ...] = ()  # letter, "holds" or "tempts", why

    @property
    def right(self) -> str:
        return "".join(letter for letter, word, _ in self.reasons if word == "holds")


def find_predictions(source: NotebookSource) -> tuple[Prediction, ...]:
    """The predictions of a notebook, in its order."""
    return tuple(_predictions(source))


def _predictions(source: NotebookSource) -> Iterator[Prediction]:
    number = ""
    for index, cell in enumerate(source.cells):
        if cell.kind != "markdown":
            continue
        for line in cell.text.split("\n"):
            if heading := HEADING.fullmatch(line.rstrip()):
                number = heading[1]
        for id_, question, choices in _ASKED.findall(cell.text):
            below = source.cells[index + 1] if index + 1 < len(source.cells) else None
            taken = below if below is not None and _call(below, "predict", id_) else None
            shown = next((one for one in source.cells if _call(one, "reveal", id_)), None)
            answered = next((one for one in source.cells if id_ in dict(_ANSWERED.findall(one.text))), None)
            reasons = _REASON.findall(dict(_ANSWERED.findall(answered.text))[id_]) if answered else []
            yield Prediction(
                id=id_,
                number=number,
                question=_without_marks(question),
                choices={letter: _without_marks(text) for letter, text in _CHOICE.findall(choices)},
                asked=cell,
                taken=taken,
                shown=shown,
                conditions=_conditions(shown, id_),
                answered=answered,
                reasons=tuple((letter, word, _plain(why)) for letter, word, why in reasons),
            )


def _plain(text: str) -> str:
    return " ".join(text.split())


def _without_marks(text: str) -> str:
    """Markdown for a page that sets formulas alone: names and stressed words stand as they are."""
    return re.sub(r"(?<![\w$])\*(\w[^*$]*)\*(?!\w)", r"\1", _plain(text).replace("`", ""))


def _call(cell: SourceCell, name: str, id_: str) -> ast.Call | None:
    """The call of a helper for one prediction in a code cell."""
    place = {"predict": 1, "reveal": 0}[name]
    if cell.kind != "code" or f"{name}(" not in cell.text:
        return None
    for node in ast.walk(ast.parse(cell.text)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name and len(node.args) > place:
            given = node.args[place]
            if isinstance(given, ast.Constant) and given.value == id_:
                return node
    return None


def _conditions(cell: SourceCell | None, id_: str) -> tuple[tuple[str, ast.expr], ...]:
    call = _call(cell, "reveal", id_) if cell else None
    table = call.args[1] if call and len(call.args) > 1 else None
    if not isinstance(table, ast.Dict):
        return ()
    return tuple((str(getattr(key, "value", "")), value) for key, value in zip(table.keys, table.values, strict=True))


def faults_of(source: NotebookSource) -> Iterator[tuple[SourceCell, str]]:
    """What a source's predictions lack: the cell, and the end of a sentence about it."""
    found = find_predictions(source)
    for cell in source.cells:
        if cell.kind == "markdown" and _OLD.search(cell.text):
            yield cell, "a prediction without a name; write **Predict `name`.** with a list of choices."
    for name, count in Counter(prediction.id for prediction in found).items():
        if count > 1:
            yield next(one.asked for one in found if one.id == name), f"the prediction `{name}` stands {count} times."
    asked = {prediction.id for prediction in found}
    for cell in source.cells:
        named = (
            set(re.findall(r"Predict(?:ion)? (?:`|<code>)(\w[\w-]*)", cell.text)) if cell.kind == "markdown" else set()
        )
        for name in sorted(named - asked):
            yield cell, f"the prediction `{name}` is not read; see tools/predictions.py for its form."
    for prediction in found:
        for fault in _faults(prediction):
            yield prediction.asked, f"prediction `{prediction.id}`: {fault}"


def _faults(one: Prediction) -> Iterator[str]:
    letters = "".join(one.choices)
    if letters not in LETTERS:
        yield f"its choices are {letters or 'not read'}, expected {' or '.join(LETTERS)}."
    if one.taken is None:
        yield f'the next cell must be `predict("", "{one.id}", "{letters}")`.'
    elif one.taken.text != f'predict("", "{one.id}", "{letters}")':
        yield f'its cell must read `predict("", "{one.id}", "{letters}")`, and nothing else.'
    if one.shown is None or one.shown.number <= one.asked.number + 1:
        yield "no cell below it reveals what the run shows."
    elif "".join(letter for letter, _ in one.conditions) != letters:
        yield "the cell that reveals must give a condition for each choice, in order."
    elif any(not any(isinstance(node, ast.Name) for node in ast.walk(condition)) for _, condition in one.conditions):
        yield "a condition measures nothing; each must read a value of the run."
    if one.answered is None or one.shown is None or one.answered.number <= one.shown.number:
        yield "no text behind the experiment answers it."
    elif sorted(letter for letter, _, _ in one.reasons) != list(letters) or len(one.right) != 1:
        yield "the answer must say of each choice that it holds or tempts, of one that it holds."
    elif any(len(reason.split()) < _WORDS for _, _, reason in one.reasons):
        yield "the answer gives no reason for some choice."
