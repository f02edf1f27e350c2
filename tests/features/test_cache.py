"""The cache of activations: each row computed once, whoever asks, and never a wrong number, whatever happens to its files."""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import tracemalloc
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.helpers import HANGS_SECONDS, ROOT, wait_until
from tests.tools.crashing import Breakpoint
from tl_core.errors import Stopped, StorageError
from tl_core.features.cache import ActivationCache, CachedRows, Table, compaction, shards, writer
from tl_core.notes import sentence
from tl_core.system import locks
from tl_core.system.settings import CACHE_LIMIT_VARIABLE

KEY, OTHER = "a" * 64, "b" * 64
WIDTH = 640
PLENTY = 10**9
PART = 8 * (WIDTH * 4 + 32)
"""The size of a part of eight rows, as it is counted while it is made."""
SLACK = 4096 + 128
"""What a part may take on disk beside its rows and their digests, at most."""


def digest_of(number: int) -> bytes:
    return hashlib.sha256(number.to_bytes(8, "big")).digest()


def row_of(number: int, width: int = WIDTH) -> NDArray[np.float32]:
    """Another row for each number, in values that 16 bits can hold, too."""
    return ((np.arange(width) * (number + 1)) % 509 / 8).astype(np.float32)


def table(key: str = KEY, shape: tuple[int, ...] = (WIDTH,), dtype: Any = np.float32) -> Table:
    return Table(key, shape, np.dtype(dtype))


def ids_of(numbers: Iterable[int]) -> list[bytes]:
    return [digest_of(number) for number in numbers]


def written(cache: ActivationCache, kept: Table, ids: Sequence[bytes], given: Iterable[Any], **options: Any) -> CachedRows:
    """The rows, where some are missing written from what is given."""
    with cache.open(kept, ids, **options) as rows:
        for values in given if len(rows.missing()) else ():
            rows.write(values)
    return rows


def table_of(numbers: Sequence[int], width: int = WIDTH) -> NDArray[np.float32]:
    return np.stack([row_of(number, width) for number in numbers])


@dataclass
class Asking:
    """Somebody who asks for the rows of numbered images, and knows what he had to compute for it."""

    cache: ActivationCache
    chunk: int = 3
    computed: list[int] = field(default_factory=list)

    @classmethod
    def at(cls, folder: Path, limit: int = PLENTY) -> "Asking":
        return cls(ActivationCache(folder, limit, part_bytes=PART))

    def rows(self, numbers: Sequence[int], key: str = KEY, **options: Any) -> CachedRows:
        with self.cache.open(table(key), ids_of(numbers), **options) as rows:
            missing = rows.missing()
            for begin in range(0, len(missing), self.chunk):
                rows.write(self.compute(numbers, missing[begin : begin + self.chunk]))
        return rows

    def streamed(self, numbers: Sequence[int], *, keep: bool = True) -> Iterator[NDArray[np.float32]]:
        with self.cache.open_stream(table(), ids_of(numbers), keep=keep) as rows:
            for begin in range(0, len(numbers), self.chunk):
                positions = np.arange(begin, min(begin + self.chunk, len(numbers)))
                if len(missing := rows.missing(positions)):
                    rows.write(self.compute(numbers, missing))
                yield rows.read(positions)

    def compute(self, numbers: Sequence[int], positions: NDArray[np.intp]) -> NDArray[np.float32]:
        wanted = [numbers[position] for position in positions]
        self.computed += wanted
        return table_of(wanted)

    def require(self, numbers: Sequence[int], computed: int | None = None, key: str = KEY, **options: Any) -> CachedRows:
        """The rows, which are right, and of which so many had to be computed."""
        rows = self.rows(numbers, key, **options)
        assert (rows.read(np.arange(len(numbers))) == table_of(numbers)).all()
        assert computed is None or rows.computed == computed
        return rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def files(folder: Path, key: str = "") -> list[Path]:
    return sorted(file for file in folder.glob(f"{key}*.part") if not file.name.startswith(".partial"))


def test_only_what_is_missing_is_computed(folder: Path) -> None:
    first, second = Asking.at(folder), Asking.at(folder)
    first.require(range(0, 50), computed=50)
    second.require(range(30, 70), computed=20)
    second.require([69, 3, 45, 3, 69], computed=0)
    first.require(range(5), computed=5, key=OTHER)
    assert second.computed == list(range(50, 70))


def test_the_same_image_twice_is_computed_once(folder: Path) -> None:
    asking = Asking.at(folder)
    rows = asking.require([4, 7, 4, 4, 9, 7], computed=3)
    assert len(rows) == 6
    assert asking.computed == [4, 7, 9]


def test_batches_come_in_the_order_asked_for(folder: Path) -> None:
    numbers = list(range(40))
    rows = Asking.at(folder).rows(numbers)
    assert (rows.shape, rows.dtype, len(rows), rows.notes) == ((WIDTH,), np.float32, 40, ())
    chosen = np.array([39, 0, 17, 17, 8, -1])
    assert (rows.read(chosen) == table_of([39, 0, 17, 17, 8, 39])).all()
    assert rows.read(chosen[:0]).shape == (0, WIDTH)
    with pytest.raises(IndexError):
        rows.read(np.array([40]))


@pytest.mark.parametrize("shape", [(), (3,), (2, 5, 3)])
def test_rows_of_eight_bits_stay_so(folder: Path, shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, *shape), np.uint8)
    ids = ids_of(range(20))
    cache = ActivationCache(folder, PLENTY, part_bytes=400)
    for computed in (20, 0):
        rows = written(cache, table(shape=shape, dtype=np.uint8), ids, [pixels], halve=refuse_to_say)
        assert rows.computed == computed
        assert rows.read(np.arange(20)).dtype == np.uint8
        assert (rows.read(np.arange(20)) == pixels).all()


def refuse_to_say(values: NDArray[np.float32]) -> bool:
    raise AssertionError("asked about what is no float32")


def test_nothing_asked_is_nothing_computed(folder: Path) -> None:
    rows = Asking.at(folder).rows([])
    assert (len(rows), rows.computed, rows.notes) == (0, 0, ())
    assert rows.read(np.arange(0)).shape == (0, WIDTH)


@pytest.mark.parametrize(
    ("key", "ids", "shape", "dtype"),
    [
        ("../" + "a" * 61, [], (1,), np.float32),
        (KEY.upper(), [], (1,), np.float32),
        (KEY, [b"short"], (1,), np.float32),
        (KEY, [], (0,), np.float32),
        (KEY, [], (1,), np.float64),
    ],
)
def test_what_cannot_be_asked_for(folder: Path, key: str, ids: list[bytes], shape: tuple[int, ...], dtype: Any) -> None:
    with pytest.raises(ValueError, match=r"Received|32 bytes"):
        written(ActivationCache(folder, PLENTY), Table(key, shape, np.dtype(dtype)), ids, [])
    assert not folder.exists()


# Several at once


SHARING = """
import sys
from pathlib import Path
from tests.features.test_cache import share
share(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
"""


def share(folder: Path, first: int, end: int) -> None:
    """In a process of its own: wait for the word, ask for these rows, and print which were computed here.

    Whoever computes first goes on only when the other one has waited for it.
    """
    waited = folder.with_name("waited")
    asking = Asking.at(folder)

    def look(values: NDArray[np.float32]) -> bool:
        return wait_until(waited.exists) and False

    print("ready", flush=True)
    sys.stdin.readline()
    asking.require(range(first, end), halve=look, wait=waited.touch)
    print(json.dumps(asking.computed))


def start(code: str, *arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stdin=-1, stdout=-1, text=True, cwd=ROOT, env=dict(os.environ)
    )


def test_two_processes_that_start_at_once_compute_each_row_once(folder: Path) -> None:
    processes = [start(SHARING, folder, *numbers) for numbers in ((0, 60), (20, 80))]
    try:
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        outputs = [process.communicate(timeout=HANGS_SECONDS)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0]
    assert folder.with_name("waited").exists()
    assert sorted(number for output in outputs for number in json.loads(output)) == list(range(80))


def test_threads_compute_each_row_once(folder: Path) -> None:
    cache = ActivationCache(folder, PLENTY, part_bytes=PART)
    barrier = threading.Barrier(4)
    everyone = [Asking(cache) for _ in range(4)]

    def ask(asking: Asking, first: int) -> None:
        barrier.wait()
        asking.require(range(first, first + 40))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, everyone, (0, 10, 20, 30)))
    assert sorted(number for asking in everyone for number in asking.computed) == list(range(70))


def test_who_waits_may_give_up(folder: Path) -> None:
    folder.mkdir()
    held = locks.hold(folder / f"{KEY}.lock")
    assert held is not None
    polls = []

    def wait() -> None:
        polls.append(1)
        if len(polls) == 3:
            raise Stopped

    asking = Asking.at(folder)
    with pytest.raises(Stopped):
        asking.rows(range(9), wait=wait)
    assert asking.computed == []
    asking.require(range(9), computed=9, key=OTHER, wait=wait)
    os.close(held)
    asking.require(range(9), computed=9, wait=wait)
    assert len(polls) == 3


# Streams


@pytest.mark.parametrize(
    "numbers", [range(50), [*range(20), *range(5, 60)], [4, 4, 7, 4], []], ids=["all", "some", "twice", "none"]
)
def test_a_stream_is_what_rows_would_be(folder: Path, numbers: Sequence[int]) -> None:
    Asking.at(folder).require(range(10, 25))
    asking = Asking.at(folder)
    given = list(asking.streamed(numbers))
    assert [len(values) for values in given[:-1]] == [asking.chunk] * (len(given) - 1)
    if numbers:
        assert (np.concatenate(given) == table_of(numbers)).all()
    assert asking.computed == [number for number in dict.fromkeys(numbers) if number not in range(10, 25)]
    Asking.at(folder).require([*numbers, *range(10, 25)], computed=0)


def test_a_stream_gives_rows_before_the_last_one_is_computed(folder: Path) -> None:
    asking = Asking.at(folder)
    stream = asking.streamed(range(50))
    assert (next(stream) == table_of(range(3))).all()
    assert asking.computed == [0, 1, 2]


def test_of_a_stream_that_is_left_what_was_computed_stays(folder: Path) -> None:
    stream = Asking.at(folder).streamed(range(50))
    for _ in range(5):
        next(stream)
    stream.close()  # type: ignore[attr-defined]
    Asking.at(folder).require(range(20), computed=5)


def test_a_stream_keeps_nothing_where_it_should_not(folder: Path) -> None:
    Asking.at(folder).require(range(9))
    before = files(folder)
    assert (np.concatenate(list(Asking.at(folder).streamed(range(30), keep=False))) == table_of(range(30))).all()
    assert files(folder) == before


def test_a_stream_waits_for_nobody(folder: Path) -> None:
    folder.mkdir()
    held = locks.hold(folder / f"{KEY}.lock")
    assert held is not None
    assert (np.concatenate(list(Asking.at(folder).streamed(range(30)))) == table_of(range(30))).all()
    assert files(folder) == []
    os.close(held)


@pytest.mark.parametrize(
    "wrong", [table_of([0, 1]), table_of([0, 1, 2, 3]), table_of([0, 1, 2])[:, 1:], table_of([0, 1, 2]).astype(float)]
)
def test_wrong_rows_of_a_stream_are_a_bug_and_not_kept(folder: Path, wrong: NDArray[Any]) -> None:
    asking = Asking.at(folder)
    asking.compute = lambda *_: wrong  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="have to be"):
        list(asking.streamed(range(9)))
    assert files(folder) == []


@pytest.mark.parametrize("keep", [True, False])
def test_what_was_not_written_is_not_read(folder: Path, *, keep: bool) -> None:
    with ActivationCache(folder, PLENTY).open_stream(table(), ids_of(range(9)), keep=keep) as rows:
        assert list(rows.missing(np.arange(3))) == [0, 1, 2]
        rows.write(table_of(range(3)))
        assert list(rows.missing(np.arange(6))) == ([3, 4, 5] if keep else [0, 1, 2, 3, 4, 5])
        rows.write(table_of(range(3 if keep else 0, 6)))
        with pytest.raises(LookupError):
            rows.read(np.arange(9))


KILLED = """
import sys
from pathlib import Path
from tests.features.test_cache import compute_until_killed
compute_until_killed(Path(sys.argv[1]), int(sys.argv[2]))
"""


def compute_until_killed(folder: Path, after: int) -> None:
    """In a process of its own: ask for 50 rows, and stand still after the first ones."""
    with ActivationCache(folder, PLENTY, part_bytes=PART).open(table(), ids_of(range(50))) as rows:
        rows.missing()
        rows.write(table_of(range(after)))
        print("there", flush=True)
        signal.pause()


def test_the_parts_of_a_process_that_is_killed_stay(folder: Path) -> None:
    process = start(KILLED, folder, 21)
    assert process.stdout
    assert process.stdout.readline() == "there\n"
    process.kill()
    process.wait()
    assert len(files(folder)) == 2
    asking = Asking.at(folder)
    asking.require(range(50), computed=50 - 16)
    assert asking.computed == list(range(16, 50))


def test_a_part_whose_write_was_killed_is_none(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        halted = Breakpoint.at("os.rename:.part", tmp_path / "halted", patch)
        process = start(KILLED, folder, 21)
    assert halted.process().pid == process.pid
    process.kill()
    process.wait()
    left = list(folder.glob(".partial-*"))
    assert (files(folder), len(left)) == ([], 1)
    assert ActivationCache(folder, PLENTY).size() == left[0].stat().st_size
    Asking.at(folder).require(range(50), computed=50)
    assert list(folder.glob(".partial-*")) == []


def test_an_interruption_keeps_what_was_computed(folder: Path) -> None:
    cache = ActivationCache(folder, PLENTY, part_bytes=PART)
    with pytest.raises(Stopped), cache.open(table(), ids_of(range(50))) as rows:
        rows.missing()
        rows.write(table_of(range(20)))
        raise Stopped
    asking = Asking.at(folder)
    asking.require(range(50), computed=30)


def test_a_part_that_is_old_is_finished(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "PART_SECONDS", 0.0)
    asking = Asking.at(folder)
    asking.require(range(6), computed=6)
    assert len(files(folder)) == 2
    Asking.at(folder).require(range(6), computed=0)


# What compute may not give


@pytest.mark.parametrize(
    "wrong",
    [
        [table_of(range(19))],
        [table_of(range(21))],
        [table_of(range(20)), table_of([20])],
        [table_of(range(19)), np.zeros((1, WIDTH + 1), np.float32)],
        [table_of(range(19)), np.zeros((1, WIDTH, 1), np.float32)],
        [table_of(range(19)), np.zeros(WIDTH, np.float32)],
        [table_of(range(19)), np.zeros((1, WIDTH), np.float64)],
        [table_of(range(19)), np.float32(0)],
        [],
    ],
    ids=["too few", "too many", "one more", "too long", "too many axes", "one row alone", "of another type", "a number", "none"],
)
def test_wrong_rows_are_a_bug_and_not_kept(folder: Path, wrong: list[Any]) -> None:
    Asking.at(folder).require(range(100, 105), computed=5)
    cache = ActivationCache(folder, PLENTY, part_bytes=PART)
    ids = ids_of(range(20))
    with pytest.raises(ValueError, match="have to be"):
        written(cache, table(), ids, wrong)
    assert len(files(folder)) == 1
    Asking.at(folder).require(range(100, 105), computed=0)
    Asking.at(folder).require(range(20), computed=20)


# Sixteen bits


def test_parts_are_halved_where_the_caller_says_so(folder: Path) -> None:
    """Of two parts one is halved. Their sizes on disk show it, and the rows come as float32 from both."""
    asked: list[int] = []

    def halve(values: NDArray[np.float32]) -> bool:
        asked.append(len(values))
        return bool((values[0] == row_of(0)).all())

    asking = Asking.at(folder)
    rows = asking.require(range(16), computed=16, halve=halve)
    assert asked == [8, 8]
    assert rows.read(np.arange(16)).dtype == np.float32
    sizes = [file.stat().st_size for file in files(folder)]
    assert sizes[1] - sizes[0] == 8 * WIDTH * 2
    assert Asking.at(folder).require(range(16), computed=0).read(np.arange(3)).dtype == np.float32


def test_halved_rows_are_the_same_when_computed_and_when_found(folder: Path) -> None:
    values = np.random.default_rng(0).normal(size=(8, WIDTH)).astype(np.float32)
    ids = ids_of(range(8))
    cache = ActivationCache(folder, PLENTY)
    for _ in range(2):
        rows = written(cache, table(), ids, [values], halve=lambda sample: True)
        assert (rows.read(np.arange(8)) == values.astype(np.float16)).all()


def test_a_sample_is_small_and_from_everywhere(folder: Path) -> None:
    samples: list[NDArray[np.float32]] = []
    values = np.arange(1000, dtype=np.float32)

    def halve(sample: NDArray[np.float32]) -> bool:
        samples.append(sample.copy())
        return False

    ids = ids_of(range(1000))
    written(ActivationCache(folder, PLENTY), table(shape=()), ids, [values], halve=halve)
    assert len(samples) == 1
    assert 200 <= len(samples[0]) <= writer.SAMPLE_ROWS
    assert samples[0].max() > 990


@pytest.mark.parametrize("value", [65_520.0, -1e30, np.inf, -np.inf, np.nan])
def test_what_16_bits_cannot_hold_is_not_halved(folder: Path, value: float) -> None:
    values = table_of(range(8))
    values[5, 3] = value
    ids = ids_of(range(8))
    for computed in (8, 0):
        cache = ActivationCache(folder, PLENTY)
        rows = written(cache, table(), ids, [values], halve=lambda sample: True)
        assert rows.computed == computed
        assert rows.read(np.arange(8)).tobytes() == values.tobytes()


# Damage


def damage(path: Path, kind: str, where: float, what: bytes) -> None:
    content = bytearray(path.read_bytes())
    place = int(where * len(content))
    if kind == "overwrite":
        content[place : place + len(what)] = what
    elif kind == "cut":
        del content[place:]
    elif kind == "append":
        content += what
    elif kind == "insert":
        content[place:place] = what
    elif kind == "flip" and content:
        content[min(place, len(content) - 1)] ^= what[0] or 1
    else:
        content = bytearray(what)
    path.write_bytes(content)


DAMAGES = st.tuples(
    st.integers(0, 20),
    st.sampled_from(["flip", "flip", "overwrite", "cut", "append", "insert", "replace"]),
    st.floats(0, 1) | st.floats(0, 0.05),
    st.binary(min_size=1, max_size=40),
)


@settings(deadline=None, max_examples=150)
@given(damages=st.lists(DAMAGES, min_size=1, max_size=4), again=st.booleans())
def test_whatever_is_damaged_the_rows_are_right(damages: list[tuple[int, str, float, bytes]], again: bool) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        numbers = range(40)
        before = Asking.at(folder)
        before.require(range(24), halve=lambda sample: True)
        before.require(numbers, computed=16)
        names = sorted(folder.iterdir())
        for number, kind, where, what in damages:
            damage(names[number % len(names)], kind, where, what)
        after = before if again else Asking.at(folder)
        after.require(numbers)
        Asking.at(folder).require(numbers, computed=0)


def forged(rows: int, head: object, content: bytes = b"", length: int | None = None, images: Sequence[int] = range(8)) -> bytes:
    """A part whose first checksum is right, whatever it says."""
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    rest = text + b"".join(digest_of(number) for number in images[:rows])
    said = len(text) if length is None else length
    checksum = zlib.crc32(rest, zlib.crc32(np.array([said], "<u4").tobytes() + np.array([rows], "<u8").tobytes()))
    prefix = shards.PREFIX.pack(shards.MAGIC, checksum, said, rows)
    begin = -(-len(prefix + rest) // shards.ALIGNMENT) * shards.ALIGNMENT
    return (prefix + rest).ljust(begin, b"\0") + content


VALUES = table_of(range(8)).tobytes()
HEAD = {"key": KEY, "shape": [WIDTH], "dtype": "<f4", "checksum": zlib.crc32(VALUES)}
FORGERIES = {
    "another table": forged(8, HEAD | {"key": OTHER}, VALUES),
    "another shape": forged(8, HEAD | {"shape": [8, WIDTH // 8]}, VALUES),
    "another type": forged(8, HEAD | {"dtype": "|u1", "checksum": zlib.crc32(VALUES[: 8 * WIDTH])}, VALUES[: 8 * WIDTH]),
    "a type that is none": forged(8, HEAD | {"dtype": "nothing"}, VALUES),
    "images in another order": forged(8, HEAD, VALUES).replace(digest_of(0) + digest_of(1), digest_of(1) + digest_of(0)),
    "objects": forged(8, HEAD | {"dtype": "|O"}, VALUES),
    "another count": forged(7, HEAD, VALUES),
    "no rows": forged(0, HEAD),
    "more rows than anybody has memory for": forged(2**60, HEAD, VALUES),
    "a head without end": forged(8, HEAD, VALUES, length=2**32 - 1),
    "another checksum": forged(8, HEAD | {"checksum": 0}, VALUES),
    "a checksum that is a text": forged(8, HEAD | {"checksum": "0"}, VALUES),
    "a head that is a number": forged(8, 7, VALUES),
    "a head of brackets": forged(8, b"[" * 4000, VALUES),
    "a head that is no JSON": forged(8, b"\xff\xfe", VALUES),
    "a head without a type": forged(8, {"key": KEY, "shape": [WIDTH]}, VALUES),
    "nothing": b"",
    "something": b"something else",
}


def test_what_is_forged_here_would_else_be_read(folder: Path) -> None:
    folder.mkdir()
    (folder / f"{KEY}-1.part").write_bytes(forged(8, HEAD, VALUES))
    Asking.at(folder).require(range(8), computed=0)


def test_an_image_that_is_twice_in_a_part_is_found(folder: Path) -> None:
    folder.mkdir()
    values = table_of([*range(7), 0]).tobytes()
    content = forged(8, HEAD | {"checksum": zlib.crc32(values)}, values, images=[*range(7), 0])
    (folder / f"{KEY}-1.part").write_bytes(content)
    Asking.at(folder).require(range(8), computed=1)


@pytest.mark.parametrize("name", FORGERIES)
def test_a_foreign_file_is_removed(folder: Path, name: str) -> None:
    folder.mkdir()
    file = folder / f"{KEY}-1.part"
    file.write_bytes(FORGERIES[name])
    Asking.at(folder).require(range(8), computed=8)
    assert not file.exists()


@pytest.mark.parametrize("claim", ["rows", "head"])
def test_no_memory_is_taken_for_what_a_file_claims(folder: Path, claim: str) -> None:
    """The file is a gigabyte long, most of it a hole, and says that all of this is what has to be read first."""
    folder.mkdir()
    file = folder / f"{KEY}-1.part"
    file.write_bytes(forged(2**24, HEAD) if claim == "rows" else forged(8, HEAD, length=2**29))
    os.truncate(file, 2**30)
    tracemalloc.start()
    try:
        Asking.at(folder).require(range(8), computed=8)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()
    assert not file.exists()


def test_what_is_no_file_is_left_alone(folder: Path) -> None:
    (folder / f"{KEY}-1.part").mkdir(parents=True)
    os.mkfifo(folder / f"{KEY}-2.part")
    (folder / f"{KEY}-3.part").symlink_to(folder)
    asking = Asking.at(folder)
    asking.require(range(8), computed=8)
    asking.cache.clear()
    assert len(files(folder)) == 3


def test_values_are_verified_once_and_again_when_the_file_changed(folder: Path) -> None:
    asking = Asking.at(folder)
    asking.require(range(8), computed=8)
    (file,) = files(folder)
    damage(file, "flip", 0.99, b"\1")
    asking.require(range(8), computed=8)


# Full, read-only, and too small


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def test_on_a_full_disk_the_rest_is_held_in_memory(small_disk: Path) -> None:
    """Six parts of 0.1 MB lie beside 0.5 MB of something else, as far as they fit."""
    (small_disk / "ballast").write_bytes(bytes(500_000))
    folder, width = small_disk / "cache", 1000
    values = table_of(range(160), width)
    ids = ids_of(range(160))

    def rows() -> CachedRows:
        with ActivationCache(folder, PLENTY, part_bytes=25 * (4 * width + 32)).open(table(shape=(width,)), ids) as found:
            found.write(values[found.missing()])
        assert (found.read(np.arange(160)) == values).all()
        return found

    full = rows()
    assert full.computed == 160
    assert "held in memory" in sentence(*full.notes)
    assert "No space left on device" in sentence(*full.notes)
    assert list(folder.glob(".partial-*")) == []
    kept = len(files(folder)) * 25
    assert 0 < kept < 160
    (small_disk / "ballast").unlink()
    freed = rows()
    assert (freed.computed, freed.notes) == (160 - kept, ())
    assert rows().computed == 0


def test_on_a_full_disk_a_stream_goes_on_and_holds_nothing(small_disk: Path) -> None:
    width = 1000
    values = table_of(range(600), width)
    ids = ids_of(range(600))
    cache = ActivationCache(small_disk / "cache", PLENTY, part_bytes=25 * (4 * width + 32))
    tracemalloc.start()
    try:
        given = []
        with cache.open_stream(table(shape=(width,)), ids, keep=True) as rows:
            for positions in np.split(np.arange(600), 30):
                rows.write(values[rows.missing(positions)])
                given.append(bool((rows.read(positions) == values[positions]).all()))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert all(given)
    assert 0 < len(files(cache.folder)) < 600 // 25
    assert peak < values.nbytes / 2


def test_a_folder_that_may_only_be_read_still_gives_its_rows(small_disk: Path) -> None:
    folder = small_disk / "cache"
    Asking.at(folder).require(range(20), computed=20)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    asking = Asking.at(folder)
    assert not asking.require(range(20), computed=0).notes
    rows = asking.require(range(10, 30), computed=10)
    assert "Read-only file system" in sentence(*rows.notes)
    assert sentence(*rows.notes).count(".") == 1
    with pytest.raises(StorageError, match=r"cannot be cleared.*Read-only file system.*Make the folder writable"):
        asking.cache.clear()


@pytest.mark.parametrize("below", ["", "cache"], ids=["a file is there", "a file is above"])
def test_a_place_where_no_folder_can_be_is_told(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("mine")
    asking = Asking.at(tmp_path / "file" / below)
    rows = asking.require(range(20), computed=20)
    assert "held in memory" in sentence(*rows.notes)
    assert asking.cache.size() == 0
    assert (tmp_path / "file").read_text() == "mine"


def test_what_is_held_in_memory_is_halved_as_on_disk(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    values = np.random.default_rng(0).normal(size=(8, WIDTH)).astype(np.float32)
    ids = ids_of(range(8))
    cache = ActivationCache(tmp_path / "file", PLENTY)
    rows = written(cache, table(), ids, [values], halve=lambda sample: True)
    assert (rows.read(np.arange(8)) == values.astype(np.float16)).all()


def test_a_table_larger_than_the_limit_is_kept_in_part(folder: Path) -> None:
    """Room for three parts of five. Those of another table make way, and none of its own does."""
    limit = 3 * (PART + SLACK)
    asking = Asking.at(folder, limit)
    asking.require(range(16), computed=16, key=OTHER)
    rows = asking.require(range(40), computed=40)
    assert CACHE_LIMIT_VARIABLE in sentence(*rows.notes)
    assert sentence(*rows.notes).endswith(").")
    assert (len(files(folder, KEY)), files(folder, OTHER)) == (3, [])
    assert asking.cache.size() <= limit
    assert not Asking.at(folder, limit).require(range(24), computed=0).notes
    assert Asking.at(folder, limit).require(range(40), computed=16).notes


def test_what_can_never_fit_throws_nothing_away(folder: Path) -> None:
    limit = PART + SLACK
    Asking.at(folder, limit).require(range(8), computed=8, key=OTHER)
    large = ActivationCache(folder, limit)
    ids = ids_of(range(16))
    assert written(large, table(), ids, [table_of(range(16))]).notes
    Asking.at(folder, limit).require(range(8), computed=0, key=OTHER)


def test_the_least_recently_used_goes_first(folder: Path) -> None:
    keys = [character * 64 for character in "0123"]
    room = 3 * (PART + SLACK)
    asking = Asking.at(folder, room)
    for key in keys[:3]:
        asking.require(range(8), computed=8, key=key)
    asking.require(range(3, 5), computed=0, key=keys[0])
    asking.require(range(8), computed=8, key=keys[3])
    assert [len(files(folder, key)) for key in keys] == [1, 0, 1, 1]
    asking.require(range(8), computed=8, key=keys[1])
    assert [len(files(folder, key)) for key in keys] == [1, 1, 0, 1]


def test_parts_that_are_read_are_not_thrown_away(folder: Path) -> None:
    """Room for three parts: the one in use is the oldest of the table, and stays."""
    asking = Asking.at(folder, 3 * (PART + SLACK))
    asking.require(range(24), computed=24)
    oldest = files(folder)[0]
    asking.require([*range(8), *range(100, 116)], computed=16)
    assert oldest in files(folder)
    assert len(files(folder)) == 3


def test_what_a_call_has_written_outlasts_what_others_use_later(folder: Path) -> None:
    """Room for three parts. While the second is computed somebody uses two of another table, and one of those goes."""
    limit = 3 * (PART + SLACK)
    other = Asking.at(folder, limit)
    other.require(range(16), computed=16, key=OTHER)
    ids = ids_of(range(16))

    def given() -> Iterator[NDArray[np.float32]]:
        yield table_of(range(8))
        other.require(range(16), computed=0, key=OTHER)
        yield table_of(range(8, 16))

    rows = written(ActivationCache(folder, limit, part_bytes=PART), table(), ids, given())
    assert not rows.notes
    assert (len(files(folder, KEY)), len(files(folder, OTHER))) == (2, 1)


def test_size_and_clear(folder: Path) -> None:
    asking = Asking.at(folder)
    assert (asking.cache.size(), asking.cache.clear()) == (0, 0)
    rows = asking.require(range(40), computed=40)
    mine = [folder / "notes.txt", folder / "model.part", folder / f"{KEY}.part"]
    for file in mine:
        file.write_text("mine")
    size = asking.cache.size()
    assert size == sum(file.stat().st_size for file in files(folder) if file not in mine)
    assert asking.cache.clear() == size
    assert asking.cache.size() == 0
    assert (rows.read(np.arange(40)) == table_of(range(40))).all()
    assert [file.read_text() for file in mine] == ["mine"] * 3
    asking.require(range(40), computed=40)


def test_clearing_waits_for_a_write(folder: Path) -> None:
    Asking.at(folder).require(range(8))
    held = locks.hold(folder / "cache.lock")
    assert held is not None

    def let_go() -> None:
        with contextlib.suppress(OSError):
            os.close(held)

    assert ActivationCache(folder, PLENTY).clear(let_go) > 0
    assert files(folder) == []


# Many parts


LARGE = 16 * PART


def grow(folder: Path, runs: int, first: int = 0, **options: Any) -> Asking:
    """A table that grew by two rows in each of so many runs, in parts that can hold 128."""
    asking = Asking(ActivationCache(folder, PLENTY, part_bytes=LARGE))
    for run in range(first, first + runs):
        asking.require(range(2 * run + 2), computed=2, **options)
    return asking


def test_a_table_that_grew_by_many_runs_has_few_parts(folder: Path) -> None:
    asking = grow(folder, 100)
    assert asking.computed == list(range(200))
    assert len(files(folder)) <= compaction.MAX_SMALL_SHARDS + 1 + 200 // 64
    Asking.at(folder).require(range(200), computed=0)
    assert max(file.stat().st_size for file in files(folder)) <= LARGE + SLACK


def test_halved_parts_stay_so_when_they_are_merged(folder: Path) -> None:
    grow(folder, 10, halve=lambda sample: True)
    grow(folder, 7, first=10)
    assert len(files(folder)) == compaction.MAX_SMALL_SHARDS + 1
    grow(folder, 1, first=17)
    assert len(files(folder)) == 3
    rows = [(file.stat().st_size // (WIDTH * 2), file.stat().st_size // (WIDTH * 4)) for file in files(folder)]
    assert (rows[0][0], rows[1][1], rows[2][1]) == (20, 14, 2)


def test_a_damaged_part_is_not_merged_into_a_sound_one(folder: Path) -> None:
    grow(folder, compaction.MAX_SMALL_SHARDS + 1)
    damage(files(folder)[3], "flip", 0.999, b"\4")
    asking = Asking(ActivationCache(folder, PLENTY, part_bytes=LARGE))
    asking.require(range(10, 40), computed=6)  # without those of the damaged one, so that the merge is the first to read it
    assert len(files(folder)) == 2
    asking.require(range(40), computed=2)


def test_where_a_merge_was_killed_no_image_stays_twice(folder: Path) -> None:
    """The merged part is there already, and the small ones are there still."""
    grow(folder, compaction.MAX_SMALL_SHARDS + 1)
    small = {file: file.read_bytes() for file in files(folder)}
    grow(folder, 1, first=compaction.MAX_SMALL_SHARDS + 1)
    assert len(files(folder)) == 2
    for file, content in small.items():
        file.write_bytes(content)
    grow(folder, 1, first=compaction.MAX_SMALL_SHARDS + 2)
    assert len(files(folder)) == 2
    assert sum(file.stat().st_size for file in files(folder)) < 38 * (WIDTH * 4 + 32) + 2 * 1024


# Memory


def test_memory_is_bounded_whatever_the_size_of_the_table(folder: Path) -> None:
    """200 MB in rows of 5 kB, given in batches of 32; what is allocated besides stays below what two parts take."""
    width, count = 1280, 40_000
    ids = ids_of(range(count))
    batch = table_of(range(32), width)
    given = (batch for _ in range(0, count, 32))
    tracemalloc.start()
    try:
        rows = written(ActivationCache(folder, PLENTY), table(shape=(width,)), ids, given, halve=lambda sample: True)
        assert rows.read(np.array([0, 33, count - 1])).nbytes == 3 * width * 4
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(files(folder)) == 4
    assert peak < 150e6
