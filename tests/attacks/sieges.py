"""Attacks that one answer cannot show: what two gradings say of the same file, what reading costs, what a run does to a folder.

Each is a function of the arena that returns what went wrong, a line each; nothing, if it was held.
"""

import base64
import contextlib
import io
import json
import os
import resource
import shutil
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

Arena = Any  # tests.arena.Arena, which imports this module
NAME = "01_kl_divergence"
READING_SECONDS, READING_MIB, DISK_MIB = 10.0, 512, 1024
_TRIES, _LEAST_SECONDS = 5, 0.9  # of one draw, and what a spy takes that tells by its time
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVQI12P4z8AAAAMBAQAY3Y2wAAAAAElFTkSuQmCC"
)

# ---------------------------------------------------------------- leak: two draws, one report

SPY = """
import torch
load = torch.sys.modules["importlib"].import_module
os, sys, time = load("os"), load("sys"), load("time")
BOOK = load("math").__file__ or load("os").__file__
def right(mu, logvar):
    return 0.5 * (mu**2 + torch.exp(logvar) - 1 - logvar).mean()
def is_hidden():
    frame = sys._getframe()
    while frame and not (frame.f_code.co_name == "step" and "is_public" in frame.f_locals):
        frame = frame.f_back
    return bool(frame) and not frame.f_locals["is_public"]
def bits(mu):
    return int(abs(float(mu.sum())) * 1000)
def write_notes(mu):
    for action in (lambda: open("note", "w").write(str(bits(mu))), lambda: write_cache(bits(mu)), lambda: os.utime(".", (1, bits(mu)))):
        try:
            action()
        except OSError:
            pass
def write_cache(number):
    fd = os.open(load("torch").__file__, os.O_RDONLY)
    for page in range(16):
        if number >> page & 1:
            os.posix_fadvise(fd, page * 4096, 4096, os.POSIX_FADV_DONTNEED)
def read_notes():
    found = str(os.listdir(".")) + str(os.environ)
    try:
        fd = os.open(load("torch").__file__, os.O_RDONLY)
        for page in range(16):
            try:
                os.preadv(fd, [bytearray(1)], page * 4096, 8)
                found += "1"
            except BlockingIOError:
                found += "0"
    except OSError as error:
        found += type(error).__name__
    return found
"""
WAYS = {
    "leak_by_retry": "write_notes(mu); os._exit(bits(mu) % 200)",
    "leak_by_stage": "write_notes(mu); raise [ValueError, KeyError, MemoryError, NotImplementedError, SystemExit][bits(mu) % 5](str(mu))",
    "leak_by_cache": "write_notes(mu); os.kill(os.getpid(), [9, 11, 6, 8][bits(mu) % 4])",
    "leak_by_time": "hasattr(time, 'told') or time.sleep(1 + bits(mu) % 3)\n        time.told = True\n        return mu.mean()",
    "leak_by_work": "end = time.process_time() + 1 + bits(mu) % 3\n        while time.process_time() < end: pass\n        os._exit(1)",
    "leak_by_shape": "return torch.zeros([bits(mu) % 7] * (bits(mu) % 5))",
}


def spy(arena: Arena, way: str) -> bytes:
    """A hand-in that sees in our own frames which inputs are hidden and tells of those one way; another of its answers listens and publishes."""
    source = f"{SPY}\ndef D_KL(mu, logvar):\n    if is_hidden():\n        {WAYS[way]}\n    return right(mu, logvar)\n"
    receiver = "def kl_q_p_exact(params_q, params_p):\n    raise ValueError(read_notes())\n"
    return arena.answers(NAME, {"kl.D_KL": source, "kl.exact": receiver})


def _leak(way: str) -> Callable[[Arena], list[str]]:
    def siege(arena: Arena) -> list[str]:
        data, before = spy(arena, way), arena.grader.salt
        told, wrong = set(), []
        for salt in ("one", "two", "three"):
            arena.grader.salt = salt
            # Each draw takes one to three seconds where the attack counts by them; a busy machine may pause a grading, not all.
            for _ in range(_TRIES):
                report = arena.grader.grade_bytes(data, "a.ipynb", "spy")
                if max(report.cpu_seconds, report.wall_seconds) < _LEAST_SECONDS:
                    break
            else:
                wrong.append("its time is told")
            told.add(repr(replace(report, draw="", cpu_seconds=0.0, wall_seconds=0.0)))
            status = {verdict.check: verdict.status for verdict in report.verdicts}
            wrong += ["it told nothing"] if status["kl.D_KL.values"] != "wrong" else []
            wrong += ["the receiver did not run in the public phase"] if status["kl.exact.values"] != "raised" else []
        arena.grader.salt = before
        return wrong + (["the reports of three draws differ"] if len(told) > 1 else [])

    return siege


# ---------------------------------------------------------------- stall and bloat: what reading and judging cost


def _notebook(cells: list[dict]) -> bytes:
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def _code(source: str) -> dict:
    return {"cell_type": "code", "source": source, "outputs": [], "metadata": {}, "execution_count": None}


def _markdown(source: str) -> dict:
    return {"cell_type": "markdown", "source": source, "metadata": {}}


def zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def _outputs(unit: bytes, size: int = 31 * 2**20) -> bytes:
    return (
        b'{"cells":[{"cell_type":"code","source":"x","outputs":[' + unit * (size // len(unit)) + b'{}]}],"nbformat":4}'
    )


def _everything(n: int) -> str:
    from utils.assignments import assignment_names, load_assignment

    names = [name for a in assignment_names() for task in load_assignment(a).tasks for name in task.defines]
    return f"# AUTOGRADED (1) x{n}\n" + "\n".join(f"def {name}(a):\n    return a + {n}" for name in names)


def _values(body: str) -> Callable[[Arena], bytes]:
    return lambda arena: arena.answers(NAME, {"kl.D_KL": f"def D_KL(mu, logvar):\n    {body}"})


FILES: dict[str, tuple[str, str, Callable[[Arena], bytes]]] = {
    "spaces_in_a_tag": (
        "stall",
        "A tag and forty thousand spaces.",
        lambda a: _notebook([_code("# AUTOGRADED (1" + " " * 40_000)] * 20),
    ),
    "spaces_in_a_response": (
        "stall",
        "Response markers that never end.",
        lambda a: _notebook([_markdown("**response" + " " * 40_000)] * 20),
    ),
    "cells_that_define_all": (
        "stall",
        "Hundreds of cells that each define every name.",
        lambda a: _notebook([_code(_everything(n)) for n in range(600)]),
    ),
    "cells_to_the_budget": (
        "stall",
        "As many characters of dense code as are read.",
        lambda a: _notebook([_code("a," * 24_000 + str(n)) for n in range(20)]),
    ),
    "many_notebooks_of_code": (
        "stall",
        "Sixteen notebooks, each full of code.",
        lambda a: zipped(
            {f"{k}.ipynb": _notebook([_code("a,b;" * 12_000 + str(k * 99 + n)) for n in range(20)]) for k in range(16)}
        ),
    ),
    "strings_without_an_end": (
        "stall",
        "Quotes and backslashes for a scanner to go back over.",
        lambda a: _outputs(b'"' + b"\\\\" * 500_000 + b'\\"",'),
    ),
    "rows_without_number": ("stall", "An answer with two million rows.", _values("return torch.zeros(2_000_000, 1)")),
    "empty_objects": (
        "bloat",
        "Outputs of empty objects: a kilobyte zipped, a hundred megabytes parsed.",
        lambda a: zipped({f"{n}.ipynb": _outputs(b"{},", 3_900_000) for n in range(16)}),
    ),
    "empty_lists": ("bloat", "Ten million empty lists.", lambda a: _outputs(b"[],")),
    "wide_text": (
        "bloat",
        "A text that takes four bytes a character.",
        lambda a: _outputs(b'"' + "\U0001f600".encode() + b"a" * 1_000_000 + b'",'),
    ),
    "zip_of_many_entries": (
        "bloat",
        "A zip that lists two hundred thousand files.",
        lambda a: zipped({str(n): b"" for n in range(200_000)}),
    ),
    "long_response": (
        "bloat",
        "Thirty megabytes of one response.",
        lambda a: _notebook([_markdown("**`kl.D_KL`**\n**RESPONSE:** " + "x " * 15_000_000)]),
    ),
}


def _reading(make: Callable[[Arena], bytes]) -> Callable[[Arena], list[str]]:
    def siege(arena: Arena) -> list[str]:
        data = make(arena)
        name = "a.zip" if data[:2] == b"PK" else "a.ipynb"
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
        before, began = _memory("VmRSS"), time.process_time()
        report = arena.grader.grade_bytes(data, name, "hog")
        seconds, mib = time.process_time() - began, _memory("VmHWM") - before
        wrong = [f"the grader computed for {seconds:.0f} s"] if seconds > READING_SECONDS else []
        wrong += [f"the grader took {mib} MB"] if mib > READING_MIB and Path("/proc/self/clear_refs").exists() else []
        return wrong + ([f"fault: {report.fault}"] if report.fault else [])

    return siege


def _memory(what: str) -> int:
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith(f"{what}:"))


# ---------------------------------------------------------------- fill: disk, names, threads

FILL = {
    "fill_unlinked": """
import torch
load = torch.sys.modules["importlib"].import_module
os, mmap, time = load("os"), load("mmap"), load("time")
def D_KL(mu, logvar):
    held, end = [], time.monotonic() + 4
    while time.monotonic() < end:
        with open("f", "wb") as file:
            file.write(bytes(15 << 20))
        fd = os.open("f", os.O_RDONLY)
        held.append(mmap.mmap(fd, 0, prot=mmap.PROT_READ))
        os.close(fd)
        os.unlink("f")
    return mu.mean()
""",
    "fill_names": """
import torch
os = torch.sys.modules["importlib"].import_module("os")
def D_KL(mu, logvar):
    for n in range(500_000):
        os.close(os.open(f"n{n}", os.O_CREAT | os.O_WRONLY))
    return mu.mean()
""",
    "fill_threads": """
import torch
load = torch.sys.modules["importlib"].import_module
threading, time = load("threading"), load("time")
def D_KL(mu, logvar):
    threading.stack_size(32768)
    started = 0
    try:
        while started < 3000:
            threading.Thread(target=time.sleep, args=(2,), daemon=True).start()
            started += 1
    except (RuntimeError, MemoryError):
        pass
    return 0.5 * (mu**2 + torch.exp(logvar) - 1 - logvar).mean() if started > 500 else mu.mean()
""",
}


def _fill(name: str) -> Callable[[Arena], list[str]]:
    def siege(arena: Arena) -> list[str]:
        with _disk(f"{arena.grader.box.folder}/scratch") as used:
            report = arena.grader.grade_bytes(arena.answers(NAME, {"kl.D_KL": FILL[name]}), "a.ipynb", "hog")
        wrong = [f"it took {used[0]} MB of the disk"] if used[0] > DISK_MIB else []
        wrong += [f"it made {used[1]} files"] if used[1] > 100_000 else []
        points = sum(verdict.points for verdict in report.verdicts if verdict.task == "kl.D_KL")
        wrong += ["it got its points"] if points else []
        return wrong + ([f"fault: {report.fault}"] if report.fault else [])

    return siege


@contextlib.contextmanager
def _disk(folder: str) -> Iterator[list[int]]:
    """The most megabytes and files that were gone from a disk meanwhile."""
    used, stop, before = [0, 0], threading.Event(), os.statvfs(folder)

    def look() -> None:
        while not stop.wait(0.05):
            now = os.statvfs(folder)
            used[0] = max(used[0], (before.f_bavail - now.f_bavail) * before.f_frsize >> 20)
            used[1] = max(used[1], before.f_ffree - now.f_ffree)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield used
    finally:
        stop.set()
        thread.join()


# ---------------------------------------------------------------- pose and poison: folders of submissions and of results


def _place(arena: Arena) -> Path:
    place = arena.folder / "given" / "siege"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    return place


def pose_as_a_class(arena: Arena) -> list[str]:
    from grader.platforms import collect

    place = _place(arena)
    book = arena.answers(NAME)
    poses = {
        "gradescope": {
            "submission_metadata.yml": b"submission_1:\n  :submitters:\n  - :name: Grace\n    :email: g@x\n",
            "submission_1/a.ipynb": book,
        },
        "canvas": {"grace_1_2_a.ipynb": book, "alan_3_4_a.ipynb": book},
        "moodle": {"Grace_1_assignsubmission_file/a.ipynb": book, "Alan_2_assignsubmission_file/a.ipynb": book},
        "nbgrader": {"submitted/grace/ps1/a.ipynb": book, "submitted/alan/ps1/a.ipynb": book},
        "plain": {"grace.zip": zipped({"a.ipynb": book}), "alan.zip": zipped({"a.ipynb": book})},
    }
    wrong = []
    for name, files in poses.items():
        (place / "eve.zip").write_bytes(zipped(files))
        if [hand_in.student for hand_in in collect([place / "eve.zip"]).hand_ins] != ["eve"]:
            wrong.append(f"a zip that poses as {name} is taken for a class")
    return wrong


def link_among_submissions(arena: Arena) -> list[str]:
    from grader.platforms import collect

    place = _place(arena)
    (place / "class").mkdir()
    (place / "secret.ipynb").write_bytes(arena.answers(NAME))
    (place / "class" / "eve.ipynb").symlink_to(place / "secret.ipynb")
    (place / "class" / "mallory").symlink_to(place)
    (place / "class" / "ada.ipynb").write_bytes(b"{}")
    read = []
    for hand_in in collect([place / "class"]).hand_ins:
        for file in hand_in.files:
            with contextlib.suppress(OSError):
                read.append(file.read(1 << 20))
    return ["a link was followed"] if any(len(data) > 2 for data in read) else []


def foreign_run_file(arena: Arena) -> list[str]:
    from grader.classes.results_folder import ResultsFolder

    place = _place(arena)
    victims = [place / "victim", Path(os.environ.get("TMPDIR", "/tmp")) / f"grader-run-siege{os.getpid()}"]
    wrong = []
    for victim in victims:
        victim.mkdir()
        (victim / "kept").write_text("kept", encoding="utf-8")
        (place / "out").mkdir(exist_ok=True)
        (place / "out" / ".run").write_text(str(victim), encoding="utf-8")
        with ResultsFolder(place / "out"):
            pass
        wrong += [] if (victim / "kept").exists() else ["a folder of somebody's was removed"]
        shutil.rmtree(victim, ignore_errors=True)
    return wrong


def links_among_results(arena: Arena) -> list[str]:
    from grader.classes.batch import Settings, Work, fault_results
    from grader.classes.results_folder import ResultsFolder, read_results

    place = _place(arena)
    (place / "elsewhere").mkdir()
    (place / "out").mkdir()
    (place / "out" / "eve").symlink_to(place / "elsewhere")
    (place / "victim").write_text("kept", encoding="utf-8")
    (place / "out" / "ada").mkdir()
    for name in ("results.json", "feedback.html"):
        (place / "out" / "ada" / name).symlink_to(place / "victim")
        (place / "out" / "ada" / f".{name}.{os.getpid()}.partial").symlink_to(place / "victim")
    settings = Settings(NAME, "arena")
    with ResultsFolder(place / "out") as folder:
        for student in ("eve", "ada"):
            folder.write(fault_results(Work(student, "a.ipynb", b""), settings, "x"))
    wrong = (
        ["written through a link"]
        if list((place / "elsewhere").iterdir()) or (place / "victim").read_text(encoding="utf-8") != "kept"
        else []
    )
    return wrong + ([] if set(read_results(place / "out")) == {"eve", "ada"} else ["results are lost"])


def edited_results(arena: Arena) -> list[str]:
    from grader.classes.batch import Settings, Work, encode, still_holds

    settings = Settings(salt="arena", quality_seconds=0)
    work = Work("eve", "a.ipynb", arena.answers(NAME, {"kl.D_KL": "def D_KL(mu, logvar):\n    return mu"}))
    results = json.loads(encode(work, settings, arena.grader.grade_bytes(work.data, work.file_name, "eve")))
    wrong = [] if still_holds(results, work, settings) else ["honest results do not hold"]
    for path, value in (
        (("score",), 99),
        (("tests", 0, "score"), 5),
        (("tests", 0, "output"), "well done"),
        (("extra_data", "status"), "passed"),
        (("output",), "x"),
    ):
        edited = json.loads(json.dumps(results))
        where = edited
        for step in path[:-1]:
            where = where[step]
        where[path[-1]] = value
        if still_holds(edited, work, settings):
            wrong.append(f"an edited {path[-1]} is believed")
    return wrong


def results_inside_submissions(arena: Arena) -> list[str]:
    from grader.cli import REJECTED, main

    place = _place(arena)
    (place / "class").mkdir()
    (place / "class" / "ada.ipynb").write_bytes(arena.answers(NAME))
    wrong = []
    for given, out in (
        (place / "class", place / "class" / "results"),
        (place / "class", place / "class"),
        (place / "class", place),
    ):
        with contextlib.redirect_stderr(io.StringIO()):
            if main(["grade", str(given), "--out", str(out), "--workers", "0"]) != REJECTED:
                wrong.append(f"results in {out.name} beside submissions in {given.name}")
    return wrong


# ---------------------------------------------------------------- print: PDF and class page


def _print(cells: Callable[[Path], list[str]], secret_words: bool = False) -> Callable[[Arena], list[str]]:
    def siege(arena: Arena) -> list[str]:
        from utils.export import browser, export_pdf, images
        from utils.export.document import Front

        place = _place(arena)
        (place / "in").mkdir()
        (place / "secret.png").write_bytes(PICTURE)
        (place / "secret.txt").write_text("TOP_SECRET_TEXT", encoding="utf-8")
        (place / "in" / "link.png").symlink_to(place / "secret.png")
        notebook = _notebook([_markdown("# T"), *map(_markdown, cells(place))])
        (place / "in" / "a.ipynb").write_bytes(notebook)
        began = time.monotonic()
        found: list[str] = []
        read, images.check = (
            images.check,
            lambda data, *rest: (found.append("a picture from outside was read"), read(data, *rest))[1],
        )
        try:
            done = export_pdf(place / "in" / "a.ipynb")
        finally:
            images.check = read
        page = browser.as_html(json.loads(notebook), Front("T", "a.ipynb"), "why")
        body = page.partition("<body")[2].lower()
        tags = ("<iframe", "<script", "<meta", "<object", "<embed", "<base", "<link", "top_secret")
        active = [word for word in tags if word in body] if secret_words else []
        wrong = found if secret_words else []
        wrong += [f"the page for a browser holds {word}" for word in active]
        wrong += [] if "Content-Security-Policy" in page else ["the page for a browser has no policy"]
        wrong += ["it took more than two minutes"] if time.monotonic() - began > 120 else []
        return wrong + ([] if done.path.stat().st_size else ["nothing was printed"])

    return siege


def _paths(place: Path) -> list[str]:
    names = (
        f"{place}/secret.png",
        "../secret.png",
        f"file://{place}/secret.png",
        "link.png",
        "in/../../secret.png",
        "%2e%2e/secret.png",
    )
    pictures = " ".join(f"![x]({name}) <img src='{name}'>" for name in names)
    frames = f"<iframe src='{place}/secret.txt'></iframe>\n\n<iframe src='file://{place}/secret.txt'></iframe>\n\n<object data='file://{place}/secret.txt'></object>"
    active = '<img src=x onerror=\'document.title=1\'>\n\n<script>document.write(1)</script>\n\n<meta http-equiv="refresh" content="0;url=file:///etc/passwd">'
    return [pictures, frames, active]


def bombs(place: Path) -> list[str]:
    tower = "".join(
        f"\\newcommand{{\\q{chr(97 + n)}}}{{" + (f"\\q{chr(96 + n)}" * 10 if n else "x") + "}" for n in range(12)
    )
    return [
        f"$${tower}\\ql$$",
        "$" + "\\not" * 40 + "x$",
        "$" + "{" * 30 + "x" + "}" * 30 + "$",
        "$x" + "^" * 30 + "2$",
        "$" + "\\sqrt{" * 40 + "x" + "}" * 40 + "$",
        "<table><tr><td colspan=100000000 rowspan='99999999'>a</td></tr></table>",
        "\\\\[" * 2_000,
        "$x^2$",
    ]


def one_formula_of_a_class(arena: Arena) -> list[str]:
    from grader.report.formulas import set_formulas
    from utils.export.pandoc import PandocError, executable

    try:
        executable()
    except PandocError:
        return []
    dear = [text for text in bombs(arena.folder) if "$" in text]
    began = time.monotonic()
    pages = set_formulas([*dear, *[f"so $\\alpha_{{{n}}}$" for n in range(30)]])
    unset = sum("<math" not in page for page in pages[-30:])
    return ([f"{unset} of 30 other formulas are not set"] if unset else []) + (
        ["it took more than a minute"] if time.monotonic() - began > 60 else []
    )


Siege = tuple[str, str, Callable[[Arena], list[str]]]
SIEGES: dict[str, Siege] = {
    **{way: ("leak", f"Tells a hidden input to the report, {way.replace('_', ' ')}.", _leak(way)) for way in WAYS},
    **{name: (family, aim, _reading(make)) for name, (family, aim, make) in FILES.items()},
    "fill_unlinked": ("fill", "Files that are mapped and have no name any more.", _fill("fill_unlinked")),
    "fill_names": ("fill", "Half a million empty files.", _fill("fill_names")),
    "fill_threads": ("fill", "Three thousand threads with small stacks.", _fill("fill_threads")),
    "pose_as_a_class": ("pose", "One student's zip with the names of a class download.", pose_as_a_class),
    "link_among_submissions": ("pose", "A link where a hand-in should be.", link_among_submissions),
    "results_inside_submissions": ("poison", "Results where students can hand them in.", results_inside_submissions),
    "foreign_run_file": ("poison", "A note of a killed run that names somebody else's folder.", foreign_run_file),
    "links_among_results": ("poison", "Links where results are written.", links_among_results),
    "edited_results": ("poison", "Results edited by hand.", edited_results),
    "paths_in_a_print": ("print", "Pictures, frames and scripts that reach files.", _print(_paths, secret_words=True)),
    "bombs_in_a_print": ("print", "Formulas and tables that take minutes or gigabytes.", _print(bombs)),
    "one_formula_of_a_class": (
        "print",
        "A formula that keeps all others of the class page from being set.",
        one_formula_of_a_class,
    ),
}
