"""Freezing that is checked: which variables may train, and proof that no other one moved.

Keras' own switches are not enough (measured on Keras 3.15): `training=False` does not keep BatchNorm's
statistics still during training, the recursive `model.trainable = True` is a no-op where it is already True,
and a change after `compile` does nothing until the next one. So: leaves are set, the model is compiled after
that, the list of trainable variables is compared with what it should be, and afterwards every other variable
is compared bit for bit.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from tl_core.backbones import Network
from tl_core.strategies import Phase

Digests = dict[str, str]


@dataclass(frozen=True)
class Frozen:
    """What a phase leaves alone: digests of those variables, taken before it; and the paths that it may train."""

    trained: tuple[str, ...]
    before: Digests

    def unchanged(self, model: Any) -> int:
        """How many of the frozen variables are bit for bit what they were."""
        now = digests(model)
        return sum(now[path] == digest for path, digest in self.before.items())


class Freezer:
    """Sets what trains in a freshly joined model, phase by phase."""

    def __init__(self, model: Any, network: Network) -> None:
        self._model = model
        self._born = {path: {variable.path for variable in layer.trainable_variables} for path, layer in _leaves(model)}
        self._blocks = {layer.name: name for name, layers in network.blocks for layer in layers}
        self._backbone = {layer.name for layer in network.model.layers}

    def freeze(self, phase: Phase, block_names: tuple[str, ...]) -> Frozen:
        """Set every leaf layer for `phase`, whose trained blocks are `block_names`. Compile after it, then `require_exact`."""
        may_train: set[str] = set()
        adapting: set[str] = set()
        for path, layer in _leaves(self._model):
            if not layer.weights:
                continue
            layer.trainable = self._trains(layer, phase, block_names)
            if layer.trainable:
                may_train |= self._born[path]
                adapting |= {variable.path for variable in layer.variables}
        before = {path: digest for path, digest in digests(self._model).items() if path not in adapting}
        return Frozen(tuple(sorted(may_train)), before)

    def _trains(self, layer: Any, phase: Phase, block_names: tuple[str, ...]) -> bool:
        if layer.name not in self._backbone:
            return True
        is_norm = isinstance(layer, keras.layers.BatchNormalization)
        return self._blocks.get(layer.name) in block_names and not (is_norm and phase.batch_norm == "frozen")


def require_exact(compiled: Any, frozen: Frozen) -> None:
    """Raise `RuntimeError` unless `compiled` trains exactly what the phase says: anything else is a bug of ours."""
    found = {variable.path for variable in compiled.trainable_variables}
    wrong = found.symmetric_difference(frozen.trained)
    if wrong:
        raise RuntimeError(f"The trainable variables differ from the phase's: {sorted(wrong)[:5]}.")


def digests(model: Any) -> Digests:
    """sha256 of each weight and statistic of `model` by its path; the states of random generators are not weights."""
    return {variable.path: _digest(variable) for variable in model.weights}


def count_parameters(model: Any, paths: set[str]) -> int:
    """How many numbers the variables at `paths` hold together."""
    return sum(int(np.prod(variable.shape)) for variable in model.weights if variable.path in paths)


def _digest(variable: Any) -> str:
    return hashlib.sha256(np.ascontiguousarray(keras.ops.convert_to_numpy(variable)).tobytes()).hexdigest()


def _leaves(model: Any) -> list[tuple[str, Any]]:
    return [(layer.path, layer) for layer in model._flatten_layers(include_self=False, recursive=True) if not layer._layers]
