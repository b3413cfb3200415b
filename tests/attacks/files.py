"""Attacks that lie in the file: what an archive or a notebook can hide. Each is made from the bytes of an honest notebook.

`FILES` has, by name, the aim and a function from the honest notebook to (file name, bytes). A file is either turned away
with a sentence, or graded as if nothing else were in it. A number in place of the bytes stands for a file of that size.
"""

import io
import json
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable

PLANTED = 'open("/tmp/attack_was_here", "w").write("x")\n'  # what hidden code would do if anybody ran it
_BIG = 33 * 2**20


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def _beside(*names: str) -> Callable[[bytes], tuple[str, bytes]]:
    """Code of one's own beside the notebook, where a careless grader would import it."""
    return lambda honest: ("class.zip", zipped(("a.ipynb", honest), *((name, PLANTED.encode()) for name in names)))


def _link(target: str) -> zipfile.ZipInfo:
    link = zipfile.ZipInfo("a.ipynb")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    link.comment = target.encode()
    return link


def _encrypted(honest: bytes) -> bytes:
    data = bytearray(zipped(("a.ipynb", honest)))
    for signature, flags_at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(signature) + flags_at] |= 1
    return bytes(data)


def _lying_size(honest: bytes) -> bytes:
    data = bytearray(zipped(("a.ipynb", honest + b" " * _BIG)))
    at = data.find(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", 100)
    return bytes(data)


def _nested_bomb() -> bytes:
    inner = zipped(("a.ipynb", bytes(_BIG)))
    for _ in range(4):
        inner = zipped(*((f"{n}.zip", inner) for n in range(10)))
    return inner


def _overlapping(honest: bytes) -> bytes:
    """A hundred entries that all point at the same compressed bytes: small in the file, large for who unpacks them."""
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packed.compress(bytes(8 * 2**20)) + packed.flush()
    crc, sizes = zlib.crc32(bytes(8 * 2**20)), (len(body), 8 * 2**20)
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 0, crc, *sizes, 7, 0) + b"a.ipynb" + body
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 8, 0, 0, crc, *sizes, 7, 0, 0, 0, 0, 0, 0) + b"a.ipynb"
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 100, 100, 100 * len(entry), len(local), 0)
    return local + 100 * entry + end


def _edited(honest: bytes, edit: Callable[[dict], None]) -> bytes:
    notebook = json.loads(honest)
    edit(notebook)
    return json.dumps(notebook).encode()


def _twice(notebook: dict) -> None:
    """Every autograded cell again at the end; the copy of the first does not parse, so the original counts."""
    sources = ["".join(cell["source"]) for cell in notebook["cells"]]
    cells = [cell for cell, source in zip(notebook["cells"], sources, strict=True) if source.startswith("# AUTOGRADED")]
    copies = json.loads(json.dumps(cells))
    copies[0]["source"] = "".join(copies[0]["source"]).splitlines()[0] + f"\n{PLANTED}def D_KL(:\n"
    notebook["cells"] += copies


def _code_elsewhere(notebook: dict) -> None:
    """In cells that are not graded, in metadata, in outputs, in attachments."""
    shell = {
        "cell_type": "code",
        "source": f"!touch /tmp/attack_was_here\n{PLANTED}",
        "metadata": {},
        "outputs": [],
        "execution_count": 1,
    }
    notebook["cells"][:0] = [shell, {**shell, "source": "%load_ext attack_was_here"}]
    notebook["metadata"] |= {"kernelspec": {"name": "bash", "argv": ["touch", "/tmp/attack_was_here"]}, "init": PLANTED}
    notebook["cells"][-1]["metadata"] = {"papermill": {"parameters": PLANTED}, "grade_id": "kl.D_KL", "points": 100}


def _huge_numbers(notebook: dict) -> None:
    notebook["nbformat_minor"] = 10**400
    notebook["metadata"]["points"] = 1e999


_NAMES = ("../../tmp/attack_was_here", "/tmp/attack_was_here", "..\\..\\attack_was_here", "C:\\attack_was_here")

FILES: dict[str, tuple[str, Callable[[bytes], tuple[str, bytes | int]]]] = {
    "zip_slip": (
        "paths that lead out of the folder it would be unpacked in",
        lambda honest: ("a.zip", zipped(("a.ipynb", honest), *((name, PLANTED.encode()) for name in _NAMES))),
    ),
    "notebook_at_a_path_outside": ("the notebook itself at such a path", lambda honest: ("a.zip", zipped(("../../a.ipynb", honest)))),
    "link_to_a_secret": ("a symbolic link in place of the notebook", lambda honest: ("a.zip", zipped((_link("x"), b"/etc/shadow")))),
    "hidden_conftest": ("code that pytest would run", _beside("conftest.py", "pytest.ini", "test_a.py", "tox.ini")),
    "hidden_sitecustomize": ("code that Python would run at its start", _beside("sitecustomize.py", "usercustomize.py", "a.pth", ".python_history")),
    "hidden_modules": ("its own utils, torch and grader", _beside("utils/__init__.py", "torch.py", "numpy/__init__.py", "grader/__init__.py")),
    "hidden_references": (
        "its own reference values and rubric",
        _beside("assignments/kl_divergence/references/about.json", "grader/rubric/__init__.py", "results.json"),
    ),
    "zip_in_a_zip": ("the notebook in a zip in the zip", lambda honest: ("a.zip", zipped(("b.zip", zipped(("a.ipynb", honest)))))),
    "encrypted": ("a zip with a password", lambda honest: ("a.zip", _encrypted(honest))),
    "bomb": ("300 MB of zeros in 300 KB", lambda honest: ("a.zip", zipped(*((f"{n}.ipynb", bytes(_BIG)) for n in range(9))))),
    "nested_bomb": ("zips in zips that grow to terabytes", lambda honest: ("a.zip", _nested_bomb())),
    "overlapping_bomb": ("a hundred entries that share their bytes", lambda honest: ("a.zip", _overlapping(honest))),
    "size_that_lies": ("a size that is not the true one", lambda honest: ("a.zip", _lying_size(honest))),
    "many_files": ("ten thousand files", lambda honest: ("a.zip", zipped(("a.ipynb", honest), *((f"{n}", b"") for n in range(10_000))))),
    "odd_names": (
        "names with control characters, turned writing, other encodings",
        lambda honest: ("a\u202egpj\x1b[2J.zip", zipped(("\x1b[31m\u202ebpnyi.ipynb", honest), ("\ud7ff\0x", b""))),
    ),
    "cut": ("half a zip", lambda honest: ("a.zip", zipped(("a.ipynb", honest))[:-200])),
    "other_kind": ("another kind of file with the name of a zip", lambda honest: ("a.zip", b"\x7fELF\x02\x01\x01" + bytes(500))),
    "not_json": ("a notebook that is not JSON", lambda honest: ("a.ipynb", b"import os; os.system('touch /tmp/attack_was_here')")),
    "deep_json": ("a notebook nested a million deep", lambda honest: ("a.ipynb", b'{"cells":' + b"[" * 1_000_000)),
    "huge_numbers": ("numbers that no type holds", lambda honest: ("a.ipynb", _edited(honest, _huge_numbers))),
    "huge_notebook": ("a notebook of 33 MB of text", lambda honest: ("a.ipynb", honest[:-1] + b" " * _BIG + b"}")),
    "five_hundred_megabytes": ("a file of 500 MB", lambda honest: ("a.ipynb", 500 * 2**20)),
    "duplicated_cells": ("every answer twice, one copy broken", lambda honest: ("a.ipynb", _edited(honest, _twice))),
    "code_in_other_cells": ("code in cells and metadata that nobody grades", lambda honest: ("a.ipynb", _edited(honest, _code_elsewhere))),
}  # fmt: skip
