"""Writes PyTorch's old weights files without PyTorch, wrong ones too: the counterpart of `tl_core.networks.torch_file`."""

import pickle
import struct

import numpy as np

from tl_core.networks.torch_file import MAGIC, PROTOCOL

MACHINE = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
ORDERED_DICT = b"ccollections\nOrderedDict\n"
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"


def code(value: object) -> bytes:
    """The instructions that leave `value` on the unpickler's stack."""
    return pickle.dumps(value, 2)[2:-1]


def program(instructions: bytes) -> bytes:
    return b"\x80\x02" + instructions + b"."


def storage_code(kind: str, key: str, length: int) -> bytes:
    return b"(" + code("storage") + f"ctorch\n{kind}\n".encode() + code(key) + code("cpu") + code(length) + b"NtQ"


def tensor_code(storage: bytes, offset: object, shape: object, strides: object) -> bytes:
    return REBUILD + b"(" + storage + code(offset) + code(shape) + code(strides) + b"\x89" + ORDERED_DICT + b")RtR"


def state_dict(entries: dict[str, bytes]) -> bytes:
    return program(ORDERED_DICT + b")R(" + b"".join(code(name) + entry for name, entry in entries.items()) + b"u")


def whole(tensors: bytes, storages: dict[str, tuple[int, bytes]]) -> bytes:
    head = [program(code(MAGIC)), program(code(PROTOCOL)), pickle.dumps(MACHINE, 2), tensors, pickle.dumps(list(storages), 2)]
    return b"".join(head) + b"".join(struct.pack("<q", length) + raw for length, raw in storages.values())


def small_file() -> bytes:
    """Two storages, three tensors, one of them the transposed lower half of the first storage."""
    floats, longs = np.arange(12, dtype="<f4"), np.array([7, -1], "<i8")
    a, b = storage_code("FloatStorage", "a", 12), storage_code("LongStorage", "b", 2)
    entries = {"x": tensor_code(a, 0, (3, 4), (4, 1)), "y": tensor_code(a, 6, (3, 2), (1, 3)), "n": tensor_code(b, 1, (), ())}
    return whole(state_dict(entries), {"a": (12, floats.tobytes()), "b": (2, longs.tobytes())})
