"""An engine is only quicker: whatever goes wrong with it, Keras computes, and the run says so."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tl_core import backbones
from tl_core.data.resizing import SquarePixels
from tl_core.datasets import ArrayImages
from tl_core.features import engines
from tl_core.features.cache import cache_of
from tl_core.features.engines import _networks, openvino
from tl_core.features.extractor import FeatureExtractor
from tl_core.notes import sentence, sentences
from tl_core.spec import PartSpec

SIZE = 16
pytestmark = pytest.mark.skipif(keras.backend.backend() == "jax", reason="nothing is converted on this backend of Keras")


class UnheardError(Exception):
    """What no list of exceptions would hold."""


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A small network that counts as worth converting."""
    monkeypatch.setattr(_networks, "SMALL_NETWORK", 0)
    return backbones.build(PartSpec(name="small_cnn", width=4)).load(SIZE, pretrained=False).model


def raising(error: Exception) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    "error",
    [
        NameError("name 'tensorflow' is not defined"),
        AttributeError("module has no attribute"),
        ZeroDivisionError(),
        ImportError("libopenvino.so: cannot open shared object file"),
        MemoryError(),
        UnheardError("one\nand two lines"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_keras_computes_whatever_the_conversion_raises(
    model: Any, error: Exception, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(type(model), "export", raising(error))
    supply = FeatureExtractor(cache_of(tmp_path), SquarePixels(SIZE), bfloat16=False, wait=lambda: None)
    pixels = np.random.default_rng(0).integers(0, 256, (5, SIZE, SIZE, 3), np.uint8)
    part, images = supply.part(model), ArrayImages(pixels, np.zeros(5, np.int64))
    for split in (images.take(np.arange(3)), images.take(np.arange(3, 5))):
        features = supply.features(part, split, lambda _: None)
    expected = keras.ops.convert_to_numpy(model(pixels[3:].astype(np.float32), training=False))
    np.testing.assert_allclose(features.batch(np.arange(2)), expected, rtol=1e-3, atol=1e-4)
    said = [said for said in sentences(supply.tally.take_record().notes) if "OpenVINO" in said]
    assert len(said) == 1
    assert "so Keras did, more slowly" in said[0]
    assert type(error).__name__ in said[0]
    assert "\n" not in said[0]


def test_nothing_is_noted_where_openvino_computes(model: Any) -> None:
    engine = engines.choose(model, bfloat16=False, conversions=None)
    assert (engine.title, engine.notes) == ("OpenVINO, float32", ())


def test_nothing_is_noted_of_what_is_too_small_to_be_converted(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_networks, "SMALL_NETWORK", 10**12)
    engine = engines.choose(model, bfloat16=False, conversions=None)
    assert (engine.title, engine.notes) == ("Keras, float32", ())


@pytest.mark.parametrize("error", [ImportError("no libtbb"), OSError("not an ELF file"), RuntimeError("no plugin")], ids=str)
def test_a_damaged_openvino_ends_no_run(model: Any, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for 16 bits before anything is converted."""
    monkeypatch.setattr(openvino, "quiet_openvino", raising(error))
    monkeypatch.setattr(type(model), "export", raising(error))
    assert engines.expected(model, bfloat16=True) == "OpenVINO, float32"
    engine = engines.choose(model, bfloat16=True, conversions=None)
    assert (engine.title, str(error) in sentence(*engine.notes)) == ("Keras, bfloat16", True)
