"""Datasets: where examples and their classes come from. A source is one module of this package.

A source gives `Data`: three splits that share no example, and notes about what was repaired or left out. Loading needs neither
Keras nor TensorFlow, so that the pages can show a preview.
"""

import hashlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, Self

from pydantic import Field, PrivateAttr
from typing_extensions import TypeVar

from tl_core.data import exclusions
from tl_core.data.examples import Examples, Modality
from tl_core.data.formats.paths import name_of
from tl_core.data.images import ArrayImages, FileImages, Images
from tl_core.data.label_kinds import CLASSES, LabelKind
from tl_core.data.splitting import sample_per_class
from tl_core.datasets._aliases import renamed
from tl_core.errors import DataError, SettingError, printable
from tl_core.notes import Note, NoteKind
from tl_core.registry import Part, Registry
from tl_core.system import settings

__all__ = ["ArrayImages", "Data", "Dataset", "Examples", "FileImages", "Images", "Modality", "build", "datasets", "register"]

if TYPE_CHECKING:
    import pandas as pd

E = TypeVar("E", bound=Examples, default=Images)


@dataclass(frozen=True)
class Data(Generic[E]):
    """A dataset in three splits that share no example, and others where it has them. Labels are indices into `class_names`, or
    what another `label_kind` has; `class_names` are then the names of a model's outputs.

    `validation` may be empty; `train` and `test` may not, and the training examples are of two classes at least, or what its
    kind asks for (`DataError` otherwise). `notes` tell what was left out or repaired. `others` are further splits by their names,
    such as `source` and `unlabelled`, whose examples may have no labels; nothing trains on them, and they may share examples with
    the three.
    """

    class_names: tuple[str, ...]
    train: E
    validation: E
    test: E
    notes: tuple[Note, ...] = field(default=())
    others: Mapping[str, E] = field(default_factory=dict)
    label_kind: LabelKind = CLASSES

    def __post_init__(self) -> None:
        for split in ("train", "test"):
            if not len(self.splits[split]):
                raise DataError(
                    f"The {split} split is empty.", "Choose more labels a class, a larger share, or a dataset with more examples."
                )
        self.label_kind.require_enough(self.class_names, self.train.labels)

    @property
    def splits(self) -> dict[str, E]:
        """Return the splits by their names, the three first."""
        return {"train": self.train, "validation": self.validation, "test": self.test, **self.others}

    def digest(self) -> str:
        """Return the sha256 of the names of the classes and what is in each split: equal exactly when two datasets are the same,
        wherever they lie. Raises `DataError` for an example that cannot be read."""
        core = (self.train, self.validation, self.test)
        parts = [*self.class_names, *(examples.digest() for examples in core)]
        parts += [f"{split} {examples.digest()}" for split, examples in sorted(self.others.items())]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def cut_to(self, at_most: int | None) -> "Data[E]":
        """Return the data with at most so many training and validation examples each, drawn evenly; None leaves them all."""
        if at_most is None:
            return self
        return replace(self, train=self.train.subsample(at_most), validation=self.validation.subsample(at_most))


class Given(NamedTuple):
    """Data in the splits that they come in: labels are indices into `class_names`, or of the `LabelKind` that was asked for;
    `notes` tell what was left out or repaired. `others` are the columns of a table that are used for nothing, with all of its
    rows."""

    class_names: Sequence[str]
    splits: Mapping[str, Examples]
    notes: Sequence[Note] = ()
    others: "pd.DataFrame | None" = None


class Dataset(Part):
    """A source of labelled examples."""

    modality: ClassVar[Modality] = Modality.IMAGES
    thing: ClassVar[str] = "images"
    """What several examples are called in sentences."""
    makes_examples: ClassVar[bool] = False
    """Whether it makes as many training examples as it is asked for, and draws them by the seed."""
    label_kinds: ClassVar[tuple[LabelKind, ...]] = (CLASSES,)
    """What its labels can be read as: `label_kind` is one of them, or nothing can be loaded."""
    needs: ClassVar[str] = ""
    """A library, beside those of requirements.txt, without which nothing can be loaded."""

    labels_per_class: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        title="Labels a class",
        description="How many labelled training images of each class may be used; empty uses all of them.",
        json_schema_extra={"empty": "all"},
    )

    left_out: str | None = Field(
        None,
        pattern="^[0-9a-f]{16}$",
        title="Left out",
        description="A list of images that are not used, made on the page Dataset from what its examination found.",
        json_schema_extra={"hidden": True},
    )

    display_name: str | None = Field(
        None,
        max_length=100,
        title="Name",
        description="What these data are called here; empty takes the name of their folder, archive or table.",
        json_schema_extra={"more": True, "empty": "its own"},
    )

    _label_kind: LabelKind = PrivateAttr(CLASSES)

    @property
    def label_kind(self) -> LabelKind:
        """Return what its labels are read as. It is no setting: a run's task decides it (`labelled`)."""
        return self._label_kind

    def labelled(self, kind: LabelKind) -> Self:
        """Return the same source with its labels read as `kind`."""
        same = self.model_copy()
        same._label_kind = kind
        return same

    def require_label_kind(self) -> None:
        """Raise `SettingError` where it has no labels of its `label_kind`."""
        if self.label_kind not in self.label_kinds:
            readable = " or ".join(kind.title for kind in self.label_kinds)
            raise SettingError(
                f"The labels of {self.title} are {readable}, and the task asks for {self.label_kind.title}.",
                "Choose another task or another dataset; tables of images and of texts can have labels of every kind.",
                received=f"{self.name} with labels that are {self.label_kind.title}",
            )

    @property
    def shown_name(self) -> str:
        """Return what these data are called: `display_name`, or else `own_name`."""
        return printable(self.display_name) if self.display_name else self.own_name

    @property
    def own_name(self) -> str:
        """Return the name that these data have anyway, printable: of the file or folder at `path`, or else the source's title."""
        path: Path | None = getattr(self, "path", None)
        return name_of(path) if path else self.title

    @property
    def origin(self) -> tuple[str, tuple[Path, ...]]:
        """Return what tells these data from others of the same source: their own name and the paths they are at."""
        return self.own_name, self.paths

    @abstractmethod
    def read(self, seed: int) -> Data[Any]:
        """Return all the data. `labels_per_class` and `seed` matter only if the source `makes_examples`. Raises `DataError`."""

    def load(self, seed: int, whole: Data[Any] | None = None) -> Data[Any]:
        """Return the splits, with `labels_per_class` training examples drawn by `seed`. Validation and test never depend on
        either, so that runs can be compared example by example. Pass what the method `whole` returned, for whatever labels and
        seed, as `whole`: then nothing is read but what a source makes. Raises `DataError`."""
        data = self.whole(seed) if whole is None or self.makes_examples else whole
        drawn = sample_per_class(data.label_kind.drawn_within(data.train.labels), self.labels_per_class, seed)
        return data if len(drawn) == len(data.train) else replace(data, train=data.train.take(drawn))

    def some_examples(self) -> Examples:
        """Return training examples to take a look at: those that are had the quickest. Raises `DataError`."""
        return self.read(0).train

    def typical_size(self) -> int | None:
        """Return how large its examples are by a look at some of them: the shorter sides of images in pixels, the words of
        texts. None where nobody can tell: for rows, and for what is yet to be fetched. Raises `DataError`."""
        return None if self.fetches or self.modality is Modality.TABLE else self.some_examples().typical_size()

    def whole(self, seed: int) -> Data[Any]:
        """Return all labelled splits without what is `left_out`, with notes on classes that a split lacks. Raises
        `DataError`, and `SettingError` where it has no labels of its `label_kind`."""
        self.require_label_kind()
        data = self.read(seed)
        if self.left_out is not None:
            chosen = exclusions.kept(settings.home(), self.left_out)
            rest = {split: chosen.rest(split, examples) for split, examples in data.splits.items()}
            count = sum(map(len, data.splits.values())) - sum(map(len, rest.values()))
            others = {split: rest.pop(split) for split in data.others}
            notes = (*data.notes, Note(NoteKind.LEFT_OUT_BY_CHOICE, (count,)))
            data = replace(data, **rest, notes=notes, others=others)
        return replace(data, notes=(*data.notes, *self._lacking(data)))

    def _lacking(self, data: Data[Any]) -> Iterator[Note]:
        """Yield notes that name the classes without a training example, and those without one for the test."""
        for split, kind in zip(("train", "test"), data.label_kind.lacking_notes, strict=True):
            if names := data.label_kind.lacking(data.class_names, data.splits[split].labels):
                yield Note.counting(kind, names, [self.thing.removesuffix("s")])

    def for_test(self, seed: int) -> Given:
        """Return the examples that a model is tested on which learned from other data, without what is `left_out`: the test split
        where the data come with one, or else all of their labelled splits. Raises `DataError`."""
        data = self.whole(seed)
        return Given(data.class_names, {"test": data.test}, data.notes)

    @property
    def fetches(self) -> bool:
        """Return whether `load` would go to the network, which only a run may do, and only where it was asked to."""
        return False

    def fetched_share(self) -> float | None:
        """Return the share of what `load` fetches that is on this machine by now, 0..1; None where nobody can tell."""
        return None

    def require_readable(self, seed: int) -> None:
        """Raise the `DataError` that a run from `seed` would meet when it reads the dataset, where that costs no download."""
        if not self.fetches:
            self.load(seed)

    def location(self) -> str:
        """Return where the images come from, for people: a package, a folder."""
        return "a package on this machine"


datasets: Registry[Dataset] = Registry("dataset", "tl_core.datasets", renamed)
register = datasets.register
build = datasets.build
