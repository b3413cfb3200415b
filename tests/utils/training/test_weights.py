"""Files of weights from strangers: what is read is numbers, what is not is refused in one sentence, before memory is spent."""

import json
import pickle
import resource
import struct
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from utils.notebook.extraction import TaskSource
from utils.training.weights import MAX_BYTES, WeightsError, code_digests, file_digests, read_weights, why_stale

_RNG = np.random.default_rng(0)
GOOD: dict[str, np.ndarray] = {
    "net/0.weight": _RNG.normal(size=(4, 3)).astype(np.float16),
    "net/0.bias": _RNG.normal(size=4).astype(np.float32),
}
NOTE = {"trained_on": "MNIST", "stand_in": "no", "code": json.dumps({"a.b": "12"})}


def _raw(header: object, numbers: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + numbers


def _entry(shape: object, kind: str = "F16", ends: tuple = (0, 2)) -> dict:
    return {"m/w": {"dtype": kind, "shape": shape, "data_offsets": list(ends)}}


HOSTILE = {
    "nothing": b"",
    "seven bytes": b"1234567",
    "a header of 1 GB": _raw({}, length=2**30),
    "a header of 2^64 - 1 bytes": _raw({}, length=2**64 - 1),
    "a header as long as a notebook": _raw(b"{" + b" " * 200_000 + b"}"),
    "60 MB": save({"m/w": np.zeros(30 * 2**20, np.float16)}),
    "no JSON": _raw(b"not json at all"),
    "a list": _raw([1, 2]),
    "a hundred thousand brackets": _raw(b"[" * 90_000),
    "nothing in it": _raw({}),
    "a thousand tensors": save({f"m/{n}": np.zeros(1, np.float16) for n in range(1000)}),
    "a terabyte in a shape": _raw(_entry([2**20, 2**20]), b"\0\0"),
    "shapes whose product wraps around": _raw(_entry([2**22, 2**22, 2**22]), b"\0\0"),
    "a negative side": _raw(_entry([-1]), b"\0\0"),
    "a side of True": _raw(_entry([True]), b"\0\0"),
    "a side that is a text": _raw(_entry(["1"]), b"\0\0"),
    "no shape": _raw({"m/w": {"dtype": "F16", "data_offsets": [0, 2]}}, b"\0\0"),
    "an entry that is a number": _raw({"m/w": 3}, b"\0\0"),
    "offsets elsewhere": _raw(_entry([1], ends=(4, 6)), b"\0\0"),
    "offsets turned round": _raw(_entry([1], ends=(2, 0)), b"\0\0"),
    "more behind the numbers": save(GOOD) + b"\0" * 16,
    "cut off": save(GOOD)[:-3],
    "whole numbers": save({"m/w": np.zeros(3, np.int64)}),
    "double precision": save({"m/w": np.zeros(3, np.float64)}),
    "a note that is a list": _raw({"__metadata__": [1], **_entry([1])}, b"\0\0"),
    "NaN": save(GOOD | {"net/0.bias": np.array([0, 1, np.nan, 2], np.float16)}),
    "infinity": save(GOOD | {"net/0.bias": np.array([0, 1, -np.inf, 2], np.float32)}),
    "a pickle": pickle.dumps({"m/w": [0.0]}),
    "a zip": b"PK\x03\x04" + b"\0" * 100,
}


def test_a_good_file_is_read() -> None:
    weights = read_weights(save(GOOD, NOTE))
    assert weights.trained_on == "MNIST"
    assert not weights.is_stand_in
    assert weights.code == {"a.b": "12"}
    assert {key: value.dtype for key, value in weights.models["net"].items()} == {"0.weight": "f4", "0.bias": "f4"}
    np.testing.assert_array_equal(weights.models["net"]["0.weight"], GOOD["net/0.weight"].astype(np.float32))


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_such_file_is_refused_in_one_sentence(what: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    with pytest.raises(WeightsError) as refused:
        read_weights(HOSTILE[what], "w.safetensors")
    said = str(refused.value)
    assert said.startswith("w.safetensors")
    assert said.endswith(".")
    assert "\n" not in said
    assert len(said) < 300
    assert time.process_time() - began < 0.5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 * 1024  # KiB


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_changed_bytes_are_read_as_numbers_or_refused(data: st.DataObject) -> None:
    raw = bytearray(save(GOOD, NOTE))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, min(len(raw) - 1, 260)))
        raw[place] = data.draw(st.integers(0, 255))
    try:
        weights = read_weights(bytes(raw))
    except WeightsError:
        return
    arrays = [array for state in weights.models.values() for array in state.values()]
    assert all(array.dtype == np.float32 and np.isfinite(array).all() for array in arrays)
    assert sum(array.nbytes for array in arrays) <= 4 * len(raw)


@pytest.mark.parametrize("note", [{"code": "[" * 5000}, {"code": "[1]"}, {"code": "{"}, {"trained_on": "x" * 999}, {}])
def test_a_strange_note_costs_nothing_but_the_note(note: dict[str, str]) -> None:
    weights = read_weights(save(GOOD, note))
    assert weights.code == {}
    assert len(weights.trained_on) <= 60
    assert not weights.is_stand_in


def test_the_limit_is_far_above_what_a_notebook_saves() -> None:
    assert 2 * 7 * 2**20 < MAX_BYTES < 60 * 2**20


def test_weights_are_stale_when_an_answer_does_something_else() -> None:
    def now(source: str) -> dict[str, str]:
        return code_digests([TaskSource("a.b", 3, source), TaskSource("a.c", 4, "y = 2")])

    note = NOTE | {"code": json.dumps(now("x = 1"))}
    weights = read_weights(save(GOOD, note))
    assert not why_stale(weights, "net", ["a.b", "a.c"], now("x  =  1  # said otherwise"), {})
    assert "a.b" in why_stale(weights, "net", ["a.b", "a.c"], now("x = 2"), {})
    assert not why_stale(weights, "net", ["a.c"], now("x = 2"), {})
    assert why_stale(read_weights(save(GOOD)), "net", ["a.b"], now("x = 1"), {})


def test_weights_are_stale_when_a_file_beside_them_is_another() -> None:
    files = {"a.yaml": b"a: 1", "b.yaml": b"b: 1"}
    weights = read_weights(save(GOOD, NOTE | {"files": json.dumps(file_digests(files))}))
    assert not why_stale(weights, "net", [], {}, files)
    assert not why_stale(weights, "net", [], {}, {"a.yaml": b"a: 1"})
    for name in files:
        assert why_stale(weights, "net", [], {}, files | {name: b"a: 2"}) == (
            f"net was trained with another {name} than is handed in"
        )
    assert "another a.yaml and b.yaml" in why_stale(read_weights(save(GOOD)), "net", [], {}, files)
