"""A model in a file that Keras has saved (`.keras`): what its configuration tells, read without Keras, and loaded in safe mode.

Such a file is an archive of the layers' settings (JSON) and their weights (HDF5). Settings may name somebody's code. They are
looked through before Keras sees them, so that no code but Keras' own is ever imported or run, whatever Keras' safe mode admits.
"""

import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

from tl_core.errors import WeightsError, printable
from tl_core.networks.download import known_digest
from tl_core.networks.identity import is_all_of_keras

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
MOST_BYTES = 2**26
"""Of settings; those of the largest networks have two million."""
OPENING = {
    "Lambda",
    "TFSMLayer",
    "TorchModuleWrapper",
    "JaxLayer",
    "FlaxLayer",
    "StringLookup",
    "IntegerLookup",
    "TextVectorization",
}
"""Layers of Keras that run code of the file's author, or read other files that it names."""
UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, EOFError, ImportError)
"""What Keras, and who reads its files, raise for one that is damaged, or of another version."""
DAMAGED = (*UNREADABLE, zipfile.BadZipFile, zlib.error)
SAVE_ANEW = "Save it anew with Keras' model.save('NAME.keras')."
COLOURS = 3


@dataclass(frozen=True)
class ModelFacts:
    """What a file tells of its model: the side of the images that it takes, None for any, and its parameters, those of a head
    among them. Where it is none for a backbone, `problem` says why, and `mend` what helps."""

    side: int | None = None
    parameters: int = 0
    problem: str = ""
    mend: str = ""


@dataclass(frozen=True)
class ModelFile:
    """The model at `path`, which is called `title` in sentences, such as "The model of run x"."""

    path: Path
    title: str

    @property
    def facts(self) -> ModelFacts:
        """Return what the file tells."""
        try:
            now = self.path.stat()
        except OSError as error:
            return ModelFacts(problem=f"is not there ({error.strerror})", mend="Name another one.")
        return _facts(self.path, now.st_mtime_ns, now.st_size)

    @property
    def digest(self) -> str:
        """Return the sha256 of the file; an empty text where it is not there."""
        return known_digest(self.path)

    def require(self) -> ModelFacts:
        """Return what the file tells. Raises `WeightsError` where its model is none for a backbone. Needs no Keras."""
        facts = self.facts
        if facts.problem:
            raise self.error(facts.problem, facts.mend)
        return facts

    def error(self, problem: str, mend: str) -> WeightsError:
        """Return the error that the model has this problem, as in "is not there"."""
        return WeightsError(f"{self.title} {problem}.", mend, received=printable(str(self.path)))

    def load(self, *, pretrained: bool) -> Any:
        """Return the Keras model, with its weights or, unless `pretrained`, with random ones. Raises `WeightsError`."""
        self.require()
        import keras

        try:
            if pretrained:
                return keras.saving.load_model(self.path, compile=False, safe_mode=True)
            with zipfile.ZipFile(self.path) as archive:
                return keras.saving.deserialize_keras_object(_config(archive), safe_mode=True)
        except DAMAGED as error:
            raise self.error(f"cannot be loaded ({shortened(error)})", SAVE_ANEW) from None


def shortened(error: Exception) -> str:
    """Return the beginning of what others' code said, on one line."""
    return printable(" ".join(str(error).split())[:200])


@lru_cache(maxsize=256)  # lists of runs ask for each again and again
def _facts(path: Path, changed: int, size: int) -> ModelFacts:
    import h5py

    try:
        with zipfile.ZipFile(path) as archive:
            config = _config(archive)
            problem, mend, side = _examined(config)
            if problem:
                return ModelFacts(problem=problem, mend=mend)
            with archive.open(WEIGHTS) as stream, h5py.File(stream, "r") as weights:
                return ModelFacts(side, sum(_sizes(weights["layers"])))
    except DAMAGED as error:
        return ModelFacts(problem=f"cannot be read as one that Keras has saved ({shortened(error)})", mend=SAVE_ANEW)


def _config(archive: zipfile.ZipFile) -> dict[str, Any]:
    """Return the settings of the model, without those of its training. Raises `ValueError`, `KeyError`."""
    if archive.getinfo(CONFIG).file_size > MOST_BYTES:
        raise ValueError(f"its {CONFIG} has more than {MOST_BYTES} bytes")
    config = dict(json.loads(archive.read(CONFIG)))
    config.pop("compile_config", None)
    return config


def _examined(config: dict[str, Any]) -> tuple[str, str, int | None]:
    """Return what is wrong with a model of these settings, what helps, and the side of its images."""
    layers = config["config"].get("layers", ())
    foreign = next((name for name in _classes(config) if name in OPENING), None)
    if foreign or not layers or not is_all_of_keras(config):
        what = f"a layer of the class {foreign}" if foreign else "layers of somebody's own"
        return f"has {what}, and no code from a file is run here", "Build it of Keras' other layers, and save it again.", None
    shapes = [each["config"].get("batch_shape") for each in layers if each["class_name"] == "InputLayer"]
    if len(shapes) != 1:
        return f"has {len(shapes)} inputs, and a backbone has one", "Choose a model of one image.", None
    _, *shape = shapes[0]
    if len(shape) != COLOURS or shape[-1] != COLOURS:
        return (
            f"takes no colour images, but inputs of the shape {tuple(shape)}",
            "Choose a model whose input is (height, width, 3).",
            None,
        )
    return "", "", shape[0]


def _classes(config: Any) -> Iterator[str]:
    """Yield the name of each class that the settings ask for."""
    if isinstance(config, dict):
        yield str(config.get("class_name"))
        for value in config.values():
            yield from _classes(value)
    elif isinstance(config, list):
        for value in config:
            yield from _classes(value)


def _sizes(group: Any) -> Iterator[int]:
    """Yield how many numbers each weight below a group of HDF5 has. What draws random numbers keeps no weight there."""
    for name, inner in group.items():
        if hasattr(inner, "shape"):
            yield prod(inner.shape)
        elif name != "seed_generator":
            yield from _sizes(inner)
