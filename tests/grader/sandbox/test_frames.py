"""Frames: what is written is read back; what a stranger writes is an array, a header, or an error, within the caps."""

import json
import random
import struct
import tracemalloc

import numpy as np
import pytest

from grader.sandbox.frames import (
    MAX_FRAMES,
    MAX_HEADER_BYTES,
    MAX_PAYLOAD_BYTES,
    MAX_TOTAL_BYTES,
    Decoder,
    Frame,
    FrameError,
    encode,
)


def decoded(data: bytes) -> list[Frame]:
    return list(Decoder().feed(data))


def raw(header: object, payload: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<II", len(text), len(payload)) + text + payload


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.float64(3.5).reshape(()),
        np.zeros((0, 4), np.float16),
        np.array([True, False]),
        np.arange(3, dtype=np.int64)[::-1],
        np.arange(4, dtype=">f8"),
        np.arange(8, dtype=np.uint8).reshape(2, 2, 2).T,
        np.array([np.nan, np.inf, -0.0], np.float32),
    ],
)
def test_an_array_comes_back(array):
    (frame,) = decoded(encode({"kind": "value", "name": "x"}, array))
    assert frame.array is not None
    np.testing.assert_array_equal(frame.array, array)
    assert frame.array.shape == array.shape
    assert frame.array.dtype == array.dtype.newbyteorder("<")
    assert frame.header["name"] == "x"


def test_a_header_alone_has_no_array():
    assert decoded(encode({"kind": "end"})) == [Frame({"kind": "end"}, None)]


def test_frames_may_come_in_any_pieces():
    data = encode({"n": 1}, np.ones(3)) + encode({"n": 2}) + encode({"n": 3}, np.zeros(2))
    decoder = Decoder()
    found = [frame for n in range(len(data)) for frame in decoder.feed(data[n : n + 1])]
    assert [frame.header["n"] for frame in found] == [1, 2, 3]


def test_what_came_before_a_bad_byte_counts():
    frames = Decoder().feed(encode({"n": 1}) + b"\xff" * 8)
    assert next(frames).header == {"n": 1}
    with pytest.raises(FrameError):
        next(frames)


@pytest.mark.parametrize(
    "array", [np.array(["x"]), np.array([1 + 2j]), np.array([None]), np.zeros(2, "V4"), np.zeros(1, "M8[s]")]
)
def test_only_numbers_are_sent(array):
    with pytest.raises(FrameError, match="cannot be sent"):
        encode({}, array)


def test_the_caps_hold_for_the_writer():
    with pytest.raises(FrameError):
        encode({"text": "x" * MAX_HEADER_BYTES})
    with pytest.raises(FrameError):
        encode({}, np.zeros(MAX_PAYLOAD_BYTES + 1, np.uint8))


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<II", MAX_HEADER_BYTES + 1, 0),
        struct.pack("<II", 2, MAX_PAYLOAD_BYTES + 1),
        struct.pack("<II", 2**32 - 1, 2**32 - 1),
        raw(b"not json"), raw(b"\xff\xfe"), raw(b"[1]"), raw(b"3"), raw(b"null"), raw(b"[" * 4000), raw(b""),
        raw({"kind": "value"}, b"x"),
        raw({"dtype": "O", "shape": []}, bytes(8)),
        raw({"dtype": "f4,f4", "shape": []}, bytes(8)),
        raw({"dtype": ["f4"], "shape": []}, bytes(4)),
        raw({"dtype": {}, "shape": []}, bytes(4)),
        raw({"dtype": "f4"}, bytes(4)),
        raw({"dtype": "f4", "shape": "2"}, bytes(8)),
        raw({"dtype": "f4", "shape": [2.0]}, bytes(8)),
        raw({"dtype": "u1", "shape": [True]}, bytes(1)),
        raw({"dtype": "f4", "shape": [-1]}, bytes(4)),
        raw({"dtype": "f4", "shape": [-2, -2]}, bytes(16)),
        raw({"dtype": "f4", "shape": [3]}, bytes(8)),
        raw({"dtype": "f4", "shape": [1] * 9}, bytes(4)),
        raw({"dtype": "f4", "shape": [0, 2**31 - 1, 2**31 - 1, 2**31 - 1]}),
        raw({"dtype": "f4", "shape": [0, 2**40]}),
        raw({"dtype": "f4", "shape": [2**31 - 1, 0]}),
        raw({"dtype": "u1", "shape": [0, 4096, 2049]}),
    ],
)  # fmt: skip
def test_what_is_no_frame_is_an_error(data):
    with pytest.raises(FrameError):
        decoded(data)


def test_no_more_than_the_total_is_taken():
    frame, decoder = encode({}, np.zeros(2**20, np.uint8)), Decoder()
    for _ in range(MAX_TOTAL_BYTES // len(frame)):
        list(decoder.feed(frame))
    with pytest.raises(FrameError, match="more data"):
        list(decoder.feed(frame))
    with pytest.raises(FrameError, match="more frames"):
        decoded(encode({}) * (MAX_FRAMES + 1))


def test_a_promise_of_much_data_takes_no_memory():
    tracemalloc.start()
    assert decoded(struct.pack("<II", MAX_HEADER_BYTES, MAX_PAYLOAD_BYTES) + b"{") == []
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_no_change_of_bytes_gets_past_the_errors():
    """A seeded fuzzer: bytes changed, cut, doubled and put in, in valid frames and in their headers."""
    rng = random.Random(0)
    whole = [
        encode({"kind": "step", "number": 3}),
        encode({"kind": "value", "probe": "kl.D_KL.values#public0", "name": "value"}, np.ones((2, 3), np.float32)),
        encode({"kind": "error", "type": "ValueError", "text": "x", "lines": [[1, 2]]}),
        encode({"kind": "value", "probe": "p", "name": "n"}, np.zeros((0, 5), np.int64)),
    ]
    counts = {"frames": 0, "errors": 0}
    for _ in range(4000):
        data = bytearray(b"".join(rng.choices(whole, k=rng.randint(1, 3))))
        for _ in range(rng.randint(1, 5)):
            _mutate(rng, data)
        try:
            for frame in Decoder().feed(bytes(data)):
                assert isinstance(frame.header, dict)
                assert frame.array is None or frame.array.nbytes <= len(data)
                counts["frames"] += 1
        except FrameError:
            counts["errors"] += 1
    assert min(counts.values()) > 500, counts


def _mutate(rng: random.Random, data: bytearray) -> None:
    if not data:
        return
    at = rng.randrange(len(data))
    kind = rng.randrange(5)
    if kind == 0:
        data[at] = rng.randrange(256)
    elif kind == 1:
        data[at] = rng.choice(b'0123456789-[]{}":,.eE\x00\xff')
    elif kind == 2:
        del data[at : at + rng.randint(1, 8)]
    elif kind == 3:
        data[at:at] = data[at : at + rng.randint(1, 16)]
    else:
        data[at:at] = rng.choice(
            [b'"dtype": "f8", ', b"-", b"99999999999", b"NaN", b'"shape": [0], ', b"\xff\xff\xff\x7f"]
        )
