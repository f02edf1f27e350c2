"""Cutting a network into blocks by its layers' names."""

import re
from collections.abc import Iterable
from typing import Any

Blocks = tuple[tuple[str, tuple[Any, ...]], ...]


def blocks_by_name(layers: Iterable[Any], pattern: str) -> Blocks:
    """`layers`, from the pixels upward, as consecutive blocks (name, layers).

    A layer whose name starts with `pattern` belongs to "block " and the pattern's groups, joined by dots (a group
    that took no part reads 0). Layers before the first such layer are "stem", those after the last "top"; one in
    between belongs to the block below it. Blocks without weights are left out: there is nothing in them to train.
    Raises `ValueError` where a block comes back after another one began, since then it cannot be cut off.
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
