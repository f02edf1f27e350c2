"""Which engine computes: the first in order that suits and can, wherever it comes from."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.helpers import ROOT
from tests.tools.toy import SIZE, toy_network
from tl_core import testing
from tl_core.data.resizing import SquarePixels
from tl_core.datasets import ArrayImages
from tl_core.features import engines
from tl_core.features.cache import ActivationCache
from tl_core.features.engines import _networks
from tl_core.features.extractor import FeatureExtractor
from tl_core.notes import sentences
from tl_core.testing import Check

OTHER, TITLE = "layer_by_layer", "Keras layer by layer"
IMAGES = ArrayImages(np.random.default_rng(0).integers(0, 256, (5, 20, 20, 3), np.uint8), np.arange(5))


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[engines.Engine]]:
    """The engine of CONTRIBUTING.md, which a distribution that is installed offers as a part."""
    (code,) = re.findall(
        r"^```python\n(?=[^`]*PreparedNetwork)(.*?)^```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.M | re.S
    )
    (tmp_path / "an_engine.py").write_text(code)
    information = tmp_path / "an_engine-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: an-engine\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[transfer_lab.parts]\nany = an_engine\n")
    monkeypatch.setattr(engines.engines, "_parts", dict(engines.engines.parts()))  # found before the other one can be
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(engines.engines, "_discovered", False)
    yield engines.engines.part(OTHER)
    del sys.modules["an_engine"]


def chosen(model: Any) -> tuple[str, str]:
    made = engines.choose(model, bfloat16=False, conversions=None)
    return made.title, " ".join(sentences(made.notes))


def test_an_engine_of_another_distribution_computes(other: type[engines.Engine]) -> None:
    model = toy_network()[0].model
    assert engines.expected(model, bfloat16=True) == f"{TITLE}, float32"
    assert chosen(model) == (f"{TITLE}, float32", "")


@pytest.mark.parametrize("check", testing.checks("engine"))
def test_it_passes_the_checks_of_its_kind(other: type[engines.Engine], check: Check) -> None:
    check(other)


def test_a_run_takes_its_features_from_it(other: type[engines.Engine], tmp_path: Path) -> None:
    supply = FeatureExtractor(ActivationCache(tmp_path / "cache", 10**9), SquarePixels(SIZE), bfloat16=False, wait=lambda: None)
    supply.features(supply.part(toy_network()[0].model), IMAGES, lambda _: None)
    assert supply.tally.computed == {f"{TITLE}, float32": 5}


def test_what_it_cannot_convert_the_next_one_computes_and_says_so(
    other: type[engines.Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("It has no\nsuch layer.")

    monkeypatch.setattr(other, "prepare", fail)
    title, note = chosen(toy_network()[0].model)
    assert title == "Keras, float32"
    assert note == f"{TITLE} could not compute this network (RuntimeError: It has no such layer.), so Keras did, more slowly."


def test_what_does_not_suit_it_the_next_one_computes_without_a_word(
    other: type[engines.Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(other, "suits", lambda *_: False)
    model = toy_network()[0].model
    assert engines.expected(model, bfloat16=False) == "Keras, float32"
    assert chosen(model) == ("Keras, float32", "")


def test_a_check_finds_what_gives_something_else(other: type[engines.Engine], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["an_engine"].Layers, "filled", lambda self, pixels: np.zeros(self.shape, np.uint8))
    wrong = []
    for check in testing.checks("engine"):
        try:
            check(other)
        except AssertionError:
            wrong.append(check.__name__)
    assert {"check_gives_what_keras_gives", "check_what_is_no_batch_is_told"} <= set(wrong)


def test_keras_is_asked_last() -> None:
    assert list(engines.engines.parts())[-1] == "keras"


def test_on_an_accelerator_keras_computes_and_its_title_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """No accelerator is here; this is the name that TensorFlow gives to one."""
    monkeypatch.setattr(_networks, "SMALL_NETWORK", 0)
    weight = SimpleNamespace(value=SimpleNamespace(device="/job:localhost/replica:0/task:0/device:GPU:0"))
    model = SimpleNamespace(weights=[weight], layers=[])
    assert engines.expected(model, bfloat16=False) == "Keras on an accelerator, float32"
    assert engines.expected(model, bfloat16=True) == "Keras on an accelerator, bfloat16"
