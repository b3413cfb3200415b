"""Hand-ins that came by e-mail: `.eml` files and `.mbox` folders, as mail programs save them. A sender's address is an id;
whoever grades should know that an address can be forged, and that a mail program may have shown another name."""

import email
import email.policy
import io
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime

from grader.platforms.hand_ins import HandIn
from grader.platforms.people import Person
from grader.platforms.tree import File, normal
from grader.stages.intake import MAX_ZIP_BYTES
from utils.notebook.printable import printable

_ENDINGS = (".eml", ".mbox")
_MOST_BYTES = 2 * MAX_ZIP_BYTES  # of a message: attachments are a third longer there
_LONGEST_MBOX = 2**30


def mail(files: list[File]) -> list[HandIn] | None:
    """Messages with attachments, by sender; of one sender's the latest counts where several answer the same."""
    messages = [file for file in files if file.ending in _ENDINGS]
    if not messages or 2 * len(messages) <= len(files):
        return None
    found: dict[str, list[tuple[str, str, list[File]]]] = {}
    for file in messages:
        for message in _read(file):
            name, address = parseaddr(str(message.get("From", "")))
            stamp, told = _time_of(message)
            attached = [
                _attachment(part, stamp) for part in message.iter_attachments() if isinstance(part, EmailMessage)
            ]
            found.setdefault(printable(address).casefold(), []).append((printable(name), told, attached))
    hand_ins = []
    for address, sent in found.items():
        name = next((name for name, _, _ in reversed(sent) if name), address or "unknown sender")
        files_sent = tuple(one for _, _, attached in sent for one in attached)
        last = max(told for _, told, _ in sent)
        hand_ins.append(HandIn(address or name, (Person(name, address),), files_sent, submitted_at=last))
    return hand_ins


def _read(file: File) -> Iterator[EmailMessage]:
    parser = email.message_from_bytes
    if file.ending == ".eml":
        message = parser(file.read(_MOST_BYTES), policy=email.policy.default)
        if isinstance(message, EmailMessage):
            yield message
        return
    for raw in _split(file.read(_LONGEST_MBOX)):
        message = parser(raw, policy=email.policy.default)
        if isinstance(message, EmailMessage):
            yield message


def _split(data: bytes) -> Iterator[bytes]:
    """The messages of an mbox file: each begins with a line `From `."""
    lines: list[bytes] = []
    for line in io.BytesIO(data):
        if line.startswith(b"From ") and lines:
            yield b"".join(lines)
            lines = []
        if not (line.startswith(b"From ") and not lines):
            lines.append(line)
    if lines:
        yield b"".join(lines)


def _time_of(message: EmailMessage) -> tuple[int, str]:
    try:
        time = parsedate_to_datetime(str(message.get("Date", "")))
        return max(1, int(time.timestamp())), time.isoformat(" ")
    except (TypeError, ValueError, OverflowError, OSError):
        return 0, ""


def _attachment(part: EmailMessage, order: int) -> File:
    name = normal((part.get_filename() or "attachment").replace("/", "_").replace("\\", "_")) or "attachment"

    def read(limit: int) -> bytes:
        data = part.get_payload(decode=True)
        return data[:limit] if isinstance(data, bytes) else b""

    return File((name,), read, order)
