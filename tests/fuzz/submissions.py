"""What students hand in, spoilt: notebooks, zips, configurations; and right notebooks whose process answers anything."""

import io
import json
import random
import re
import stat
import struct
import warnings
import zipfile
from functools import cache

import nbformat

from assignments.airfoil_vae.checks.configs import MODEL_FILE, TRAIN_FILE, ConfigError, read_configs
from assignments.airfoil_vae.checks.quality import inputs
from tests.fuzz.changes import ODD_TEXT, changed_bytes, changed_json, changed_text
from tests.fuzz.promises import demand, demand_report, demand_sentence
from tests.fuzz.stand_in import grader_with
from tools.notebooks import solved_notebook, student_notebook
from utils.assignments import assignment_names

CONFIGS = {
    MODEL_FILE: "input_size: 200\nhidden_dims:\n- 128\n- 64\nlatent_size: 10\n",
    TRAIN_FILE: (
        "beta: 1e-3\nn_iters: 5000\nbatch_size: 256\nrunning_avg_window: 100\noptimizer_name: Adam\noptimizer_config:\n  lr: 0.001\n"
        "lr_scheduler_name: null\nlr_scheduler_config: {}\n"
    ),
}
_ODD_YAML = (
    "!!int ''", "!!int x", "!!float ''", "!!bool x", "!!timestamp x", "!!null x", "!!binary '*'", "!!set {a, b}", "!!omap [a: 1]",
    "!!pairs [a: 1]", "!!python/object/apply:os.system [ls]", "!!python/name:os.system", "!unknown 1", "&a [*a]", "*a", "<<: 1",
    "{<<: [1]}", "0x" + "f" * 5000, "0b" + "1" * 9000, "9" * 5000, "1" + ":59" * 4000, "190:20:30.15", "2020-01-01", "2020-99-99",
    "2001-12-14t21:59:43.10-05:00", ".nan", ".inf", "-.inf", "1e400", "1e-3", "0o17", "017", "1_000", "_", "+", "=", "~", "yes", "on",
    "[" * 500, "[" * 500 + "]" * 500, "{" * 900, "- " * 3000, "? [a]\n: 1", "? {a: 1}", '"\\ud800"', '"\\x00"', '"\\U0010ffff"', "|", ">-",
    "%YAML 9.9", "%TAG ! x", "---", "...", "\t", "'", '"', "#", "@", "`", "a: b: c", "[1, 2", "-1", "0", "4097", "1000001", "true",
    "200.0", "[200]", "[0]", "[1.5]", "[true]", "[" + "64, " * 17 + "]", "Adam", "{lr: [1, {a: b}]}", "null", "!!str 1", "!!map [1]", "!!seq {a: 1}",
)  # fmt: skip


@cache
def _notebooks() -> tuple[tuple[str, dict], ...]:
    """The solved and the students' notebooks, as JSON content."""
    return tuple(
        (name, json.loads(nbformat.writes(make(name))))
        for name in assignment_names()
        for make in (solved_notebook, student_notebook)
    )


def _a_notebook(rng: random.Random) -> dict:
    return rng.choice(_notebooks())[1]


# ---------------------------------------------------------------- notebooks


def notebooks(rng: random.Random) -> str:
    """Structure, cells, sources, metadata, encodings."""
    data = spoilt_notebook(rng)
    name = rng.choice(["a.ipynb", "a.txt", *(f"a{odd[:100]}.ipynb" for odd in ODD_TEXT)])
    return demand_report(grader_with(rng, 0).grade_bytes(data, name, "ada"))


def spoilt_notebook(rng: random.Random) -> bytes:
    """A notebook of the course after an accident."""
    content = _a_notebook(rng)
    kind = rng.randrange(10)
    if kind < 3:
        text = changed_json(rng, content)
    elif kind < 7:
        text = json.dumps(_other_cells(rng, content))
    else:
        text = json.dumps(content, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 1]))
    data = text.encode(rng.choice(["utf-8"] * 6 + ["utf-16", "utf-8-sig", "utf-32", "latin-1"]), "replace")
    return changed_bytes(rng, data) if kind >= 9 or rng.random() < 0.1 else data


def _other_cells(rng: random.Random, content: dict) -> dict:
    """What happens to cells: texts changed, types changed, doubled, moved, gone; outputs of any kind."""
    cells = [dict(cell) for cell in content["cells"]]
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(cells))
        cell = cells[at]
        kind = rng.randrange(9)
        if kind < 3:
            cell["source"] = changed_text(rng, "".join(cell["source"]))
        elif kind == 3:
            cell["cell_type"] = rng.choice(["code", "markdown", "raw", "heading", "", None, 3])
        elif kind == 4:
            cells.insert(rng.randrange(len(cells)), dict(cell))
        elif kind == 5 and len(cells) > 1:
            del cells[at]
        elif kind == 6:
            cell["outputs"] = rng.choice([[_odd_output(rng)] * rng.randint(1, 6), {}, None, [None, 3], "x"])
        elif kind == 7:
            cell["metadata"] = rng.choice([None, [], {"id": None}, {"tags": "x"}])
        else:
            cell["source"] = rng.choice(ODD_TEXT) + "".join(cell["source"])
    return content | {"cells": cells}


def _odd_output(rng: random.Random) -> dict:
    picture = (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
        + struct.pack(">II", *rng.choice([(1, 1), (0, 5), (2**31, 2), (99999, 1)]))
        + rng.randbytes(40)
    )
    import base64

    text = rng.choice(
        [base64.b64encode(picture).decode(), "????", "é", "A" * 7, "\ud800", [1, 2], ["aGk=", "\n"], None, 5]
    )
    return {
        "output_type": rng.choice(["display_data", "stream", 3]),
        "data": rng.choice([{"image/png": text}, text]),
        "text": text,
    }


# ---------------------------------------------------------------- zips


def zips(rng: random.Random) -> str:
    """Archives: names, sizes, flags, methods, links, and bytes changed where the format has its fields."""
    data = _spoilt_zip(rng)
    name = rng.choice(["ada.zip", "ada.ZIP", "x", "ada.ipynb"])
    return demand_report(grader_with(rng, 0).grade_bytes(data, name, "ada"))


def _spoilt_zip(rng: random.Random) -> bytes:
    out = io.BytesIO()
    method = rng.choice(
        [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
    )
    with zipfile.ZipFile(out, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that occur twice
        if rng.random() < 0.6:
            archive.writestr("hand in.ipynb", json.dumps(_a_notebook(rng)))
        many = 210 if method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) and rng.random() < 0.02 else 1
        for _ in range(many * rng.choice([0, 1, 1, 1, 2, 3, 5]) % 300):
            info = zipfile.ZipInfo(_member_name(rng))
            info.compress_type = method
            info.create_system = rng.choice([0, 3])
            info.external_attr = rng.choice([0, 0, 0, (stat.S_IFLNK | 0o777) << 16, (stat.S_IFDIR | 0o755) << 16, 0x10])
            archive.writestr(info, _member_content(rng))
        if rng.random() < 0.1:
            archive.comment = rng.randbytes(50)
    data = out.getvalue()
    kind = rng.randrange(6)
    if kind in (0, 1, 2):
        data = _changed_fields(rng, data)
    if kind in (2, 3):
        data = changed_bytes(rng, data)
    return data


def _member_name(rng: random.Random) -> str:
    usual = [
        "a.ipynb",
        "work/b.ipynb",
        MODEL_FILE,
        TRAIN_FILE,
        "x/" + MODEL_FILE,
        "notes.txt",
        "in.zip",
        "A.IPYNB",
        "d/",
        "__MACOSX/._a.ipynb",
    ]
    name = rng.choice(usual)
    odd = rng.choice(ODD_TEXT)[:600].encode("utf-8", "replace").decode()
    return rng.choice([name] * 6 + [odd + name, name + odd, odd + ".ipynb", "../" + name, "/" + name]) or "x"


def _member_content(rng: random.Random) -> bytes:
    kind = rng.randrange(6)
    if kind < 2:
        return json.dumps(_a_notebook(rng)).encode()
    if kind == 2:
        return spoilt_notebook(rng)
    if kind == 3:
        return rng.choice(list(CONFIGS.values())).encode()
    return rng.choice([b"", b"x", rng.randbytes(300), bytes(70_000)])


# Offset and length of the fields of a local file header, of a central one, and of the end record.
_FIELDS = {
    b"PK\x03\x04": ((4, 2), (6, 2), (8, 2), (10, 4), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2)),
    b"PK\x01\x02": ((4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (34, 2), (38, 4), (42, 4)),
    b"PK\x05\x06": ((4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2)),
}  # fmt: skip


def _changed_fields(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        signature = rng.choice(list(_FIELDS))
        places = [match.start() for match in re.finditer(re.escape(signature), changed)]
        if not places:
            continue
        offset, length = rng.choice(_FIELDS[signature])
        at = rng.choice(places) + offset
        value = rng.choice([0, 1, 8, 9, 12, 14, 93, 99, 0x800, 2 ** (8 * length) - 1, rng.randrange(2 ** (8 * length))])
        changed[at : at + length] = (value % 2 ** (8 * length)).to_bytes(length, "little")
    return bytes(changed)


# ---------------------------------------------------------------- configurations


def configs(rng: random.Random) -> str:
    """The YAML files of notebook 2: read, or one sentence; now and then through the whole pipeline."""
    files = {name: _spoilt_config(rng, text) for name, text in CONFIGS.items() if rng.random() > 0.03}
    if rng.random() < 0.1:
        return _pipeline_with_configs(rng, files)
    try:
        model, train = read_configs(files)
        inputs(files, 1.0, b"")
    except ConfigError as error:
        demand_sentence(f"{error}.")
        return "refused"
    demand(isinstance(model, dict) and isinstance(train, dict), "not dictionaries")
    json.dumps([model, train], allow_nan=False)
    return "read"


def _spoilt_config(rng: random.Random, text: str) -> bytes:
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2, 4])):
        lines = text.split("\n")
        at = rng.randrange(len(lines))
        kind = rng.randrange(5)
        if kind < 2:
            lines[at] = lines[at].partition(":")[0] + ": " + rng.choice(_ODD_YAML)
        elif kind == 2:
            lines[at] = rng.choice(_ODD_YAML)
        elif kind == 3:
            lines.insert(at, rng.choice(_ODD_YAML) + ": 1")
        text = "\n".join(lines)
        if kind == 4:
            text = changed_text(rng, text, 1)
    data = text.encode(rng.choice(["utf-8"] * 20 + ["utf-16", "utf-8-sig", "latin-1"]), "replace")
    return changed_bytes(rng, data, 2) if rng.random() < 0.05 else data


def _pipeline_with_configs(rng: random.Random, files: dict[str, bytes]) -> str:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.ipynb", json.dumps(dict(_notebooks()[2:3])["02_airfoil_vae"]))
        for name, data in files.items():
            archive.writestr(name, data)
    return demand_report(grader_with(rng, 0).grade_bytes(out.getvalue(), "ada.zip", "ada"))


# ---------------------------------------------------------------- answers


def answers(rng: random.Random) -> str:
    """Right notebooks; what their process sends back is anything, for any call, or nothing."""
    data = json.dumps(rng.choice(_notebooks()[::2])[1]).encode()
    return demand_report(grader_with(rng, rng.choice([0.05, 0.3, 0.9])).grade_bytes(data, "a.ipynb", "ada"))
