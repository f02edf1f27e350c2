"""The same network in another precision: Keras fixes a layer's dtype policy when the layer is made."""

from typing import Any


def in_policy(model: Any, *, bfloat16: bool) -> Any:
    """Return `model` where it computes so, or else a copy of it that does, in Keras' policy "mixed_bfloat16" or "float32".

    The copy has variables of its own, with the same values: they are float32 in both policies, so that nothing is rounded.
    """
    if bfloat16 == ("bfloat16" in compute_dtypes(model)):
        return model
    return copied(model, "mixed_bfloat16" if bfloat16 else "float32")


def compute_dtypes(model: Any) -> set[str]:
    """Return in what the layers of `model`, and those inside them, compute. That of models and input layers does nothing."""
    import keras

    idle = keras.Model, keras.layers.InputLayer
    return {layer.compute_dtype for layer in model._flatten_layers() if not isinstance(layer, idle)}


def copied(model: Any, policy: str) -> Any:
    """Return a copy of the functional `model`, with every layer of it, and every layer inside a layer, in `policy`."""
    import keras

    def copy(layer: Any) -> Any:
        if not isinstance(layer, keras.layers.Layer):
            return layer  # a call of `keras.ops`, which has no policy
        return type(layer).from_config(_with_policy(layer.get_config(), policy))

    same = keras.models.clone_model(model, clone_function=copy)
    for layer in model.layers:
        if layer.weights:  # Keras names input layers anew
            same.get_layer(layer.name).set_weights(layer.get_weights())
    same.jit_compile = model.jit_compile
    return same


def _with_policy(config: Any, policy: str) -> Any:
    """Return the configuration of a layer, each policy in it replaced by `policy`."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            return config | {"config": {"name": policy}}
        return {key: _with_policy(value, policy) for key, value in config.items()}
    return [_with_policy(value, policy) for value in config] if isinstance(config, list) else config
