"""Where the graph of a functional model can be cut so that one tensor crosses, and what belongs together between cuts.

No layer's name is read here, and only names of classes that say what their numbers do not: see `Segment` and `_begins`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

SPATIAL_RANKS = (4, 5)
"""Ranks of the tensors of images and volumes. Of three axes nobody knows whether one is a place or a token."""
WIDENING = 2
"""A kernel that gives more than so many times its channels widens: a bottleneck, as of MobileNetV2, begins with it."""


@dataclass(frozen=True, eq=False)
class Segment:
    """What lies between two neighbouring cuts: operations, which are layers or calls of `keras.ops`, and the one
    KerasTensor that goes in (None for the segment of the model's input) and the one that leaves."""

    operations: tuple[Any, ...]
    entering: Any
    output: Any

    @property
    def layers(self) -> tuple[Any, ...]:
        """Return those operations that are layers."""
        import keras

        return tuple(operation for operation in self.operations if isinstance(operation, keras.layers.Layer))

    @property
    def kernels(self) -> tuple[Any, ...]:
        """Return the layers that mix channels or places. Norms, scales and PReLU have weights, too, but follow a kernel."""
        return tuple(layer for layer in self.layers if _is_kernel(layer))

    @property
    def has_weights(self) -> bool:
        """Return whether any of its layers has weights."""
        return any(layer.weights for layer in self.layers)

    @property
    def branches(self) -> bool:
        """Return whether it is more than a link of a chain: a shortcut or parallel paths, and no gate."""
        return len(self.operations) > 1 and not self.gates

    @property
    def gates(self) -> bool:
        """Return whether it multiplies what comes in by a function of it, as squeeze-and-excitation and swish do."""
        operation, call, _ = self.output._keras_history
        factors = operation._inbound_nodes[call].input_tensors
        return type(operation).__name__ == "Multiply" and any(factor is self.entering for factor in factors)


def cuts(model: Any) -> tuple[Any, ...]:
    """Return the KerasTensors of the functional `model`, from its input to its output (both among them), through which all that
    leads from the input to the output goes. Raises `ValueError` as `segments` does."""
    return tuple(segment.output for segment in segments(model))


def segments(model: Any) -> tuple[Segment, ...]:
    """Return `model`, from its input upward, in the smallest pieces that one tensor each leaves. Linear in its size.

    All calls of a layer, and all layers that hold one and the same weight, lie in one segment. A model inside the model is one
    layer; masks that Keras hangs on tensors are not counted. Raises `ValueError` unless `model` is a functional or a built
    sequential model with one input and one output.
    """
    operations = _operations(model)
    starts, ends = defaultdict(list), defaultdict(list)
    for thing, places in _crossing(model, operations):
        starts[min(places)].append(thing)
        ends[max(places)].append(thing)
    open_now: dict[int, Any] = {}
    found: list[Segment] = []
    begin = 0
    for place in range(len(operations)):
        open_now |= {id(thing): thing for thing in starts[place]}
        for thing in ends[place]:
            del open_now[id(thing)]
        # A single thing that crosses is a tensor, never a shared weight: the output depends on the input.
        if len(open_now) == 1:
            (output,) = open_now.values()
            found.append(Segment(tuple(operations[begin : place + 1]), found[-1].output if found else None, output))
            begin = place + 1
    return tuple(found)


def groups_of(model: Any) -> list[Sequence[Segment]]:
    """Return the segments of `model` in groups fit for blocks, from its input upward; empty for a model without weights.

    Each group has a kernel, unless the model has none. Branches that one tensor leaves (a residual or an inception block) are a
    group. A chain is cut before a kernel that changes the resolution or more than doubles the channels, and, where there is no
    resolution or it is unknown, before every kernel. Norms, gates, and a depthwise kernel for which the channels were widened
    stay with the kernel below them. Of what has no weights between two groups, the lower one has all up to the smallest tensor.
    Raises `ValueError` as `segments` does.
    """
    pieces = segments(model)
    weighted = [place for place, piece in enumerate(pieces) if piece.has_weights]
    firsts = _first_places(pieces, weighted)
    ends = [
        min(range(below, place), key=lambda end: (_size(pieces[end].output), -end))
        for below, place in pairwise(weighted)
        if place in firsts
    ]
    return group_at(pieces, ends) if weighted else []


def group_at(pieces: Sequence[Segment], ends: Sequence[int]) -> list[Sequence[Segment]]:
    """Return `pieces` in groups: one ends with each of the pieces at the rising places `ends`, the last with the last piece."""
    edges = [0, *(end + 1 for end in ends), len(pieces)]
    return [pieces[low:high] for low, high in pairwise(edges)]


def _operations(model: Any) -> list[Any]:
    """Return operations in the order of `model.layers`, in which what one cut separates never mixes. Raises `ValueError` unless
    `model` is functional, with one input and one output."""
    import keras

    wanted = f"Blocks are found in a functional model with one input and one output; {getattr(model, 'name', model)!r}"
    try:
        inputs, outputs = model.inputs, model.outputs
    except AttributeError:  # of subclassed models, and of sequential ones that are not built
        raise ValueError(f"{wanted} is not functional.") from None
    if (len(inputs), len(outputs)) != (1, 1):
        raise ValueError(f"{wanted} has {len(inputs)} inputs and {len(outputs)} outputs.")
    found = getattr(model, "operations", None)  # which a sequential model does not tell
    return found if found is not None else keras.Function(inputs, outputs).operations


def _crossing(model: Any, operations: Sequence[Any]) -> Iterable[tuple[Any, list[int]]]:
    """Return tensors and weights, each with the places in `operations` of all that make, use or hold it.

    The graph is followed back from the output, since a layer's own list of calls also has those of other models.
    """
    place = {id(operation): index for index, operation in enumerate(operations)}
    places: dict[int, tuple[Any, list[int]]] = {}
    waiting, seen = [(model.outputs[0], len(operations))], set()
    while waiting:
        tensor, user = waiting.pop()
        operation, call, _ = tensor._keras_history
        maker = place[id(operation)]
        places.setdefault(id(tensor), (tensor, []))[1].extend((maker, user))
        node = operation._inbound_nodes[call]
        if id(node) not in seen:
            seen.add(id(node))
            waiting += [(source, maker) for source in node.input_tensors]
    for index, operation in enumerate(operations):
        for weight in getattr(operation, "weights", ()):
            places.setdefault(id(weight), (weight, []))[1].append(index)
    return places.values()


def _first_places(pieces: Sequence[Segment], weighted: Sequence[int]) -> set[int]:
    """Return places, among those `weighted`, of the pieces with which a group begins, but for the lowest group."""
    firsts: list[int] = []
    kernel: Segment | None = None
    for place in weighted:
        if kernel and _begins(pieces[place], kernel):
            firsts.append(place)
            kernel = None
        if pieces[place].kernels and not (kernel and pieces[place].gates):
            kernel = pieces[place]
    # What no kernel follows, such as the last norm, is no group: a phase that keeps norms still would train nothing of it.
    return set(firsts if kernel else firsts[:-1])


def _begins(piece: Segment, kernel: Segment) -> bool:
    """Return whether a group begins with `piece`, which has weights, when `kernel` is the nearest piece with one below it."""
    if piece.gates:
        return False
    if piece.branches or kernel.branches:
        return True
    if not piece.kernels:
        return False
    now, before = _resolution(piece, piece.output), _resolution(piece, kernel.output)
    moves = not now or None in now or now != before
    if "Depthwise" in type(piece.kernels[0]).__name__:
        return moves and not _widens(kernel)
    return moves or _widens(piece)


def _widens(piece: Segment) -> bool:
    axis = _channel_axis(piece)
    return (piece.output.shape[axis] or 0) > WIDENING * (piece.entering.shape[axis] or 1)


def _resolution(piece: Segment, tensor: Any) -> tuple[int | None, ...]:
    """Return lengths of the spatial axes of `tensor`, whose axes are in the order of `piece`; empty where it has none."""
    shape = list(tensor.shape)
    del shape[_channel_axis(piece)]
    return tuple(shape[1:]) if len(tensor.shape) in SPATIAL_RANKS else ()


def _channel_axis(piece: Segment) -> int:
    kernels = piece.kernels
    return 1 if kernels and getattr(kernels[0], "data_format", None) == "channels_first" else -1


def _size(tensor: Any) -> int:
    """Return how many numbers an image has in `tensor`; an unknown length counts as one."""
    return prod(length or 1 for length in tensor.shape[1:])


def _is_kernel(layer: Any) -> bool:
    # PReLU may have a slope for each place and channel, which looks like a kernel by its shape.
    return type(layer).__name__ != "PReLU" and any(len(weight.shape) > 1 for weight in layer.weights)
