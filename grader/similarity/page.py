"""`similar.html`: who is more alike than chance explains, side by side, for staff alone. One file, no script, no network."""

import base64
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

from grader.report.feedback import TEMPLATES
from grader.similarity.answers import Answers, Skipped
from grader.similarity.compare import FEWEST, LISTED, MOST_LISTED, STANDS_OUT, Comparison, Pair
from grader.similarity.given import has_solution
from grader.similarity.marking import marked
from grader.similarity.rarity import Shared
from grader.similarity.structure import Fragments, structure
from grader.similarity.surface import surface, words
from grader.similarity.times import handed_in_first
from grader.similarity.topics import PICTURES, QUIET, SLIPS, STRUCTURE, SURFACE, WORDS, Topic
from utils.assignments import load_assignment

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_READERS = {STRUCTURE: structure, SURFACE: surface, WORDS: words}
_RARE = 0.05  # of the students, at most, for a fragment to be marked
_SIDE_BY_SIDE = 25  # pairs that are shown with their answers
_QUESTIONS = 12  # of a pair, the most telling first
_LEAST = 2.0  # surprise of a topic that is shown: at most one pair in seven is as alike there
_NAMED = 12  # names, lines or traces that are listed
_KINDS = {"cell id": "cell ids", "metadata": "notebook metadata", "cell metadata": "cell metadata", "output": "outputs"}


def similar_page(comparisons: Sequence[Comparison], skipped: Sequence[Skipped], has_results: bool, made_of: str) -> str:
    """Render the page.

    Args:
        comparisons: One an assignment.
        skipped: Hand-ins that could not be read.
        has_results: Whether it was known which answers are wrong.
        made_of: The digest of the results it lies beside, "" where there are none.

    Returns:
        A complete HTML page.
    """
    own = (Path(__file__).parent / "templates" / "similar.css").read_text(encoding="utf-8")
    css = TEMPLATES.get_template("palette.css").render() + own
    css_digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return _TEMPLATES.get_template("similar.html").render(
        css=css,
        css_digest=css_digest,
        notebooks=[_notebook(comparison, n) for n, comparison in enumerate(comparisons)],
        skipped=skipped,
        has_results=has_results,
        made_of=made_of,
        limits={
            "fewest": FEWEST, "listed": LISTED, "most": MOST_LISTED, "stands_out": STANDS_OUT, "rare": round(100 * _RARE),
        },
    )  # fmt: skip


def _notebook(comparison: Comparison, number: int) -> dict[str, Any]:
    names = [_name(student) for student in comparison.students]
    return {
        "name": comparison.notebook,
        "size": comparison.size,
        "earlier": len(names) - comparison.size,
        "n_pairs": comparison.n_pairs,
        "has_solution": has_solution(load_assignment(comparison.notebook)),
        "clusters": [
            {
                "names": [names[k] for k in cluster],
                "first": handed_in_first([comparison.students[k] for k in cluster]),
                "pairs": sum(pair.first in cluster and pair.second in cluster for pair in comparison.pairs),
            }
            for cluster in comparison.clusters
            if len(cluster) > 2  # two are a pair, and listed as one
        ],
        "pairs": [
            _pair(comparison, pair, names, f"pair-{number}-{n}", n <= _SIDE_BY_SIDE)
            for n, pair in enumerate(comparison.pairs, 1)
        ],
    }


def _name(student: Answers) -> str:
    return f"{student.student} (earlier year)" if student.is_earlier else student.student


def _pair(comparison: Comparison, pair: Pair, names: list[str], anchor: str, is_shown: bool) -> dict[str, Any]:
    both = comparison.students[pair.first], comparison.students[pair.second]
    telling = [
        (surprise, topic)
        for surprise, topic in sorted(
            zip(pair.by_topic, comparison.topics, strict=True), key=lambda entry: entry[0], reverse=True
        )
        if surprise >= _LEAST
    ]
    questions = [entry for entry in telling if entry[1].number]
    shown = questions[:_QUESTIONS] + [entry for entry in telling if not entry[1].number]
    return {
        "anchor": anchor if is_shown else "",
        "names": (names[pair.first], names[pair.second]),
        "stands_out": pair.expected <= STANDS_OUT,
        "one_in": one_in(pair.probability),
        "expected": _figure(pair.expected),
        "first": handed_in_first(both),
        "where": list(dict.fromkeys(topic.number or topic.title.lower() for _, topic in telling)),
        "topics": [_topic(topic, pair, both, surprise) for surprise, topic in shown] if is_shown else [],
        "left_out": max(0, len(questions) - _QUESTIONS),
    }


def _topic(topic: Topic, pair: Pair, both: tuple[Answers, Answers], surprise: float) -> dict[str, Any]:
    n = topic.surprise.shape[1]
    common = {kind: _rare(layer, pair, n) for kind, layer in topic.layers.items()}
    sides = [_side(topic, student, common) for student in both]
    counts = [count for found in common.values() for count in found.values()]
    return {
        "id": topic.id,
        "number": topic.number,
        "title": topic.title,
        "sides": sides if any(sides) else [],
        "is_wrong": all(topic.id in student.wrong for student in both),
        "rarest": min(counts, default=0),
        "n": n,
        "names": _listed(common.get(SURFACE, {}), "name:"),
        "pictures": len(common.get(PICTURES, {})),
        "slips": list(common.get(SLIPS, {}))[:_NAMED],
        "traces": _traces(common.get(QUIET, {})),
        "surprise": surprise,
    }


def _rare(layer: Shared, pair: Pair, n: int) -> dict[str, int]:
    """What the two share and few others have."""
    limit = max(3, round(_RARE * n))
    return {text: count for text, count in layer.common(pair.first, pair.second).items() if count <= limit}


def _side(topic: Topic, student: Answers, common: dict[str, dict[str, int]]) -> str:
    text = student.code.get(topic.id) or student.words.get(topic.id) or ""
    spans = []
    for kind, read in _READERS.items():
        wanted = common.get(kind, {})
        if wanted:
            places: Fragments = read(text)
            spans += [span for key, found in places.items() if key in wanted for span in found]
    return marked(text, spans)


def _listed(common: dict[str, int], start: str) -> list[str]:
    rarest = sorted((count, text) for text, count in common.items() if text.startswith(start))
    return [text.removeprefix(start) for _, text in rarest[:_NAMED]]


def _traces(common: dict[str, int]) -> list[str]:
    """Quiet evidence in words: how many of each kind, with an example that can be read."""
    found = []
    for kind, plural in _KINDS.items():
        own = sorted((count, text) for text, count in common.items() if re.match(rf"{kind}:", text))
        if own:
            count, example = own[0]
            shown = "" if kind == "output" else f", as {example.partition(':')[2][:80]}"
            found.append(f"{len(own)} {plural}{shown}; the rarest is in {count} notebooks")
    return found


def one_in(probability: float) -> str:
    """How often independent pairs are as alike, to two digits: "1 in 41,000". No class is large enough to tell less than that of a million."""
    if probability < 1e-6:
        return "under 1 in a million"
    times = 1 / probability
    digits = max(0, len(str(int(times))) - 2)
    return f"1 in {round(times / 10**digits) * 10**digits:,}"


def _figure(expected: float) -> str:
    return "below 0.01" if expected < 0.01 else f"{expected:.1g}"
