"""`python -m grader merge DIR...`: one folder of results from the shards of a class, as if it had been graded in one run.

Nothing is graded. What a shard's results depend on must be what is here, its seals must hold, and all shards of one and the
same class must be there, each once; else nothing is written, and one sentence says which folder it is and why.
"""

import argparse
import json
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from grader.classes.batch import Settings, is_sealed
from grader.classes.held import HoldsAnother, held_secret, require_same, secret_mark
from grader.classes.results_folder import ResultsFolder, result_bytes
from grader.classes.run import Results
from grader.classes.sameness import difference, made_with
from grader.classes.shards import NoShard, Record, numbers, read_record, require_place
from grader.classes.write_up import exit_code, tiers_of, write_notebook, write_over_all
from grader.report.files import GRADES_FILE
from grader.rubric.draws import course_salt
from utils.assignments.course import results_folder

_SHOWN = 5


def add_parser(commands: Any) -> None:
    """Add the command to those of `python -m grader`."""
    merge_ = commands.add_parser("merge", help="make one folder of results from those of `grade --shard`")
    merge_.add_argument("shards", nargs="+", type=Path, metavar="DIR", help="the folder of results of each shard")
    merge_.add_argument(
        "--out", type=Path, default=results_folder(), metavar="DIR", help="where the results go (default: %(default)s)"
    )


def merge(options: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        The exit code, as `grader.cli.main` says.

    Raises:
        NoShard: If the folders do not make a whole.
        HoldsAnother: If the folder for the results holds something else.
    """
    settings = Settings(salt=course_salt())
    for folder in options.shards:
        there, here = folder.resolve(), options.out.resolve()
        if there.is_relative_to(here) or here.is_relative_to(there):
            raise NoShard(f"{folder} and the results in {options.out} lie one in the other: choose another --out.")
    records = read_whole(options.shards, settings)
    first = next(iter(records.values()))
    for folder, record in records.items():
        for name in record.notebooks:
            for student in record.students(name):
                _bytes_of(folder, name, student, settings, record)
    require_place(options.out, None)
    if held_secret(options.out) not in ("", secret_mark(settings)):
        raise HoldsAnother(f"{options.out} holds results that were drawn with another secret: choose another --out.")
    results: list[Results] = []
    with ResultsFolder(options.out) as whole:
        require_same(options.out, first.notebooks, settings, is_fresh=True)
        for name in first.notebooks:
            with ResultsFolder(options.out / name) if first.is_several else nullcontext(whole) as inner:
                results += _merge_notebook(name, records, inner, settings)
        if first.is_several:
            write_over_all(options.out, first.notebooks, results, _facts([r.facts for r in records.values()]))
    print(f"\n{len(results)} results of {len(records)} shards merged, isolation tier {tiers_of(results)}.")
    print(f"Grades: {options.out / GRADES_FILE}. The class: {options.out / 'class.html'}.")
    return exit_code(results)


def _place(out: Path, name: str, record: Record) -> Path:
    return out / name if record.is_several else out


def _merge_notebook(name: str, records: dict[Path, Record], folder: ResultsFolder, settings: Settings) -> list[Results]:
    written: dict[str, Results] = {}
    for shard, record in records.items():
        for student in record.students(name):
            written[student] = folder.write(_bytes_of(shard, name, student, settings, record))
    about = [record.notebooks[name] for record in records.values()]
    results = [written[student] for student in about[0]["hand_ins"]]
    results, said = write_notebook(folder, results, _facts([one["facts"] for one in about]))
    if said:
        print(said)
    return results


def _facts(each: list[dict[str, Any]]) -> dict[str, Any]:
    """Of the run that there was none of: the shards', and all their time."""
    return each[0] | {"wall_seconds": round(sum(facts["wall_seconds"] for facts in each), 2)}


def _bytes_of(shard: Path, name: str, student: str, settings: Settings, record: Record) -> bytes:
    """One student's results in a shard's folder, byte for byte."""
    folder = _place(shard, name, record)
    data = result_bytes(folder, student)
    again = f"run the command that graded {record.shard} again"
    if data is None:
        raise NoShard(f"{folder} lacks the results of {student}: {again}.")
    results = json.loads(data)
    extra = results["extra_data"]
    is_own = extra["student"] == student and extra.get("seal") == record.notebooks[name]["seals"].get(student)
    if not is_own or not is_sealed(results, settings):
        raise NoShard(f"{folder}: the results of {student} are not as they were written: {again}.")
    return data


def read_whole(folders: Sequence[Path], settings: Settings) -> dict[Path, Record]:
    """The records of all shards of one class, in their order.

    Args:
        folders: Of results.
        settings: With the course's secret.

    Raises:
        NoShard: If one cannot be used, belongs to something else, is there twice, or is missing.
    """
    found = [(folder, read_record(folder, settings)) for folder in folders]
    here = {names: made_with(settings, names) for names in {tuple(record.notebooks) for _, record in found}}
    for folder, record in found:
        if other := difference(record.made_with, here[tuple(record.notebooks)]):
            raise NoShard(
                f"{folder} ({record.shard}) was graded with {other}: grade it again with what is here, or merge where it was graded."
            )
    first, of_first = found[0]
    by_number: dict[int, tuple[Path, Record]] = {}
    for folder, record in found:
        if other := _other_class(of_first, record):
            raise NoShard(f"{first} ({of_first.shard}) and {folder} ({record.shard}) {other}: merge shards of one run.")
        twice, _ = by_number.setdefault(record.shard.number, (folder, record))
        if by_number[record.shard.number][1] is not record:
            raise NoShard(f"{twice} and {folder} both hold {record.shard}: leave one of them out.")
    count = of_first.shard.of
    if missing := set(range(1, count + 1)) - set(by_number):
        named = f"shard {numbers(missing)} is" if len(missing) == 1 else f"shards {numbers(missing)} are"
        raise NoShard(f"Of {count} shards, {named} missing: grade what is missing.")
    return dict(by_number[number] for number in sorted(by_number))


def _other_class(one: Record, other: Record) -> str:
    """Why two shards are not of one run; "" where they are."""
    if one.shard.of != other.shard.of:
        return "are parts of another size"
    for name, value in one.settings.items():
        if other.settings.get(name) != value:
            return f"were graded with another {name} ({value} and {other.settings.get(name)})"
    if list(one.notebooks) != list(other.notebooks) or one.is_several != other.is_several:
        return f"hold other notebooks ({', '.join(one.notebooks)}, and {', '.join(other.notebooks)})"
    for name, about in one.notebooks.items():
        mine, theirs = about["hand_ins"], other.notebooks[name]["hand_ins"]
        if mine != theirs:
            changed = sorted(set(mine) ^ set(theirs))
            told = ", ".join(changed[:_SHOWN]) + (f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else "")
            return f"saw another class ({f'in one alone: {told}' if changed else 'in another order'})"
        if about["facts"]["absent"] != other.notebooks[name]["facts"]["absent"]:
            return "saw another class list"
    return ""
