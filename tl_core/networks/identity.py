"""What a network is, in one number: two that compute the same function in the same steps have the same, whatever their names."""

import hashlib
import json
from typing import Any

import numpy as np

NOT_COMPUTED = ("name", "trainable", "dtype")
"""Settings of layers that decide nothing here; nor do their initializers."""


def identity(model: Any) -> str | None:
    """Return the sha256, in hexadecimal, of the layers of the Keras `model`, how they are connected, and the values of its
    weights.

    Left out is what does not change what an engine makes of it: names, since Keras numbers layers through the process, what
    trains, from what the weights were drawn once, and the policies of the layers, since the engine decides in which precision
    it computes. None where code that is not Keras' own takes part, somebody's layer or activation, since what that computes does
    not stand in its configuration.
    """
    try:
        config = model.get_config()
    except NotImplementedError:  # a layer whose settings Keras cannot tell
        return None
    if not type(model).__module__.startswith("keras.") or not is_all_of_keras(config):
        return None
    described = [_structure(config), weights_identity(model)]
    return hashlib.sha256(json.dumps(described, sort_keys=True, default=repr).encode()).hexdigest()


def weights_identity(model: Any) -> list[list[Any]]:
    """Return of each weight, in order, its shape, its type and the sha256 of its values."""
    return [[list(weight.shape), str(weight.dtype), _digest(weight)] for weight in model.weights]


def _digest(weight: Any) -> str:
    import keras

    return hashlib.sha256(np.ascontiguousarray(keras.ops.convert_to_numpy(weight)).data).hexdigest()


def is_all_of_keras(config: Any) -> bool:
    """Return whether all that the settings of a model name is Keras' own."""
    if isinstance(config, dict):
        package = str(config.get("module") or "keras").partition(".")[0]
        return package == "keras" and config.get("class_name") != "__lambda__" and all(map(is_all_of_keras, config.values()))
    return all(map(is_all_of_keras, config)) if isinstance(config, list | tuple) else True


def _structure(config: dict[str, Any]) -> Any:
    """Return the configuration of a functional model with its layers named by their places; any other model's as it is."""
    if "input_layers" not in config:
        return config
    places = {layer["name"]: place for place, layer in enumerate(config["layers"])}
    layers = [
        {
            "class": [layer["module"], layer["class_name"]],
            "config": {key: value for key, value in layer["config"].items() if _is_computed(key)},
            "calls": _placed(layer["inbound_nodes"], places),
        }
        for layer in config["layers"]
    ]
    return [layers, [_ends(config[key], places) for key in ("input_layers", "output_layers")]]


def _is_computed(setting: str) -> bool:
    return setting not in NOT_COMPUTED and not setting.endswith("_initializer")


def _placed(value: Any, places: dict[str, int]) -> Any:
    """Return the arguments of calls. A tensor in them says by its history which output of which call of which layer it is."""
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        tensor = value["config"]
        layer, *call = tensor["keras_history"]
        return {"shape": tensor["shape"], "keras_history": [places[layer], *call]}
    if isinstance(value, dict):
        return {key: _placed(each, places) for key, each in value.items()}
    return [_placed(each, places) for each in value] if isinstance(value, list | tuple) else value


def _ends(value: Any, places: dict[str, int]) -> Any:
    """Return inputs or outputs: one history of a tensor, or several in lists and dictionaries."""
    if isinstance(value, dict):
        return {key: _ends(each, places) for key, each in value.items()}
    if value and isinstance(value[0], str):
        return [places[value[0]], *value[1:]]
    return [_ends(each, places) for each in value]
