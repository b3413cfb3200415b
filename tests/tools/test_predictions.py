"""By rule: every prediction of every notebook is asked before its experiment, decided by what is measured, and answered."""

import ast
import random
import re
from dataclasses import replace

import pytest

from tools.notebook_source import NotebookSource, SourceCell, read_source, source_names
from tools.predictions import LETTERS, faults_of, find_predictions
from utils.assignments import load_assignment

every_notebook = pytest.mark.parametrize("name", source_names())


def _texts(source: NotebookSource) -> str:
    return "\n".join(cell.text for cell in source.cells)


def _with(source: NotebookSource, cells: list[SourceCell]) -> NotebookSource:
    return replace(source, cells=tuple(replace(cell, number=n) for n, cell in enumerate(cells, 1)))


@every_notebook
def test_the_rule_finds_nothing(name):
    assert [f"{cell.number}: {fault}" for cell, fault in faults_of(read_source(name))] == []


@every_notebook
def test_there_are_predictions_and_every_call_belongs_to_one(name):
    source = read_source(name)
    found = [one.id for one in find_predictions(source)]
    assert len(found) >= 5
    assert re.findall(r'^predict\("", "([\w-]+)"', _texts(source), re.M) == found
    assert sorted(re.findall(r'\breveal\(\s*"([\w-]+)"', _texts(source))) == sorted(found)


@every_notebook
def test_what_decides_is_made_behind_the_guess(name):
    """A condition reads something that a cell between the guess and the reveal has made, so that it can be guessed at all."""
    source = read_source(name)
    for one in find_predictions(source):
        made: set[str] = set()
        for cell in source.cells:
            if cell.kind == "code" and one.taken.number < cell.number <= one.shown.number:
                made |= {
                    node.id
                    for node in ast.walk(ast.parse(cell.text))
                    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
                }
        for letter, condition in one.conditions:
            read = {node.id for node in ast.walk(condition) if isinstance(node, ast.Name)}
            assert read & made, f"{one.id} {letter} reads {sorted(read)}"


@every_notebook
def test_the_right_letter_is_no_pattern_and_the_manifest_holds_them(name):
    found = find_predictions(read_source(name))
    assert [(p.id, p.right, "".join(p.choices)) for p in load_assignment(name).predictions] == [
        (p.id, p.right, "".join(p.choices)) for p in found
    ]
    counts = [sum(p.right == letter for p in found) for letter in LETTERS[-1]]
    assert max(counts) <= len(found) - 2, "always the same letter is a pattern"


@every_notebook
def test_the_page_of_a_class_gets_words_and_formulas(name):
    texts = [text for one in find_predictions(read_source(name)) for text in (one.question, *one.choices.values())]
    assert not [text for text in texts if "`" in text or "*" in text]
    assert all(text.count("$") % 2 == 0 for text in texts)


def damages(source: NotebookSource, chance: random.Random):
    """For every prediction each way to break the rule, made on its cells: what is damaged, and the source."""
    cells = list(source.cells)
    for one in find_predictions(source):
        asked, taken, shown, answered = (cells.index(c) for c in (one.asked, one.taken, one.shown, one.answered))
        letter = chance.choice(list(one.choices))

        def changed(at, pattern, by, flags=re.M | re.S):
            text = re.sub(pattern, by, cells[at].text, count=1, flags=flags)
            assert text != cells[at].text, pattern
            return _with(source, [*cells[:at], replace(cells[at], text=text), *cells[at + 1 :]])

        yield f"{one.id}: choice {letter} gone", changed(asked, rf"^- \*\*{letter}\*\*: .*?(?=^- |\Z)", "")
        yield f"{one.id}: no guess is taken", _with(source, [*cells[:taken], *cells[taken + 1 :]])
        yield f"{one.id}: the guess is given", changed(taken, r'predict\(""', f'predict("{letter}"')
        yield f"{one.id}: another name", changed(taken, f'"{one.id}"', '"another"')
        yield f"{one.id}: nothing is revealed", changed(shown, rf'reveal\(\s*"{one.id}"', 'reveal("another"')
        yield (
            f"{one.id}: a choice is not measured",
            changed(shown, rf'(reveal\(\s*"{one.id}",\s*\{{.*?)"{letter}": ', r'\1"Z": '),
        )
        yield (
            f"{one.id}: no reason",
            changed(
                answered, rf"(Prediction <code>{one.id}</code>.*?)^- \*\*{letter}\*\* .*?(?=^- |\n\n</details>)", r"\1"
            ),
        )
        yield (
            f"{one.id}: two are right",
            changed(answered, rf"(Prediction <code>{one.id}</code>.*?)\*\* tempts", r"\1** holds"),
        )
        yield (
            f"{one.id}: none is right",
            changed(answered, rf"(Prediction <code>{one.id}</code>.*?)\*\* holds", r"\1** tempts"),
        )
        yield f"{one.id}: without its name", changed(asked, rf"\*\*Predict `{one.id}`\.\*\*", "**Predict.**")
        behind = [cell for n, cell in enumerate(cells) if n not in (asked, taken)]
        at = behind.index(cells[answered]) + 1
        yield (
            f"{one.id}: asked behind the experiment",
            _with(source, [*behind[:at], cells[asked], cells[taken], *behind[at:]]),
        )


@every_notebook
def test_every_way_to_break_the_rule_is_seen(name):
    source = read_source(name)
    missed = [what for what, broken in damages(source, random.Random(name)) if not list(faults_of(broken))]
    assert missed == []
