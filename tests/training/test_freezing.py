"""Keras' traps of transfer learning, one by one: each test fails where the trap bites in our path.

The numbers are those of shared/reference/keras-traps.md, which says how each was found.
"""

from contextlib import nullcontext
from typing import Any

import keras
import numpy as np
import pytest

from tests.tools.toy import SIZE, TOY, begin, shortened, toy_network
from tl_core.events import Event, Step
from tl_core.networks.outline import Network
from tl_core.strategies import HEAD, BatchNorm, Phase, everything, last_blocks, nothing
from tl_core.training.freezing import Freezer, Frozen, count_parameters, digests, require_exact
from tl_core.training.prepare import PhasePreparer

BACKEND = keras.backend.backend()
RATE = 1e-2
HEAD_ALONE = Phase("head", 1, RATE, 8, trains=nothing)
TOP_TWO = Phase("top", 1, RATE, 8, trains=last_blocks(2))
ALL_FROZEN_NORM = Phase("all", 1, RATE, 8, trains=everything)
ALL_ADAPTING = Phase("all", 1, RATE, 8, trains=everything, batch_norm=BatchNorm.ADAPTS)

PIXELS = np.random.default_rng(0).uniform(0, 255, (8, SIZE, SIZE, 3)).astype(np.float32)
LABELS = np.arange(8) % 3


def block_names(network: Network, phase: Phase) -> tuple[str, ...]:
    return phase.trained_blocks(network.outline().blocks)


def compile_and_step(model: Any, steps: int = 3) -> None:
    model.compile(optimizer=keras.optimizers.Adam(RATE), loss="sparse_categorical_crossentropy")
    for _ in range(steps):
        model.train_on_batch(PIXELS, LABELS)


def train_phase(freezer: Freezer, network: Network, model: Any, phase: Phase) -> tuple[Frozen, set[str]]:
    """The paths of the variables that moved while `phase` trained, as `training` does it."""
    frozen = freezer.freeze(phase, block_names(network, phase))
    before = digests(model)
    compile_and_step(model)
    require_exact(model, frozen)
    return frozen, {path for path, digest in digests(model).items() if before[path] != digest}


def norm_paths(model: Any, names: tuple[str, ...]) -> set[str]:
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    return {weight.path for layer in layers for weight in layer.weights if weight.name in names}


STATISTICS, SCALE_AND_SHIFT = ("moving_mean", "moving_variance"), ("gamma", "beta")


def test_trap_1_exists_in_this_keras() -> None:
    """`training=False` does not keep statistics still: the day it does, `freezing` may become simpler."""
    network, _ = toy_network()
    pixels = keras.Input((SIZE, SIZE, 3))
    model = keras.Model(pixels, keras.layers.Dense(3, activation="softmax")(network.model(pixels, training=False)))
    before = digests(model)
    compile_and_step(model)
    moved = {path for path, digest in digests(model).items() if before[path] != digest}
    assert any(path.endswith("moving_mean") for path in moved)


@pytest.mark.parametrize("phase", [HEAD_ALONE, TOP_TWO, ALL_FROZEN_NORM], ids=lambda phase: phase.name)
def test_trap_1_frozen_batch_norm_keeps_every_bit(phase: Phase) -> None:
    network, model = toy_network()
    frozen, moved = train_phase(Freezer(model, network), network, model, phase)
    norm = norm_paths(model, STATISTICS + SCALE_AND_SHIFT)
    assert norm
    assert not moved & norm
    assert norm <= set(frozen.before)
    assert moved == set(frozen.trained)
    assert frozen.unchanged(model) == len(frozen.before) == len(model.weights) - len(moved)


def test_trap_1_frozen_batch_norm_infers_while_the_rest_trains() -> None:
    """In a training step the frozen layers normalise by their statistics, not by those of the batch."""
    network, model = toy_network()
    Freezer(model, network).freeze(ALL_FROZEN_NORM, block_names(network, ALL_FROZEN_NORM))
    training, inferring = (keras.ops.convert_to_numpy(model(PIXELS, training=flag)) for flag in (True, False))
    np.testing.assert_allclose(training, inferring, rtol=1e-5)


def test_adapting_batch_norm_moves_all_of_it() -> None:
    network, model = toy_network()
    frozen, moved = train_phase(Freezer(model, network), network, model, ALL_ADAPTING)
    assert moved == {weight.path for weight in model.weights}
    assert set(frozen.trained) == moved - norm_paths(model, STATISTICS)
    assert frozen.before == {}


def test_trap_2_a_phase_releases_what_the_one_before_it_froze() -> None:
    """The recursive setter would leave the leaves frozen, in silence, since the model itself is trainable already."""
    network, model = toy_network()
    freezer = Freezer(model, network)
    train_phase(freezer, network, model, HEAD_ALONE)
    frozen, moved = train_phase(freezer, network, model, ALL_ADAPTING)
    assert any("conv" in path for path in frozen.trained)
    assert set(frozen.trained) <= moved


def test_trap_2_a_phase_freezes_what_the_one_before_it_trained() -> None:
    network, model = toy_network()
    freezer = Freezer(model, network)
    train_phase(freezer, network, model, ALL_ADAPTING)
    _, moved = train_phase(freezer, network, model, HEAD_ALONE)
    assert moved == {weight.path for weight in model.get_layer(HEAD).weights}


def test_only_the_blocks_asked_for_move() -> None:
    network, model = toy_network()
    frozen, moved = train_phase(Freezer(model, network), network, model, TOP_TWO)
    released = {layer.name for block in network.blocks[-2:] for layer in block.layers} | {HEAD}
    assert {path.split("/")[-2] for path in moved} <= released
    assert moved == set(frozen.trained)
    assert count_parameters(model, set(frozen.trained)) == sum(
        int(np.prod(weight.shape)) for weight in model.weights if weight.path in moved
    )


@pytest.mark.parametrize("released", [True, False])
def test_trap_3_a_layer_switched_behind_our_back_is_noticed(released: bool) -> None:
    """Trainable after `freeze`, before `compile`: the optimizer would train it, and the record would not know."""
    network, model = toy_network()
    phase = HEAD_ALONE if released else ALL_FROZEN_NORM
    frozen = Freezer(model, network).freeze(phase, block_names(network, phase))
    model.get_layer("block2_conv").trainable = released
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    with pytest.raises(RuntimeError, match=r"trainable variables differ from the phase's: .*block2_conv/kernel"):
        require_exact(model, frozen)


def test_trap_3_freezing_without_a_new_compile_is_caught_by_the_proof() -> None:
    """What a run would be that froze and forgot to compile: Keras says the layer is frozen, and it moves.

    So it is on TensorFlow. JAX refuses the step, and torch, which traces nothing, asks again at each step what trains.
    """
    network, model = toy_network()
    freezer = Freezer(model, network)
    train_phase(freezer, network, model, ALL_ADAPTING)
    frozen = freezer.freeze(HEAD_ALONE, ())
    require_exact(model, frozen)  # Keras' list looks right
    with pytest.raises(ValueError, match="built with") if BACKEND == "jax" else nullcontext():
        for _ in range(3):
            model.train_on_batch(PIXELS, LABELS)
    assert (frozen.unchanged(model) < len(frozen.before)) == (BACKEND == "tensorflow")


def test_a_run_does_not_claim_what_it_cannot_prove() -> None:
    """A frozen variable is changed in the middle of a phase, by one bit; nothing but the proof can see it."""

    def meddle(event: Event) -> None:
        if isinstance(event, Step) and event.step == 1:
            variable = training.model.get_layer("block1_norm").moving_mean
            variable.assign(np.nextafter(keras.ops.convert_to_numpy(variable), np.float32(9)))

    training, (phase,) = begin(meddle)
    with pytest.raises(RuntimeError, match=r"1 frozen tensors moved in the phase everything\."):
        training.train_phase(shortened(phase, trains=last_blocks(1)))
    assert training.state.records == []


def test_a_run_refuses_a_phase_that_trains_other_variables() -> None:
    """A layer that the freezer does not know of: the run ends before its first step."""
    steps: list[Event] = []
    training, (phase,) = begin(steps.append)
    freeze = training.preparer.freeze

    class Forgetful(PhasePreparer):
        def __init__(self) -> None:
            vars(self).update(vars(training.preparer))

        def freeze(self, phase: Phase) -> Frozen:
            frozen = freeze(phase)
            training.model.get_layer("block3_conv").trainable = False
            return frozen

    training.preparer = Forgetful()
    with pytest.raises(RuntimeError, match="trainable variables differ"):
        training.train_phase(shortened(phase, trains=last_blocks(1)))
    assert not [event for event in steps if isinstance(event, Step)]


def test_trap_7_every_phase_has_a_fresh_optimizer_at_its_own_rate() -> None:
    """A compile forgets the optimizer's state; here that is what a phase means, and none inherits another's."""
    training, (phase,) = begin(spec=TOY.with_settings({"strategy.schedule": "constant"}))
    seen = []
    for number in (1, 2):
        training.progress.phase = 0
        training.train_phase(shortened(phase, name=f"part {number}", learning_rate=0.01 / number, batch_size=8))
        optimizer = training.model.optimizer
        seen.append((int(optimizer.iterations), round(float(optimizer.learning_rate), 6)))
    assert seen == [(4, 0.01), (4, 0.005)]


def test_trap_12_no_network_is_a_model_within_the_model() -> None:
    """Neither with a head; of each backbone alone its contract says the same."""
    network, model = toy_network()
    assert not [layer.name for layer in model.layers if isinstance(layer, keras.Model)]
    keras.Model(model.input, [*(block.output for block in network.blocks), model.output])  # "Graph disconnected", if nested


def test_paths_are_one_to_one() -> None:
    """Digests are kept by path: two variables of one path would hide each other."""
    _, model = toy_network()
    assert len(digests(model)) == len(model.weights)
