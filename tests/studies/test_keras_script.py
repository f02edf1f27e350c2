"""A run as a script of Keras alone: for each family of strategies it comes to the same, on the very same images."""

import ast
import csv
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.analysis.test_convergence import PROBE
from tests.analysis.test_convergence import result as stored_result
from tests.helpers import HANGS_SECONDS, SMALL_CNN, keep_outcome, keep_run, write_images
from tests.tools.answering import answered
from tests.tools.toy import FEW, SIZE, known, temporary_cache
from tests.tools.variants import variants
from tl_core.backbones._untrained import listing
from tl_core.backbones.finished_run import EXAMPLE
from tl_core.errors import SettingError
from tl_core.recipe import Recipe
from tl_core.runs import artifacts, evaluations, scripts
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.studies._script_facts import facts_of
from tl_core.studies.keras_script import KerasScript, ScriptResult
from tl_core.testing._toy import Known
from tl_core.training.train import train

FAMILIES: dict[str, dict[str, Any]] = {
    "linear_probe": {},
    "ridge": {"strategy": "linear_probe", "strategy.solver": "ridge", "strategy.normalise": False},
    "nearest_class_mean": {},
    "fine_tuning": {"strategy.epochs": 2, "strategy.schedule": "cosine", "strategy.weight_decay": 0.01, "deterministic": True},
    "last_blocks": {"strategy.epochs": 2, "strategy.balanced": True},
    "norm_only": {"strategy.epochs": 2, "strategy.biases": True},
    "gradual_unfreezing": {"strategy.stages": 2},
    "lp_ft": {"strategy.epochs": 2, "strategy.label_smoothing": 0.1},
    "discriminative_rates": {"strategy.epochs": 2, "strategy.patience": 1},
    "from_scratch": {"strategy.epochs": 2, "backbone": "small_cnn"},
}
"""A run of each: its strategy by the name, and its settings."""
MORE: dict[str, dict[str, Any]] = {
    "l2_sp": {"strategy.epochs": 1},
    "bss": {"strategy.epochs": 1, "strategy.count": 2},
    "lora": {"strategy.epochs": 2, "strategy.rank": 2},
    "mixed": {"strategy": "lp_ft", "strategy.epochs": 2, "strategy.mixup": 0.2, "strategy.cutmix": 0.5},
    "changed": {"strategy": "fine_tuning", "strategy.epochs": 2, "strategy.augmentation": "RandAugment"},
    "views": {"strategy": "last_blocks", "strategy.epochs": 3, "strategy.augmentation": "flip and crop", "strategy.views": 2},
    "two_classes": {"strategy": "linear_probe", "dataset.label_column": "half"},
    "sampled": {
        "strategy": "last_blocks",
        "strategy.epochs": 2,
        "strategy.balanced": "balanced sampling",
        "dataset.label_column": "bright",
    },
    "adjusted": {
        "strategy": "lp_ft",
        "strategy.epochs": 2,
        "strategy.balanced": "logit adjustment",
        "dataset.label_column": "bright",
    },
    "labels": {"strategy": "linear_probe", "task": "multi_label", "dataset.label_column": "labels"},
    "labels_tuned": {
        "strategy": "lp_ft",
        "task": "multi_label",
        "dataset.label_column": "labels",
        "strategy.label_smoothing": 0.1,
    },
    "numbers": {"strategy": "lp_ft", "task": "regression", "dataset.label_column": "light", "strategy.epochs": 2},
    "texts": {"strategy": "linear_probe", "dataset": "docstrings", "backbone": "bag_of_words", "backbone.words": 300},
    "texts_trained": {"strategy": "from_scratch", "dataset": "docstrings", "backbone": "text_cnn", "strategy.epochs": 1},
}
"""Runs that learn otherwise, or something else."""
DIGITS = {"dataset": "digits", "dataset.labels_per_class": 5, "image_size": SIZE}
REFUSED = [
    ({"strategy": "distillation", "strategy.teacher": EXAMPLE}, "another run teaches it"),
    ({"strategy": "head2toe"}, "its head stands on more than the network's features"),
    ({"strategy": "fine_tuning", "strategy.trials": 2}, "it tries several learning rates"),
    ({"strategy": "fine_tuning", "strategy.clip_norm": 1}, "it shortens gradients over several learning rates"),
    ({"strategy": "lp_ft", "metric": "macro_f1"}, "Macro F1 chose its epochs"),
]
"""Settings of runs of which no script can be written yet, and why."""
ALONE = """
import contextlib, io, json, runpy, sys
import tensorflow
tensorflow.config.run_functions_eagerly(True)  # to trace a graph takes longer than these few steps
sys.modules["tl_core"] = None
said = {}
for place in sys.argv[1:]:
    with contextlib.redirect_stdout(io.StringIO()) as told:
        runpy.run_path(place, run_name="__main__")
    said[place] = told.getvalue()
print(json.dumps(said))
"""
"""Runs scripts, one after the other, where this package is not."""


@pytest.fixture
def backbone(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Known, "catalogue", classmethod(lambda cls: (listing("Toy", {}, 1),)))
    with known() as name:
        yield name


def written(run_id: str, settings: Mapping[str, Any]) -> ScriptResult:
    """What is found of the script of a run with these settings, which is trained for it."""
    store = Store()
    spec = Recipe.of(RunSpec().with_settings(settings)).spec()
    left = store.home / f"left-{run_id}"
    left.mkdir()
    here = spec.model_copy(update={"deterministic": False})  # a process cannot go back
    artifacts.write_outcome(left, train(here, lambda event: None, cache=temporary_cache()))
    keep_outcome(store, run_id, spec, left)
    return answered(KerasScript(run_id=run_id), store.home, Recipe.of(spec))


def said(*run_ids: str) -> dict[str, str]:
    """What the scripts of these runs say, by the runs."""
    files = [str(scripts.place(Store().folder(run_id)) / scripts.SCRIPT) for run_id in run_ids]
    done = subprocess.run(
        [sys.executable, "-c", ALONE, *files], capture_output=True, text=True, check=False, timeout=HANGS_SECONDS, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    return {run_id: told[file] for run_id, file in zip(run_ids, files, strict=True)}


def own_images(tmp_path: Path) -> dict[str, Any]:
    """A folder of images in two classes, and a network that begins with random weights."""
    folder = write_images(tmp_path / "own images", classes=2, each=12)
    return SMALL_CNN | {"dataset": "image_folder", "dataset.path": str(folder)}


def lit_images(tmp_path: Path) -> Path:
    """A table of images of two halves: which of these are light, how light the whole is, 0..1, which half is lighter, and whether
    the whole is bright, as few are."""
    rng, rows = np.random.default_rng(0), ["path,labels,light,half,bright"]
    for number in range(60):
        left, right = rng.integers(0, 256, 2)
        pixels = np.clip(np.repeat([left, right], SIZE // 2)[None, :, None] + rng.integers(-40, 40, (SIZE, SIZE, 3)), 0, 255)
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"{number}.png")
        labels = "|".join(["left"] * int(left > 120) + ["right"] * int(right > 120))
        light = (left + right) / 510
        rows.append(f"{number}.png,{labels},{light},{'left' if left > right else 'right'},{'yes' if light > 0.65 else 'no'}")
    table = tmp_path / "lit.csv"
    table.write_text("\n".join(rows))
    return table


def test_what_lies_in_the_folder(home: Path, tmp_path: Path) -> None:
    found = written("own", own_images(tmp_path))
    folder, result = scripts.place(Store().folder("own")), artifacts.read_result(Store().folder("own"))
    assert found.files
    assert set(found.files) == {file.name for file in folder.iterdir()}
    assert set(found.files) == {"train.py", "train.ipynb", "spec.json", "backbone.keras", "blocks.json", "head.npz", "split.csv"}
    with (folder / "split.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    labels = [int(row["label"]) for row in rows if row["split"] == "test"]
    np.testing.assert_array_equal(labels, artifacts.read_predictions(Store().folder("own")).labels)
    assert all(Path(row["path"]).is_file() for row in rows)
    assert len(rows) == result.train_images + result.validation_images + result.test_images
    text, book = (folder / "train.py").read_text(), json.loads((folder / "train.ipynb").read_text())
    ast.parse(text)
    assert "tl_core" not in text
    code = ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "code"]
    sections = [section.partition("\n")[2].strip() for section in text.split("# %% ")[1:]]
    assert [section.strip().replace("Path()", "Path(__file__).parent") for section in code] == sections
    assert RunSpec.read(folder / "spec.json") == Store().run("own").spec


@pytest.mark.parametrize(("settings", "reason"), variants(REFUSED, REFUSED[:3]))
def test_what_no_script_can_say_is_refused_by_its_name(settings: dict[str, Any], reason: str, backbone: str, home: Path) -> None:
    store, spec = Store(), Recipe.of(RunSpec().with_settings(FEW | {"backbone": backbone, "image_size": SIZE} | settings)).spec()
    keep_run(store, "a", State.DONE, spec)
    left = stored_result(PROBE).model_copy(update={"train_sizes": (2,) * 16})
    with pytest.raises(SettingError) as caught:
        facts_of(evaluations.Testable(store.run("a"), store.folder("a"), left), lambda event: None, temporary_cache())
    title = Recipe.of(spec).strategy.title
    assert str(caught.value).startswith(f"{title} cannot be written as a script yet: {reason}")


@pytest.mark.parametrize(
    "families", [pytest.param(FAMILIES, marks=pytest.mark.process), pytest.param(MORE, marks=pytest.mark.full)]
)
def test_each_family_comes_to_the_same(families: dict[str, dict[str, Any]], backbone: str, home: Path, tmp_path: Path) -> None:
    runs = {name: DIGITS | {"backbone": backbone, "strategy": name} | settings for name, settings in families.items()}
    listed = {"dataset": "csv_manifest", "dataset.path": str(lit_images(tmp_path)), "dataset.labels_per_class": None}
    runs = {name: settings | (listed if "dataset.label_column" in settings else {}) for name, settings in runs.items()}
    runs |= {"files": own_images(tmp_path)} if families is FAMILIES else {}
    for name, settings in runs.items():
        assert not written(name, settings).error
    for name, told in said(*runs).items():
        result, folder = artifacts.read_result(Store().folder(name)), scripts.place(Store().folder(name))
        primary, images = Recipe.of(Store().run(name).spec).task.primary.name, result.test_images
        own = next(found.value for found in result.metrics if found.name == primary)
        ways = rf"^(\d+) of {images} test \w+ right: |^Mean .* on {images} test images: (.*)$"
        found = re.search(ways, told, re.MULTILINE)
        assert found, told
        now = float(found[2]) if found[2] else int(found[1]) / images
        assert abs(now - own) <= 0.005, (name, told)
        in_order = "enable_op_determinism" in (folder / scripts.SCRIPT).read_text()
        assert in_order == Store().run(name).spec.deterministic
        labels = artifacts.read_predictions(Store().folder(name)).labels
        if (folder / "data.npz").exists():
            np.testing.assert_array_equal(np.load(folder / "data.npz")["test_labels"], labels)
