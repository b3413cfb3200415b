"""Length-prefixed frames: the only way data crosses between the grader and a student's process.

A frame is two little-endian 32-bit lengths, a JSON header and a payload of raw array bytes: those of all arrays that the header
names, one behind the other, each filled up to a multiple of sixteen. What the student's process sends is data from a stranger: every
length is capped before it is believed, the header holds strings and integers only, the payload's size must follow from dtypes and
shapes. Nothing is unpickled, nothing is compressed.
"""

import json
import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

MAX_HEADER_BYTES = 16 * 2**10
MAX_PAYLOAD_BYTES = 8 * 2**20
MAX_TOTAL_BYTES = 64 * 2**20
MAX_FRAMES = 4096
_ALIGNED = 16  # bytes: no processor reads what lies askew as fast

_PREFIX = struct.Struct("<II")
_DTYPES = {
    code: np.dtype(f"<{code}" if code[1] != "1" else code)
    for code in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "b1")
}


class FrameError(ValueError):
    """The bytes are not frames, or more than is allowed."""


@dataclass(frozen=True)
class Frame:
    """A header, and the arrays that came with it, by name."""

    header: dict
    arrays: dict[str, np.ndarray] = field(default_factory=dict)


def encode(header: dict, arrays: Mapping[str, np.ndarray] | None = None) -> bytes:
    """Write one frame.

    Raises:
        FrameError: If header or arrays exceed the caps, or an array's dtype is not a plain number.
    """
    named, parts, size = [], [], 0
    for name, array in (arrays or {}).items():
        code = array.dtype.str[1:]
        if code not in _DTYPES:
            raise FrameError(f"dtype {array.dtype} cannot be sent")
        named.append([name, code, array.shape])
        size += array.nbytes + -array.nbytes % _ALIGNED
        if size > MAX_PAYLOAD_BYTES:
            raise FrameError(f"{size} bytes of data and more are more than a frame may hold")
        parts += [np.ascontiguousarray(array, dtype=_DTYPES[code]).tobytes(), bytes(-array.nbytes % _ALIGNED)]
    text = json.dumps({**header, "arrays": named} if named else header).encode()
    if len(text) > MAX_HEADER_BYTES:
        raise FrameError(f"{len(text)} bytes of header are more than a frame may hold")
    return b"".join([_PREFIX.pack(len(text), size), text, *parts])


class Decoder:
    """Turns a stream of bytes into frames, holding no more than the caps allow."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._total = 0
        self._frames = 0

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take in bytes as they arrive.

        Yields:
            The frames completed by them, one by one: those that came before a bad byte count, though it came with them.

        Raises:
            FrameError: At the first byte that cannot belong to a frame, or past a cap.
        """
        self._total += len(data)
        if self._total > MAX_TOTAL_BYTES:
            raise FrameError("more data than a submission may return")
        self._buffer += data
        while (frame := self._next()) is not None:
            yield frame

    def _next(self) -> Frame | None:
        if len(self._buffer) < _PREFIX.size:
            return None
        header_bytes, payload_bytes = _PREFIX.unpack_from(self._buffer)
        if header_bytes > MAX_HEADER_BYTES or payload_bytes > MAX_PAYLOAD_BYTES:
            raise FrameError("a frame is larger than allowed")
        end = _PREFIX.size + header_bytes + payload_bytes
        if len(self._buffer) < end:
            return None
        self._frames += 1
        if self._frames > MAX_FRAMES:
            raise FrameError("more frames than a submission may return")
        start = _PREFIX.size + header_bytes
        header = _header(bytes(self._buffer[_PREFIX.size : start]))
        payload = bytes(self._buffer[start:end])
        del self._buffer[:end]
        return Frame(header, _arrays(header, payload))


def _header(text: bytes) -> dict:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        raise FrameError("a frame's header is not JSON") from None
    if not isinstance(header, dict):
        raise FrameError("a frame's header is not an object")
    return header


def _arrays(header: dict, payload: bytes) -> dict[str, np.ndarray]:
    named, arrays, at = header.get("arrays", []), dict[str, np.ndarray](), 0
    if not isinstance(named, list):
        raise FrameError("no list of arrays")
    for one in named:
        if not isinstance(one, list) or len(one) != 3 or not isinstance(one[0], str) or one[0] in arrays:
            raise FrameError("an array without a name, a dtype and a shape, or sent twice")
        name, code, shape = one
        arrays[name] = _array(code, shape, payload, at)
        at += arrays[name].nbytes + -arrays[name].nbytes % _ALIGNED
    if at != len(payload):
        raise FrameError("shapes and data do not fit")
    return arrays


def _array(code: object, shape: object, payload: bytes, at: int) -> np.ndarray:
    """The array that begins at a byte of the payload."""
    if not isinstance(code, str) or code not in _DTYPES:
        raise FrameError("unknown dtype")
    if not isinstance(shape, list) or len(shape) > 8 or not all(type(n) is int and 0 <= n < 2**31 for n in shape):
        raise FrameError("impossible shape")
    dtype, count = _DTYPES[code], math.prod(shape)
    if count * dtype.itemsize > len(payload) - at:
        raise FrameError("shapes and data do not fit")
    if math.prod(n or 1 for n in shape) * dtype.itemsize > MAX_PAYLOAD_BYTES:
        raise FrameError("impossible shape")  # no data, but the mean over its empty side would fill the memory
    try:
        return np.frombuffer(payload, dtype, count, at if count else 0).reshape(shape)
    except ValueError:  # no data, but dimensions beyond numpy's
        raise FrameError("impossible shape") from None
