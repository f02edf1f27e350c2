"""A network with a head on it: one flat Keras graph from pixels to class probabilities."""

from dataclasses import dataclass
from typing import Any

HEAD = "head"
"""The name of the last layer, and of the head among the blocks."""


CENTRE, UNIT = "head_centre", "head_unit"
"""The layers in front of a normalised head: features minus the mean of the training features, then of length 1."""


@dataclass(frozen=True)
class Classifier:
    """`model` maps float32 pixels (batch, size, size, 3) in 0..255 to probabilities (batch, classes) float32; `features` is
    the tensor (batch, d) within it on which the head stands."""

    model: Any
    features: Any

    @classmethod
    def on(cls, inputs: Any, features: Any, classes: int, *, normalise: bool = False) -> "Classifier":
        """Return a classifier with a dense softmax head for `classes` on `features` (a tensor that comes from `inputs`). With
        `normalise` the features are centred and brought to length 1 first ("CL2N": Wang et al. 2019, SimpleShot, arXiv
        1911.04623); their centre is 0 until a solver has set it, and does not train."""
        import keras

        x = features
        if normalise:
            exact: dict[str, Any] = {"dtype": "float32"}
            centre = keras.layers.EinsumDense(
                "bd,d->bd", x.shape[-1], bias_axes="d", kernel_initializer="ones", name=CENTRE, **exact
            )
            x = keras.layers.UnitNormalization(name=UNIT, **exact)(centre(x))
            centre.trainable = False
        outputs = keras.layers.Dense(classes, activation="softmax", dtype="float32", name=HEAD)(x)
        return cls(keras.Model(inputs, outputs, name="classifier"), features)

    def below(self, tensor: Any) -> Any:
        """Return the model from pixels to `tensor`, which is within `model`."""
        import keras

        return keras.Model(self.model.input, tensor, name="frozen_part")

    def above(self, tensor: Any) -> Any:
        """Return the model from `tensor` to probabilities; it shares its variables with `model`. Raises `ValueError` where not
        all of them come from `tensor`."""
        import keras

        return keras.Model(tensor, self.model.output, name="trained_part")


def compiling(xla: bool) -> bool | str:
    """Return Keras' `jit_compile`. Left to itself Keras compiles with XLA wherever TensorFlow sees a GPU, whether it pays or not;
    the other backends have their own one way."""
    import keras

    return xla if keras.backend.backend() == "tensorflow" else "auto"
