"""The part of a network that stays as it is: a Keras model, or a file that OpenVINO computes. Both are asked in the same way."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tl_core.features import engines
from tl_core.features.engines import PreparedNetwork
from tl_core.features.engines.openvino import graph_title, prepared_graph
from tl_core.networks.identity import identity, weights_identity
from tl_core.networks.onnx_graph import OnnxGraph


class FrozenPart(ABC):
    """From the inputs of a network to some tensor within it."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Return the shape of what it gives for one example."""

    @property
    @abstractmethod
    def decisive(self) -> tuple[Any, ...]:
        """Return all that decides what it gives, but for its inputs, as plain JSON values: its features are kept under that."""

    @abstractmethod
    def prepare(self, conversions: Path | None) -> PreparedNetwork:
        """Return it ready to run; `conversions` is a folder where a network that was converted is kept, None keeps none."""


@dataclass(frozen=True, eq=False)
class FrozenSubmodel(FrozenPart):
    """A Keras `model`, from its input upward, with what was `told` of it when this was made, and its `identity` where it has
    one."""

    model: Any
    told: tuple[Any, ...]
    identity: str | None
    bfloat16: bool

    @classmethod
    def of(cls, model: Any, *, bfloat16: bool, own: str) -> Self:
        """Return the part that `model` is. What one gives that has code of somebody else's in it goes by the name `own`, since
        that code may change."""
        known = identity(model)
        network = known or [own, *map(str, model.output.shape), weights_identity(model)]
        return cls(model, (network, engines.expected(model, bfloat16=bfloat16)), known, bfloat16)

    @property
    def decisive(self) -> tuple[Any, ...]:
        return self.told

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.model.output.shape[1:])

    def prepare(self, conversions: Path | None) -> PreparedNetwork:
        return engines.choose(self.model, bfloat16=self.bfloat16, conversions=conversions, known=self.identity)


@dataclass(frozen=True)
class FrozenGraph(FrozenPart):
    """A network in a file of its own, of which nothing but its features is known."""

    graph: OnnxGraph
    bfloat16: bool

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.graph.facts.features,)

    @property
    def decisive(self) -> tuple[Any, ...]:
        return (self.graph.decisive, graph_title(bfloat16=self.bfloat16))

    def prepare(self, conversions: Path | None) -> PreparedNetwork:
        return prepared_graph(self.graph, bfloat16=self.bfloat16)


def frozen_part(model: Any, graph: OnnxGraph | None, *, bfloat16: bool, own: str = "") -> FrozenPart:
    """Return the `graph` that computes what a network's Keras model takes, where there is one, else the Keras `model`, as
    `FrozenSubmodel.of` has it."""
    return FrozenGraph(graph, bfloat16) if graph else FrozenSubmodel.of(model, bfloat16=bfloat16, own=own)
