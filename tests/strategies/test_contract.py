"""What every strategy keeps to, whichever module it comes from: a new one is tested here without an edit."""

import json
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
import pytest

from tests.tools.toy import SIZE, Known, ToyBackbone, known, temporary_cache
from tl_core import executors, strategies
from tl_core.backbones import Backbone, BlockOutline
from tl_core.datasets import datasets
from tl_core.events import Event, Plan, Stage, Step
from tl_core.features.resizing import SizedImages
from tl_core.networks.classifier import CENTRE
from tl_core.planning import cost_model
from tl_core.recipe import Recipe
from tl_core.result import Outcome
from tl_core.spec import PartSpec, RunSpec
from tl_core.strategies import HEAD, BatchNorm, Moves, Phase, Strategy
from tl_core.training.freezing import digests
from tl_core.training.train import prepare

PARTS = strategies.strategies.parts()
TOY = tuple(BlockOutline(f"block {n}", layers=3, parameters=100, norm_parameters=20, multiply_adds=1000) for n in range(3))
IMAGES = {"labels_per_class": 2, "validation_per_class": 1, "test_per_class": 1}


class Trained:
    """A strategy's example after a real run on a few images: what was reported, recorded and left."""

    def __init__(self, strategy: Strategy) -> None:
        self.strategy = strategy
        self.events: list[Event] = []
        self.before: list[dict[str, str]] = []
        self.after: list[dict[str, str]] = []
        dataset = datasets.build(PartSpec.model_validate({"name": "photo_patches"} | IMAGES))
        recipe = Recipe(dataset, backbone_for(strategy), strategy, executors.build(PartSpec(name="local")), SIZE, 0)
        self.training = prepare(recipe, self.events.append, cache=temporary_cache())
        self.data, self.network, self.model = self.training.data, self.training.network, self.training.model
        self.phases = self.training.cuts.phases
        self.outcome = self.train()

    def train(self) -> Outcome:
        for phase in self.phases:
            self.before.append(digests(self.model))
            self.training.train_phase(phase)
            self.after.append(digests(self.model))
        return self.training.test()


def backbone_for(strategy: Strategy) -> Backbone:
    """Small ones: what a strategy keeps to does not depend on the network. `test_real_network` has the real one."""
    return Known() if strategy.pretrained else ToyBackbone()


@pytest.fixture(scope="module", params=sorted(PARTS))
def strategy(request: pytest.FixtureRequest) -> Strategy:
    """Its example, which ends with its last epoch: what went back to where it began would not have moved."""
    example = PARTS[request.param].example()
    return example.model_copy(update={"restore_best": False} if "restore_best" in type(example).model_fields else {})


@pytest.fixture(scope="module")
def trained(strategy: Strategy) -> Trained:
    return Trained(strategy)


def test_says_when_to_use_it(strategy: Strategy) -> None:
    assert strategy.when_to_use.endswith(".")


def test_phases_are_plain_values(strategy: Strategy) -> None:
    first, second = (list(strategy.phases(backbone_for(strategy), TOY, 32)) for _ in range(2))
    assert first
    assert [phase.described(TOY) for phase in first] == [phase.described(TOY) for phase in second]
    assert len({phase.name for phase in first}) == len(first)
    for phase in first:
        assert phase.name
        assert phase.solver is None or (phase.epochs == 1 and not phase.trained_blocks(TOY))
        assert min(phase.factors([block.name for block in TOY]).values()) >= 0
        assert phase.epochs >= 1
        assert 0 < phase.learning_rate <= 1
        assert phase.batch_size >= 1
        assert phase.batch_norm in BatchNorm
        assert phase.moves in Moves
        assert set(phase.trained_blocks(TOY)) <= {block.name for block in TOY}
        assert json.loads(json.dumps(phase.described(TOY))) == phase.described(TOY)


def test_phases_fit_networks_of_one_block(strategy: Strategy) -> None:
    assert list(strategy.phases(backbone_for(strategy), TOY[:1], 32))


def test_joins_into_one_flat_graph(trained: Trained) -> None:
    model = trained.model
    assert not [layer.name for layer in model.layers if isinstance(layer, keras.Model)]
    assert {layer.name for layer in trained.network.model.layers} <= {layer.name for layer in model.layers}
    assert model.layers[-1].name == HEAD
    assert model.output.shape[1:] == (len(trained.data.class_names),)
    assert model.output.dtype == "float32"


def test_probabilities_sum_to_one(trained: Trained) -> None:
    probabilities = trained.outcome.predictions.probabilities
    assert probabilities.shape == (len(trained.data.test), len(trained.data.class_names))
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (probabilities >= 0).all()


def test_the_record_is_exact(trained: Trained) -> None:
    """What a record says of each phase, against what the phase asked for and what the variables did."""
    records = trained.outcome.result.phases
    assert [record.name for record in records] == [phase.name for phase in trained.phases]
    for phase, record, before, after in zip(trained.phases, records, trained.before, trained.after, strict=True):
        moved = {path for path in before if before[path] != after[path]}
        assert set(record.trained) == expected_to_train(trained, phase)
        assert set(record.trained) <= moved  # all of it moved, nothing was frozen by mistake
        statistics = {path for path in moved - set(record.trained) if path.split("/")[-1].startswith("moving_")}
        assert moved - set(record.trained) == statistics | (moved & centre(phase, before))
        assert not statistics or phase.batch_norm == BatchNorm.ADAPTS
        assert (
            record.frozen_tensors
            == record.unchanged_tensors
            == len(before) - len(set(record.trained) | statistics | centre(phase, before))
        )
        assert record.blocks == phase.trained_blocks(trained.training.blocks)


def centre(phase: Phase, paths: Iterable[str]) -> set[str]:
    """What a solver may set beside the head's own layer."""
    return {path for path in paths if phase.solver and path.startswith(CENTRE)}


def expected_to_train(trained: Trained, phase: Phase) -> set[str]:
    """Said again from the network's blocks, independently of `freezing`."""
    names = phase.trained_blocks(trained.training.blocks)
    layers = [layer for block in trained.network.blocks if block.name in names for layer in block.layers]
    weights = {weight.path for layer in layers for weight in layer.weights if wanted(layer, weight, phase)}
    return weights | {weight.path for weight in trained.model.get_layer(HEAD).weights}


def wanted(layer: Any, weight: Any, phase: Phase) -> bool:
    name = weight.path.split("/")[-1]
    if isinstance(layer, keras.layers.BatchNormalization | keras.layers.LayerNormalization):
        still = isinstance(layer, keras.layers.BatchNormalization) and phase.batch_norm == BatchNorm.FROZEN
        return name in {"gamma", "beta"} and not still and phase.moves != Moves.ADAPTERS
    if name.startswith("lora_kernel"):
        return phase.moves == Moves.ADAPTERS
    return phase.moves == Moves.EVERYTHING or (phase.moves == Moves.BIASES and name == "bias")


def test_the_count_told_before_the_run_is_the_count_after_it(trained: Trained) -> None:
    head = trained.model.get_layer(HEAD).count_params()
    features = trained.strategy.feature_size(trained.network.outline())
    assert head == (features + 1) * len(trained.data.class_names)
    for phase, record in zip(trained.phases, trained.outcome.result.phases, strict=True):
        assert cost_model.trainable_parameters(phase, trained.training.blocks, head) == record.trainable_parameters


def test_progress_was_planned_exactly(trained: Trained) -> None:
    progress = trained.training.progress
    assert progress.passed == pytest.approx(progress.total)
    shares = [event.done for event in trained.events if isinstance(event, Stage | Step) and event.done > 0]
    assert shares == sorted(shares)
    plan = next(event for event in trained.events if isinstance(event, Plan))
    steps = sum(phase["epochs"] * phase["steps_per_epoch"] for phase in plan.phases)
    solved = sum(phase.solver is not None for phase in trained.phases)
    assert progress.steps == steps == solved + sum(isinstance(event, Step) for event in trained.events)


def test_the_model_survives_saving(trained: Trained, tmp_path: Any) -> None:
    trained.outcome.model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    pixels = SizedImages(trained.data.test, SIZE).batch(np.arange(4)).astype(np.float32)
    np.testing.assert_array_equal(loaded.predict_on_batch(pixels), trained.outcome.model.predict_on_batch(pixels))


def test_its_spec_makes_a_run(strategy: Strategy) -> None:
    with known() as name:
        spec = RunSpec(strategy=strategy.spec()).with_settings({"backbone": name if strategy.pretrained else "small_cnn"})
        Recipe.of(spec).require_runnable()
