"""One submission from file to report: intake, notebook, sandbox, compare. See the picture in `grader`.

Two phases, in this order by construction (`grader.sandbox.sitting`): everything public, the quality run, the weights and the calls with
their further attempts; then the hidden inputs. Times and CPU seconds are those of the first.
"""

import socket
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from grader import __version__
from grader.authoring.check import Arrays, has_checks
from grader.records import Job, Reading, Report, SandboxRun, Seat, Submission, Verdict
from grader.rubric import Rubric, load_rubric
from grader.rubric.draws import Draw, FreshReferences, course_key, course_salt, draw_of, job_of, seeds_of
from grader.rubric.references import has_references, library_versions
from grader.sandbox.box import Box
from grader.sandbox.late import named_in
from grader.sandbox.room import NoRoom
from grader.sandbox.sitting import Sitting
from grader.stages.carried import Carrier
from grader.stages.clock import READ_SECONDS, OutOfTime, clock
from grader.stages.compare import compare
from grader.stages.intake import IntakeError, take_in, take_in_bytes
from grader.stages.literals import cells_of
from grader.stages.measured import add_measured
from grader.stages.notebook import read
from grader.stages.quality import retrain
from grader.stages.trained import measure
from utils.assignments import assignment_names, load_assignment
from utils.notebook.cells import NotebookError
from utils.notebook.printable import printable


class Grader:
    """Grades submissions one after another, in one sandbox.

    with Grader() as grader:
        report = grader.grade(Path("ada.zip"))
    """

    def __init__(
        self,
        notebook: str | None = None,
        salt: str | None = None,
        max_tier: str | None = None,
        seat: Seat = Seat(),
        quality_seconds: float | None = None,
        *,
        expected: Sequence[str] = (),
        nursery: socket.socket | None = None,
    ) -> None:
        """Prepare; the sandbox starts with `with`.

        Args:
            notebook: The only assignment accepted; None takes any, found from the content.
            salt: The course's secret for drawing inputs; default from the environment.
            max_tier: See `Box`.
            seat: See `Box`.
            quality_seconds: CPU seconds to train a student's model again; None for what the assignment declares, 0 leaves
                the points for it open.
            expected: Where any is accepted: those that the sandbox loads ahead, others when the first of them comes; none for all.
            nursery: See `Box`.
        """
        self.quality_seconds = quality_seconds
        self.notebook = notebook
        self.salt = salt if salt is not None else course_salt()
        known = graded_assignments()
        ahead = [notebook] if notebook else [name for name in expected if name in known] or known
        self.box = Box(ahead, max_tier, seat, nursery)
        self.fresh = FreshReferences(self.box)
        self.carrier = Carrier(self.box, self.fresh)

    def __enter__(self) -> "Grader":
        self._load()  # while a nursery, which the sandbox waits for, may still be loading
        self.box.start()
        return self

    def _load(self) -> None:
        """What the first submission would wait for. What cannot be loaded is said when it is needed."""
        for name in self.box.assignments:
            with suppress(Exception):
                load_rubric(name)
                seeds_of(name, self.salt)

    def __exit__(self, *_: object) -> None:
        self.box.close()

    @property
    def tier(self) -> str:
        return self.box.tier

    def grade(self, path: Path, student: str | None = None) -> Report:
        """Grade a file. Whatever is wrong with it is in the report, never an exception.

        Args:
            path: A zip or a notebook.
            student: Whose; by default the file's name.
        """
        return self._taken_in(lambda: take_in(path, student), student or path.stem, path.name)

    def grade_bytes(self, data: bytes, file_name: str, student: str) -> Report:
        """As `grade`, for a file in memory."""
        return self._taken_in(lambda: take_in_bytes(data, file_name, student), student, file_name)

    def _taken_in(self, taken: Callable[[], Submission], student: str, file_name: str) -> Report:
        """Read under the clock, then run."""
        began, digest = time.monotonic(), ""
        try:
            with clock(READ_SECONDS):
                submission = taken()
                digest = submission.sha256
                reading = read(submission, self.notebook)
        except IntakeError as error:
            return self._rejected(error)
        except NotebookError as error:
            return self._rejected(IntakeError(str(error), submission.student, submission.file_name, digest))
        except (OutOfTime, MemoryError, RecursionError):
            sentence = (
                f"{printable(file_name)} takes too long or too much memory to read: clear the notebook's outputs, "
                "delete the cells that are not of this course, and hand it in again."
            )
            return self._rejected(IntakeError(sentence, printable(student), printable(file_name), digest))
        return self._graded(submission, reading, began)

    def _rejected(self, error: IntakeError) -> Report:
        return Report(
            student=error.student,
            file_name=error.file_name,
            notebook=self.notebook or "",
            submission_sha256=error.sha256,
            tier=self.tier,
            verdicts=self._nothing(),
            rejection=str(error),
        )

    def _nothing(self) -> tuple[Verdict, ...]:
        """All checks of the expected notebook, missing: a rejected submission has a maximum too."""
        if self.notebook is None:
            return ()
        return tuple(
            Verdict(
                check=part.id,
                task=part.id,
                title=part.title,
                number=part.number,
                status="missing",
                points=0.0,
                max_points=part.points,
                sentence=f"{part.id}: no notebook to look into.",
            )
            for part in load_assignment(self.notebook).questions
            if part.points
        )

    def _graded(self, submission: Submission, reading: Reading, began: float) -> Report:
        name = reading.assignment.notebook
        sitting = Sitting(self.box)
        try:
            self.box.load(name, named_in((one.source for one in reading.runnable), reading.assignment.prelude))
            rubric = load_rubric(name)
            draw = draw_of(submission.sha256, name, self.salt)
            job, fresh = self._job(rubric, reading, draw)
            measured = retrain(submission, reading, sitting, self.quality_seconds, course_key(self.salt))
            measured += measure(submission, reading, sitting, course_key(self.salt))
            wall_seconds = time.monotonic() - began
            run = sitting.both(job)  # seals the sitting; its times are those of the public part
            verdicts = compare(rubric, reading, run, job.calls, fresh)
            verdicts = self.carrier.carry(verdicts, rubric, reading, run, job.calls, draw.seed)
            verdicts = add_measured(verdicts, measured)
        except NoRoom:  # would meet every submission after this one: the run stops, and goes on when there is room
            raise
        except Exception as error:  # ours, whatever it is: one submission's trouble must not stop a class
            return self._our_fault(submission, reading, _in_words(error, sitting))
        return Report(
            student=submission.student,
            file_name=submission.file_name,
            notebook=name,
            submission_sha256=submission.sha256,
            tier=self.tier,
            verdicts=verdicts,
            repairs=reading.repairs + _stumbles(run, reading),
            ignored=submission.ignored,
            draw=draw.label,
            cpu_seconds=round(run.cpu_seconds + sum(one.cpu_seconds for one in measured), 3),
            wall_seconds=round(wall_seconds + run.wall_seconds, 3),
            grader=_versions(rubric),
            written=reading.written,
            guesses=reading.guesses,
        )

    def _job(self, rubric: Rubric, reading: Reading, draw: Draw) -> tuple[Job, dict[str, Arrays]]:
        """What the sandbox is asked, public and hidden, and the reference outputs of the hidden calls."""
        others = seeds_of(rubric.assignment.notebook, self.salt)
        fresh_asked, fresh = self.fresh.of(rubric, draw.seed, others)
        return job_of(rubric.assignment, cells_of(rubric, reading), (*rubric.public, *fresh_asked)), fresh

    def _our_fault(self, submission: Submission, reading: Reading, fault: str) -> Report:
        return Report(
            student=submission.student,
            file_name=submission.file_name,
            notebook=reading.assignment.notebook,
            submission_sha256=submission.sha256,
            tier=self.tier,
            verdicts=(our_fault(reading.assignment.total_points),),
            repairs=reading.repairs,
            ignored=submission.ignored,
            fault=fault,
            written=reading.written,
            guesses=reading.guesses,
        )


def our_fault(max_points: float = 0.0) -> Verdict:
    """The one verdict of a submission that the grader failed on."""
    return Verdict(
        check="grader",
        task="grader",
        title="grading",
        number="0",
        status="grader_error",
        points=0.0,
        max_points=max_points,
        sentence="The grader failed on this submission; no score is given, staff will look into it.",
    )


def _in_words(error: Exception, sitting: Sitting) -> str:
    """A fault of ours, for staff. What a message may hold once hidden inputs are out is anybody's guess: then the place will do."""
    if not sitting.is_sealed:
        return f"{type(error).__name__}: {error}"
    place = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}, after the hidden inputs were sent"
    )


def _versions(rubric: Rubric) -> dict[str, str]:
    """What a score depends on beside the submission."""
    return {
        "version": __version__,
        "rubric": rubric.digest,
        **library_versions(rubric.assignment),
    }


def grade(path: Path | str, notebook: str | None = None) -> Report:
    """Grade one submission in a sandbox of its own.

    Args:
        path: A zip or a notebook.
        notebook: The assignment's name; found from the content if None.

    Returns:
        The report.
    """
    with Grader(notebook) as grader:
        return grader.grade(Path(path))


def graded_assignments() -> list[str]:
    """Assignments that can be graded: those with checks and reference values."""
    return [name for name in assignment_names() if has_checks(name) and has_references(name)]


def _stumbles(run: SandboxRun, reading: Reading) -> tuple[str, ...]:
    """Cells that raised after defining what was asked for: graded all the same, and said."""
    return tuple(
        f"Cell {number} raised {cell.error.type} when it ran; what it had defined by then was graded."
        for number, cell in run.cells.items()
        if cell.error is not None and cell.error.type != "NotImplementedError"
    )
