"""Length-prefixed frames: the only way data crosses between the grader and a student's process.

A frame is two little-endian 32-bit lengths, a JSON header and a payload of raw array bytes. What the student's process
sends is data from a stranger: every length is capped before it is believed, the header holds strings and integers only,
the payload's size must follow from dtype and shape. Nothing is unpickled, nothing is compressed.
"""

import json
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

MAX_HEADER_BYTES = 4096
MAX_PAYLOAD_BYTES = 8 * 2**20
MAX_TOTAL_BYTES = 64 * 2**20
MAX_FRAMES = 4096

_PREFIX = struct.Struct("<II")
_DTYPES = {
    code: np.dtype(f"<{code}" if code[1] != "1" else code)
    for code in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "b1")
}


class FrameError(ValueError):
    """The bytes are not frames, or more than is allowed."""


@dataclass(frozen=True)
class Frame:
    """A header and, if it names a dtype, the array that came with it."""

    header: dict
    array: np.ndarray | None = None


def encode(header: dict, array: np.ndarray | None = None) -> bytes:
    """Write one frame.

    Raises:
        FrameError: If header or array exceed the caps, or the array's dtype is not a plain number.
    """
    payload = b""
    if array is not None:
        code = array.dtype.str[1:]
        if code not in _DTYPES:
            raise FrameError(f"dtype {array.dtype} cannot be sent")
        payload = np.ascontiguousarray(array, dtype=_DTYPES[code]).tobytes()
        header = {**header, "dtype": code, "shape": list(array.shape)}
    text = json.dumps(header).encode()
    if len(text) > MAX_HEADER_BYTES or len(payload) > MAX_PAYLOAD_BYTES:
        raise FrameError(f"{len(text)} bytes of header and {len(payload)} of data are more than a frame may hold")
    return _PREFIX.pack(len(text), len(payload)) + text + payload


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
        return Frame(header, _array(header, payload))


def _header(text: bytes) -> dict:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        raise FrameError("a frame's header is not JSON") from None
    if not isinstance(header, dict):
        raise FrameError("a frame's header is not an object")
    return header


def _array(header: dict, payload: bytes) -> np.ndarray | None:
    if "dtype" not in header:
        if payload:
            raise FrameError("data without a dtype")
        return None
    code, shape = header["dtype"], header.get("shape")
    if not isinstance(code, str) or code not in _DTYPES:
        raise FrameError("unknown dtype")
    if not isinstance(shape, list) or len(shape) > 8 or not all(type(n) is int and 0 <= n < 2**31 for n in shape):
        raise FrameError("impossible shape")
    dtype = _DTYPES[code]
    if math.prod(shape) * dtype.itemsize != len(payload):
        raise FrameError("shape and data do not fit")
    if math.prod(n or 1 for n in shape) * dtype.itemsize > MAX_PAYLOAD_BYTES:
        raise FrameError("impossible shape")  # no data, but the mean over its empty side would fill the memory
    try:
        return np.frombuffer(payload, dtype).reshape(shape)
    except ValueError:  # no data, but dimensions beyond numpy's
        raise FrameError("impossible shape") from None
