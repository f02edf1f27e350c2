"""Freezing that is checked: which variables may train, and proof that no other one moved.

Keras' own switches are not enough (measured on Keras 3.15): `training=False` does not keep BatchNorm's statistics still
during training, the recursive `model.trainable = True` is a no-op where it is already True, a layer that is set trainable
lets the kernel under its adapters train, and a change after `compile` does nothing until the next one. So: each layer, those
inside other layers, too, and its own variables are set, the model is compiled after that, the list of trainable variables is
compared with what it should be, and afterwards every other variable is compared bit for bit.
"""

import hashlib
from collections.abc import Container
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from tl_core.networks.outline import Network
from tl_core.networks.sublayers import is_adapter, own_weights, sublayers_of
from tl_core.strategies import BatchNorm, Moves, Phase

Digests = dict[str, str]
NORMS = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
    keras.layers.RMSNormalization,
)


@dataclass(frozen=True)
class Frozen:
    """What a phase leaves alone: digests of those variables, taken before it; and the paths that it may train."""

    trained: tuple[str, ...]
    before: Digests

    def unchanged(self, model: Any) -> int:
        """Return how many of the frozen variables are bit for bit what they were."""
        now = digests(model)
        return sum(now[path] == digest for path, digest in self.before.items())


class Freezer:
    """Sets what trains in a freshly joined model, phase by phase."""

    def __init__(self, model: Any, network: Network) -> None:
        self._model = model
        blocks = {layer.name: block.name for block in network.blocks for layer in block.layers}
        backbone = {layer.name for layer in network.model.layers}
        self._places = [
            LayerPlace(sublayer, blocks.get(layer.name), of_head=layer.name not in backbone)
            for layer in model.layers
            for sublayer in sublayers_of(layer)
        ]
        self._place_of = {weight.path: place for place in self._places for weight in own_weights(place.layer)}
        self._born = {
            weight.path
            for place in self._places
            for weight in own_weights(place.layer)
            if weight.trainable and place.layer.trainable
        }
        self._penalties = [(each, each.regularizer) for each in model.weights]
        self._activity = [(place.layer, place.layer.activity_regularizer) for place in self._places]

    def reset(self) -> None:
        """Remove what a phase has put on: penalties, and statistics that are held."""
        for variable, regularizer in self._penalties:
            variable.regularizer = regularizer
        for layer, regularizer in self._activity:
            layer.activity_regularizer = regularizer
            vars(layer).pop("call", None)

    def freeze(self, phase: Phase, block_names: tuple[str, ...]) -> Frozen:
        """Set every layer for `phase`, whose trained blocks are `block_names`. Compile after it, then call `require_exact`."""
        self.reset()
        trained: set[str] = set()
        changing: set[str] = set()
        for place in self._places:  # each before those inside it, whose switches its own would turn
            layer, still = place.layer, not place.trains_in(block_names)
            norm_still = isinstance(layer, keras.layers.BatchNormalization) and phase.batch_norm != BatchNorm.ADAPTS
            _infer(layer, only=still or norm_still)
            own = own_weights(layer)
            chosen = {variable.path for variable in own if self._trains(place, variable, phase, block_names)}
            _set(layer, chosen, around=bool(layer._layers) and not still)
            trained |= chosen
            changing |= {variable.path for variable in own if _adapts(layer, variable, chosen, phase)}
        if phase.solver:  # it sets what belongs to the head and does not train, too
            changing |= {path for path, place in self._place_of.items() if place.of_head}
        before = {path: digest for path, digest in digests(self._model).items() if path not in trained | changing}
        return Frozen(tuple(sorted(trained)), before)

    def block_of(self, variable_path: str) -> str | None:
        """Return the name of the block that a variable belongs to, None for one of the head."""
        return self._place_of[variable_path].block

    def _trains(self, place: "LayerPlace", variable: Any, phase: Phase, block_names: Container[str | None]) -> bool:
        may = variable.path in self._born and place.trains_in(block_names)
        return may and (place.of_head or _belongs(place.layer, variable, phase))


@dataclass(frozen=True)
class LayerPlace:
    """A layer, or one inside it, and where it belongs: to a block of the backbone, or to the head (`block` is None for both
    the head and what lies in no block)."""

    layer: Any
    block: str | None
    of_head: bool

    def trains_in(self, block_names: Container[str | None]) -> bool:
        """Return whether it may train where those blocks do: the head always."""
        return self.of_head or self.block in block_names


def _belongs(layer: Any, variable: Any, phase: Phase) -> bool:
    """Return whether `variable`, of a trained block, is among those that `phase` moves."""
    if isinstance(layer, NORMS):
        still = isinstance(layer, keras.layers.BatchNormalization) and phase.batch_norm == BatchNorm.FROZEN
        return phase.moves != Moves.ADAPTERS and not still
    adapter = is_adapter(variable)
    return {
        Moves.EVERYTHING: not adapter,
        Moves.NORMS: False,
        Moves.BIASES: variable.name == "bias",
        Moves.ADAPTERS: adapter,
    }[phase.moves]


def _adapts(layer: Any, variable: Any, chosen: set[str], phase: Phase) -> bool:
    """Return whether `variable` may change without being trained: the statistics of a norm that trains and adapts."""
    is_statistic = isinstance(layer, keras.layers.BatchNormalization) and not variable.trainable
    return is_statistic and bool(chosen) and phase.batch_norm == BatchNorm.ADAPTS


def _set(layer: Any, chosen: set[str], *, around: bool) -> None:
    """Make exactly the variables of `layer` itself at the paths `chosen` train; `around` says that it holds layers that may."""
    layer.trainable = bool(chosen) or around
    for variable in layer._trainable_variables:
        variable.trainable = variable.path in chosen
    if chosen and getattr(layer, "lora_enabled", False):
        _revive(layer)


def _revive(layer: Any) -> None:
    """Draw A of an adapter anew where A and B are both 0, as Keras leaves them when it loads weights: neither would ever have a
    gradient again. Their product stays 0."""
    pair = layer.lora_kernel_a, layer.lora_kernel_b
    if not any(keras.ops.convert_to_numpy(variable).any() for variable in pair):
        pair[0].assign(keras.initializers.HeUniform(seed=0)(pair[0].shape))


def _infer(layer: Any, *, only: bool) -> None:
    """Make `layer` infer even in training, if `only` says so: BatchNorm then uses and keeps its statistics even where its scale
    and shift train, and a frozen block drops nothing out, so that it gives the same whether it is run again or was kept.

    Its `call` is given `training=False` whatever the model says: passing that to the layer when the graph is made is not enough,
    since a functional model overwrites it during `fit` (keras-team/keras 20285).
    """
    vars(layer).pop("call", None)
    if only and layer._call_has_training_arg:
        usual = layer.call

        def call(*inputs: Any, training: bool | None = None, **more: Any) -> Any:
            return usual(*inputs, training=False, **more)

        vars(layer)["call"] = call


def require_exact(compiled: Any, frozen: Frozen) -> None:
    """Raise `RuntimeError` unless `compiled` trains exactly what the phase says: anything else is a bug of ours."""
    found = {variable.path for variable in compiled.trainable_variables}
    wrong = found.symmetric_difference(frozen.trained)
    if wrong:
        raise RuntimeError(f"The trainable variables differ from the phase's: {sorted(wrong)[:5]}.")


def digests(model: Any) -> Digests:
    """Return the sha256 of each weight and statistic of `model` by its path; the states of random generators are not weights."""
    return {variable.path: _digest(variable) for variable in model.weights}


def digest_of(model: Any) -> str:
    """Return the sha256 over all weights and statistics of `model`, in its order: what Keras has named them does not matter."""
    return hashlib.sha256("".join(map(_digest, model.weights)).encode()).hexdigest()


def count_parameters(model: Any, paths: set[str]) -> int:
    """Return how many numbers the variables at `paths` hold together."""
    return sum(int(np.prod(variable.shape)) for variable in model.weights if variable.path in paths)


def _digest(variable: Any) -> str:
    return hashlib.sha256(np.ascontiguousarray(keras.ops.convert_to_numpy(variable)).tobytes()).hexdigest()
