"""Classes made up for marking: folders of results as `grade --out` leaves them, with answers in words and pictures."""

import io
import json
import random
from pathlib import Path

from PIL import Image, ImageDraw

from grader.records import Report, Verdict, Written
from grader.report import results_json, write_atomically
from grader.report.files import folder_name

NOTEBOOK = "01_kl_divergence"
PARTS = (  # check, task, number, title, points: those of notebook 1
    ("kl.general.manual", "kl.general", "1.1", "Two Gaussians, by hand", 10),
    ("kl.scalar.manual", "kl.scalar", "1.2", "Against the standard normal, by hand", 10),
    ("kl.multivariate.manual", "kl.multivariate", "1.4", "Many dimensions", 5),
    ("kl.beta.manual1", "kl.beta", "3.3", "The weight of the KL", 5),
    ("kl.beta.manual2", "kl.beta", "3.3", "The weight of the KL", 5),
)
_OPENINGS = ("By definition", "We begin with the integral", "From the lecture", "Expanding the logarithm", "Under $q$")
_STEPS = (
    r"the expectation of $(x-\mu_q)^2$ is $\sigma_q^2$",
    r"so $$D_{KL}(q\|p) = \log\frac{\sigma_p}{\sigma_q} + \frac{\sigma_q^2 + (\mu_q-\mu_p)^2}{2\sigma_p^2} - \frac{1}{2}$$",
    r"the constants cancel: $-\tfrac12\log 2\pi + \tfrac12\log 2\pi = 0$",
    r"with $\mu_p = 0$ and $\sigma_p = 1$ it is $\tfrac12(\mu^2 + \sigma^2 - 1 - \log\sigma^2)$",
    "- the first term grows with the distance of the means\n- the second with the spread",
    "it is **zero** only for $q = p$, and never negative",
)
_WITHOUT = "A large beta pulls $q(z|x)$ to the prior; the decoder then sees no $z$, and draws the mean image."


def words(student: int, part: int) -> str:
    """An answer: the same student and part give the same; about one in six is one that others wrote too."""
    chance = random.Random(f"{student} {part}")
    if chance.random() < 1 / 6:
        return _WITHOUT + ("" if student % 2 else " ")
    steps = chance.sample(_STEPS, chance.randint(1, 4))
    return (
        f"{chance.choice(_OPENINGS)}, "
        + "\n\n".join(steps)
        + f".\n\nChecked against {chance.randint(2, 900)} samples: they agree."
    )


def drawing(student: int, width: int = 480) -> bytes:
    """A curve as a PNG, different for each student."""
    chance, picture = random.Random(student), Image.new("RGB", (width, width // 2), "white")
    points = [(x, width // 4 + chance.randint(-8, 8) + int(0.0006 * (x - width / 2) ** 2)) for x in range(0, width, 8)]
    ImageDraw.Draw(picture).line(points, fill="#47598c", width=3)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def result(
    student: str, texts: dict[str, str], pictures: dict[str, tuple[bytes, ...]] | None = None, parts: tuple = PARTS
) -> dict:
    """The content of one `results.json`: 35 automatic points, and the parts with these texts; without a text: missing."""
    checks = [
        Verdict(
            check="kl.D_KL.values",
            task="kl.D_KL",
            title="the closed form",
            number="1.3",
            status="passed",
            points=33,
            max_points=33,
            sentence="kl.D_KL: all values agree.",
        ),
        Verdict(
            check="kl.beta.weight",
            task="kl.beta",
            title="beta weighs the KL",
            number="3.3",
            status="wrong",
            points=0,
            max_points=2,
            sentence="kl.beta: the weight is on the wrong term.",
        ),
    ]
    for check, task, number, title, points in parts:
        status = "manual" if texts.get(check) else "missing"
        checks.append(
            Verdict(
                check=check,
                task=task,
                title=title,
                number=number,
                status=status,
                points=0,
                max_points=points,
                sentence=f"{task}: waits for a person.",
            )
        )
    written = tuple(Written(check, texts.get(check, ""), (pictures or {}).get(check, ())) for check, *_ in parts)
    report = Report(
        student=student,
        file_name=f"{student}.zip",
        notebook=NOTEBOOK,
        submission_sha256="0" * 64,
        tier="A",
        verdicts=tuple(checks),
        written=written,
    )
    return results_json(report)


def write_result(folder: Path, content: dict) -> None:
    """Put one result where a run would."""
    path = folder / folder_name(content["extra_data"]["student"]) / "results.json"
    write_atomically(path, json.dumps(content, ensure_ascii=False))


def write_run(folder: Path) -> None:
    """Put the run's own file there; written again, it says that results are new."""
    run = {"is_class": True, "found": ["a made class"], "absent": [], "by_hand": None}
    write_atomically(folder / "run.json", json.dumps(run))


def make_class(folder: Path, students: int, parts: tuple = PARTS, pictures: bool = True) -> Path:
    """Write a class into a folder.

    Args:
        folder: Where; made if need be.
        students: How many.
        parts: What waits for a person.
        pictures: Whether the last part has a drawing each.

    Returns:
        The folder.
    """
    for n in range(students):
        texts = {check: words(n, place) for place, (check, *_) in enumerate(parts)}
        drawn = {parts[-1][0]: (drawing(n),)} if pictures else {}
        write_result(folder, result(f"student {n:04}", texts, drawn, parts))
    write_run(folder)
    return folder


def many_parts(count: int) -> tuple:
    """Parts of a larger course than ours."""
    return tuple((f"q{n}.essay.manual", f"q{n}.essay", f"{n}.1", f"Question {n}", 10) for n in range(1, count + 1))
