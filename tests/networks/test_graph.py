"""Cuts of hand-made graphs, and of random ones against brute force; what belongs together between the cuts."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers, ops

from tl_core.networks.graph import cuts, groups_of, segments

Graph = Callable[[Any], Any]


def model_of(graph: Graph, *shape: int | None) -> Any:
    source = keras.Input(shape or (8, 8, 3), name="pixels")
    return keras.Model(source, graph(source))


def conv(name: str, filters: int = 4, strides: int = 1, padding: str = "same") -> Any:
    return layers.Conv2D(filters, 3, strides, padding, name=name)


def residual(x: Any, name: str) -> Any:
    inner = layers.ReLU(name=f"{name}_relu")(conv(f"{name}_conv1", x.shape[-1])(x))
    return layers.Add(name=f"{name}_add")([conv(f"{name}_conv2", x.shape[-1])(inner), x])


def names(pieces: Sequence[Any]) -> list[str]:
    """The operations of each segment, joined by blanks."""
    return [" ".join(operation.name for operation in piece.operations) for piece in pieces]


def in_groups(graph: Graph, *shape: int | None) -> list[str]:
    """The layers of each group, joined by blanks."""
    groups = groups_of(model_of(graph, *shape))
    return [" ".join(layer.name for piece in group for layer in piece.layers) for group in groups]


def test_a_chain_can_be_cut_everywhere() -> None:
    model = model_of(lambda x: layers.ReLU(name="b")(conv("a")(x)))
    assert names(segments(model)) == ["pixels", "a", "b"]
    assert [piece.entering for piece in segments(model)] == [None, *cuts(model)[:-1]]
    assert cuts(model)[0] is model.input
    assert cuts(model)[-1] is model.output


def test_a_model_that_does_nothing() -> None:
    assert names(segments(model_of(lambda x: x))) == ["pixels"]


def test_a_shortcut_cannot_be_cut() -> None:
    model = model_of(lambda x: conv("top")(residual(conv("stem")(x), "b")))
    assert names(segments(model)) == ["pixels", "stem", "b_conv1 b_relu b_conv2 b_add", "top"]
    assert [piece.branches for piece in segments(model)] == [False, False, True, False]


def test_parallel_paths_cannot_be_cut() -> None:
    def inception(x: Any) -> Any:
        x = conv("stem")(x)
        paths = [conv("one")(x), conv("two_b")(conv("two_a")(x)), layers.AveragePooling2D(3, 1, "same", name="three")(x), x]
        return layers.ReLU(name="top")(layers.Concatenate(name="mixed")(paths))

    assert [set(piece.split()) for piece in names(segments(model_of(inception)))] == [
        {"pixels"},
        {"stem"},
        {"one", "two_a", "two_b", "three", "mixed"},
        {"top"},
    ]


def test_a_shortcut_over_shortcuts_is_one_segment() -> None:
    """As in a U-Net: what leaves the lower blocks is used again by the upper ones."""

    def unet(x: Any) -> Any:
        low = residual(conv("stem")(x), "low")
        middle = layers.UpSampling2D(name="up")(residual(layers.MaxPooling2D(name="down")(low), "middle"))
        return conv("top")(layers.Concatenate(name="join")([low, residual(middle, "high")]))

    assert [piece.split()[-1] for piece in names(segments(model_of(unet)))] == ["pixels", "stem", "low_add", "join", "top"]


def test_one_tensor_twice_is_one_tensor() -> None:
    model = model_of(lambda x: layers.Add(name="double")([x, x]))
    assert names(segments(model)) == ["pixels", "double"]


def test_calls_that_are_no_layers_count() -> None:
    def graph(x: Any) -> Any:
        x = conv("a")(x)
        return conv("b")(ops.relu(x) + x)

    first, a, sum_, b = segments(model_of(graph))
    assert (len(sum_.operations), sum_.layers) == (2, ())
    assert [piece.has_weights for piece in (first, a, sum_, b)] == [False, True, False, True]


def test_all_calls_of_a_layer_lie_in_one_segment() -> None:
    def graph(x: Any) -> Any:
        shared = conv("shared", 3)
        return conv("d")(shared(conv("c", 3)(shared(conv("b", 3)(x)))))

    assert names(segments(model_of(graph))) == ["pixels", "b", "shared c", "d"]


def test_a_layer_may_be_called_on_its_own_output() -> None:
    shared = conv("shared", 3)
    assert names(segments(model_of(lambda x: conv("b")(shared(shared(x)))))) == ["pixels", "shared", "b"]


def test_a_layer_called_first_and_last_holds_all_together() -> None:
    shared = conv("shared", 3)
    assert names(segments(model_of(lambda x: shared(conv("b", 3)(shared(x)))))) == ["pixels", "shared b"]


def test_layers_that_hold_one_weight_lie_in_one_segment() -> None:
    def graph(x: Any) -> Any:
        dense = layers.Dense(3, name="dense")
        again = layers.TimeDistributed(dense, name="again")
        return layers.ReLU(name="c")(again(layers.ReLU(name="b")(dense(layers.ReLU(name="a")(x)))))

    assert names(segments(model_of(graph, 5, 3))) == ["pixels", "a", "dense b again", "c"]


def test_both_outputs_of_a_layer_are_two_tensors() -> None:
    def graph(x: Any) -> Any:
        sequence, state, _ = layers.LSTM(3, return_sequences=True, return_state=True, name="lstm")(x)
        return layers.Dense(2, name="top")(layers.Concatenate(name="join")([layers.Flatten(name="flat")(sequence), state]))

    assert names(segments(model_of(graph, 5, 3))) == ["pixels", "lstm flat join", "top"]


def test_calls_in_other_models_do_not_count() -> None:
    model = model_of(lambda x: conv("c", 3)(conv("b", 3)(conv("a", 3)(x))))
    a, b = cuts(model)[1:3]
    other = keras.Model(model.input, layers.Add(name="other")([a, model.get_layer("a")(b)]))
    above = keras.Model(b, model.output)
    assert names(segments(model)) == ["pixels", "a", "b", "c"]
    assert names(segments(other)) == ["pixels", "a b other"]
    assert [piece.output.shape for piece in segments(above)] == [b.shape, model.output.shape]


def test_a_sequential_model_is_functional_once_it_is_built() -> None:
    model = keras.Sequential([keras.Input((8, 8, 3)), conv("a"), layers.Flatten(name="b")])
    assert names(segments(model))[1:] == ["a", "b"]
    assert cuts(model)[-1] is model.outputs[0]


def test_what_cannot_be_cut_is_refused() -> None:
    one, other = keras.Input((4,)), keras.Input((4,))
    with pytest.raises(ValueError, match="'pair' has 2 inputs and 1 outputs"):
        segments(keras.Model([one, other], layers.Add()([one, other]), name="pair"))
    with pytest.raises(ValueError, match="'fork' has 1 inputs and 2 outputs"):
        segments(keras.Model(one, [layers.Dense(2)(one), layers.Dense(3)(one)], name="fork"))

    class Subclassed(keras.Model):
        def call(self, x: Any) -> Any:
            return x

    for model in (Subclassed(name="odd"), keras.Sequential([layers.Dense(2)], name="odd")):
        with pytest.raises(ValueError, match="'odd' is not functional"):
            segments(model)


def test_a_long_network() -> None:
    def graph(x: Any) -> Any:
        for number in range(150):
            x = layers.ReLU(name=f"relu{number}")(layers.Add(name=f"add{number}")([layers.ReLU(name=f"in{number}")(x), x]))
        return x

    model = model_of(graph, 4)
    assert names(segments(model)) == ["pixels"] + [part for n in range(150) for part in (f"in{n} add{n}", f"relu{n}")]


class Fork(keras.layers.Layer):
    """Two tensors of one."""

    def call(self, x: Any) -> tuple[Any, Any]:
        return x * 1, x * 2


class Call(NamedTuple):
    """A node of a random graph: its layer, and the numbers of the tensors that go in and come out."""

    layer: Any
    sources: tuple[int, ...]
    outputs: tuple[int, ...]


Plan = list[tuple[str, list[float]]]
PLANS = st.lists(
    st.tuples(
        st.sampled_from(("one", "two", "three", "fork", "shared a", "shared b")),
        st.lists(st.floats(0, 1), min_size=3, max_size=3),
    ),
    min_size=1,
    max_size=14,
)


def drawn(plan: Plan) -> tuple[list[Any], list[Call]]:
    """All tensors of the graph that `plan` describes, the input first and the output last, and its calls."""
    tensors, calls = [keras.Input((2,))], []
    shared = {kind: layers.ReLU() for kind in ("shared a", "shared b")}
    for kind, places in plan:
        count = {"two": 2, "three": 3}.get(kind, 1)
        # Mostly recent tensors, so that not all of the graph hangs on shortcuts.
        sources = tuple(int((1 - place**3) * (len(tensors) - 1)) for place in places[:count])
        layer = shared.get(kind) or (Fork() if kind == "fork" else layers.ReLU() if kind == "one" else layers.Add())
        taken = [tensors[source] for source in sources]
        made = layer(taken if isinstance(layer, layers.Add) else taken[0])
        made = made if isinstance(made, tuple) else (made,)
        calls.append(Call(layer, sources, tuple(range(len(tensors), len(tensors) + len(made)))))
        tensors += made
    return tensors, calls


def reached(calls: list[Call], start: set[int], without: int | None = None) -> set[int]:
    """Numbers of the tensors that depend on those in `start` when tensor `without` is taken away."""
    found = start - {without}
    for call in calls:
        if found & set(call.sources):
            found |= set(call.outputs) - {without}
    return found


def is_cut(calls: list[Call], tensor: int, output: int) -> bool:
    """Whether the output is out of reach without `tensor`, and no layer is called both below and above it."""
    inside = [call for call in calls if output in reached(calls, set(call.outputs))]
    below = [call.layer for call in inside if tensor in reached(calls, set(call.outputs))]
    above = [call.layer for call in inside if tensor not in reached(calls, set(call.outputs))]
    return output not in reached(calls, {0}, without=tensor) and not {id(layer) for layer in below} & {
        id(layer) for layer in above
    }


@settings(max_examples=150, deadline=None)
@given(PLANS)
def test_cuts_of_random_graphs_are_those_of_brute_force(plan: Plan) -> None:
    tensors, calls = drawn(plan)
    output = len(tensors) - 1
    model = keras.Model(tensors[0], tensors[output])
    expected = [tensor for number, tensor in enumerate(tensors) if is_cut(calls, number, output)]
    assert list(map(id, cuts(model))) == list(map(id, expected))
    assert [operation for piece in segments(model) for operation in piece.operations] == model.operations


def vgg(x: Any) -> Any:
    for stage, filters in enumerate((4, 8, 16)):
        for repeat in "ab":
            x = layers.ReLU(name=f"relu{stage}{repeat}")(conv(f"conv{stage}{repeat}", filters)(x))
        x = layers.MaxPooling2D(name=f"pool{stage}")(x)
    return layers.Dense(3, name="dense1")(layers.Dense(8, name="dense0")(layers.Flatten(name="flat")(x)))


def test_a_chain_is_cut_where_the_resolution_changes_and_at_each_dense_layer() -> None:
    assert in_groups(vgg) == [
        "pixels conv0a relu0a conv0b relu0b pool0",
        "conv1a relu1a conv1b relu1b pool1",
        "conv2a relu2a conv2b relu2b pool2 flat",
        "dense0",
        "dense1",
    ]


def test_where_the_resolution_is_unknown_every_kernel_is_a_group() -> None:
    assert in_groups(lambda x: conv("b")(layers.ReLU(name="relu")(conv("a")(x))), None, None, 3) == ["pixels a relu", "b"]


def test_channels_may_come_first() -> None:
    def graph(x: Any) -> Any:
        for name, filters, stride in (("a", 4, 1), ("b", 8, 1), ("c", 8, 2)):
            x = layers.Conv2D(filters, 3, stride, "same", data_format="channels_first", name=name)(x)
        return x

    assert in_groups(graph, 3, 8, 8) == ["pixels a b", "c"]


def test_a_padding_goes_with_the_kernel_above_it() -> None:
    def graph(x: Any) -> Any:
        x = layers.ReLU(name="relu")(conv("a")(layers.ZeroPadding2D(name="pad_a")(x)))
        return conv("b", strides=2, padding="valid")(layers.ZeroPadding2D(name="pad_b")(x))

    assert in_groups(graph) == ["pixels pad_a a relu", "pad_b b"]


def test_norms_and_slopes_stay_with_the_kernel_below_them() -> None:
    def graph(x: Any) -> Any:
        x = layers.PReLU(name="slope")(layers.BatchNormalization(name="norm")(conv("a")(x)))
        return layers.LayerNormalization(name="last")(conv("b", strides=2)(layers.Dropout(0.1, name="drop")(x)))

    assert in_groups(graph) == ["pixels a norm slope drop", "b last"]


def test_a_slope_for_each_channel_is_no_kernel() -> None:
    def graph(x: Any) -> Any:
        return conv("b")(layers.PReLU(shared_axes=[1, 2], name="slope")(conv("a")(x)))

    assert in_groups(graph, None, None, 3) == ["pixels a slope", "b"]


def test_after_a_branch_a_norm_belongs_to_what_follows_unless_nothing_does() -> None:
    def graph(x: Any) -> Any:
        x = layers.BatchNormalization(name="norm0")(residual(conv("stem")(x), "a"))
        x = layers.ReLU(name="relu")(layers.BatchNormalization(name="norm1")(residual(x, "b")))
        return layers.GlobalAveragePooling2D(name="pool")(x)

    assert in_groups(graph) == [
        "pixels stem",
        "a_conv1 a_relu a_conv2 a_add",
        "norm0 b_conv1 b_relu b_conv2 b_add norm1 relu pool",
    ]


def squeeze(x: Any) -> Any:
    inner = layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(x)
    return layers.Multiply(name="gate")([x, layers.Conv2D(x.shape[-1], 1, activation="sigmoid", name="excite")(inner)])


def test_a_gate_stays_with_the_kernel_below_it() -> None:
    gated = in_groups(lambda x: conv("b", 4)(squeeze(conv("a")(x))))
    assert gated == ["pixels a squeeze excite gate b"]


def test_a_gate_stays_with_the_branches_below_it() -> None:
    assert in_groups(lambda x: conv("top")(squeeze(residual(conv("stem")(x), "a")))) == [
        "pixels stem",
        "a_conv1 a_relu a_conv2 a_add squeeze excite gate",
        "top",
    ]


def test_two_paths_that_are_multiplied_are_no_gate() -> None:
    def graph(x: Any) -> Any:
        x = conv("a")(x)
        return layers.Multiply(name="both")([conv("b")(x), conv("c")(x)])

    assert in_groups(graph) == ["pixels a", "b c both"]


def test_an_inverted_bottleneck_is_a_group() -> None:
    """The kernel that widens begins it, though the resolution changes at the depthwise one only."""

    def graph(x: Any) -> Any:
        x = conv("project0", 4)(layers.DepthwiseConv2D(3, padding="same", name="depthwise0")(conv("stem", 8)(x)))
        x = layers.DepthwiseConv2D(3, 2, "same", name="depthwise1")(conv("expand1", 24)(x))
        return conv("top", 32)(conv("project1", 6)(x))

    assert in_groups(graph) == ["pixels stem depthwise0 project0", "expand1 depthwise1 project1", "top"]


def test_a_depthwise_kernel_that_nothing_was_widened_for_may_begin_a_group() -> None:
    """As in MobileNet, where pairs of a depthwise and a pointwise kernel follow each other."""

    def graph(x: Any) -> Any:
        x = conv("point0", 8)(layers.DepthwiseConv2D(3, padding="same", name="depth0")(conv("stem")(x)))
        return conv("point1", 16)(layers.DepthwiseConv2D(3, 2, "same", name="depth1")(x))

    assert in_groups(graph) == ["pixels stem depth0 point0", "depth1 point1"]


class Encoder(keras.layers.Layer):
    """A layer made of layers, as those of transformers are."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.norm, self.attention = layers.LayerNormalization(), layers.MultiHeadAttention(2, 4)

    def call(self, x: Any) -> Any:
        """The tokens (batch, tokens, channels) after attention to each other."""
        inner = self.norm(x)
        return x + self.attention(inner, inner)


def test_a_layer_made_of_layers_is_one_kernel() -> None:
    def graph(x: Any) -> Any:
        x = layers.Reshape((4, 8), name="tokens")(layers.Conv2D(8, 4, 4, name="patches")(x))
        x = Encoder(name="second")(Encoder(name="first")(x))
        return layers.GlobalAveragePooling1D(name="pool")(layers.LayerNormalization(name="norm")(x))

    assert in_groups(graph) == ["pixels patches tokens", "first", "second norm pool"]


def test_a_model_inside_the_model_is_one_kernel() -> None:
    inner = keras.Sequential([keras.Input((8, 8, 4)), conv("in1"), conv("in2", strides=2)], name="inner")
    assert in_groups(lambda x: conv("b")(inner(conv("a")(x)))) == ["pixels a", "inner b"]


def test_without_kernels_there_is_one_group_and_without_weights_none() -> None:
    assert in_groups(lambda x: layers.ReLU(name="relu")(layers.BatchNormalization(name="norm")(x))) == ["pixels norm relu"]
    assert in_groups(layers.ReLU(name="relu")) == []
