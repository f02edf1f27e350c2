"""Layers made of layers, as transformers have them: freezing, adapters and counting go down to the parts, and to what a layer
around others holds itself."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from keras.src.applications.convnext import ConvNeXt  # the public ones are a thousand times as large

from tests.tools.variants import variants
from tl_core.backbones._untrained import RANDOM
from tl_core.networks.blocks import cut_into_blocks
from tl_core.networks.outline import Network
from tl_core.phases.phase import Selector
from tl_core.planning import cost_model
from tl_core.strategies import HEAD, BatchNorm, Learning, Moves, Phase, Strategy, everything, last_blocks, nothing
from tl_core.strategies.fine_tuning import FineTuning
from tl_core.strategies.linear_probe import LinearProbe
from tl_core.strategies.lora import LoRA
from tl_core.tasks.classification import ClassOutputs
from tl_core.training.freezing import count_parameters, digests
from tl_core.training.prepare import PhasePreparer

SIZE, CLASSES = 64, 3
PIXELS = np.random.default_rng(0).uniform(0, 255, (8, SIZE, SIZE, 3)).astype(np.float32)
LABELS = np.arange(8) % CLASSES
OUTPUTS = ClassOutputs(tuple(map(str, range(CLASSES))), np.full(CLASSES, 1 / CLASSES))


@keras.saving.register_keras_serializable("tests")
class Encoder(layers.Layer):
    """A norm of each kind, attention, dropout, and a scale that is nobody's but its own."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.first, self.second = layers.LayerNormalization(), layers.BatchNormalization()
        self.attention, self.dropout = layers.MultiHeadAttention(2, 4), layers.Dropout(0.5)
        self.scale = self.add_weight(shape=(8,), name="scale", initializer="ones")

    def call(self, x: Any, training: bool = False) -> Any:
        """The tokens (batch, tokens, channels) after attention to each other."""
        inner = self.first(x)
        inner = self.dropout(self.attention(inner, inner, training=training), training=training)
        return self.second(x + inner * self.scale, training=training)


def encoders() -> keras.Model:
    pixels = keras.Input((SIZE, SIZE, 3))
    patches = layers.Conv2D(8, 16, 16, name="patches")(layers.Rescaling(1 / 255)(pixels))
    x = layers.Reshape((16, 8), name="tokens")(patches)
    for name in ("lower", "upper"):
        x = Encoder(name=name)(x)
    return keras.Model(pixels, layers.GlobalAveragePooling1D(name="pool")(x))


def conv_next() -> keras.Model:
    """A narrow one of Keras' own. Its stem and the layers between its stages are models inside the model."""
    size = {"depths": [1, 1, 1, 1], "projection_dims": [4, 8, 12, 16], "input_shape": (SIZE, SIZE, 3)}
    return ConvNeXt(**size, weights=None, weights_name="", include_top=False, pooling="avg")


def vision_transformer() -> keras.Model:
    hub = pytest.importorskip("keras_hub")
    settings = {"num_layers": 2, "num_heads": 2, "hidden_dim": 16, "mlp_dim": 32}
    made = hub.models.ViTBackbone(image_shape=(SIZE, SIZE, 3), patch_size=16, **settings)
    pixels = keras.Input((SIZE, SIZE, 3))
    x = layers.Rescaling(1 / 255)(pixels)
    for layer in made.layers[1:]:
        x = layer(x)
    return keras.Model(pixels, layers.GlobalAveragePooling1D(name="pool")(x))


NETWORKS = {"encoders": encoders, "ConvNeXt": conv_next, "KerasHub's ViT": vision_transformer}


@pytest.fixture(params=variants(NETWORKS, {"encoders"}), scope="module")
def make(request: pytest.FixtureRequest) -> Callable[[], keras.Model]:
    return NETWORKS[request.param]


def joined(make: Callable[[], keras.Model], strategy: Strategy) -> tuple[Network, Any, PhasePreparer]:
    keras.utils.set_random_seed(0)
    model = make()
    network = Network(model, cut_into_blocks(model), RANDOM)
    classifier = strategy.join(network, OUTPUTS.names)
    return network, classifier.model, PhasePreparer(classifier, network, network.outline().blocks, (), OUTPUTS)


def trained(model: Any, preparer: PhasePreparer, phase: Phase) -> tuple[set[str], set[str]]:
    """The paths that `phase` may train, and those that moved in three steps of it."""
    frozen = preparer.freeze(phase)
    preparer.compile(model, phase, frozen, preparer.rates(phase, model), steps=3)
    before = digests(model)
    for _ in range(3):
        model.train_on_batch(PIXELS, OUTPUTS.targets(LABELS, phase.learning))
    assert frozen.unchanged(model) == len(frozen.before)
    return set(frozen.trained), {path for path, digest in digests(model).items() if before[path] != digest}


def phase(trains: Selector, **more: Any) -> Phase:
    return Phase("phase", 1, 1e-2, 8, trains=trains, **more)


def trainable_of(network: Network, count: int) -> set[str]:
    """What Keras would train of the last `count` blocks."""
    released = network.blocks[len(network.blocks) - count :]
    return {weight.path for block in released for layer in block.layers for weight in layer.trainable_weights}


def norms_in(model: Any, *kinds: Any) -> set[str]:
    parts = model._flatten_layers()
    return {weight.path for part in parts if isinstance(part, kinds) for weight in part.trainable_weights}


def test_a_frozen_layer_is_frozen_down_to_its_parts(make: Callable[[], keras.Model]) -> None:
    network, model, preparer = joined(make, LinearProbe())
    may, moved = trained(model, preparer, phase(nothing))
    assert may == moved == {f"{HEAD}/kernel", f"{HEAD}/bias"}
    assert len(network.blocks) > 1


def test_the_last_block_trains_down_to_its_parts_and_no_other(make: Callable[[], keras.Model]) -> None:
    network, model, preparer = joined(make, FineTuning())
    wanted = trainable_of(network, 1)
    assert wanted
    may, moved = trained(model, preparer, phase(last_blocks(1), batch_norm=BatchNorm.STATISTICS_FROZEN))
    assert {path for path in may if not path.startswith(HEAD)} == wanted
    assert moved <= may
    trained(model, preparer, phase(nothing))
    again, _ = trained(model, preparer, phase(everything, batch_norm=BatchNorm.STATISTICS_FROZEN))
    assert {path for path in again if not path.startswith(HEAD)} == trainable_of(network, len(network.blocks))


@pytest.mark.parametrize("moves", [Moves.EVERYTHING, Moves.NORMS, Moves.BIASES])
def test_what_trains_is_counted_before(make: Callable[[], keras.Model], moves: Moves) -> None:
    network, model, preparer = joined(make, FineTuning())
    wanted = phase(everything, moves=moves, batch_norm=BatchNorm.STATISTICS_FROZEN)
    may, _ = trained(model, preparer, wanted)
    head = count_parameters(model, {f"{HEAD}/kernel", f"{HEAD}/bias"})
    assert count_parameters(model, may) == cost_model.trainable_parameters(wanted, network.outline().blocks, head)


def test_norms_inside_train_alone(make: Callable[[], keras.Model]) -> None:
    _, model, preparer = joined(make, FineTuning())
    norms = norms_in(model, layers.LayerNormalization, layers.BatchNormalization)
    may, _ = trained(model, preparer, phase(everything, moves=Moves.NORMS, batch_norm=BatchNorm.STATISTICS_FROZEN))
    assert may == norms | {f"{HEAD}/kernel", f"{HEAD}/bias"}


@pytest.mark.parametrize("policy", BatchNorm)
def test_batch_norm_inside_a_layer_keeps_to_the_policy(policy: BatchNorm) -> None:
    _, model, preparer = joined(encoders, FineTuning())
    _, moved = trained(model, preparer, phase(everything, batch_norm=policy))
    norm = {path for path in moved if "batch_normalization" in path}
    statistics = {path for path in norm if "moving" in path}
    assert bool(statistics) == (policy is BatchNorm.ADAPTS)
    assert bool(norm - statistics) == (policy is not BatchNorm.FROZEN)


def test_a_frozen_layer_drops_nothing_out_inside() -> None:
    _, model, preparer = joined(encoders, LinearProbe())
    frozen = preparer.freeze(phase(nothing))
    assert frozen.trained
    training, inferring = (keras.ops.convert_to_numpy(model(PIXELS, training=flag)) for flag in (True, False))
    np.testing.assert_allclose(training, inferring, rtol=1e-5)


def test_adapters_stand_beside_the_kernels_inside(make: Callable[[], keras.Model]) -> None:
    strategy = LoRA(rank=2)
    network, model, preparer = joined(make, strategy)
    wanted = phase(everything, moves=Moves.ADAPTERS, rank=2)
    may, moved = trained(model, preparer, wanted)
    adapters = {path for path in may if "lora" in path}
    assert may == adapters | {f"{HEAD}/kernel", f"{HEAD}/bias"}
    assert adapters == {weight.path for weight in model.weights if "lora" in weight.path}
    assert any(path in moved for path in adapters)
    head = count_parameters(model, may - adapters)
    assert count_parameters(model, may) == cost_model.trainable_parameters(wanted, network.outline().blocks, head)


def test_the_pixels_mean_is_no_parameter_that_trains() -> None:
    model = keras.applications.EfficientNetB0(weights=None, include_top=False, pooling="avg", input_shape=(SIZE, SIZE, 3))
    blocks = Network(model, cut_into_blocks(model), RANDOM).outline().blocks
    everywhere = phase(everything, batch_norm=BatchNorm.ADAPTS)
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert cost_model.trainable_parameters(everywhere, blocks, 0) == trainable
    assert sum(block.constants for block in blocks) == 7
    assert sum(block.parameters for block in blocks) == model.count_params()


class Named(layers.BatchNormalization):
    """A BatchNorm of somebody's own."""


def test_a_norm_by_another_name_and_a_kernel_that_is_held() -> None:
    pixels = keras.Input((SIZE, SIZE, 3))
    held = layers.Conv2D(6, 3, kernel_constraint=keras.constraints.MaxNorm(), name="held")(pixels)
    free = layers.Conv2D(6, 3, name="free")(Named(name="named")(held))
    model = keras.Model(pixels, layers.GlobalAveragePooling2D(name="pool")(free))
    _, whole, preparer = joined(lambda: keras.models.clone_model(model), LoRA(rank=2))
    may, _ = trained(whole, preparer, phase(everything, moves=Moves.ADAPTERS, rank=2))
    assert {path.split("/")[0] for path in may} == {"free", HEAD}
    network, whole, preparer = joined(lambda: keras.models.clone_model(model), FineTuning())
    for policy in BatchNorm:
        wanted = phase(everything, batch_norm=policy)
        may, _ = trained(whole, preparer, wanted)
        head = count_parameters(whole, {f"{HEAD}/kernel", f"{HEAD}/bias"})
        assert count_parameters(whole, may) == cost_model.trainable_parameters(wanted, network.outline().blocks, head)


def test_weight_decay_spares_the_biases_of_attention() -> None:
    _, model, preparer = joined(encoders, FineTuning())
    wanted = phase(everything, learning=Learning(weight_decay=0.1, optimizer="sgd"))
    preparer.compile(model, wanted, preparer.freeze(wanted), preparer.rates(wanted, model), steps=1)
    biases = [weight for weight in model.trainable_weights if weight.name == "bias"]
    assert {len(bias.shape) for bias in biases} == {1, 2}
    rest = [weight for weight in model.trainable_weights if weight.name == "kernel"]
    for weight in model.trainable_weights:
        weight.assign(keras.ops.ones_like(weight))
    still = [keras.ops.zeros_like(weight) for weight in model.trainable_weights]
    model.optimizer.apply(still, model.trainable_weights)
    assert all(keras.ops.convert_to_numpy(bias).min() == 1 for bias in biases)
    assert all(keras.ops.convert_to_numpy(kernel).max() < 1 for kernel in rest)
