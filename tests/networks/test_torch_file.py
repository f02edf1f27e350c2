"""The reader of PyTorch's old weights files: what it gives, and that nothing but a `WeightsError` comes of a bad file."""

import pickle
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tools.torch_writer import (
    MACHINE,
    ORDERED_DICT,
    REBUILD,
    code,
    program,
    small_file,
    state_dict,
    storage_code,
    tensor_code,
    whole,
)
from tl_core.errors import WeightsError
from tl_core.networks.torch_file import MAGIC, PROTOCOL, read_torch_file


def one_tensor(offset: object, shape: object, strides: object, length: int = 6) -> bytes:
    entry = tensor_code(storage_code("FloatStorage", "a", length), offset, shape, strides)
    return whole(state_dict({"x": entry}), {"a": (6, np.arange(6, dtype="<f4").tobytes())})


def read(data: bytes, folder: Path) -> dict[str, np.ndarray]:
    file = folder / "weights.pth"
    file.write_bytes(data)
    return read_torch_file(file)


def refused(data: bytes, folder: Path) -> str:
    with pytest.raises(WeightsError) as caught:
        read(data, folder)
    assert "Received: " in str(caught.value)
    return str(caught.value)


def test_gives_each_tensor(tmp_path: Path) -> None:
    found = read(small_file(), tmp_path)
    np.testing.assert_array_equal(found["x"], np.arange(12).reshape(3, 4))
    np.testing.assert_array_equal(found["y"], [[6, 9], [7, 10], [8, 11]])
    assert found["n"].shape == ()
    assert found["n"] == -1
    assert [array.dtype for array in found.values()] == [np.float32, np.float32, np.int64]
    assert all(array.flags.writeable and array.flags.c_contiguous for array in found.values())


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("DoubleStorage", "<f8"), ("HalfStorage", "<f2"), ("IntStorage", "<i4"), ("ByteStorage", "u1"), ("BoolStorage", "?")],
)
def test_knows_the_kinds_of_numbers(tmp_path: Path, kind: str, dtype: str) -> None:
    numbers = np.array([1, 0, 1], dtype)
    data = whole(state_dict({"x": tensor_code(storage_code(kind, "a", 3), 0, (3,), (1,))}), {"a": (3, numbers.tobytes())})
    np.testing.assert_array_equal(read(data, tmp_path)["x"], numbers)


def test_reads_an_empty_tensor_and_strides_that_do_not_matter(tmp_path: Path) -> None:
    assert read(one_tensor(0, (0, 3), (3, 1)), tmp_path)["x"].shape == (0, 3)
    np.testing.assert_array_equal(read(one_tensor(2, (1, 2), (2**62, 1)), tmp_path)["x"], [[2, 3]])


class Gadget:
    """What a hostile file holds: unpickled, it would run a command."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, (self.command,)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("place", ["first", "tensors", "inside"])
def test_runs_nothing(tmp_path: Path, protocol: int, place: str) -> None:
    trace = tmp_path / "trace"
    hostile = pickle.dumps(Gadget(f"touch {trace}"), protocol)
    data = {
        "first": hostile,
        "tensors": whole(hostile, {}),
        "inside": whole(state_dict({"x": b"cos\nsystem\n(" + code(f"touch {trace}") + b"tR"}), {}),
    }[place]
    refused(data, tmp_path)
    assert not trace.exists()


@pytest.mark.parametrize(
    "name", ["builtins\neval", "torch._utils\n_rebuild_parameter", "torch\nload", "collections\nCounter", "torch\nOrderedDict"]
)
def test_knows_three_names_only(tmp_path: Path, name: str) -> None:
    assert "asks for" in refused(whole(program(f"c{name}\n".encode()), {}), tmp_path)


def test_a_pickle_cannot_alter_the_reader(tmp_path: Path) -> None:
    setting = code({"__defaults__": 1, "hash": 2}) + b"b"
    for target in (REBUILD, ORDERED_DICT):
        refused(whole(program(target + setting), {}), tmp_path)
    assert read(small_file(), tmp_path)["n"] == -1


def test_a_dictionary_that_hides_its_methods(tmp_path: Path) -> None:
    setting = code({"items": 1, "keys": 1, "get": 1}) + b"b"
    hidden = state_dict({})[:-1] + setting + b"."
    assert read(whole(hidden, {}), tmp_path) == {}
    machine = pickle.dumps(MACHINE, 2)
    refused(small_file().replace(machine, hidden), tmp_path)


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (0, (7,), (1,)),
        (1, (6,), (1,)),
        (0, (2, 3), (4, 1)),
        (-1, (2,), (1,)),
        (0, (-2, -3), (3, 1)),
        (0, (2,), (-1,)),
        (0, (6, 6), (1, 0)),
        (0, (10**12,), (0,)),
        (0, (0, 2**62), (1, 1)),
        (2**70, (1,), (1,)),
        (0, (2, 3), (2**62, 1)),
        (0, (2, 3), (1,)),
        (0, (1,) * 40, (1,) * 40),
        (0.5, (2,), (1,)),
        (0, "ab", (1, 1)),
        (None, None, None),
    ],
)
def test_a_tensor_stays_inside_its_storage(tmp_path: Path, offset: object, shape: object, strides: object) -> None:
    assert "'x'" in refused(one_tensor(offset, shape, strides), tmp_path)


def test_truncated_anywhere(tmp_path: Path) -> None:
    data = small_file()
    for length in range(len(data)):
        refused(data[:length], tmp_path)


def test_over_long(tmp_path: Path) -> None:
    assert "1 bytes after its end" in refused(small_file() + b"\0", tmp_path)


@pytest.mark.parametrize("length", [7, 2**40, 2**62, -1])
def test_lengths_are_believed_only_where_they_fit(tmp_path: Path, length: int) -> None:
    data = one_tensor(0, (6,), (1,), length=length)
    tracemalloc.start()
    refused(data, tmp_path)
    refused(data.replace(struct.pack("<q", 6), struct.pack("<q", length)), tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize(
    "instructions",
    [
        b"Nr\xff\xff\xff\x7f",
        b"\x8e" + struct.pack("<Q", 2**40),
        b"X\xff\xff\xff\x7fa",
        b"\x8b\xff\xff\xff\x7f",
        b"I" + b"9" * 100_000 + b"\n",
    ],
)
def test_no_instruction_takes_memory_for_nothing(tmp_path: Path, instructions: bytes) -> None:
    tracemalloc.start()
    refused(whole(program(instructions), {}), tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 22


def test_a_value_that_would_take_for_ever_to_hash(tmp_path: Path) -> None:
    doubled = b"".join(b"q" + bytes([index]) + b"h" + bytes([index]) + b"\x86" for index in range(60))
    assert "twice" in refused(whole(program(b"})" + doubled + b"Ns"), {}), tmp_path)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "damaged or not a PyTorch file"),
        (b"These are no weights at all.\n", "damaged or not a PyTorch file"),
        (b"PK\x03\x04" + b"\0" * 40, "newer zip format"),
        (program(code(MAGIC + 1)) + small_file(), "does not begin"),
        (small_file().replace(code(PROTOCOL), code(PROTOCOL + 1), 1), "does not begin"),
        (small_file().replace(b"\x88s", b"\x89s").replace(b"little_endian", b"little_endiaN"), "little-endian"),
        (whole(pickle.dumps([1, 2], 2), {}), "something else than tensors"),
        (whole(pickle.dumps({"x": 1}, 2), {}), "'x' is not a tensor"),
        (whole(pickle.dumps({1: 1}, 2), {}), "something else than tensors"),
        (whole(state_dict({}), {"a": (0, b"")}), "list of storages"),
        (whole(state_dict({"x": storage_code("BFloat16Storage", "a", 1)}), {}), "asks for"),
        (whole(state_dict({"x": b"(" + code("storage") + b"NNNNNtQ"}), {}), "of a kind"),
    ],
)
def test_says_what_is_wrong(tmp_path: Path, data: bytes, why: str) -> None:
    assert why in refused(data, tmp_path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be read"):
        read_torch_file(tmp_path / "nothing.pth")


edits = st.lists(
    st.tuples(
        st.sampled_from(["set", "insert", "delete"]), st.integers(0, len(small_file()) - 1), st.binary(min_size=1, max_size=3)
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=400, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=edits)
def test_any_change_is_refused_or_read(tmp_path: Path, edits: list[tuple[str, int, bytes]]) -> None:
    data = bytearray(small_file())
    for kind, place, new in edits:
        after = place if kind == "insert" else place + len(new)
        data[place:after] = b"" if kind == "delete" else new
    try:
        found = read(bytes(data), tmp_path)
    except WeightsError:
        return
    assert all(isinstance(name, str) for name in found)
    assert all(isinstance(array, np.ndarray) and array.size <= 12 for array in found.values())
