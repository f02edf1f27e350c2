"""A network in an ONNX file as OpenVINO computes it: from pixels to a vector of features. Keras knows no layer of it."""

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tl_core.errors import WeightsError, printable
from tl_core.networks.openvino import compiled, quiet_openvino

USUAL_SIDE = 224
"""Pixels of a side at which a network that takes any is looked at."""
COLOURS, IMAGE_AXES = 3, 4
PLACES = {True: {3: [1], 4: [2, 3]}, False: {3: [1], 4: [1, 2]}}
"""Over which axes features are averaged, by their rank: with the channels before the places, and behind them."""
RANKS, NAMED = (2, 3, 4), 5
"""The ranks that features have, and so many tensors are named where one is not there."""
ONE_FILE = "Export it anew, as one file with its weights inside, for one batch of colour images."
OWN_RUN = "What a finished run has learned needs no file to serve here: take the backbone finished_run."
LACKING, SAID_AT_MOST = "No conversion rule found", 300
"""What OpenVINO begins a line with that names operators, and so many letters of what it says are told."""


class Affine(NamedTuple):
    """What a network takes in place of pixels within 0..255: each channel times its factor, plus its offset; in the order blue,
    green, red where `blue_first`."""

    factors: tuple[float, float, float] = (1.0, 1.0, 1.0)
    offsets: tuple[float, float, float] = (0.0, 0.0, 0.0)
    blue_first: bool = False


@dataclass(frozen=True)
class GraphFacts:
    """What is known of a network in a file: the side of its images and the examples of a batch, each None for any; whether it
    takes channels before rows and columns; how many features it gives, and how many parameters it has."""

    side: int | None
    batch: int | None
    channels_first: bool
    features: int
    parameters: int


@dataclass(frozen=True)
class OnnxGraph:
    """The network in the file at `path`, with that `digest` (sha256), up to the tensor `output` (None for its first result), for
    images of `side` pixels that it takes as `scaling` says."""

    path: Path
    digest: str
    output: str | None
    scaling: Affine
    side: int
    facts: GraphFacts

    @property
    def decisive(self) -> list[Any]:
        """Return all that decides what it gives, as plain JSON values, but for the images."""
        return [self.digest, self.output, *self.scaling]

    def multiply_adds(self) -> int:
        """Return the multiply-adds of an image, of convolutions and of products. Raises `WeightsError` as `compiled`."""
        batch = self.facts.batch or 1
        return sum(map(_multiply_adds, self._on_pixels(batch).get_ops())) // batch

    def compiled(self, batch: int, *, bfloat16: bool) -> Any:
        """Return OpenVINO's compiled model, from uint8 pixels (batch, side, side, 3) to float32 features (batch, features).
        Raises `WeightsError` where OpenVINO does not compute it."""
        network = self._on_pixels(batch)
        with _sentence_for_failures(self.path):
            return compiled(network, bfloat16=bfloat16)

    def _on_pixels(self, batch: int) -> Any:
        with _sentence_for_failures(self.path):
            return _on_pixels(_network(self.path, self.output), self, batch)


def examined(path: Path, told: Path, output: str | None, scaling: Affine) -> GraphFacts:
    """Return what is known of the network in the file at `path`, once one image has passed it. Raises `WeightsError` where that
    does not work, with what is wrong with the file, by the path by which it is `told`."""
    with _sentence_for_failures(told):
        try:
            network = _network(path, output)
        except LookupError as error:
            mend = f"Name one that it has, such as {printable(', '.join(error.args))}."
            raise refused(told, f"has no tensor called {printable(str(output))}", mend) from None
        facts = _described(network, told)
        graph = OnnxGraph(path, "", output, scaling, facts.side or USUAL_SIDE, facts)
        computing = compiled(_on_pixels(network, graph, facts.batch or 1), bfloat16=False)
        grey = np.full(tuple(computing.input().shape), 127, np.uint8)
        noise = np.random.default_rng(0).integers(0, 256, grey.shape, np.uint8)
        found, other = (np.array(computing(pixels)[0]) for pixels in (grey, noise))
    if found.ndim != 2 or len(found) != (facts.batch or 1) or not np.isfinite(found).all():
        raise refused(told, f"gives no features of an image, but numbers of the shape {found.shape}")
    if np.array_equal(found, other):
        raise refused(told, "gives the same features of any image", "Its weights may be missing or no numbers: export it anew.")
    return replace(facts, features=found.shape[1])


def refused(path: Path, problem: str, mend: str = ONE_FILE) -> WeightsError:
    """Return the error that a file has this problem, as in "cannot be computed"."""
    return WeightsError(f"{printable(path.name)} {problem}.", mend, received=printable(str(path)))


def _said(error: BaseException) -> str:
    """Return what OpenVINO says is wrong: the operators that it lacks, or the first one that fails and why. Where in its code
    that was comes before."""
    told, _, summary = str(error).partition("\nSummary:")
    lacking = [line.strip(" -") for line in summary.splitlines() if LACKING in line]
    lines = [line.strip() for line in told.splitlines() if line.strip()] or [type(error).__name__]
    failing = [line.strip(" -").removesuffix(" with a message:") for line in lines if line.startswith("--")]
    said = lacking[0] if lacking else ": ".join([*failing[:1], lines[-1]])
    return printable(said.rstrip(".")[:SAID_AT_MOST])


@contextmanager
def _sentence_for_failures(path: Path) -> Iterator[None]:
    """Raise `WeightsError` for what OpenVINO raises for a file that it cannot read or compute."""
    quiet_openvino()
    from openvino import frontend

    of_reading = (frontend.GeneralFailure, frontend.OpConversionFailure, frontend.OpValidationFailure)
    try:
        yield
    except (RuntimeError, *of_reading, frontend.InitializationFailure, frontend.NotImplementedFailure) as error:
        raise refused(path, f"cannot be computed by OpenVINO ({_said(error)})", f"{ONE_FILE} {OWN_RUN}") from None


def _network(path: Path, output: str | None) -> Any:
    """Return OpenVINO's network in a file, to its first result or to the tensor `output`. No other format than ONNX is tried.
    Raises `LookupError` where there is no such tensor, with the names of some that could be meant."""
    openvino = quiet_openvino()
    from openvino.frontend import FrontEndManager

    reader = FrontEndManager().load_by_framework("onnx")
    network = reader.convert(reader.load(str(path)))
    if output is None and len(network.outputs) < 2:
        return network
    if output is None:
        found = network.outputs[:1]
    else:
        found = [each for op in network.get_ops() for each in op.outputs() if output in each.get_names()]
    if not found:
        raise LookupError(*_meant(network, output or ""))
    node = found[0].get_node()
    ends = node.input_value(0) if node.get_type_name() == "Result" else found[0]
    return openvino.Model([ends], network.get_parameters())


def _meant(network: Any, name: str) -> list[str]:
    """Return the names of up to `NAMED` tensors that could be meant by one that a network lacks: those that are called nearly so,
    or else those nearest to its result."""
    reached, names = {each.get_friendly_name() for each in network.get_parameters()}, list[str]()
    for op in network.get_ordered_ops():
        if any(each.get_source_output().get_node().get_friendly_name() in reached for each in op.inputs()):
            reached.add(op.get_friendly_name())
            given = [] if op.get_type_name() == "Result" else [end for end in op.outputs() if _rank(end) in RANKS]
            names += [each for end in given for each in sorted(end.get_names())]
    return difflib.get_close_matches(name, names, NAMED) or names[: -NAMED - 1 : -1]


def _rank(end: Any) -> int | None:
    rank = end.get_partial_shape().rank
    return int(rank.get_length()) if rank.is_static else None


def _described(network: Any, told: Path) -> GraphFacts:
    """Return what the input of a network says; how many features it gives is not known yet. Raises `WeightsError` where it
    takes no colour images."""
    if len(network.inputs) != 1:
        raise refused(told, f"has {len(network.inputs)} inputs, and a backbone has one", "Choose a model of one image.")
    taken = network.inputs[0].partial_shape
    shape = [side.get_length() if side.is_static else None for side in taken] if taken.rank.is_static else []
    first = shape[1:2] == [COLOURS]
    batch, *sides = [*shape[:1], *shape[2:]] if first else shape[:-1] if shape[-1:] == [COLOURS] else [None]
    if len(shape) != IMAGE_AXES or len(sides) != 2 or sides[0] != sides[1]:
        sides_told = "x".join("?" if side is None else str(side) for side in shape) or "?"
        raise refused(told, f"takes no square colour images, but inputs of the shape {sides_told}")
    constants = [op for op in network.get_ops() if op.get_type_name() == "Constant" and op.get_element_type().is_real()]
    parameters = sum(prod(op.get_output_shape(0)) for op in constants)
    return GraphFacts(sides[0], batch, first, features=0, parameters=parameters)


def _on_pixels(network: Any, graph: OnnxGraph, batch: int) -> Any:
    """Return the `network` of a `graph` from uint8 pixels (batch, side, side, 3) on, to float32 features that are averaged over
    all places."""
    openvino = quiet_openvino()
    from openvino import opset13 as ops

    side, scaling, first = graph.side, graph.scaling, graph.facts.channels_first
    network.reshape([batch, COLOURS, side, side] if first else [batch, side, side, COLOURS])
    pixels = ops.parameter([batch, side, side, COLOURS], np.uint8, name="pixels")
    values = ops.convert(pixels, "f32")
    if scaling.blue_first:
        values = ops.gather(values, np.array([2, 1, 0]), np.array(3))
    factors, offsets = (np.array(each, np.float32) for each in (scaling.factors, scaling.offsets))
    values = ops.add(ops.multiply(values, factors), offsets)
    if first:
        values = ops.transpose(values, np.array([0, 3, 1, 2]))
    (given,) = network.get_parameters()
    given.output(0).replace(ops.convert(values, given.get_element_type().get_type_name()).output(0))
    features = network.output(0).get_node().input_value(0)
    axes = PLACES[first].get(len(features.get_partial_shape()))
    if axes:
        features = ops.reduce_mean(features, np.array(axes), keep_dims=False).output(0)
    return openvino.Model([ops.convert(features, "f32")], [pixels])


def _multiply_adds(op: Any) -> int:
    """Return the multiply-adds of an operation of a network whose shapes are known: those of convolutions and of products."""
    kind = op.get_type_name()
    if kind == "Convolution":
        return int(prod(op.get_output_shape(0)) * prod(op.get_input_shape(1)[1:]))
    if kind == "GroupConvolution":
        return int(prod(op.get_output_shape(0)) * prod(op.get_input_shape(1)[2:]))
    return int(prod(op.get_output_shape(0)) * op.get_input_shape(0)[-1]) if kind == "MatMul" else 0
