"""What a run is fed with: pixels, and what the frozen part of its network makes of them, each computed once for all runs."""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.data.images import Images, Pixels
from tl_core.features import engines
from tl_core.features.cache import ActivationCache, Table, Wait
from tl_core.features.engines import PreparedNetwork
from tl_core.features.inputs import CachedInputs, Inputs
from tl_core.features.prefetch import in_batches, prefetch
from tl_core.features.resizing import FITTING, SizedImages
from tl_core.networks.identity import identity, weights_identity
from tl_core.notes import Note
from tl_core.result import FrozenPartRecord

DECODE_BATCH = 32
"""Images that are decoded, or changed, at a time."""
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


@dataclass(frozen=True, eq=False)
class FrozenSubmodel:
    """From pixels to some tensor within a network: a Keras `model`, the `key` of all that decides what it gives, and the model's
    `identity` where it has one."""

    model: Any
    key: str
    identity: str | None


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
    """The inputs of one run. `bfloat16` says in what the frozen part is to compute.

    `own` names the run, the same whenever it goes on. `wait` is called while another process computes what is wanted here, and
    may raise to give up.
    """

    def __init__(self, cache: ActivationCache, image_size: int, *, bfloat16: bool, wait: Wait, own: str = "") -> None:
        self.tally = CacheStats()
        self.image_size = image_size
        self._cache, self._bfloat16, self._wait = cache, bfloat16, wait
        self._own = own or uuid.uuid4().hex
        self._pixels_table = Table(_key("pixels", FITTING, image_size), self._picture, np.dtype(np.uint8))
        self._engines: dict[str, PreparedNetwork] = {}

    def pixels(self, images: Images, on_batch: OnBatch) -> Inputs:
        """Return pixels (n, size, size, 3) uint8, decoded by now if the cache has room for them, else whenever asked for."""
        sized = SizedImages(images, self.image_size)
        if len(images) * prod(self._picture) > self._cache.room:
            return sized
        with self._cache.open(self._pixels_table, images.ids, wait=self._wait) as rows:
            for pixels in prefetch(map(sized.batch, in_batches(rows.missing(), DECODE_BATCH))):
                rows.write(pixels)
                on_batch(len(pixels))
        return CachedInputs(rows, images.labels)

    def part(self, model: Any) -> FrozenSubmodel:
        """Return the Keras `model`, from pixels upward, as it is now. What one gives that has code of somebody else's in it is
        kept for this run alone, since that code may change."""
        engine = engines.expected(model, bfloat16=self._bfloat16)
        known = identity(model)
        network = known or [self._own, *map(str, model.output.shape), weights_identity(model)]
        return FrozenSubmodel(model, _key(FITTING, self.image_size, network, engine), known)

    def features(self, part: FrozenSubmodel, images: Images, on_batch: OnBatch, view: View | None = None) -> CachedInputs:
        """Return what `part` makes of the images, or of a view of them: (n, ...) float32."""
        viewed = [view.key, hashlib.sha256(b"".join(images.ids)).hexdigest()] if view else []
        shape = tuple(part.model.output.shape[1:])
        table = Table(_key("features", part.key, *viewed), shape, np.dtype(np.float32))
        with self._cache.open(table, images.ids, halve=fits_float16, wait=self._wait) as rows:
            for values in self._computed(part, images, rows.missing(), view):
                rows.write(values)
                on_batch(len(values))
        if rows.computed:
            engine = self._engine(part)
            self.tally.computed[engine.title] = self.tally.computed.get(engine.title, 0) + rows.computed
            self.tally.note(*engine.notes)
        self.tally.reused += len(rows) - rows.computed
        self.tally.note(*rows.notes)
        return CachedInputs(rows, images.labels)

    def _computed(
        self, part: FrozenSubmodel, images: Images, positions: NDArray[np.intp], view: View | None
    ) -> Iterator[NDArray[np.float32]]:
        """Yield what `part` makes of the images at `positions`, or of a view of them, in batches; no engine is made for none."""
        if len(positions):
            engine = self._engine(part)
            pictures = self._viewed(images, positions, view) if view else self._plain(images, positions)
            yield from engine.run(_cut(prefetch(pictures, PREFETCHED_BATCHES), engine.batch))

    def _engine(self, part: FrozenSubmodel) -> PreparedNetwork:
        """Return the engine of `part`, made when the first image needs it, and kept until another part does."""
        if part.key not in self._engines:
            conversions = engines.kept_in(self._cache.folder)
            made = engines.choose(
                part.model, self.image_size, bfloat16=self._bfloat16, conversions=conversions, known=part.identity
            )
            self._engines = {part.key: made}
        return self._engines[part.key]

    @property
    def _picture(self) -> tuple[int, int, int]:
        """Return the shape of one."""
        return self.image_size, self.image_size, 3

    def _plain(self, images: Images, positions: NDArray[np.intp]) -> Iterator[Pixels]:
        """Yield the pictures at `positions`, read where they are kept, decoded as they are asked for where not."""
        wanted = images.take(positions)
        sized = SizedImages(wanted, self.image_size)
        pixels = len(wanted) * prod(self._picture)
        keep = pixels <= self._cache.room and wanted.file_bytes() >= WORTH_KEEPING * pixels
        ids = [images.ids[position] for position in positions]  # those of `wanted` would be computed anew
        with self._cache.open_stream(self._pixels_table, ids, keep=keep) as rows:
            for batch in in_batches(np.arange(len(wanted)), DECODE_BATCH):
                if len(missing := rows.missing(batch)):
                    rows.write(sized.batch(missing))
                yield rows.read(batch)

    def _viewed(self, images: Images, positions: NDArray[np.intp], view: View) -> Iterator[Pixels]:
        """Yield the pictures at `positions`, changed in whole groups of neighbours, since what becomes of a picture may depend
        on its group."""
        source = self.pixels(images, lambda _: None)
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


def _cut(pictures: Iterable[Pixels], size: int) -> Iterator[Pixels]:
    """Yield the same pictures in batches of at most `size`."""
    for several in pictures:
        for begin in range(0, len(several), size):
            yield several[begin : begin + size]
