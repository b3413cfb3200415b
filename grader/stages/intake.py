"""Intake: a file from a student becomes bytes we asked for. Nothing is extracted to disk, nothing is executed."""

import hashlib
import lzma
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from grader.records import Submission
from utils.assignments import files_beside, weights_files
from utils.notebook.cells import MAX_NOTEBOOK_BYTES
from utils.notebook.printable import printable
from utils.training.weights import MAX_BYTES as MAX_WEIGHTS_BYTES

MAX_ZIP_BYTES = 64 * 2**20
MAX_UNPACKED_BYTES = 256 * 2**20  # of all that is in the zip
MAX_TAKEN_BYTES = 64 * 2**20  # of what is asked for and comes into memory
MAX_NOTEBOOKS = 16
MAX_FILES = 200
MAX_ENTRIES = 20_000  # before the zip's directory is read: half a kilobyte of memory each
MAX_CONFIG_BYTES = 64 * 2**10
# All that `zipfile` and the decompressors were seen to raise on changed bytes.
DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, ValueError, ArithmeticError,
    LookupError, RuntimeError, MemoryError,
)  # fmt: skip
_NOISE = ("__MACOSX", ".DS_Store", ".ipynb_checkpoints", "__pycache__")


class IntakeError(ValueError):
    """The file cannot be graded; the message is one sentence for the student."""

    def __init__(self, sentence: str, student: str, file_name: str, sha256: str = "") -> None:
        super().__init__(sentence)
        self.student, self.file_name, self.sha256 = student, file_name, sha256


def take_in(path: Path, student: str | None = None) -> Submission:
    """Read a student's file: a zip with a notebook in it, or a notebook.

    Args:
        path: The file.
        student: Whose it is; by default the file's name says.

    Returns:
        Notebooks and configs as bytes, and the names of all that was ignored.

    Raises:
        IntakeError: If there is no notebook to be had from it.
    """
    student, name = student or printable(path.stem), printable(path.name)
    try:
        status = path.stat()
        size, is_file = status.st_size, stat.S_ISREG(status.st_mode)
        data = path.read_bytes() if is_file and size <= MAX_ZIP_BYTES else b""
    except OSError as error:
        raise IntakeError(f"{name} cannot be read ({error.strerror}): hand it in again.", student, name) from None
    if not is_file:  # a pipe would be waited for, a device never ends
        raise IntakeError(f"{name} is not a file: hand in a zip or a notebook.", student, name)
    if size > MAX_ZIP_BYTES:
        raise IntakeError(
            f"{name} has {size / 2**20:.0f} MB, at most {MAX_ZIP_BYTES // 2**20} MB are accepted: "
            "leave data sets and checkpoints out, clear large outputs, and zip it again.",
            student, name,
        )  # fmt: skip
    return take_in_bytes(data, name, student)


def take_in_bytes(data: bytes, file_name: str, student: str) -> Submission:
    """As `take_in`, for a file already in memory.

    Raises:
        IntakeError: If there is no notebook to be had from it.
    """
    digest, file_name = hashlib.sha256(data).hexdigest(), _short(file_name)
    try:
        if data[:4] == b"PK\x03\x04" or data[:4] == b"PK\x05\x06":
            notebooks, configs, ignored = _open_zip(data)
        elif data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" or file_name.lower().endswith(".ipynb"):
            notebooks, configs, ignored = {file_name: data}, {}, []
        else:
            raise _Reject(_what_it_is(data, file_name))
    except _Reject as reason:
        raise IntakeError(str(reason), student, file_name, digest) from None
    return Submission(
        student=student,
        file_name=file_name,
        sha256=digest,
        notebooks=notebooks,
        configs=configs,
        ignored=tuple(ignored),
    )


class _Reject(Exception):
    pass


def _what_it_is(data: bytes, file_name: str) -> str:
    if not data:
        return f"{file_name} is empty: hand in the zip again."
    kinds = {
        b"%PDF": "a PDF",
        b"Rar!": "a RAR archive",
        b"7z\xbc\xaf": "a 7z archive",
        b"\x1f\x8b": "a gzip archive",
        b"<": "an HTML page",
    }
    kind = next(
        (name for start, name in kinds.items() if data.lstrip().startswith(start)), "neither a zip nor a notebook"
    )
    return (
        f"{file_name} is {kind}: hand in the zip that the last cell of the notebook writes, or the .ipynb file itself."
    )


def _open_zip(data: bytes) -> tuple[dict[str, bytes], dict[str, bytes], list[str]]:
    import io

    notebooks: dict[str, bytes] = {}
    configs: dict[str, bytes] = {}
    beside, weights = files_beside(), weights_files()
    ignored: list[str] = []
    if data.count(b"PK\x01\x02") > MAX_ENTRIES:
        raise _Reject(f"The zip holds more than {MAX_ENTRIES:,} files: zip the notebook and its configs only.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [info for info in archive.infolist() if not _is_noise(info.filename)]
            _check_sizes(members)
            for info in members:
                name = PurePosixPath(info.filename.replace("\\", "/")).name
                if _is_unsafe(info) or not (name.lower().endswith(".ipynb") or name in beside):
                    ignored.append(_short(info.filename))
                elif name in weights:  # too large a file costs what is measured on it, not the notebook
                    configs[name] = _read(archive, info, MAX_WEIGHTS_BYTES, is_cut=True)
                elif name in beside:
                    configs[name] = _read(archive, info, MAX_CONFIG_BYTES)
                else:
                    notebooks[_short(info.filename)] = _read(archive, info, MAX_NOTEBOOK_BYTES)
                    _check_taken(notebooks)
    except DAMAGE as error:
        raise _Reject(
            f"The zip is damaged ({printable(str(error)[:80])}): zip the notebook again and open the zip once to check."
        ) from None
    if not notebooks:
        listing = ", ".join(ignored[:5]) or "nothing else"
        raise _Reject(f"There is no notebook (.ipynb) in the zip; it holds {listing}: add the notebook and zip again.")
    return notebooks, configs, ignored


def _check_sizes(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_FILES:
        raise _Reject(
            f"The zip holds {len(members)} files, at most {MAX_FILES} are accepted: zip the notebook and its configs only."
        )
    unpacked = sum(info.file_size for info in members)
    if unpacked > MAX_UNPACKED_BYTES:
        raise _Reject(
            f"Unpacked, the zip would have {unpacked / 2**20:.0f} MB, at most {MAX_UNPACKED_BYTES // 2**20} MB are accepted: "
            "zip the notebook and its configs only."
        )


def _check_taken(notebooks: dict[str, bytes]) -> None:
    if len(notebooks) > MAX_NOTEBOOKS or sum(map(len, notebooks.values())) > MAX_TAKEN_BYTES:
        raise _Reject(
            f"The zip holds more than {MAX_NOTEBOOKS} notebooks, or more than {MAX_TAKEN_BYTES // 2**20} MB of them: "
            "hand in the one to be graded."
        )


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int, is_cut: bool = False) -> bytes:
    if info.flag_bits & 0x1:
        raise _Reject("The zip is encrypted: zip the notebook again without a password.")
    with archive.open(info) as member:
        content = member.read(limit + 1)  # the size a zip declares may be a lie
    if len(content) > limit and not is_cut:
        raise _Reject(
            f"{_short(info.filename)} has more than {limit / 2**20:g} MB: clear its outputs and zip it again."
        )
    return content


def _is_noise(name: str) -> bool:
    """Folders, what a computer puts beside files, and names that are empty."""
    if not name or name.endswith("/"):
        return True
    return any(part in _NOISE or part.startswith("._") for part in name.replace("\\", "/").split("/"))


def _is_unsafe(info: zipfile.ZipInfo) -> bool:
    """Absolute paths, parents and links: harmless, as nothing is extracted, but nobody's answer either."""
    parts = info.filename.replace("\\", "/").split("/")
    return ".." in parts or parts[0] == "" or ":" in parts[0] or stat.S_ISLNK(info.external_attr >> 16)


def _short(name: str) -> str:
    return printable(name[:200])
