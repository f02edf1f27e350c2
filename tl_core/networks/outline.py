"""A network in plain values: what the pages draw and what strategies plan with, without Keras."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Any, Self

from pydantic import TypeAdapter

from tl_core.networks.blocks import Block
from tl_core.networks.onnx_graph import OnnxGraph
from tl_core.networks.sublayers import is_adapter, is_batch_norm, own_weights, sublayers_of, takes_adapter

COUNTING = 2
"""Grows with each change of how a network is counted, so that counts that were kept before are made anew."""


@dataclass(frozen=True)
class Provenance:
    """Where weights come from. `sha256` is of the weights file; None for random weights. `before` is what they were before they
    learned from that, where they had been trained already."""

    source: str
    licence: str
    learned_from: str
    sha256: str | None = None
    before: "Provenance | None" = None

    @property
    def steps(self) -> tuple["Provenance", ...]:
        """Return where they come from step by step, from the first weights that had learned something to these."""
        trained = self.before if self.before and self.before.sha256 else None
        return (*(trained.steps if trained else ()), self)

    @property
    def history(self) -> str:
        """Return all that they learned from, such as "ImageNet-1k, then Digits"."""
        return ", then ".join(step.learned_from for step in self.steps)


@dataclass(frozen=True)
class BlockOutline:
    """A block of layers in numbers.

    `parameters` are all weights and statistics, `norm_parameters` those of BatchNorm among them, `statistics` the part of
    these that no optimizer trains, and `constants` what other layers hold that none does (the mean of the pixels, for one).
    `other_norms` and `biases` are those of other norms, and of other layers. `adapter_units`
    times the rank are the parameters of low-rank adapters. `channels` is the last axis of what leaves the block,
    `numbers` how many numbers that are, and `multiply_adds` those inside it, both of one image.
    """

    name: str
    layers: int
    parameters: int
    norm_parameters: int
    multiply_adds: int
    statistics: int = 0
    constants: int = 0
    other_norms: int = 0
    biases: int = 0
    adapter_units: int = 0
    channels: int = 0
    numbers: int = 0


@dataclass(frozen=True)
class Outline:
    """A network's blocks from the pixels upward, the length of its feature vector, and its provenance."""

    blocks: tuple[BlockOutline, ...]
    feature_size: int
    provenance: Provenance

    @property
    def parameters(self) -> int:
        """Return the trainable parameters and BatchNorm statistics of all blocks, without the head."""
        return sum(block.parameters for block in self.blocks)

    @property
    def multiply_adds(self) -> int:
        """Return the multiply-adds of one forward pass of one image (half its FLOPs)."""
        return sum(block.multiply_adds for block in self.blocks)

    @classmethod
    def of(cls, network: "Network") -> Self:
        """Return the outline of a loaded network."""
        graph = network.graph
        blocks = (_outline_graph(graph),) if graph else tuple(_outline_block(block) for block in network.blocks)
        return cls(blocks, int(network.model.output.shape[-1]), network.provenance)

    def to_json(self) -> bytes:
        """Return the outline as JSON; `from_json` gives an equal one."""
        return TypeAdapter(type(self)).dump_json(self)

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Return the outline that `to_json` wrote. Raises `ValueError` where it is not one."""
        return TypeAdapter(cls).validate_json(text)


@dataclass(frozen=True)
class Network:
    """A loaded backbone.

    `model` maps float32 pixels (batch, size, size, 3) in 0..255 to features (batch, feature_size).
    `blocks` are consecutive groups of its layers, from the pixels upward, each with the one tensor that leaves it.
    `classifier` is (kernel, bias) of the source's own classes, where it has them. Where a `graph` computes the features, `model`
    passes them on, and there are no blocks.
    """

    model: Any
    blocks: tuple[Block, ...]
    provenance: Provenance
    classifier: tuple[Any, Any] | None = None
    graph: OnnxGraph | None = None

    def outline(self) -> Outline:
        """Return the same network in plain values: blocks with parameters and multiply-adds."""
        return Outline.of(self)


def _outline_graph(graph: OnnxGraph) -> BlockOutline:
    features = graph.facts.features
    return BlockOutline(
        "network",
        layers=1,
        parameters=graph.facts.parameters,
        norm_parameters=0,
        multiply_adds=graph.multiply_adds(),
        channels=features,
        numbers=features,
    )


def _outline_block(block: Block) -> BlockOutline:
    parts = [part for layer in block.layers for part in sublayers_of(layer)]
    norms = [part for part in parts if is_batch_norm(part)]
    others = [part for part in parts if type(part).__name__.endswith("Normalization") and part not in norms]
    rest = [part for part in parts if part not in norms and part not in others]
    return BlockOutline(
        block.name,
        len(block.layers),
        parameters=sum(map(_size, parts)),
        norm_parameters=sum(map(_size, norms)),
        multiply_adds=sum(multiply_adds(layer) for layer in block.layers),
        statistics=sum(map(_statistics, norms)),
        constants=sum(map(_statistics, [*others, *rest])),
        other_norms=sum(_size(part) - _statistics(part) for part in others),
        biases=sum(_size(part, "bias") for part in rest),
        adapter_units=sum(map(_adapter_units, rest)),
        channels=int(block.output.shape[-1]),
        numbers=int(prod(block.output.shape[1:])),
    )


def _size(layer: Any, *names: str) -> int:
    """Return how many numbers the own weights of `layer` hold that have one of `names` (all without a name), adapters apart."""
    return _numbers(weight for weight in own_weights(layer) if weight.name in names or not names)


def _statistics(layer: Any) -> int:
    """Return how many of its numbers no optimizer trains, whatever is set."""
    return _numbers(layer._non_trainable_variables)


def _numbers(weights: Iterable[Any]) -> int:
    return sum(int(prod(weight.shape)) for weight in weights if not is_adapter(weight))


def _adapter_units(layer: Any) -> int:
    """Return how many numbers a low-rank adapter of rank 1 beside the kernel of `layer` holds: 0 where Keras has none."""
    if not takes_adapter(layer):
        return 0
    shape = layer.kernel.shape
    return int(prod(shape[:-1])) + int(shape[-1])


def multiply_adds(layer: Any) -> int:
    """Return the multiply-adds of one image through `layer`: its kernel's size times the places it is applied to, or 0.

    Kernels of layers inside it are taken to be applied wherever its own output has a place: what happens within is not in the
    graph. What attention multiplies with each other is left out.
    """
    kernels = [part.kernel for part in sublayers_of(layer) if getattr(part, "kernel", None) is not None]
    return sum(int(prod(kernel.shape)) for kernel in kernels) * prod(layer.output.shape[1:-1]) if kernels else 0
