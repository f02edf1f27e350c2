"""Reading PyTorch's weights files of the format before the zip one, without PyTorch and without running their pickles.

Such a file is four pickles (a magic number, a protocol version, facts about the machine that wrote it, and the
tensors by name), a fifth with the storages' keys in order, and then each storage: its length as eight bytes, and
its raw numbers. (`torch/serialization.py`, `_legacy_save`.) A pickle is a program; here it is first read as a list
of instructions, of which only those that build plain values are admitted, and then run by an unpickler that knows
three names. Every length is checked against what the file holds before memory is asked for.
"""

import collections
import io
import pickle
import pickletools
import sys
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from tl_core.errors import WeightsError

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
STORAGE_TYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
# fmt: off
OPCODES = frozenset({
    "PROTO", "STOP", "MARK", "GLOBAL", "BINPERSID", "REDUCE", "BUILD", "NONE", "NEWTRUE", "NEWFALSE", "BININT",
    "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET",
    "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_LIST", "APPEND", "APPENDS", "EMPTY_DICT", "SETITEM",
    "SETITEMS",
})
# fmt: on
# What Python's unpickler raises on instructions that do not fit together.
MALFORMED = (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, LookupError, OverflowError, RecursionError)

Arrays = dict[str, NDArray[Any]]


class Storage(NamedTuple):
    """A run of numbers, as the pickle announces it; `length` is still to be checked against the file."""

    key: str
    dtype: str
    length: int


class Tensor(NamedTuple):
    """A view of a storage, as the pickle announces it: in numbers, not bytes. A tuple, so that a pickle cannot change it."""

    storage: Any
    offset: Any
    shape: Any
    strides: Any


def read_torch_file(path: Path) -> Arrays:
    """Return every tensor in the file at `path` by its name, as arrays of their own, in this machine's byte order.

    Raises `WeightsError` for anything that is not such a file, whole and with nothing after its end.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _refusal(path, f"it cannot be read ({error.strerror or error})") from None
    return _Reader(data, path).read()


def _refusal(path: Path, why: str) -> WeightsError:
    return WeightsError(
        f"The PyTorch weights file cannot be used: {why}.",
        "Give a state dict as torch.save writes it with _use_new_zipfile_serialization=False.",
        received=path,
    )


class _Reader:
    """One reading of one file. `_place` is how far it got."""

    def __init__(self, data: bytes, path: Path) -> None:
        self._data = data
        self._path = path
        self._place = 0
        self._storages: dict[str, Storage] = {}

    def read(self) -> Arrays:
        self._header()
        tensors = self._pickle()
        keys = self._pickle()
        if not isinstance(tensors, dict) or not all(isinstance(name, str) for name in tensors):
            raise self.refusal("it holds something else than tensors by their names")
        numbers = self._numbers(keys)
        # Called on the class, since a pickle may give an OrderedDict attributes that hide its methods.
        return {name: self._array(name, tensor, numbers) for name, tensor in dict.items(tensors)}

    def refusal(self, why: str) -> WeightsError:
        """Return the error to raise about this file."""
        return _refusal(self._path, why)

    def _header(self) -> None:
        if self._data.startswith(b"PK"):
            raise self.refusal("it has PyTorch's newer zip format")
        if self._pickle() != MAGIC or self._pickle() != PROTOCOL:
            raise self.refusal("it does not begin as PyTorch's files do")
        machine = self._pickle()
        if not isinstance(machine, dict) or dict.get(machine, "little_endian") is not True:
            raise self.refusal("it was not written by a little-endian machine")

    def _pickle(self) -> Any:
        """Return the value of the pickle at this place, and go on behind it."""
        stream = io.BytesIO(self._data)
        stream.seek(self._place)
        try:
            self._admit(stream)
            code = self._data[self._place : stream.tell()]
            self._place = stream.tell()
            return _Unpickler(code, self).load()
        except MALFORMED as error:
            raise self.refusal(f"it is damaged or not a PyTorch file ({type(error).__name__} near byte {self._place})") from None

    def _admit(self, stream: io.BytesIO) -> None:
        """Check a pickle's instructions without running any. Raises `WeightsError` for what no state dict needs."""
        kept: dict[Any, str] = {}
        before = ""
        for count, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
            if opcode.name not in OPCODES:
                raise self.refusal(f"its pickle has the instruction {opcode.name}, which no state dict needs")
            if opcode.name in ("BINPUT", "LONG_BINPUT"):
                # The unpickler would make its table of kept values as long as this number says.
                if argument is None or argument > max(count, 255):
                    raise self.refusal("its pickle numbers its values higher than it has values")
                kept[argument] = before
            # Tuples that hold themselves twice, again and again, would take for ever to hash.
            elif opcode.name in ("BINGET", "LONG_BINGET") and kept.get(argument) not in ("GLOBAL", "BINUNICODE"):
                raise self.refusal("its pickle uses a value twice that is not a name")
            before = opcode.name

    def storage(self, announced: Any) -> Storage:
        """Return the storage that a persistent id announces. Raises `WeightsError` for one that this reader does not know."""
        match announced:
            case ("storage", str(kind), str(key), str(), int(length), None) if kind in STORAGE_TYPES and length >= 0:
                found = Storage(key, STORAGE_TYPES[kind], length)
                if self._storages.setdefault(key, found) != found:
                    raise self.refusal("it announces one storage in two ways")
                return found
        raise self.refusal("it announces a storage of a kind that this reader does not know")

    def _numbers(self, keys: Any) -> dict[str, NDArray[Any]]:
        """Return the storages' contents, as views of the file's bytes."""
        known = isinstance(keys, list) and all(isinstance(key, str) for key in keys)
        if not known or sorted(keys) != sorted(self._storages):
            raise self.refusal("its list of storages is not that of its tensors")
        numbers = {key: self._storage_numbers(self._storages[key]) for key in keys}
        if self._place != len(self._data):
            raise self.refusal(f"it goes on for {len(self._data) - self._place} bytes after its end")
        return numbers

    def _storage_numbers(self, storage: Storage) -> NDArray[Any]:
        start = self._place + 8
        end = start + storage.length * np.dtype(storage.dtype).itemsize
        if end > len(self._data):
            raise self.refusal("it ends before its numbers do")
        if int.from_bytes(self._data[self._place : start], "little", signed=True) != storage.length:
            raise self.refusal("a storage has another length than its tensors say")
        self._place = end
        return np.frombuffer(self._data, storage.dtype, storage.length, start)

    def _array(self, name: str, tensor: Any, numbers: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        match tensor:
            case Tensor(Storage(), int(), tuple(shape), tuple(strides)) if len(shape) == len(strides) <= 8 and all(
                isinstance(number, int) and number >= 0 for number in shape + strides
            ):
                return self._view(name, tensor, numbers[tensor.storage.key])
        raise self.refusal(f"{_short(name)} is not a tensor")

    def _view(self, name: str, tensor: Tensor, flat: NDArray[Any]) -> NDArray[Any]:
        reach = tensor.offset + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True))
        # A stride of 0 would let a tensor be larger than its numbers, hence its size is checked apart from its reach.
        if tensor.offset < 0 or max(tensor.shape, default=1) > max(flat.size, 1) or prod(tensor.shape) > flat.size:
            raise self.refusal(f"{_short(name)} is larger than its storage")
        if 0 in tensor.shape:
            return np.empty(tensor.shape, flat.dtype.newbyteorder("="))
        if reach >= flat.size:
            raise self.refusal(f"{_short(name)} reaches outside its storage")
        strides = [stride * flat.itemsize if size > 1 else 0 for size, stride in zip(tensor.shape, tensor.strides, strict=True)]
        view = as_strided(flat[tensor.offset :], tensor.shape, strides)
        return view.astype(flat.dtype.newbyteorder("="), order="C", copy=True)


class _Unpickler(pickle.Unpickler):
    """Knows three names. What it hands out cannot be altered by the pickle in a way that outlives it."""

    def __init__(self, code: bytes, reader: _Reader) -> None:
        super().__init__(io.BytesIO(code))
        self._reader = reader

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            # Its other arguments (requires_grad, hooks) are about training. Made afresh, since a pickle may set its attributes.
            return lambda storage, offset, shape, strides, *rest: Tensor(storage, offset, shape, strides)
        if module == "torch" and name in STORAGE_TYPES:
            return sys.intern(name)
        raise self._reader.refusal(f"its pickle asks for {_short(f'{module}.{name}')}, which no state dict needs")

    def persistent_load(self, pid: Any) -> Storage:
        return self._reader.storage(pid)


def _short(text: str) -> str:
    return repr(text[:80])
