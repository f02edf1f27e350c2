"""A run that is interrupted in many ways, and what it comes to when it is left alone."""

from collections.abc import Iterator

import pytest

from tests.tools.interrupting import Attempt, Whole
from tests.tools.toy import alternating
from tl_core.spec import RunSpec
from tl_core.training.train import train


@pytest.fixture(scope="module")
def spec() -> Iterator[RunSpec]:
    """Three phases of 6 steps and 2 epochs: features, everything, other features."""
    with alternating() as found:
        yield found


@pytest.fixture(scope="module")
def whole(spec: RunSpec) -> Whole:
    """The run that was never interrupted."""
    events = Attempt()
    return events, train(spec, events)
