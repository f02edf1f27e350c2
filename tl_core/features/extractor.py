"""What a run is fed with: pixels or tokens, and what the frozen part of its network makes of them, each once for all runs."""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.data.examples import Examples
from tl_core.data.images import Pixels
from tl_core.data.preprocessor import Preprocessor
from tl_core.features import engines
from tl_core.features.cache import ActivationCache, Table, Wait
from tl_core.features.engines import PreparedNetwork
from tl_core.features.frozen import FrozenPart, frozen_part
from tl_core.features.inputs import CachedInputs, EncodedInputs, Inputs
from tl_core.features.prefetch import in_batches, prefetch
from tl_core.networks.onnx_graph import OnnxGraph
from tl_core.notes import Note
from tl_core.result import FrozenPartRecord

DECODE_BATCH = 32
"""Examples that are decoded, or changed, at a time."""
INPUTS = "pixels"
"""What the inputs of networks are called in the cache, where they were pixels alone once."""
WORTH_KEEPING = 1 / 4
"""Bytes of a file for each of its picture from which on a picture that goes by is kept: one from a smaller file is decoded in
about the time that it takes to keep it, and takes many times the disk."""
PREFETCHED_BATCHES = 4
"""So many times that are decoded by the time the engine asks for them: it should not stand still while some are written."""
MAX_FLOAT16_ERROR = 1e-3
"""Part of a row's distance from the mean of the rows that 16 bits may lose. An engine in bfloat16 is off by a hundred times
that."""

OnBatch = Callable[[int], None]
"""Is told how many images a batch had."""


@dataclass(frozen=True)
class View:
    """A way to change pictures, the same whenever it is asked for. `key` is all that it depends on but the pictures; `change`
    makes of the pictures (n, size, size, 3) number i * `DECODE_BATCH` and following, and of i, float32 pixels in 0..255."""

    key: str
    change: Callable[[Pixels, int], NDArray[np.float32]]


@dataclass
class CacheStats:
    """How many images went through a frozen network, by the engine that computed it, and how many had done so before."""

    computed: dict[str, int] = field(default_factory=dict)
    reused: int = 0
    notes: list[Note] = field(default_factory=list)

    def note(self, *notes: Note) -> None:
        """Have each of the `notes` told once."""
        self.notes += [note for note in notes if note not in self.notes]

    def take_record(self) -> FrozenPartRecord:
        """Return all that was counted, and count anew."""
        counted = FrozenPartRecord(computed=self.computed, reused=self.reused, notes=tuple(self.notes))
        self.computed, self.reused, self.notes = {}, 0, []
        return counted


class FeatureExtractor:
    """The inputs of one run, as `preprocessor` makes them. `bfloat16` says in what the frozen part is to compute.

    `own` names the run, the same whenever it goes on. `wait` is called while another process computes what is wanted here, and
    may raise to give up.
    """

    def __init__(self, cache: ActivationCache, preprocessor: Preprocessor, *, bfloat16: bool, wait: Wait, own: str = "") -> None:
        self.tally = CacheStats()
        self.preprocessor = preprocessor
        self._cache, self._bfloat16, self._wait = cache, bfloat16, wait
        self._own = own or uuid.uuid4().hex
        self._input_table = Table(_key(INPUTS, *preprocessor.key), preprocessor.shape, preprocessor.dtype)
        self._engines: dict[str, PreparedNetwork] = {}

    def by(self, preprocessor: Preprocessor) -> "FeatureExtractor":
        """Return the same for another network, of whose examples `preprocessor` makes inputs."""
        return FeatureExtractor(self._cache, preprocessor, bfloat16=self._bfloat16, wait=self._wait, own=self._own)

    def inputs(self, examples: Examples, on_batch: OnBatch) -> Inputs:
        """Return what the network takes (n, ...): pixels uint8 or tokens int32, made by now if the cache has room for them, else
        whenever asked for."""
        made = EncodedInputs(examples, self.preprocessor)
        if len(examples) * self.preprocessor.row_bytes > self._cache.room:
            return made
        with self._cache.open(self._input_table, examples.ids, wait=self._wait) as rows:
            for values in prefetch(map(made.batch, in_batches(rows.missing(), DECODE_BATCH))):
                rows.write(values)
                on_batch(len(values))
        return CachedInputs(rows, examples.labels)

    def part(self, model: Any, graph: OnnxGraph | None = None) -> FrozenPart:
        """Return the `graph` of a network that has one, else the Keras `model`, from its input upward, as it is now. What one
        gives that has code of somebody else's in it is kept for this run alone, since that code may change."""
        return frozen_part(model, graph, bfloat16=self._bfloat16, own=self._own)

    def features(self, part: FrozenPart, examples: Examples, on_batch: OnBatch, view: View | None = None) -> CachedInputs:
        """Return what `part` makes of the examples, or of a view of them: (n, ...) float32."""
        viewed = [view.key, hashlib.sha256(b"".join(examples.ids)).hexdigest()] if view else []
        table = Table(_key("features", self._part_key(part), *viewed), part.shape, np.dtype(np.float32))
        with self._cache.open(table, examples.ids, halve=fits_float16, wait=self._wait) as rows:
            for values in self._computed(part, examples, rows.missing(), view):
                rows.write(values)
                on_batch(len(values))
        if rows.computed:
            engine = self._engine(part)
            self.tally.computed[engine.title] = self.tally.computed.get(engine.title, 0) + rows.computed
            self.tally.note(*engine.notes)
        self.tally.reused += len(rows) - rows.computed
        self.tally.note(*rows.notes)
        return CachedInputs(rows, examples.labels)

    def _computed(
        self, part: FrozenPart, examples: Examples, positions: NDArray[np.intp], view: View | None
    ) -> Iterator[NDArray[np.float32]]:
        """Yield what `part` makes of the examples at `positions`, or of a view, in batches; no engine is made for none."""
        if len(positions):
            engine = self._engine(part)
            pictures = self._viewed(examples, positions, view) if view else self._plain(examples, positions)
            yield from engine.run(_cut(prefetch(pictures, PREFETCHED_BATCHES), engine.batch))

    def _engine(self, part: FrozenPart) -> PreparedNetwork:
        """Return the engine of `part`, made when the first image needs it, and kept until another part does."""
        key = self._part_key(part)
        if key not in self._engines:
            self._engines = {key: part.prepare(engines.kept_in(self._cache.folder))}
        return self._engines[key]

    def _part_key(self, part: FrozenPart) -> str:
        return _key(*self.preprocessor.key, *part.decisive)

    def _plain(self, examples: Examples, positions: NDArray[np.intp]) -> Iterator[NDArray[Any]]:
        """Yield the inputs at `positions`, read where they are kept, made as they are asked for where not."""
        wanted = examples.take(positions)
        made = EncodedInputs(wanted, self.preprocessor)
        taken = len(wanted) * self.preprocessor.row_bytes
        keep = taken <= self._cache.room and wanted.file_bytes() >= WORTH_KEEPING * taken
        ids = [examples.ids[position] for position in positions]  # those of `wanted` would be computed anew
        with self._cache.open_stream(self._input_table, ids, keep=keep) as rows:
            for batch in in_batches(np.arange(len(wanted)), DECODE_BATCH):
                if len(missing := rows.missing(batch)):
                    rows.write(made.batch(missing))
                yield rows.read(batch)

    def _viewed(self, images: Examples, positions: NDArray[np.intp], view: View) -> Iterator[Pixels]:
        """Yield the pictures at `positions`, changed in whole groups of neighbours, since what becomes of a picture may depend
        on its group."""
        source = self.inputs(images, lambda _: None)
        for number in np.unique(positions // DECODE_BATCH):
            group = np.arange(number * DECODE_BATCH, min(len(images), (number + 1) * DECODE_BATCH))
            changed = view.change(source.batch(group), int(number))
            yield np.clip(np.rint(changed), 0, 255).astype(np.uint8)[np.isin(group, positions)]


def fits_float16(values: NDArray[np.float32]) -> bool:
    """Return whether rows (n, ...) may be held in 16 bits: what each loses is little beside what tells it from the others."""
    rows = values.reshape(len(values), -1)
    with np.errstate(over="ignore", invalid="ignore"):
        lost = np.linalg.norm(rows - rows.astype(np.float16).astype(np.float32), axis=1)
    apart = np.linalg.norm(rows - rows.mean(axis=0), axis=1)
    return bool((lost <= MAX_FLOAT16_ERROR * apart).all())


def _key(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _cut(inputs: Iterable[NDArray[Any]], size: int) -> Iterator[NDArray[Any]]:
    """Yield the same inputs in batches of at most `size`."""
    for several in inputs:
        for begin in range(0, len(several), size):
            yield several[begin : begin + size]
