"""pytest as a face of the grader: `pytest grader --submission x.zip` shows one item for each check.

The items come from a report that the library made; a test in this repository asserts that the score is the same.
"""

from pathlib import Path

import pytest

from grader.records import Report, Verdict
from grader.report.results import is_for_a_person
from grader.stages.pipeline import grade
from utils.assignments import assignment_names

_REPORT = pytest.StashKey[Report]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("grader")
    group.addoption("--submission", type=Path, metavar="FILE", help="the zip or notebook to grade")
    group.addoption("--notebook", choices=assignment_names(), help="accept this assignment only")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "verdict" not in metafunc.fixturenames:
        return
    report = _graded(metafunc.config)
    verdicts = report.verdicts if report and not report.rejection else ()
    metafunc.parametrize("verdict", verdicts, ids=[verdict.check for verdict in verdicts])


def _graded(config: pytest.Config) -> Report | None:
    path: Path | None = config.getoption("--submission")
    if path is None:
        return None
    if not path.exists():
        raise pytest.UsageError(f"{path} does not exist: give --submission the zip or notebook to grade.")
    if _REPORT not in config.stash:
        config.stash[_REPORT] = grade(path, config.getoption("--notebook"))
    return config.stash[_REPORT]


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """The whole report of the submission."""
    graded = _graded(request.config)
    if graded is None:
        pytest.skip("no submission: run `pytest grader --submission FILE`")
    return graded


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    graded = config.stash.get(_REPORT, None)
    if graded is None:
        return
    terminalreporter.section(f"{graded.student} · {graded.notebook or 'no notebook recognised'}")
    for repair in graded.repairs:
        terminalreporter.line(repair)
    terminalreporter.line(_score_line(graded.verdicts, graded.tier))


def _score_line(verdicts: tuple[Verdict, ...], tier: str) -> str:
    automatic = [verdict for verdict in verdicts if not is_for_a_person(verdict)]
    score, maximum = sum(v.points for v in automatic), sum(v.max_points for v in automatic)
    pending = sum(verdict.max_points for verdict in verdicts if verdict.status == "manual")
    return f"score: {score:g} of {maximum:g} points, {pending:g} wait for a person (isolation tier {tier})"
