"""From Python: `import tl_core as tl` offers training, stored runs, parts and their base classes, and is quick."""

import ast
import importlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

import tl_core as tl
from tests.helpers import FEW_CROPS, QUICK, SMALL_CNN, keep_run, python
from tests.tools.short_training import outcome
from tl_core.runs import artifacts
from tl_core.runs.states import State
from tl_core.runs.store import Store

LIGHT = """
import sys, tl_core as tl
print(sorted({"keras", "tensorflow", "streamlit", "numpy", "pydantic", "sqlalchemy"} & set(sys.modules)))
tl.parts("strategy"), tl.RunSpec(dataset="digits"), tl.Dataset, tl.Backbone, tl.Strategy, tl.Executor, tl.Network, tl.Phase
print(sorted({"keras", "tensorflow", "streamlit"} & set(sys.modules)))
"""


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[tl.RunSpec]:
    """The specs that were trained, by a training without Keras that gets one of four images right."""
    seen: list[tl.RunSpec] = []

    def train(spec: tl.RunSpec, report: Any, **how: Any) -> tl.Outcome:
        seen.append(spec)
        return outcome(step=4, first=0)

    monkeypatch.setitem(sys.modules, "tl_core.training.train", SimpleNamespace(train=train))
    return seen


def test_the_import_is_light() -> None:
    done = python(LIGHT)
    assert (done.out, done.code) == ("[]\n[]\n", 0), done.err


def test_what_type_checkers_see_is_what_there_is() -> None:
    tree = ast.parse(Path(tl.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    seen = {name.name: str(node.module) for node in imports for name in node.names}
    assert seen == tl._SOURCES
    assert set(seen) <= set(dir(tl))
    for name, module in seen.items():
        assert getattr(tl, name) is getattr(importlib.import_module(module), name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        tl.trian  # noqa: B018


def test_training_returns_the_result(trained: list[tl.RunSpec]) -> None:
    done = tl.train(dataset="digits", strategy="lp_ft")
    assert done.accuracy == done.result.accuracy == 0.25
    assert trained == [tl.RunSpec().with_settings({"dataset": "digits", "strategy": "lp_ft"})]


@pytest.mark.parametrize(
    "settings",
    [
        {"strategy": "lp_ft", "strategy.epochs": 5},
        {"strategy": {"name": "lp_ft", "epochs": 5}},
        {"strategy": tl.parts("strategy")["lp_ft"](epochs=5)},
        {"strategy": tl.parts("strategy")["lp_ft"](), "strategy.epochs": 5},
    ],
    ids=["dotted", "dict", "part", "part and dotted"],
)
def test_settings_of_parts(trained: list[tl.RunSpec], settings: dict[str, Any]) -> None:
    tl.train(**settings, seed=3, precision="float32")
    (spec,) = trained
    assert (spec.strategy.name, spec.strategy.settings["epochs"]) == ("lp_ft", 5)
    assert (spec.seed, spec.precision) == (3, "float32")


def test_a_spec_is_changed_by_settings(trained: list[tl.RunSpec]) -> None:
    tl.train(QUICK, seed=5)
    assert trained == [QUICK.with_settings({"seed": 5})]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"strategy": "lp_tf"}, "There is no strategy of that name. Did you mean lp_ft?"),
        ({"strategy.epochs": -1}, "There is no setting strategy.epochs"),
        ({"strategy": {"name": "lp_ft", "epochs": -1}}, "The setting strategy.epochs should be"),
        ({"strategy": 5}, "The setting strategy should be"),
        ({"epochs": 5}, "There is no setting epochs"),
        ({"backbone": "small_cnn"}, "Small CNN has no pretrained weights"),
        ({"executor": "ray"}, "Training from Python happens in this process"),
        ({"executor.address": "x"}, "Training from Python happens in this process"),
        ({"spec": "digits"}, 'A run to start from is a RunSpec. Name its parts: train(dataset="digits"). Received: digits'),
    ],
)
def test_a_mistake_is_told_before_anything_trains(trained: list[tl.RunSpec], settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(tl.TransferError) as raised:
        tl.train(**settings)
    assert str(raised.value).startswith(sentence)
    assert not trained


def test_a_part_that_is_not_registered_as_such_is_told(trained: list[tl.RunSpec]) -> None:
    """Its own name would be that of the part it is made from, which would train in its place."""
    registered = tl.parts("strategy")["lp_ft"]

    class Mine(registered):  # type: ignore[misc, valid-type]
        """It has no decorator."""

    for settings in ({"strategy": Mine()}, {"backbone": registered()}, {"seed": registered()}):
        with pytest.raises(tl.SettingError, match="is no registered"):
            tl.train(**settings)
    assert not trained


def test_parts_by_kind() -> None:
    assert tl.parts("dataset")["digits"].name == "digits"
    with pytest.raises(
        tl.SettingError,
        match=r"There is no such kind of part\. Known: dataset, backbone, strategy, executor, study, engine, metric, task, rank",
    ):
        tl.parts("strategies")


def test_a_part_of_ones_own() -> None:
    @tl.register("strategy", "mine")
    class Mine(tl.Strategy):
        """Train the head."""

        title: ClassVar[str] = "Mine"
        when_to_use: ClassVar[str] = "Here."

        def phases(self, backbone: tl.Backbone, blocks: Sequence[tl.BlockOutline], train_images: int) -> Iterator[tl.Phase]:
            yield tl.Phase("head", 1, 1e-3, 8, trains=tl.nothing)

    try:
        assert tl.parts("strategy")["mine"] is Mine
    finally:
        from tl_core.strategies import strategies

        del strategies._parts["mine"]


def test_a_stored_run_is_read(home: Path) -> None:
    store = Store()
    left = outcome(step=8, first=0)
    folder = store.new_folder()
    keep_run(store, folder.name, State.DONE, QUICK)
    artifacts.write_outcome(folder, left)
    run = tl.load_run(folder.name[-6:])
    assert (run.id, run.spec, run.accuracy, run.result) == (folder.name, QUICK, 0.5, left.result)
    assert run.predictions.probabilities.tolist() == left.predictions.probabilities.tolist()


def test_what_a_run_has_not_left_is_told(home: Path) -> None:
    store = Store()
    keep_run(store, "waiting", State.QUEUED, QUICK)
    run = tl.load_run("waiting")
    for read in (lambda: run.accuracy, lambda: run.predictions, lambda: run.model):
        with pytest.raises(tl.RunError):
            read()
    with pytest.raises(tl.RunError, match="There is no run of that id here"):
        tl.load_run("no such run")


def test_a_real_training_and_its_model(home: Path) -> None:
    """Two calls in one process give the same; the features and the model are Keras' own."""
    told: list[Any] = []
    settings: dict[str, Any] = FEW_CROPS | SMALL_CNN
    first = tl.train(report=told.append, **settings)
    assert first.result == tl.train(**settings).result.model_copy(update={"timings": first.result.timings})
    assert told
    store = Store()
    folder = store.new_folder()
    keep_run(store, folder.name, State.DONE, QUICK)
    artifacts.write_outcome(folder, first)
    pixels = first.predictions.hardest_pixels.astype("float32")
    loaded = tl.load_run(folder.name).model
    assert loaded.predict_on_batch(pixels).tolist() == first.model.predict_on_batch(pixels).tolist()
