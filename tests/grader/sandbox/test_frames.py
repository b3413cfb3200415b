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
    (frame,) = decoded(encode({"kind": "answer", "probe": "x"}, {"one": array, "two": np.ones(3), "three": array}))
    assert list(frame.arrays) == ["one", "two", "three"]
    np.testing.assert_array_equal(frame.arrays["two"], np.ones(3))
    for name in ("one", "three"):
        np.testing.assert_array_equal(frame.arrays[name], array)
        assert frame.arrays[name].shape == array.shape
        assert frame.arrays[name].dtype == array.dtype.newbyteorder("<")
        assert not frame.arrays[name].size or frame.arrays[name].ctypes.data % 16 == 0
    assert frame.header["probe"] == "x"


def test_a_header_alone_has_no_arrays():
    assert decoded(encode({"kind": "end"})) == [Frame({"kind": "end"})]


def test_frames_may_come_in_any_pieces():
    data = encode({"n": 1}, {"x": np.ones(3)}) + encode({"n": 2}) + encode({"n": 3}, {"x": np.zeros(2)})
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
        encode({}, {"x": array})


def test_the_caps_hold_for_the_writer():
    with pytest.raises(FrameError):
        encode({"text": "x" * MAX_HEADER_BYTES})
    with pytest.raises(FrameError):
        encode({}, {"x": np.zeros(MAX_PAYLOAD_BYTES + 1, np.uint8)})
    with pytest.raises(FrameError):
        encode({}, dict.fromkeys("xyz", np.zeros(MAX_PAYLOAD_BYTES // 2, np.uint8)))


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<II", MAX_HEADER_BYTES + 1, 0),
        struct.pack("<II", 2, MAX_PAYLOAD_BYTES + 1),
        struct.pack("<II", 2**32 - 1, 2**32 - 1),
        raw(b"not json"), raw(b"\xff\xfe"), raw(b"[1]"), raw(b"3"), raw(b"null"), raw(b"[" * 4000), raw(b""),
        raw({"kind": "answer"}, b"x"),
        raw({"arrays": 3}), raw({"arrays": {"x": ["f4", []]}}), raw({"arrays": ["x"]}), raw({"arrays": [["x", "f4"]]}, bytes(16)),
        raw({"arrays": [["x", "f4", [], 1]]}, bytes(16)),
        raw({"arrays": [[1, "f4", []]]}, bytes(16)), raw({"arrays": [[["x"], "f4", []]]}, bytes(16)),
        raw({"arrays": [["x", "f4", []], ["x", "f4", []]]}, bytes(32)),
        raw({"arrays": [["x", "O", []]]}, bytes(16)),
        raw({"arrays": [["x", "f4,f4", []]]}, bytes(16)),
        raw({"arrays": [["x", ["f4"], []]]}, bytes(16)),
        raw({"arrays": [["x", {}, []]]}, bytes(16)),
        raw({"arrays": [["x", "f4", "2"]]}, bytes(16)),
        raw({"arrays": [["x", "f4", [2.0]]]}, bytes(16)),
        raw({"arrays": [["x", "u1", [True]]]}, bytes(16)),
        raw({"arrays": [["x", "f4", [-1]]]}, bytes(16)),
        raw({"arrays": [["x", "f4", [-2, -2]]]}, bytes(16)),
        raw({"arrays": [["x", "f4", [5]]]}, bytes(16)), raw({"arrays": [["x", "f4", [3]]]}, bytes(12)),
        raw({"arrays": [["x", "f4", [3]]]}, bytes(32)), raw({"arrays": [["x", "f4", [3]], ["y", "u1", [2]]]}, bytes(16)),
        raw({"arrays": [["x", "f4", [1] * 9]]}, bytes(16)),
        raw({"arrays": [["x", "f4", [0, 2**31 - 1, 2**31 - 1, 2**31 - 1]]]}),
        raw({"arrays": [["x", "f4", [0, 2**40]]]}),
        raw({"arrays": [["x", "f4", [2**31 - 1, 0]]]}),
        raw({"arrays": [["x", "u1", [0, 4096, 2049]]]}),
    ],
)  # fmt: skip
def test_what_is_no_frame_is_an_error(data):
    with pytest.raises(FrameError):
        decoded(data)


def test_no_more_than_the_total_is_taken():
    frame, decoder = encode({}, {"x": np.zeros(2**20, np.uint8)}), Decoder()
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
        encode({"kind": "answer", "probe": "kl.D_KL.values#public0"}, {"value": np.ones((2, 3), np.float32)}),
        encode({"kind": "error", "type": "ValueError", "text": "x", "lines": [[1, 2]]}),
        encode({"kind": "answer", "probe": "p"}, {"n": np.zeros((0, 5), np.int64), "m": np.ones(5)}),
    ]
    counts = {"frames": 0, "errors": 0}
    for _ in range(4000):
        data = bytearray(b"".join(rng.choices(whole, k=rng.randint(1, 3))))
        for _ in range(rng.randint(1, 5)):
            _mutate(rng, data)
        try:
            for frame in Decoder().feed(bytes(data)):
                assert isinstance(frame.header, dict)
                assert sum(array.nbytes for array in frame.arrays.values()) <= len(data)
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
        data[at:at] = rng.choice([b'"f8", ', b"-", b"99999999999", b"NaN", b", [0], ", b"\xff\xff\xff\x7f"])
