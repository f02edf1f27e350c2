"""Cutting a network into blocks, by its layers' names or by its graph alone, and choosing among their names."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import groupby, pairwise, takewhile
from typing import Any

from tl_core.errors import SettingError
from tl_core.networks.graph import Segment, group_at, groups_of, segments

Blocks = tuple[tuple[str, tuple[Any, ...]], ...]
SEPARATORS = "_.-"


@dataclass(frozen=True, eq=False)
class Block:
    """Consecutive layers of a model and `output`, the KerasTensor (batch, ...) that alone leaves them for the layers above.

    The blocks of a model hold all its layers between them, each once. The last block's `output` is the model's.
    """

    name: str
    layers: tuple[Any, ...]
    output: Any


def cut_into_blocks(model: Any, pattern: str | None = None) -> tuple[Block, ...]:
    """Return the blocks of the functional `model`, from its input upward, each with the one tensor that leaves it.

    With `pattern` they are those of `blocks_by_name`; layers without weights go to the block next to them where that block's
    tensor would not be alone otherwise. Without, they are found from the graph alone. Raises `ValueError` where no cut separates
    two named blocks, or `model` is not functional, with one input and one output.
    """
    if pattern is None:
        return blocks_of_graph(model)
    pieces = segments(model)
    named = blocks_by_name(model.layers, pattern)
    place = {id(layer): index for index, piece in enumerate(pieces) for layer in piece.layers}
    ends = []
    for (name, layers), (above, layers_above) in pairwise(named):
        highest = max(place[id(layer)] for layer in layers if layer.weights)
        next_lowest = min(place[id(layer)] for layer in layers_above if layer.weights)
        if highest >= next_lowest:
            raise ValueError(f"More than one tensor goes from {name!r} to {above!r} of {model.name!r}: no cut separates them.")
        ends.append(min(max(place[id(layer)] for layer in layers), next_lowest - 1))
    return _as_blocks([name for name, _ in named], group_at(pieces, ends)) if named else ()


def blocks_of_graph(model: Any) -> tuple[Block, ...]:
    """Return the blocks of the functional `model`, from its input upward, found without its names: see `graph.groups_of`.

    A block is called by the words with which the names of all its kernels begin ("block1a_" gives "block 1a", and twice in a row
    "block 1a.1" and "block 1a.2"), or "stem" where the lowest has none. Where another has none, or they do not tell the blocks
    apart, all are "block 1", "block 2" and so on. Empty for a model without weights. Raises `ValueError` unless `model` is
    functional, with one input and one output.
    """
    groups = groups_of(model)
    return _as_blocks(_names(groups), groups)


def blocks_by_name(layers: Iterable[Any], pattern: str) -> Blocks:
    """Return `layers`, from the pixels upward, as consecutive blocks (name, layers).

    A layer whose name starts with `pattern` belongs to "block " and the pattern's groups, joined by dots (a group that took no
    part reads 0). Layers before the first such layer are "stem", those after the last "top"; one in between belongs to the block
    below it. Blocks without weights are left out: there is nothing in them to train. Raises `ValueError` where a block comes back
    after another one began, since then it cannot be cut off.
    """
    layers = list(layers)
    found = [re.match(pattern, layer.name) for layer in layers]
    last = max((index for index, match in enumerate(found) if match), default=-1)
    grouped: dict[str, list[Any]] = {}
    name = "stem"
    for index, (layer, match) in enumerate(zip(layers, found, strict=True)):
        before = name
        if match:
            name = "block " + ".".join(match.groups("0"))
        elif index > last:
            name = "top"
        if name != before and name in grouped:
            raise ValueError(f"The layers of {name!r} are not consecutive: {layer.name!r} comes after {before!r} began.")
        grouped.setdefault(name, []).append(layer)
    return tuple((name, tuple(members)) for name, members in grouped.items() if any(layer.weights for layer in members))


def select(names: Sequence[str], choice: str) -> tuple[str, ...]:
    """Return those of the block `names`, which run from the pixels to the head, that `choice` names, in their order.

    "last 2" are the two nearest the head (all, where there are fewer); "block 5 and up" is the first block called "block 5", or,
    where none is, the first whose name goes on from there ("block 5a", not "block 50"), and all above it; anything else is a
    shell pattern such as "block 5*". Raises `SettingError` where it chooses nothing.
    """
    wanted = " ".join(choice.split())
    if last := re.fullmatch(r"last ([0-9]+)", wanted):
        found = tuple(names[max(0, len(names) - int(last[1])) :])
    elif lowest := re.fullmatch(r"(.*) and up", wanted):
        found = _and_up(names, lowest[1])
    else:
        found = tuple(name for name in names if fnmatchcase(name, wanted))
    if not found:
        raise SettingError(
            f"No block is chosen by that; from the pixels to the head they are {', '.join(names) or 'none at all'}.",
            'Say "last 2", the name of a block, a pattern such as "block 5*", or a name and "and up".',
            received=repr(choice),
        )
    return found


def _as_blocks(names: Sequence[str], groups: Sequence[Sequence[Segment]]) -> tuple[Block, ...]:
    return tuple(
        Block(name, tuple(layer for piece in group for layer in piece.layers), group[-1].output)
        for name, group in zip(names, groups, strict=True)
    )


def _names(groups: Sequence[Sequence[Segment]]) -> tuple[str, ...]:
    numbered = tuple(f"block {number}" for number in range(1, len(groups) + 1))
    shared = [_common([layer for piece in group for layer in piece.kernels]) for group in groups]
    if len(shared) > 1 and not shared[0]:
        shared[0] = "stem"
    names: list[str] = []
    for words, run in groupby(shared):
        count = len(list(run))
        if count > 1 and not re.search("[0-9]", words):
            return numbered
        names += [words] if count == 1 else [f"{words}.{number}" for number in range(1, count + 1)]
    return tuple(names) if all(shared) and len(set(names)) == len(names) else numbered


def _common(layers: Iterable[Any]) -> str:
    """Return the words with which the names of `layers` begin; those that Keras gave by itself say nothing."""
    split = [re.findall(rf"[{SEPARATORS}]*[^{SEPARATORS}]+", layer.name) for layer in layers if not is_named_by_keras(layer)]
    words = [same[0] for same in takewhile(lambda same: len(set(same)) == 1, zip(*split, strict=False))]
    if len(split) == 1 and len(words) > 1 and not words[-1].strip(SEPARATORS).isdigit():
        words.pop()  # The last word of a layer's own name says what the layer is.
    return re.sub(rf"^block[{SEPARATORS}]*(?=[0-9])", "block ", "".join(words))


def is_named_by_keras(layer: Any) -> bool:
    """Return whether `layer` is called by its class and perhaps a number."""
    return re.sub(r"_\d+$", "", layer.name).replace("_", "") == type(layer).__name__.lower()


def _and_up(names: Sequence[str], lowest: str) -> tuple[str, ...]:
    beginning = re.compile(re.escape(lowest) + (r"(?![0-9])" if lowest[-1:].isdigit() else ""))
    fitting = [name for name in names if name == lowest] or [name for name in names if beginning.match(name)]
    return tuple(names[names.index(fitting[0]) :]) if fitting else ()
