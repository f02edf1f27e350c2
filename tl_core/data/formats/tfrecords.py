"""TensorFlow's TFRecord files, read without TensorFlow, which takes seconds and half a gigabyte to import.

Source: tensorflow.org/tutorials/load_data/tfrecord and tensorflow/core/example/example.proto. The checksums between the records
(crc32c) are not looked at: what is damaged within an image its decoder finds.
"""

import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tl_core.data.formats.paths import unreadable
from tl_core.errors import DataError, printable

HEADER, FOOTER_BYTES = struct.Struct("<QI"), 4
MOST_BYTES = 2**28
"""Of a record: no image has more."""
MESSAGES: dict[str, tuple[tuple[str, int, bool, str], ...]] = {
    "BytesList": (("value", 1, True, "TYPE_BYTES"),),
    "Int64List": (("value", 1, True, "TYPE_INT64"),),
    "Feature": (("bytes_list", 1, False, "BytesList"), ("int64_list", 3, False, "Int64List")),
    "Entry": (("key", 1, False, "TYPE_BYTES"), ("value", 2, False, "Feature")),
    "Features": (("feature", 1, True, "Entry"),),
    "Example": (("features", 1, False, "Features"),),
}
"""The fields of an Example that are read: name, number, whether it repeats, type. A map is a list of entries in the file."""


class RecordPlace(NamedTuple):
    """Where a record lies: `length` bytes of the file `path`, from `offset`."""

    path: Path
    offset: int
    length: int


def records(path: Path) -> Iterator[tuple[RecordPlace, bytes]]:
    """Yield each record of the file, and where it lies. Raises `DataError` where it cannot be read or breaks off."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            offset = 0
            while offset < size:
                header = file.read(HEADER.size)
                length = HEADER.unpack(header)[0] if len(header) == HEADER.size else size
                end = offset + HEADER.size + length + FOOTER_BYTES
                if end > size:
                    raise _damaged("it breaks off", path)
                if length > MOST_BYTES:
                    raise _damaged(f"a record of it has {length:,} bytes, and at most {MOST_BYTES:,} are read", path)
                yield RecordPlace(path, offset + HEADER.size, length), file.read(length)
                file.seek(end)
                offset = end
    except OSError as error:
        raise unreadable(path, error) from None


def record(place: RecordPlace) -> bytes:
    """Return one record. Raises `DataError` where it is not there any more."""
    try:
        with place.path.open("rb", buffering=0) as file:
            file.seek(place.offset)
            content = file.read(place.length)
    except OSError as error:
        raise unreadable(place.path, error) from None
    if len(content) != place.length:
        raise _damaged("it breaks off", place.path)
    return content


def features(content: bytes, path: Path) -> dict[str, list[Any]]:
    """Return what an Example holds, by name: bytes or whole numbers. Raises `DataError`, with the `path` of its file."""
    from google.protobuf.message import DecodeError

    try:
        example = _example().FromString(content)
    except DecodeError:
        raise _damaged("a record of it is no Example", path) from None
    found = {entry.key.decode("utf-8", "replace"): entry.value for entry in example.features.feature}
    return {name: list(value.bytes_list.value) or list(value.int64_list.value) for name, value in found.items()}


def framed(values: dict[str, list[Any]]) -> bytes:
    """Return an Example of bytes or whole numbers by name as `records` reads it: without the checksums that TensorFlow needs."""
    example = _example()()
    for name, value in values.items():
        entry = example.features.feature.add(key=name.encode())
        kind = entry.value.bytes_list if isinstance(value[0], bytes) else entry.value.int64_list
        kind.value.extend(value)
    content: bytes = example.SerializeToString()
    return HEADER.pack(len(content), 0) + content + bytes(FOOTER_BYTES)


def _damaged(reason: str, path: Path) -> DataError:
    return DataError(f"This TFRecord file is damaged ({reason}).", "Prepare or copy it again.", received=printable(str(path)))


@cache
def _example() -> Any:
    """Return the class of Examples, in a pool of its own, where TensorFlow's cannot be in its way."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="example", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, repeats, kind in fields:
            added = message.field.add(name=field, number=number)
            added.label = kinds.LABEL_REPEATED if repeats else kinds.LABEL_OPTIONAL
            if kind in MESSAGES:
                added.type, added.type_name = kinds.TYPE_MESSAGE, f".example.{kind}"
            else:
                added.type = kinds.Type.Value(kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("example.Example"))
