"""A saved model copied into one flat graph, on an input of any size, and the tensor in it that holds its features."""

from collections.abc import Callable, Collection, Sequence
from functools import reduce
from typing import Any

from tl_core.networks.graph import segments
from tl_core.networks.sublayers import sublayers_of

OF_TRAINING = {"trainable", "lora_rank", "lora_alpha"}
"""Settings of layers that belong to how they trained last. Adapters are in the kernels already."""
POOLING = {4: "GlobalAveragePooling2D", 3: "GlobalAveragePooling1D"}
"""Keras' layer that averages a tensor of so many axes over its places."""


def _whole(_: Any) -> Sequence[Any]:
    return ()


class FlatCopy:
    """A copy of the layers of `model`, called on `tensor`. Models within it are laid open: none is a layer of the copy. So are
    operations of which `chained` gives layers: those that it calls one after another.

    `output` is what the copy gives. Raises what Keras raises where the model cannot be called on such a tensor.
    """

    def __init__(self, model: Any, tensor: Any, chained: Callable[[Any], Sequence[Any]] = _whole) -> None:
        self._chained = chained
        self._copies: dict[int, tuple[Any, Any]] = {}
        self._names: set[str] = set()
        self.output = self._called(model, tensor)

    def take_weights(self, layers: Collection[Any]) -> None:
        """Give those `layers` of the copy the weights of the model. Raises `ValueError` where their shapes differ, as they do
        where the size of the input decides them."""
        for layer, copy in self._copies.values():
            if copy not in layers:
                continue
            for part, same in zip(sublayers_of(layer), sublayers_of(copy), strict=True):
                kept: dict[str, Any] = {}
                part.save_own_variables(kept)
                if kept:
                    same.load_own_variables(kept)

    def _called(self, model: Any, tensor: Any) -> Any:
        import keras

        copy = self._copy(keras.Model)

        def call(operation: Any, *inputs: Any, **named: Any) -> Any:
            if isinstance(operation, keras.Model):
                return self._called(operation, *inputs)
            if layers := self._chained(operation):
                return reduce(lambda tensor, layer: copy(layer)(tensor), layers, *inputs)
            return operation(*inputs, **named)

        # Keras gives the graph of a sequential model by no other name.
        graph = getattr(model, "_functional", model)
        found = graph._run_through_graph(tensor, operation_fn=copy, call_fn=call)
        return found[0] if isinstance(found, list) and len(found) == 1 else found

    def _copy(self, model: type) -> Callable[[Any], Any]:
        def copy(operation: Any) -> Any:
            if isinstance(operation, model) or self._chained(operation):
                return operation
            if id(operation) not in self._copies:
                self._copies[id(operation)] = operation, self._twin(operation)
            return self._copies[id(operation)][1]

        return copy

    def _twin(self, operation: Any) -> Any:
        """Return an operation of the same settings, in the precision of this process, and by a name that no other one has."""
        settings = {name: value for name, value in operation.get_config().items() if name not in OF_TRAINING}
        if "float" in str(getattr(operation, "compute_dtype", "")):
            settings.pop("dtype", None)
        count = 0
        while settings["name"] in self._names:
            count += 1
            settings["name"] = f"{operation.name}_{count}"
        self._names.add(settings["name"])
        return type(operation).from_config(settings)


def pooled(model: Any) -> Any:
    """Return the last tensor (batch, features) of the functional `model` that is pooled over all places of the image; where none
    is, the last one that has places, averaged over them. Raises `ValueError` as `segments` does."""
    from keras import layers

    outputs = [piece.output for piece in segments(model)]
    found = [each for each in outputs if type(each._keras_history.operation).__name__.startswith("Global")]
    last = (found or [each for each in outputs if len(each.shape) in POOLING])[-1]
    if found:
        return last if len(last.shape) == 2 else layers.Flatten(name="features")(last)
    return getattr(layers, POOLING[len(last.shape)])(name="average")(last)
