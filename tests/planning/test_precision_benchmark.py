"""Precision: measured for real on this machine, chosen by what was measured, and trained in."""

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.helpers import FEW_CROPS, QUICK, processes_of, wait_until
from tests.tools.variants import variants
from tl_core import backbones
from tl_core.backbones import Backbone
from tl_core.events import Event
from tl_core.jobs import background
from tl_core.planning import backbone_profile, cost_model, precision_speeds
from tl_core.planning.backbone_profile import BackboneProfile
from tl_core.planning.cuts import SplitSizes
from tl_core.precision import CHOICES, Precision, Speed, Speeds
from tl_core.recipe import Recipe
from tl_core.spec import PartSpec, RunSpec
from tl_core.studies import COMMAND
from tl_core.studies.precision_benchmark import PrecisionBenchmark
from tl_core.system.settings import cache_room
from tl_core.training.train import in_float32, train

STUDY = PrecisionBenchmark()
IMAGES = SplitSizes(32, 16, 32)
TENSORFLOW = keras.backend.backend() == "tensorflow"


@pytest.fixture
def backbone() -> Backbone:
    return backbones.build(PartSpec.model_validate({"name": "small_cnn", "width": 4}))


def measured(**seconds: tuple[float, float, float]) -> Speeds:
    return Speeds("CPU", 32, {Precision[name]: Speed(*each) for name, each in seconds.items()})


def test_float32_where_nothing_else_pays() -> None:
    assert measured().fastest(0, 100) is Precision.FLOAT32
    assert measured(BFLOAT16=(0, 1, 1)).fastest(0, 100) is Precision.FLOAT32
    assert measured(FLOAT32=(0, 1, 1), BFLOAT16=(0, 0.95, 0.95)).fastest(0, 100) is Precision.FLOAT32


def test_what_is_frozen_and_training_are_two_things() -> None:
    """As on one processor: 16 bits are faster forward and slower backward."""
    known = measured(FLOAT32=(0, 1, 1), BFLOAT16=(0, 1.5, 0.7))
    assert known.fastest(100, 0) is Precision.BFLOAT16
    assert known.fastest(0, 100) is Precision.FLOAT32
    assert known.fastest(100, 10) is Precision.BFLOAT16


def test_compiling_must_be_earned() -> None:
    known = measured(FLOAT32=(0, 0.96, 0.32), FLOAT32_XLA=(10, 0.48, 0.16))
    assert known.seconds(Precision.FLOAT32, 100, 900) == pytest.approx(10)
    assert known.seconds(Precision.FLOAT32_XLA, 100, 900) == pytest.approx(15)
    assert known.fastest(100, 900) is Precision.FLOAT32
    assert known.fastest(1000, 9000) is Precision.FLOAT32_XLA


@pytest.mark.full
@pytest.mark.process
def test_it_is_measured_on_request_and_decides(home: Path, backbone: Backbone) -> None:
    recipe = Recipe.of(QUICK)
    assert precision_speeds.read(home, backbone, 16) is None
    assert precision_speeds.decide(home)(recipe, IMAGES) is Precision.FLOAT32
    STUDY.request(home, recipe)
    STUDY.request(home, recipe)
    assert STUDY.is_at_work(home, recipe)
    assert len(wait_until(lambda: processes_of(home, COMMAND))) == 1
    wait_until(lambda: not STUDY.is_at_work(home, recipe))
    known = precision_speeds.read(home, backbone, 16)
    assert known
    assert tuple(known.speeds) == tuple(each for each in CHOICES if TENSORFLOW or not each.xla)
    assert all(speed.step_seconds > 0 and speed.forward_seconds > 0 for speed in known.speeds.values())
    assert precision_speeds.decide(home)(recipe, IMAGES) is Precision.FLOAT32  # until the backbone's blocks are known
    backbone_profile.request(home, backbone, 16)
    probe = wait_until(lambda: BackboneProfile.read(home, backbone, 16))
    work = cost_model.of(recipe, probe.outline.blocks, IMAGES, cache_room(home)).total
    assert precision_speeds.decide(home)(recipe, IMAGES) is known.fastest(work.frozen, work.trained)


def test_what_was_measured_on_another_device_does_not_count(home: Path, backbone: Backbone) -> None:
    file = precision_speeds.file(home, backbone, 16)
    file.parent.mkdir(parents=True)
    background.write(file, Speeds("another device", 32, {Precision.FLOAT32: Speed(0, 1, 1)}))
    assert precision_speeds.read(home, backbone, 16) is None
    for content in ("", "{", '{"device": 1}'):
        file.write_text(content)
        assert precision_speeds.read(home, backbone, 16) is None


@pytest.mark.parametrize(
    "strategy", variants(["from_scratch", "linear_probe", "lp_ft", "bss", "head2toe"], {"from_scratch", "linear_probe"})
)
def test_a_run_in_16_bits(strategy: str) -> None:
    """It learns, its variables and its probabilities keep 32 bits, and it says what it was computed in."""
    backbone = {"backbone": "small_cnn", "strategy.epochs": 2} if strategy == "from_scratch" else {}
    spec = RunSpec().with_settings(FEW_CROPS | {"strategy": strategy, "image_size": 32, "precision": "mixed bfloat16"} | backbone)
    outcome = train(spec, lambda event: None)
    assert outcome.result.precision is Precision.BFLOAT16
    assert outcome.predictions.probabilities.dtype == np.float32
    np.testing.assert_allclose(outcome.predictions.probabilities.sum(axis=1), 1, atol=1e-5)
    assert {keras.backend.standardize_dtype(each.dtype) for each in outcome.model.trainable_variables} <= {"float32"}
    assert any(layer.compute_dtype == "bfloat16" for layer in outcome.model.layers)


@pytest.mark.skipif(not TENSORFLOW, reason="XLA is a choice with TensorFlow alone")
@pytest.mark.full
@pytest.mark.parametrize("strategy", ["from_scratch", "lp_ft"])
def test_a_run_with_xla(strategy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[bool] = []
    plain = keras.Model.jit_compile.fset

    def seen(self: keras.Model, value: bool) -> None:
        compiled.append(value)
        plain(self, value)

    monkeypatch.setattr(keras.Model, "jit_compile", keras.Model.jit_compile.setter(seen))
    settings = {"backbone": "small_cnn"} if strategy == "from_scratch" else {}
    spec = RunSpec().with_settings(FEW_CROPS | {"strategy": strategy, "strategy.epochs": 1, "image_size": 32} | settings)
    outcome = train(spec.with_settings({"precision": "float32 with XLA"}), lambda event: None)
    assert outcome.result.precision is Precision.FLOAT32_XLA
    assert True in compiled
    compiled.clear()
    assert train(spec, lambda event: None).result.precision is Precision.FLOAT32
    assert True not in compiled


def test_what_is_open_is_decided_once_the_data_are_known() -> None:
    asked: list[SplitSizes] = []

    def decide(recipe: Recipe, images: SplitSizes) -> Precision:
        asked.append(images)
        return Precision.BFLOAT16

    told: list[Event] = []
    assert train(QUICK, told.append, decide=decide).result.precision is Precision.BFLOAT16
    assert asked == [IMAGES]
    explicit = QUICK.with_settings({"precision": "float32"})
    assert train(explicit, told.append, decide=decide).result.precision is Precision.FLOAT32
    assert len(asked) == 1
    assert in_float32(Recipe.of(QUICK), IMAGES) is Precision.FLOAT32
