"""A network with a head on it: one flat Keras graph from pixels to class probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

HEAD = "head"
"""The name of the last layer, and of the head among the blocks."""


CENTRE, UNIT = "head_centre", "head_unit"
"""The layers in front of a normalised head: features minus the mean of the training features, then of length 1."""


@dataclass(frozen=True)
class Classifier:
    """`model` maps float32 pixels (batch, size, size, 3) in 0..255 to probabilities (batch, classes) float32; `features` is
    the tensor (batch, d) within it on which the head stands; `normalises` says whether the head centres the features and brings
    them to length 1 first."""

    model: Any
    features: Any
    normalises: bool = False

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
        return cls(keras.Model(inputs, outputs, name="classifier"), features, normalise)

    def activate(self, activation: str) -> "Classifier":
        """Return the same with another activation of its head, by Keras' name for it, in place of softmax. Nothing may have been
        computed with the model yet."""
        import keras

        self.model.get_layer(HEAD).activation = keras.activations.get(activation)
        return self

    def set_head(self, kernel: Any, bias: Any, *, centre: Any = None, groups: Sequence[int] = ()) -> None:
        """Set the head to one that was computed.

        Args:
            kernel, bias: Its affine map, (d, classes) and (classes,).
            centre: What it takes off the features first, (d,); None for nothing.
            groups: The sizes of the groups of features that it then brings to length 1 each: all as one, or none.

        Raises:
            ValueError: Where the network does not normalise the features in this way.
        """
        import keras

        expected = (len(kernel),) if self.normalises else ()
        if tuple(groups) != expected or (centre is not None and not self.normalises):
            centred = "centred" if centre is not None else "uncentred"
            raise ValueError(f"a head on {centred} features in unit groups {tuple(groups)}, in a network with {expected}")
        if self.normalises:
            offset = self.model.get_layer(CENTRE).bias
            offset.assign(keras.ops.zeros_like(offset) if centre is None else -centre)
        dense = self.model.get_layer(HEAD)
        dense.kernel.assign(kernel)
        dense.bias.assign(bias)

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
