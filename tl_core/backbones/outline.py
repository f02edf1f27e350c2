"""A network in plain values: what the pages draw and what strategies plan with, without Keras."""

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Self

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from tl_core.backbones import Network


@dataclass(frozen=True)
class Provenance:
    """Where weights come from. `sha256` is of the weights file; None for random weights."""

    source: str
    licence: str
    learned_from: str
    sha256: str | None = None


@dataclass(frozen=True)
class BlockOutline:
    """A block of layers: its parameters (those of BatchNorm apart too) and multiply-adds an image."""

    name: str
    layers: int
    parameters: int
    norm_parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class Outline:
    """A network's blocks from the pixels upward, the length of its feature vector, and its provenance."""

    blocks: tuple[BlockOutline, ...]
    feature_size: int
    provenance: Provenance

    @property
    def parameters(self) -> int:
        """Trainable parameters and BatchNorm statistics of all blocks; the head is not in it."""
        return sum(block.parameters for block in self.blocks)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of one forward pass of one image (half its FLOPs)."""
        return sum(block.multiply_adds for block in self.blocks)

    @classmethod
    def of(cls, network: "Network") -> Self:
        """The outline of a loaded network."""
        blocks = tuple(_outline_block(name, layers) for name, layers in network.blocks)
        return cls(blocks, int(network.model.output.shape[-1]), network.provenance)

    def to_json(self) -> bytes:
        """As JSON; `from_json` gives an equal outline."""
        return TypeAdapter(type(self)).dump_json(self)

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """The outline that `to_json` wrote; raises `ValueError` where it is not one."""
        return TypeAdapter(cls).validate_json(text)


def _outline_block(name: str, layers: tuple[Any, ...]) -> BlockOutline:
    parameters = sum(layer.count_params() for layer in layers)
    norm = sum(layer.count_params() for layer in layers if type(layer).__name__ == "BatchNormalization")
    return BlockOutline(name, len(layers), parameters, norm, sum(multiply_adds(layer) for layer in layers))


def multiply_adds(layer: Any) -> int:
    """Multiply-adds of one image through `layer`: a kernel's size times the places it is applied to; 0 without a kernel."""
    kernel = getattr(layer, "kernel", None)
    if kernel is None:
        return 0
    places = prod(layer.output.shape[1:-1]) if len(layer.output.shape) == 4 else 1
    return int(prod(kernel.shape)) * places
