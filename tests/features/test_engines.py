"""The inference engines: what they give is what Keras gives, in order, for each image alone, and without a trace elsewhere."""

import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.helpers import python, wait_until
from tests.tools.variants import variants
from tl_core import backbones
from tl_core.features import engines
from tl_core.features.engines import PreparedNetwork, _conversion, _conversion_cache, _networks, choose
from tl_core.features.engines._networks import is_on_processor
from tl_core.features.engines._policies import compute_dtypes, in_policy
from tl_core.features.engines.keras import KerasEngine
from tl_core.features.engines.openvino import batch_of
from tl_core.networks.identity import identity
from tl_core.networks.openvino import quiet_openvino
from tl_core.networks.outline import Network
from tl_core.spec import PartSpec
from tl_core.strategies.head2toe import Head2Toe

SIZE = 32
BACKEND = keras.backend.backend()
NAME = "Keras" if BACKEND == "jax" else "OpenVINO"
"""What computes on a processor: of a network on JAX, Keras' export makes what OpenVINO cannot read."""
HAS_BFLOAT16 = "BF16" in quiet_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
converts = pytest.mark.skipif(NAME == "Keras", reason="nothing is converted on this backend of Keras")

Pixels = NDArray[np.uint8]
Array = NDArray[np.float32]


def images(count: int, size: int = SIZE) -> Pixels:
    return np.random.default_rng(1).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def load(name: str, **settings: Any) -> Network:
    built = backbones.build(PartSpec(name=name, **settings))
    return built.load(SIZE, pretrained=name == "efficientnet_lite0")


def lite0() -> Any:
    return load("efficientnet_lite0").model


def small() -> Any:
    return load("small_cnn", batch_norm=True, width=4).model


def lower(blocks: int, name: str, **settings: Any) -> Any:
    """The lowest blocks of a network, which give a map."""
    network = load(name, **settings)
    return keras.Model(network.model.input, network.blocks[blocks - 1].output)


def all_blocks() -> Any:
    classifier = Head2Toe().join(load("efficientnet_lite0"), ("cat", "dog"))
    return classifier.below(classifier.features)


NETWORKS: dict[str, Callable[[], Any]] = {
    "EfficientNet-Lite0": lite0,
    "a map": partial(lower, 5, "efficientnet_lite0"),
    "features of all blocks": all_blocks,
    "MobileNetV2": lambda: load("keras_applications", family="MobileNetV2").model,
    "EfficientNetB0": partial(lower, 5, "keras_applications", family="EfficientNetB0"),
    "ResNet50": partial(lower, 6, "keras_applications", family="ResNet50"),
    "small CNN": small,
}


@pytest.fixture(scope="module", autouse=True)
def however_small() -> Iterator[None]:
    """Pictures are small here, so that the tests are quick; OpenVINO computes them all the same."""
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(_networks, "SMALL_NETWORK", 0)
        yield


@pytest.fixture(scope="module")
def conversions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the tests that want no more than a network."""
    return tmp_path_factory.mktemp("conversions") / "below"


@pytest.fixture
def policy() -> Iterator[Callable[[str], None]]:
    """Keras' global dtype policy, put back afterwards."""
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy("float32")


def run(engine: PreparedNetwork, pixels: Pixels, size: int | None = None) -> Array:
    """All images in batches of `size`."""
    size = size or engine.batch
    return np.concatenate(list(engine.run(pixels[start : start + size] for start in range(0, len(pixels), size))))


def computed(model: Any, pixels: Pixels) -> Array:
    """What the layers give, called one after the other."""
    return np.asarray(keras.ops.convert_to_numpy(model(pixels.astype(np.float32), training=False)), np.float32)


def difference(got: Array, expected: Array) -> float:
    assert got.shape == expected.shape
    assert got.dtype == np.float32
    return float(np.linalg.norm(got - expected) / np.linalg.norm(expected))


FEW = {"EfficientNet-Lite0", "a map", "features of all blocks", "MobileNetV2", "small CNN"}


@pytest.mark.parametrize("name", variants(NETWORKS, FEW))
def test_it_gives_what_keras_gives(name: str, conversions: Path) -> None:
    model, pixels = NETWORKS[name](), images(11)
    expected = computed(model, pixels)
    engine = choose(model, bfloat16=False, conversions=conversions)
    assert engine.title == f"{NAME}, float32"
    assert difference(run(engine, pixels), expected) < 2e-5


def test_bfloat16_where_the_processor_has_it(conversions: Path) -> None:
    model, pixels = lite0(), images(8)
    engine = choose(model, bfloat16=True, conversions=conversions)
    halved = HAS_BFLOAT16 or NAME == "Keras"
    assert engine.title == f"{NAME}, {'bfloat16' if halved else 'float32'}"
    off = difference(run(engine, pixels), computed(model, pixels))
    assert 1e-3 < off < 0.1 if halved else off < 2e-5


@pytest.mark.parametrize("title", ["OpenVINO", "Keras"])
def test_the_engine_decides_in_what_it_computes_and_not_the_policy_of_the_layers(
    title: str, policy: Callable[[str], None], conversions: Path
) -> None:
    exact, pixels = NETWORKS["a map"](), images(8)
    expected = computed(exact, pixels)
    policy("mixed_bfloat16")
    mixed = NETWORKS["a map"]()
    assert difference(computed(mixed, pixels), expected) > 1e-3
    for model in (exact, mixed):
        for bfloat16 in (False, True):
            if title == "Keras":
                engine: PreparedNetwork = KerasEngine().prepare(model, bfloat16=bfloat16)
            else:
                engine = choose(model, bfloat16=bfloat16, conversions=conversions)
            off = difference(run(engine, pixels), expected)
            assert 1e-3 < off < 0.1 if engine.title.endswith("bfloat16") else off < 2e-5
    assert compute_dtypes(mixed) == {"bfloat16"}


def test_a_copy_in_another_policy_reaches_what_lies_inside_a_layer(policy: Callable[[str], None]) -> None:
    policy("mixed_bfloat16")
    inside = keras.Sequential([keras.Input((SIZE, SIZE, 3)), keras.layers.Conv2D(4, 3), keras.layers.GlobalMaxPooling2D()])
    inputs = keras.Input((SIZE, SIZE, 3))
    along = keras.layers.TimeDistributed(keras.layers.Dense(5))(keras.ops.reshape(inputs, (-1, SIZE, SIZE * 3)))
    outputs = keras.layers.Concatenate()([inside(inputs), keras.layers.GlobalAveragePooling1D()(along)])
    model, pixels = keras.Model(inputs, outputs), images(3)
    exact = in_policy(model, bfloat16=False)
    assert (compute_dtypes(model), compute_dtypes(exact)) == ({"bfloat16"}, {"float32"})
    assert in_policy(exact, bfloat16=False) is exact
    again = in_policy(exact, bfloat16=True)
    np.testing.assert_array_equal(computed(again, pixels), computed(model, pixels))
    assert 1e-4 < difference(computed(exact, pixels), computed(model, pixels)) < 0.1
    for before, after in zip(model.get_weights(), exact.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("title", ["Keras", pytest.param("OpenVINO", marks=converts)])
def test_the_next_batches_are_taken_while_some_are_computed(title: str, conversions: Path) -> None:
    """One by Keras, and one a request by OpenVINO, by threads of their own."""
    made = choose(small(), bfloat16=False, conversions=conversions)
    engine, ahead = (KerasEngine().prepare(small(), bfloat16=False), 1) if title == "Keras" else (made, streams(made) + 1)
    taken: list[int] = []

    def batches() -> Iterator[Pixels]:
        for number in range(40):
            taken.append(number)
            yield images(2)

    def has_taken(count: int) -> bool:
        return len(taken) >= count

    for given, _ in enumerate(engine.run(batches()), 1):
        wait_until(partial(has_taken, min(given + 1, 40)))
        assert len(taken) <= given + ahead


def streams(engine: Any) -> int:
    return engine._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")


class Recording:
    """A compiled model that remembers the requests it made."""

    def __init__(self, compiled: Any) -> None:
        self.compiled, self.requests = compiled, []  # type: ignore[var-annotated]

    def create_infer_request(self) -> Any:
        self.requests.append(self.compiled.create_infer_request())
        return self.requests[-1]

    def get_property(self, name: str) -> Any:
        return self.compiled.get_property(name)


@converts
@pytest.mark.parametrize("ending", ["closed", "the batches fail", "a batch is none"])
def test_no_request_is_left_running(ending: str, conversions: Path) -> None:
    engine: Any = choose(small(), bfloat16=False, conversions=conversions)
    engine._compiled = recording = Recording(engine._compiled)

    def batches() -> Iterator[Pixels]:
        yield from repeat(images(engine.batch), 2 * len(recording.requests))
        if ending == "the batches fail":
            raise OSError("This image cannot be decoded.")
        yield images(engine.batch + 1)

    outputs = engine.run(batches())
    if ending == "closed":
        next(outputs)
        outputs.close()
    else:
        with pytest.raises(OSError if ending == "the batches fail" else ValueError):
            list(outputs)
    assert len(recording.requests) == streams(engine) + 1
    assert all(request.wait_for(0) for request in recording.requests)
    assert len(run(engine, images(3))) == 3


@pytest.mark.parametrize("bfloat16", [False, True])
def test_a_network_with_two_outputs_is_told(bfloat16: bool) -> None:
    inputs = keras.Input((SIZE, SIZE, 3))
    model = keras.Model(inputs, [keras.layers.Flatten()(inputs), keras.layers.ReLU()(inputs)])
    with pytest.raises(ValueError, match="one input and one output"):
        choose(model, bfloat16=bfloat16, conversions=None)
    with pytest.raises(ValueError, match="one input and one output"):
        KerasEngine().prepare(model, bfloat16=bfloat16)


@pytest.mark.parametrize(("size", "count"), [(16, 8), (96, 8), (160, 8), (224, 4), (299, 2), (448, 1), (1024, 1)])
def test_a_request_has_as_many_images_as_fit_a_cache(size: int, count: int) -> None:
    assert batch_of((size, size, 3)) == count


@converts
def test_what_is_small_is_not_converted(monkeypatch: pytest.MonkeyPatch) -> None:
    for least, title in ((10**12, "Keras, float32"), (0, "OpenVINO, float32")):
        monkeypatch.setattr(_networks, "SMALL_NETWORK", least)
        assert engines.expected(small(), bfloat16=False) == title
        assert engines.choose(small(), bfloat16=False, conversions=None).title == title


def test_keras_computes_where_openvino_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    model, pixels = small(), images(5)
    engine = choose(model, bfloat16=False, conversions=None)
    assert engine.title == "Keras, float32"
    assert difference(run(engine, pixels), computed(model, pixels)) < 2e-5


@pytest.mark.skipif(BACKEND != "tensorflow", reason="what cannot be converted differs between Keras' backends")
def test_keras_computes_what_openvino_cannot_express(caplog: pytest.LogCaptureFixture) -> None:
    inputs = keras.Input((SIZE, SIZE, 3))
    model = keras.Model(inputs, keras.layers.GlobalMaxPooling2D()(keras.ops.erfinv(inputs / 256)), name="odd")
    with caplog.at_level(logging.WARNING):
        engine = choose(model, bfloat16=False, conversions=None)
    assert engine.title == "Keras, float32"
    assert "the network odd" in caplog.text
    assert "Erfinv" in caplog.text
    assert not logging.getLogger().filters
    assert difference(run(engine, images(5)), computed(model, images(5))) < 2e-5


@converts
def test_a_conversion_that_gives_something_else_is_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr(_conversion, "TOLERANCE", 1e-12)  # less than rounding makes
    assert choose(small(), bfloat16=False, conversions=tmp_path / "kept").title == "Keras, float32"
    assert "not what Keras gives" in caplog.text
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        ("/job:localhost/replica:0/task:0/device:CPU:0", True),
        ("/job:localhost/replica:0/task:0/device:GPU:0", False),
        ("TFRT_CPU_0", True),
        ("cuda:0", False),
        ("cpu", True),
        ("mps:0", False),
    ],
)
def test_where_keras_keeps_a_network(device: str, expected: bool) -> None:
    """No accelerator is here; these are the names that the backends give to their devices."""
    weight: Any = SimpleNamespace(value=SimpleNamespace(device=device))
    assert is_on_processor(SimpleNamespace(weights=[weight])) is expected
    assert is_on_processor(small())


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")}


@converts
def test_a_conversion_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, temporary = tmp_path / "a" / "b", tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    model, pixels = small(), images(9)
    expected = run(choose(model, bfloat16=False, conversions=folder), pixels)
    made = files(folder)
    assert len(made) == 1
    # Of what TensorFlow traces first in a process, it keeps the source until the process ends.
    assert not [name for name in files(temporary) if not name.startswith("__autograph_generated_file")]
    monkeypatch.setattr(_conversion, "convert", lambda *_: pytest.fail("converted again"))
    np.testing.assert_array_equal(run(choose(model, bfloat16=False, conversions=folder), pixels), expected)
    choose(model, bfloat16=True, conversions=folder)
    model.trainable = False
    choose(keras.Model(model.input, model.output, name="another"), bfloat16=False, conversions=folder)
    assert files(folder) == made
    monkeypatch.undo()
    model.weights[0].assign(model.weights[0] * 2)
    assert difference(run(choose(model, bfloat16=False, conversions=folder), pixels), computed(model, pixels)) < 2e-5
    assert files(folder) > made


def damage(kind: str, file: Path) -> None:
    content = bytearray(file.read_bytes())
    if kind == "cut off":
        del content[-1000:]
    elif kind == "empty":
        content.clear()
    elif kind == "longer":
        content += b"\0"
    else:
        place = {"digest": 3, "length": _conversion_cache.DIGEST + 6, "graph": 400, "weights": -30}[kind]
        content[place] ^= 1
    file.write_bytes(content)


@converts
@pytest.mark.parametrize("kind", ["cut off", "empty", "longer", "digest", "length", "graph", "weights"])
def test_a_damaged_conversion_is_made_again(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, pixels = small(), images(4)
    expected = run(choose(model, bfloat16=False, conversions=tmp_path), pixels)
    (file,) = tmp_path.iterdir()
    damage(kind, file)
    np.testing.assert_array_equal(run(choose(model, bfloat16=False, conversions=tmp_path), pixels), expected)
    assert list(tmp_path.iterdir()) == [file]
    monkeypatch.setattr(_conversion, "convert", lambda *_: pytest.fail("it is damaged still"))
    np.testing.assert_array_equal(run(choose(model, bfloat16=False, conversions=tmp_path), pixels), expected)


@converts
def test_a_folder_that_cannot_be_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "taken" / "x").mkdir(parents=True)
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        assert choose(small(), bfloat16=False, conversions=folder).title == "OpenVINO, float32"
    assert files(tmp_path) == {"file", "taken", "x"}


def test_what_is_kept_is_what_was_saved_under_that_key(tmp_path: Path) -> None:
    for key in ("one", "../two", "/three", ""):
        assert _conversion_cache.load(tmp_path, key) is None
        _conversion_cache.save(tmp_path, key, key.encode() * 3)
        assert _conversion_cache.load(tmp_path, key) == key.encode() * 3
    assert len(list(tmp_path.iterdir())) == 4
    _conversion_cache._path(tmp_path, "one").replace(_conversion_cache._path(tmp_path, "../two"))
    assert _conversion_cache.load(tmp_path, "../two") is None
    assert _conversion_cache.load(tmp_path, "one") is None


def test_what_was_not_used_for_longest_gives_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_conversion_cache, "ROOM", 1000)
    left = tmp_path / f".partial-1-{_conversion_cache._path(tmp_path, 'x').name}"
    left.write_bytes(bytes(600))
    os.utime(left, (1, 1))
    for age, key in enumerate(("first", "second", "third")):
        _conversion_cache.save(tmp_path, key, bytes(200))
        os.utime(_conversion_cache._path(tmp_path, key), (10 + age, 10 + age))
    assert _conversion_cache.load(tmp_path, "first")  # and so it was used now
    assert not left.exists()
    _conversion_cache.save(tmp_path, "fourth", bytes(600))
    assert [key for key in ("first", "second", "third", "fourth") if _conversion_cache.load(tmp_path, key)] == ["first", "fourth"]
    _conversion_cache.save(tmp_path, "too large", bytes(1001))
    assert _conversion_cache.load(tmp_path, "too large") is None
    assert _conversion_cache.load(tmp_path, "first")


def two_branches(activation: Any = "relu", swapped: bool = False, axis: int = 1, wrap: Any = None) -> Any:
    """A network whose every argument changes what it computes; Keras numbers its layers through the process."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((SIZE, SIZE, 3))
    left, right = keras.layers.Conv2D(4, 3, activation=activation)(inputs), keras.layers.Conv2D(4, 3)(inputs)
    x = keras.layers.Subtract()([right, left] if swapped else [left, right])
    x = keras.ops.flip(x, axis=axis)
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(wrap(x) if wrap else x))


class Own(keras.layers.Layer):
    """What it computes stands in no configuration."""

    def call(self, inputs: Any) -> Any:
        return inputs + 1


def double(x: Any) -> Any:
    return 2 * x


def test_identity_is_of_what_a_network_computes() -> None:
    first = identity(two_branches())
    assert first == identity(two_branches())
    others = [two_branches("gelu"), two_branches(swapped=True), two_branches(axis=2), two_branches(wrap=keras.layers.ReLU())]
    changed = two_branches()
    kernel = changed.weights[0].numpy() if BACKEND == "tensorflow" else keras.ops.convert_to_numpy(changed.weights[0])
    changed.weights[0].assign(np.nextafter(kernel, np.inf))
    found = [first, *map(identity, [*others, changed])]
    assert None not in found
    assert len(set(found)) == 6


def test_identity_does_not_depend_on_what_the_weights_were_before() -> None:
    pixels = keras.Input((4,))
    random, zeros = (keras.Model(pixels, keras.layers.Dense(2, kernel_initializer=k)(pixels)) for k in ("normal", "zeros"))
    assert identity(random) != identity(zeros)
    zeros.set_weights(random.get_weights())
    assert identity(random) == identity(zeros)


def test_identity_does_not_depend_on_the_policy(policy: Callable[[str], None]) -> None:
    """Which decides in what Keras computes; an engine is told."""
    conversion_cache, weights = [], lite0().get_weights()
    for name in ("float32", "mixed_bfloat16"):
        policy(name)
        model = lite0()
        model.set_weights(weights)
        conversion_cache.append(identity(model))
    assert conversion_cache[0] is not None
    assert conversion_cache[0] == conversion_cache[1]


def test_identity_of_slices() -> None:
    network = load("small_cnn", width=4)
    parts = [keras.Model(network.model.input, block.output) for block in network.blocks]
    found = [identity(part) for part in (*parts, network.model)]
    assert None not in found
    assert len(set(found)) == len(parts) + (parts[-1].output is not network.model.output)
    assert found[0] == identity(keras.Model(network.model.input, network.blocks[0].output, name="named"))


@pytest.mark.parametrize(
    "foreign",
    [{"wrap": Own()}, {"activation": double}, {"wrap": keras.layers.Lambda(double)}, {"wrap": keras.layers.Lambda(lambda x: x)}],
    ids=["layer", "activation", "Lambda of a function", "Lambda"],
)
def test_what_is_not_all_of_keras_has_no_identity_and_is_not_kept(foreign: dict[str, Any], tmp_path: Path) -> None:
    model = two_branches(**foreign)
    assert identity(model) is None
    engine = choose(model, bfloat16=False, conversions=tmp_path)
    assert difference(run(engine, images(3)), computed(model, images(3))) < 2e-5
    assert not files(tmp_path)


QUIET = """
import os, sys
import keras
from tl_core import backbones
from tl_core.features import engines
from tl_core.features.engines import _networks
from tl_core.spec import PartSpec
_networks.SMALL_NETWORK = 0
seen = []
sys.addaudithook(lambda event, _: seen.append(event) if event.startswith(("socket.", "urllib.")) or event == "os.fork" else None)
model = backbones.build(PartSpec(name="small_cnn")).load(16, pretrained=False).model
print(engines.choose(model, bfloat16=False, conversions=None).title)
"""
LEFT = 'import atexit, pathlib\natexit.register(lambda: print(seen, [*pathlib.Path(os.environ["HOME"]).rglob("*")]))\n'


@pytest.mark.process
@converts
def test_openvino_tells_nobody(tmp_path: Path) -> None:
    """Without consent its telemetry would write into the user's home and fork a process that goes to the network."""
    done = python("import os\n" + LEFT + QUIET, HOME=str(tmp_path))
    assert (done.out, done.code) == ("OpenVINO, float32\n[] []\n", 0), done.err
