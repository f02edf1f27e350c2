"""What every strategy keeps to: its phases on plain outlines, and its example after a real training on a few images."""

import json
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tl_core.backbones import Backbone, BlockOutline
from tl_core.backbones.finished_run import EXAMPLE
from tl_core.data.resizing import SquarePixels
from tl_core.events import Event, Plan, Stage, Step
from tl_core.features.cache import ActivationCache
from tl_core.features.inputs import EncodedInputs
from tl_core.networks.classifier import CENTRE
from tl_core.planning import cost_model
from tl_core.recipe import Recipe
from tl_core.spec import PartSpec, RunSpec
from tl_core.strategies import HEAD, BatchNorm, Moves, Phase, Strategy
from tl_core.strategies._by_gradient import FromProbe
from tl_core.testing._toy import SIZE, Known, ToyBackbone, finish_example
from tl_core.training.evaluation import outcome_of
from tl_core.training.freezing import digests
from tl_core.training.train import set_up

BLOCKS = tuple(BlockOutline(f"block {n}", layers=3, parameters=100, norm_parameters=20, multiply_adds=1000) for n in range(3))
IMAGES = PartSpec.model_validate({"name": "photo_patches", "labels_per_class": 2, "validation_per_class": 1, "test_per_class": 1})


class Trained:
    """A strategy after a real training on a few images: what was reported, recorded and left.

    It ends with its last epoch: what went back to where it began would not have moved.
    """

    def __init__(self, part: type[Strategy], folder: Path) -> None:
        self.strategy = part.example()
        if isinstance(self.strategy, FromProbe):
            self.strategy = self.strategy.model_copy(update={"restore_best": False})
        self.events: list[Event] = []
        self.before: list[dict[str, str]] = []
        self.after: list[dict[str, str]] = []
        self.training = set_up(recipe_of(self.strategy), self.events.append, cache=ActivationCache(folder, 10**9))
        self.data, self.network, self.model = self.training.data, self.training.network, self.training.model
        self.phases = self.training.cuts.phases
        for phase in self.phases:
            self.before.append(digests(self.model))
            self.training.train_phase(phase)
            self.after.append(digests(self.model))
        self.outcome = outcome_of(self.training)

    @cached_property
    def head(self) -> Any:
        """Return the head's own layer."""
        return self.model.get_layer(HEAD)

    def expected_to_train(self, phase: Phase) -> set[str]:
        """Return the paths of what `phase` trains, worked out from the network's blocks, independently of `freezing`."""
        names = phase.trained_blocks(self.training.blocks)
        layers = [layer for block in self.network.blocks if block.name in names for layer in block.layers]
        weights = {weight.path for layer in layers for weight in layer.weights if _trains(layer, weight, phase)}
        return weights | {weight.path for weight in self.head.weights}


def recipe_of(strategy: Strategy) -> Recipe:
    """Return a run with `strategy` on a small network, as if that had been pretrained where the strategy needs it."""
    recipe = Recipe.of(RunSpec(dataset=IMAGES, strategy=strategy.spec(), image_size=SIZE))
    if strategy.teacher_run == EXAMPLE:
        finish_example(IMAGES)
    return replace(recipe, strategy=strategy, backbone=_backbone_for(strategy))


def check_says_when_to_use_it(part: type[Strategy]) -> None:
    """Check that it says in sentences when to use it."""
    assert part.when_to_use.endswith(".")


def check_the_settings_that_it_names_are_its_own(part: type[Strategy]) -> None:
    """Those of its learning rate, its epochs and its batches."""
    named = {part.rate_setting, part.epochs_setting, part.batch_setting} - {None}
    assert named <= part.model_fields.keys()


def check_phases_are_plain_values(part: type[Strategy]) -> None:
    """Check that phases are the same each time, and have names that differ and values that training can use."""
    strategy = part.example()
    first, second = (list(strategy.phases(_backbone_for(strategy), BLOCKS, 32)) for _ in range(2))
    assert first
    assert [phase.described(BLOCKS) for phase in first] == [phase.described(BLOCKS) for phase in second]
    assert len({phase.name for phase in first}) == len(first)
    for phase in first:
        assert phase.name
        assert phase.solver is None or (phase.epochs == 1 and not phase.trained_blocks(BLOCKS))
        assert min(phase.factors([block.name for block in BLOCKS]).values()) >= 0
        assert phase.epochs >= 1
        assert 0 < phase.learning_rate <= 1
        assert phase.batch_size >= 1
        assert phase.batch_norm in BatchNorm
        assert phase.moves in Moves
        assert set(phase.trained_blocks(BLOCKS)) <= {block.name for block in BLOCKS}
        assert json.loads(json.dumps(phase.described(BLOCKS))) == phase.described(BLOCKS)


def check_phases_fit_networks_of_one_block(part: type[Strategy]) -> None:
    """Check that there are phases, however few blocks there are."""
    strategy = part.example()
    assert list(strategy.phases(_backbone_for(strategy), BLOCKS[:1], 32))


def check_its_spec_makes_a_run(part: type[Strategy]) -> None:
    """Check that a run with it can start."""
    recipe_of(part.example()).require_runnable()


def check_joins_into_one_flat_graph(part: type[Strategy]) -> None:
    """Check that the model has the network's layers and a head for the classes on top, and no model within it."""
    trained = _trained(part)
    model = trained.model
    assert not [layer.name for layer in model.layers if isinstance(layer, keras.Model)]
    assert {layer.name for layer in trained.network.model.layers} <= {layer.name for layer in model.layers}
    assert model.layers[-1].name == HEAD
    assert model.output.shape[1:] == (len(trained.data.class_names),)
    assert model.output.dtype == "float32"


def check_probabilities_sum_to_one(part: type[Strategy]) -> None:
    """Check that the probabilities of each test image sum to 1, in float32."""
    trained = _trained(part)
    probabilities = trained.outcome.predictions.probabilities
    assert probabilities.shape == (len(trained.data.test), len(trained.data.class_names))
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (probabilities >= 0).all()


def check_the_record_is_exact(part: type[Strategy]) -> None:
    """Check what a record says of each phase against what the phase asked for and what the variables did."""
    trained = _trained(part)
    records = trained.outcome.result.phases
    assert [record.name for record in records] == [phase.name for phase in trained.phases]
    for phase, record, before, after in zip(trained.phases, records, trained.before, trained.after, strict=True):
        moved = {path for path in before if before[path] != after[path]}
        assert set(record.trained) == trained.expected_to_train(phase)
        may_stay = {trained.head.bias.path} if phase.solver else set()  # a computed head may need no bias
        assert set(record.trained) - may_stay <= moved  # all of it moved, nothing was frozen by mistake
        statistics = {path for path in moved - set(record.trained) if path.split("/")[-1].startswith("moving_")}
        assert moved - set(record.trained) == statistics | (moved & _centre(phase, before))
        assert not statistics or phase.batch_norm == BatchNorm.ADAPTS
        frozen = len(before) - len(set(record.trained) | statistics | _centre(phase, before))
        assert record.frozen_tensors == record.unchanged_tensors == frozen
        assert record.blocks == phase.trained_blocks(trained.training.blocks)


def check_the_count_before_the_run_is_the_count_after_it(part: type[Strategy]) -> None:
    """Check that as many parameters train as the pages say before it starts."""
    trained = _trained(part)
    head = trained.head.count_params()
    features = trained.strategy.feature_size(trained.network.outline())
    assert head == (features + 1) * len(trained.data.class_names)
    for phase, record in zip(trained.phases, trained.outcome.result.phases, strict=True):
        assert cost_model.trainable_parameters(phase, trained.training.blocks, head) == record.trainable_parameters


def check_progress_was_planned_exactly(part: type[Strategy]) -> None:
    """Check that progress only rises, ends at its total, and has as many steps as the plan."""
    trained = _trained(part)
    progress = trained.training.progress
    np.testing.assert_allclose(progress.passed, progress.total, rtol=1e-6)
    shares = [event.done for event in trained.events if isinstance(event, Stage | Step) and event.done > 0]
    assert shares == sorted(shares)
    plan = next(event for event in trained.events if isinstance(event, Plan))
    steps = sum(phase["epochs"] * phase["steps_per_epoch"] for phase in plan.phases)
    solved = sum(phase.solver is not None for phase in trained.phases)
    assert progress.steps == steps == solved + sum(isinstance(event, Step) for event in trained.events)


def check_a_computed_head_is_the_one_in_the_model(part: type[Strategy]) -> None:
    """Check that a model with a computed head has the loss that was measured with the head alone: both normalise alike."""
    trained = _trained(part)
    ended = trained.outcome.result.phases[-1].ended
    if trained.phases[-1].solver and ended and ended.loss is not None:
        images = trained.data.train
        pixels = EncodedInputs(images, SquarePixels(SIZE)).batch(np.arange(len(images))).astype(np.float32)
        of_truth = trained.outcome.model.predict_on_batch(pixels)[np.arange(len(images)), images.labels]
        np.testing.assert_allclose(-np.log(of_truth).mean(), ended.loss, rtol=1e-3, atol=1e-4)


def check_the_model_survives_saving(part: type[Strategy]) -> None:
    """Check that the saved model gives the same bits."""
    trained = _trained(part)
    model = trained.outcome.model
    with tempfile.TemporaryDirectory(prefix="transfer_lab_") as folder:
        model.save(Path(folder, "model.keras"))
        loaded = keras.saving.load_model(Path(folder, "model.keras"))
    pixels = EncodedInputs(trained.data.test, SquarePixels(SIZE)).batch(np.arange(4)).astype(np.float32)
    np.testing.assert_array_equal(loaded.predict_on_batch(pixels), model.predict_on_batch(pixels))


@lru_cache(maxsize=1)  # one check after the other looks at the same
def _trained(part: type[Strategy]) -> Trained:
    with tempfile.TemporaryDirectory(prefix="transfer_lab_") as folder:
        return Trained(part, Path(folder))


def _backbone_for(strategy: Strategy) -> Backbone:
    return Known() if strategy.pretrained else ToyBackbone()


def _trains(layer: Any, weight: Any, phase: Phase) -> bool:
    name = weight.path.split("/")[-1]
    if isinstance(layer, keras.layers.BatchNormalization | keras.layers.LayerNormalization):
        still = isinstance(layer, keras.layers.BatchNormalization) and phase.batch_norm == BatchNorm.FROZEN
        return name in {"gamma", "beta"} and not still and phase.moves != Moves.ADAPTERS
    if name.startswith("lora_kernel"):
        return phase.moves == Moves.ADAPTERS
    return phase.moves == Moves.EVERYTHING or (phase.moves == Moves.BIASES and name == "bias")


def _centre(phase: Phase, paths: Iterable[str]) -> set[str]:
    """Return the paths of what a solver may set beside the head's own layer."""
    return {path for path in paths if phase.solver and path.startswith(CENTRE)}
