"""The layers inside a layer: a transformer's encoder is one layer of the graph, and freezing goes down to its parts."""

from typing import Any


def sublayers_of(layer: Any) -> list[Any]:
    """Return `layer` and all layers inside it, each before those inside itself, each once."""
    return list(layer._flatten_layers())


def own_weights(layer: Any) -> list[Any]:
    """Return the weights of `layer` that belong to no layer inside it."""
    return [*layer._trainable_variables, *layer._non_trainable_variables]


def takes_adapter(layer: Any) -> bool:
    """Return whether Keras can put low-rank adapters beside the kernel of `layer`: not where the kernel is constrained, since its
    sum with the adapters would not be. (An embedding can have them, too, and has no kernel.)"""
    kernel = getattr(layer, "kernel", None)
    return hasattr(layer, "enable_lora") and kernel is not None and getattr(layer, "kernel_constraint", None) is None


def is_batch_norm(layer: Any) -> bool:
    """Return whether `layer` is a BatchNorm, or of a class made from it, said without Keras."""
    return any(base.__name__ == "BatchNormalization" for base in type(layer).__mro__)


def is_adapter(variable: Any) -> bool:
    """Return whether a variable is one of an adapter, by the name that Keras gives it (`Layer.enable_lora`)."""
    return "lora_" in variable.name
