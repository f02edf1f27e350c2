"""A finished run as a script that needs Keras and not this package, with all that it reads beside it."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tl_core.data.examples import Examples, plain_label
from tl_core.data.images import FileImages
from tl_core.errors import SettingError
from tl_core.events import Activity, Reporter, Stage
from tl_core.features.cache import ActivationCache
from tl_core.runs import artifacts, scripts
from tl_core.runs.evaluations import Testable
from tl_core.runs.repetition import spec_of
from tl_core.studies._script_facts import ScriptFacts, facts_of
from tl_core.studies._script_templates import ADAPTERS_FILE, ARRAYS, BACKBONE, BLOCKS, HEAD_FILE, SPLIT
from tl_core.studies._script_text import notebook, script
from tl_core.system.files import new_folder

LARGEST_ARRAYS = 2_000_000_000
"""Bytes of pixels that lie beside a script, where these cannot be read from files."""


def write_script(found: Testable, report: Reporter, cache: ActivationCache) -> None:
    """Keep with a finished run its script and what this reads. Raises a `TransferError` for what the user can mend."""
    facts = facts_of(found, report, cache)
    report(Stage(Activity.STORING, 0.0))
    with new_folder(scripts.place(found.folder)) as folder:
        _write_network(facts, folder)
        _write_examples(facts, folder)
        (folder / scripts.SCRIPT).write_text(script(facts), encoding="utf-8")
        (folder / scripts.NOTEBOOK).write_text(notebook(facts), encoding="utf-8")
        artifacts.write_spec(folder, spec_of(found.run.spec, found.result))


def _write_network(facts: ScriptFacts, folder: Path) -> None:
    network, head = facts.training.network, facts.training.model.layers[-1]
    network.model.save(folder / BACKBONE)
    blocks = {block.name: [layer.name for layer in block.layers] for block in network.blocks}
    (folder / BLOCKS).write_text(json.dumps(blocks, indent=1) + "\n", encoding="utf-8")
    if not facts.solved:
        kernel, bias = map(keras.ops.convert_to_numpy, (head.kernel, head.bias))
        np.savez(folder / HEAD_FILE, kernel=kernel, bias=bias)
    adapted = [layer for layer in network.model.layers if getattr(layer, "lora_enabled", False)]
    if adapted:
        np.savez(folder / ADAPTERS_FILE, **{layer.name: keras.ops.convert_to_numpy(layer.lora_kernel_a) for layer in adapted})


def _write_examples(facts: ScriptFacts, folder: Path) -> None:
    data = facts.training.data
    splits = {"train": data.train, "validation": data.validation, "test": data.test}
    if isinstance(data.train, FileImages):
        _write_places(splits, folder / SPLIT)
        return
    preprocessor = facts.recipe.preprocessor()
    taken = preprocessor.row_bytes * sum(map(len, splits.values()))
    if taken > LARGEST_ARRAYS:
        raise SettingError(
            f"The pixels of this run would take {taken / 1e9:.1f} GB beside a script.",
            "Use data in files of images, or fewer labels a class.",
            received=facts.recipe.dataset.shown_name,
        )
    arrays: dict[str, NDArray[Any]] = {}
    for name, examples in splits.items():
        arrays |= {name: preprocessor.encode(examples, np.arange(len(examples))), f"{name}_labels": examples.labels}
    np.savez_compressed(folder / ARRAYS, **arrays)  # type: ignore[arg-type]  # NumPy's own names are no arrays


def _write_places(splits: Mapping[str, Examples], place: Path) -> None:
    """Write where each picture is."""
    with place.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("split", "label", "path"))
        for name, examples in splits.items():
            assert isinstance(examples, FileImages)
            table.writerows(
                (name, _told(label), path.absolute()) for label, path in zip(examples.labels, examples.paths, strict=True)
            )


def _told(label: Any) -> str:
    """Return a label as a script reads it: a class, a number, or the places of several labels."""
    plain = plain_label(label)
    return "|".join(map(str, plain)) if isinstance(plain, tuple) else repr(plain)
