"""What would break at somebody else's place, found by rule: the path, the locale, the home, the terminal."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pages
import pytest

from tests.newcomer.page import page
from tests.newcomer.places import HARD, PLACES, environment
from tests.newcomer.visit import Step, Visit
from tests.said_encodings import PROJECT, findings, mended, python_files, unsaid

OURS = [path for path in python_files() if path.relative_to(PROJECT).parts[0] != "tests"]


def _names(path: Path, names: set[str]) -> list[str]:
    """The lines that use one of these attributes or functions."""
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    used = ((node, getattr(node, "attr", getattr(node, "id", ""))) for node in tree)
    return [f"{path.relative_to(PROJECT)}:{node.lineno}: {name}" for node, name in used if name in names]  # type: ignore[attr-defined]


# ---------------------------------------------------------------- the locale


def test_no_text_is_encoded_as_the_locale_says() -> None:
    assert list(findings()) == [], "mend them with `.venv/bin/python -m tests.said_encodings --fix`"


@pytest.mark.parametrize(
    "source",
    [
        "path.read_text()",
        "path.write_text(text)",
        "path.write_text(\n    text,\n)",
        "open(path)",
        "open(path, 'w')",
        "(folder / 'x').open(newline='')",
        "subprocess.run(['x'], text=True)",
    ],
)
def test_text_without_an_encoding_is_found_and_mended(source: str) -> None:
    assert len(unsaid(source)) == 1
    assert unsaid(mended(source)) == []
    assert 'encoding="utf-8"' in mended(source)


@pytest.mark.parametrize(
    "source",
    [
        "path.read_bytes()",
        "open(path, 'rb')",
        "path.read_text('ascii')",
        "run(['x'], text=True, encoding='utf-8')",
        "os.open(p, 0)",
    ],
)
def test_bytes_and_named_encodings_are_left_alone(source: str) -> None:
    assert unsaid(source) == []
    assert mended(source) == source


def test_nothing_is_sorted_or_written_as_the_locale_says() -> None:
    assert [
        line for path in OURS for line in _names(path, {"setlocale", "strxfrm", "strcoll", "getpreferredencoding"})
    ] == []
    formats = re.compile(r"strftime\([^)]*%[aAbBcxXp]")
    assert [path.name for path in OURS if formats.search(path.read_text(encoding="utf-8"))] == []


# ---------------------------------------------------------------- the user and the terminal


def test_nobody_s_account_or_home_is_asked_for() -> None:
    """These raise where the user's id has no account, as in many containers; os.path.expanduser does not."""
    assert [line for path in OURS for line in _names(path, {"home", "getuser", "getlogin", "getpwuid"})] == []


def test_every_program_shows_letters_that_the_terminal_does_not_have() -> None:
    programs = [*PROJECT.glob("grader/__main__.py"), *PROJECT.glob("utils/*/__main__.py")]
    assert len(programs) >= 3
    assert [path for path in programs if "    print_anything()\n" not in path.read_text(encoding="utf-8")] == []


def test_a_name_beyond_ascii_does_not_end_a_program_on_a_plain_terminal(tmp_path: Path) -> None:
    path = tmp_path / "Ünal Çelik.ipynb"
    path.write_bytes((PROJECT / "notebooks" / "01_kl_divergence.ipynb").read_bytes())
    plain = os.environ | {"PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "utils.submission", "check", str(path)]
    done = subprocess.run(command, cwd=PROJECT, env=plain, capture_output=True, text=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    assert "kl.D_KL" in done.stdout


# ---------------------------------------------------------------- the path


def test_a_page_s_commands_run_in_any_folder_with_any_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / HARD
    programs = folder / "bin"
    programs.mkdir(parents=True)
    python = programs / "python"
    python.write_text('#!/bin/sh\nprintf "<%s>" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        (folder / name).write_bytes((PROJECT / name).read_bytes())
    monkeypatch.setattr(pages.sys, "executable", str(python))
    for command, shown in (
        (".venv/bin/python -m grader doctor", "<-m><grader><doctor>"),
        ("make doctor", "<-m><grader><doctor>"),
        (
            'make hand-in NB="my work/a.ipynb" STUDENT="Ada O\'Neil"',
            "<-m><utils.submission><zip><my work/a.ipynb><--student><Ada O'Neil>",
        ),
    ):
        done = pages.run(command, folder)
        assert (done.stdout, done.stderr) == (shown, "")


@pytest.mark.parametrize(
    ("folder", "tier"), [("examples/submissions", "E"), ("my examples/submissions", "C"), ("class", "C")]
)
def test_only_the_example_class_itself_is_graded_without_isolation(folder: str, tier: str) -> None:
    command = ["make", "-n", "-o", ".venv/.set-up", "grade", f"SUBMISSIONS={folder}"]
    shown = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True, encoding="utf-8").stdout
    assert f'grader grade "{folder}" --out "results" --min-tier {tier}' in shown


# ---------------------------------------------------------------- the places of `python -m tests.newcomer`


def test_the_places_differ_in_all_that_is_promised() -> None:
    assert len({place.name for place in PLACES}) == len(PLACES)
    assert {place.user for place in PLACES} == {"root", "newcomer", "nameless"}
    assert {place.home for place in PLACES} == {"own", "read-only", ""}
    assert {"", "xterm"} == {place.terminal for place in PLACES}
    assert len({place.locale for place in PLACES}) >= 4
    assert any(not place.folder.isascii() and " " in place.folder and "'" in place.folder for place in PLACES)


def test_a_place_has_nothing_in_its_environment_that_it_does_not_say() -> None:
    (cron,) = [place for place in PLACES if place.name == "cron"]
    kept = {name for name in environment(cron, "/home/x", "/tmp", "") if not name.startswith(("PIP_", "OPENBLAS_"))}
    assert kept <= {"PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}
    (turkish,) = [place for place in PLACES if place.name == "turkish"]
    assert (
        environment(turkish, "/h", "/t", "/locales").items()
        >= {"LC_ALL": "tr_TR.UTF-8", "LOCPATH": "/locales", "TZ": "Asia/Kathmandu"}.items()
    )


def test_the_page_of_places_keeps_what_a_run_did_not_do() -> None:
    first, *_, last = PLACES
    graded = Visit(first, (Step("set-up", 0, "", 1.0), Step("grade", 2, "", 1.0)))
    tested = Visit(last, (Step("test", 0, "== 7 passed, 1 skipped in 9.00s ==", 9.0),))
    both = page([graded], [], page([tested], [], ""))
    assert f"| {first.name} | {first.says} | done | exit code 2 | not run |" in both
    assert f"| {last.name} | {last.says} | not run | not run | 7 passed, 1 skipped |" in both


def test_no_module_of_the_tests_hides_one_of_pythons_own() -> None:
    """The folder is on the path of what tests start: a module called `encodings` there kept every such Python from starting."""
    ours = {path.stem for path in (PROJECT / "tests").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert ours & sys.stdlib_module_names == set()
