"""What Keras keeps, whole and damaged; and what is not there."""

import io
import os
import pickle
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.lib import format as npy

from tests.datasets.test_idx_folder import write_mnist
from tests.tools.variants import variants
from tl_core import datasets
from tl_core.data.formats.cifar import CIFAR10_NAMES, CIFAR100_NAMES
from tl_core.data.formats.idx import read_idx
from tl_core.datasets.idx_folder import IdxFolder
from tl_core.datasets.keras_builtin import KEPT, KerasBuiltin, Which
from tl_core.errors import DataError
from tl_core.events import Activity, Event, Stage
from tl_core.recipe import Recipe
from tl_core.spec import PartSpec, RunSpec
from tl_core.training.train import train


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keras' folder of datasets."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "datasets").mkdir()
    return tmp_path / "datasets"


def save_mnist(folder: Path, file: Path) -> None:
    arrays = {}
    for key, name in (("train", "train"), ("test", "t10k")):
        arrays[f"x_{key}"] = read_idx(folder / f"{name}-images-idx3-ubyte", 3)
        arrays[f"y_{key}"] = read_idx(folder / f"{name}-labels-idx1-ubyte", 1)
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def test_mnist_is_read(kept: Path, tmp_path: Path) -> None:
    folder = write_mnist(tmp_path / "files")
    with pytest.raises(DataError, match=r"MNIST is not on this machine\. Set dataset\.download=true.*11 MB.*nothing at"):
        KerasBuiltin().load(0)
    save_mnist(folder, kept / "mnist.npz")
    assert KerasBuiltin().load(3).train.digest() == IdxFolder(path=folder).load(3).train.digest()
    assert str(tmp_path) in KerasBuiltin().location()
    assert KerasBuiltin(folder=tmp_path).load(3).digest() == KerasBuiltin().load(3).digest()
    assert not KerasBuiltin(download=True).fetches
    assert not KerasBuiltin(folder=tmp_path, download=True).fetches
    assert KerasBuiltin(download=True, which=Which.CIFAR10).fetches


def test_fashion_mnist_is_read(kept: Path, tmp_path: Path) -> None:
    folder = write_mnist(kept / "fashion-mnist", end=".gz")
    data = KerasBuiltin(which=Which.FASHION_MNIST).load(0)
    assert data.class_names[9] == "Ankle boot"
    assert data.train.digest() == IdxFolder(path=folder).load(0).train.digest()


def batch(count: int, key: str, seed: int) -> dict[Any, Any]:
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % 10).tolist()
    return {
        "batch_label": b"batch",
        "data": rng.integers(0, 256, (count, 3072), dtype=np.uint8),
        key: labels,
        "filenames": ["a.png"],
    }


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(("which", "key"), [(Which.CIFAR10, "labels"), (Which.CIFAR100, "fine_labels")])
def test_cifar_is_read_as_keras_reads_it(which: Which, key: str, protocol: int, kept: Path) -> None:
    from keras.src.datasets.cifar import load_batch

    folder = kept / KEPT[which].place
    folder.mkdir(parents=True)
    names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"] if which is Which.CIFAR10 else ["train", "test"]
    for seed, name in enumerate(names):
        content = {key.encode(): value for key, value in batch(40, key, seed).items()}  # as Python 2 wrote them
        (folder / name).write_bytes(pickle.dumps(content, protocol))
    data = KerasBuiltin(which=which, validation_share=0).load(0)
    assert data.class_names == (CIFAR10_NAMES if which is Which.CIFAR10 else CIFAR100_NAMES)
    last = batch(40, key, len(names) - 1)
    assert data.test.labels.tolist() == last[key]
    assert np.array_equal(data.test.read(7), last["data"][7].reshape(3, 32, 32).transpose(1, 2, 0))
    if protocol > 2:  # as Python 3 writes protocol 2 Keras refuses it
        images, labels = load_batch(folder / names[-1], label_key=key)
        assert labels == last[key]
        assert np.array_equal(data.test.read(7), images[7].transpose(1, 2, 0))
    assert len(data.train) == 40 * (len(names) - 1)


def test_no_pickle_is_executed(kept: Path, tmp_path: Path) -> None:
    class Bad:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (f"touch {tmp_path}/executed",)

    folder = kept / KEPT[Which.CIFAR100].place
    folder.mkdir(parents=True)
    for name in ("train", "test"):
        (folder / name).write_bytes(pickle.dumps([Bad(), batch(20, "fine_labels", 0)]))
    assert len(KerasBuiltin(which=Which.CIFAR100).load(0).test) == 20
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("content", [b"", b"no zip", {"x_train": np.zeros(3)}, {"x_train": np.array([{}], dtype=object)}])
def test_a_damaged_copy_is_said(content: bytes | dict[str, Any], kept: Path) -> None:
    if isinstance(content, bytes):
        (kept / "mnist.npz").write_bytes(content)
    else:
        np.savez(kept / "mnist.npz", **content)
    with pytest.raises(DataError, match="Keras' copy of MNIST cannot be read"):
        KerasBuiltin(download=True).load(0)
    folder = kept / KEPT[Which.CIFAR100].place
    folder.mkdir(parents=True)
    for name in ("train", "test"):
        (folder / name).write_bytes(content if isinstance(content, bytes) else pickle.dumps({"data": "x"}))
    with pytest.raises(DataError, match=r"Keras' copy of CIFAR-100 cannot be read|no batch of CIFAR"):
        KerasBuiltin(which=Which.CIFAR100).load(0)


def test_arrays_that_would_swell_are_not_read(kept: Path) -> None:
    with zipfile.ZipFile(kept / "mnist.npz", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x_train.npy", "w") as file:
        npy.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (10**9, 28, 28)})
    with pytest.raises(DataError, match="would take 784,000,000,000 bytes, and at most 4,000,000,000 are read"):
        KerasBuiltin().load(0)


def test_a_pickle_that_announces_more_than_there_is_memory_is_said(kept: Path) -> None:
    folder = kept / KEPT[Which.CIFAR100].place
    folder.mkdir(parents=True)
    for name in ("train", "test"):
        (folder / name).write_bytes(b"\x80\x04\x8e" + (2**60).to_bytes(8, "little"))
    with pytest.raises(DataError, match="Keras' copy of CIFAR-100 cannot be read"):
        KerasBuiltin(which=Which.CIFAR100).load(0)


@pytest.mark.parametrize("which", [Which.FASHION_MNIST, Which.CIFAR10, Which.CIFAR100])
def test_what_keras_was_interrupted_at_is_not_here_yet(which: Which, kept: Path) -> None:
    folder = kept / KEPT[which].place
    folder.mkdir(parents=True)
    (folder / {Which.FASHION_MNIST: "train-labels-idx1-ubyte.gz", Which.CIFAR10: "data_batch_1"}.get(which, "train")).touch()
    assert KerasBuiltin(which=which, download=True).fetches
    with pytest.raises(DataError, match=r"is not on this machine\. Set dataset\.download=true.*only a part at"):
        KerasBuiltin(which=which).load(0)


def test_keras_fetches_into_its_own_folder_alone(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"is not on this machine\. Leave dataset\.folder empty"):
        KerasBuiltin(folder=tmp_path, download=True).load(0)
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: None)  # as it is where it may not write into that folder
    with pytest.raises(DataError, match=r"Keras could not keep MNIST in its folder.*KERAS_HOME.*mnist\.npz"):
        KerasBuiltin(download=True).load(0)


def test_a_run_says_that_it_fetches(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: None)
    told: list[Event] = []
    with pytest.raises(DataError, match="Keras could not keep MNIST"):
        train(RunSpec().with_settings({"dataset": "keras_builtin", "dataset.download": True}), told.append)
    assert [event for event in told if isinstance(event, Stage)] == [Stage(Activity.FETCHING_DATASET, 0.0)]


@pytest.fixture
def slow_server(tmp_path: Path) -> Iterator[str]:
    """The address of an mnist.npz that takes three seconds to come."""
    written = io.BytesIO()
    rng, labels = np.random.default_rng(0), np.arange(40) % 10
    images = {f"x_{split}": rng.integers(0, 256, (40, 28, 28)).astype(np.uint8) for split in ("train", "test")}
    padding = rng.integers(0, 256, 6_000_000).astype(np.uint8)
    np.savez(written, y_train=labels, y_test=labels, padding=padding, **images)  # type: ignore[arg-type]
    content = written.getvalue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            for part in range(0, len(content), len(content) // 12):
                self.wfile.write(content[part : part + len(content) // 12])
                time.sleep(0.25)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/mnist.npz"
        server.shutdown()


def test_a_run_says_how_far_it_has_fetched(kept: Path, slow_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By Keras' own downloader, from another address than the one that it knows."""
    monkeypatch.setenv("no_proxy", "*")
    fetch = partial(keras.utils.get_file, "mnist.npz", slow_server, cache_dir=str(kept.parent))
    monkeypatch.setattr(keras.datasets.mnist, "load_data", fetch)
    told: list[Event] = []
    small = {"backbone": "small_cnn", "strategy": "from_scratch", "strategy.epochs": 1, "image_size": 28}
    train(RunSpec().with_settings({"dataset": "keras_builtin", "dataset.download": True} | small), told.append)
    said = [event for event in told if isinstance(event, Stage) and event.activity is Activity.FETCHING_DATASET and event.done]
    assert len(said) >= 2
    shares = [event.done for event in said]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] < 1


@pytest.mark.process
@pytest.mark.parametrize("which", variants(Which, list(Which)[:1]))
def test_no_network_is_said(which: Which, tmp_path: Path) -> None:
    """Keras itself fails to fetch, by way of a proxy at a port on which nobody listens."""
    code = f"from tl_core.datasets.keras_builtin import KerasBuiltin; KerasBuiltin(download=True, which='{which}').load(0)"
    nowhere = {"KERAS_HOME": str(tmp_path), "https_proxy": "http://127.0.0.1:9", "no_proxy": "", "NO_PROXY": ""}
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=root, env=os.environ | nowhere
    )
    last = done.stderr.strip().splitlines()[-1]
    assert f"DataError: {KEPT[which].title} could not be fetched" in last
    assert "Connection refused" in last


def test_what_was_stored_as_mnist_still_runs(tmp_path: Path) -> None:
    old = {"labels_per_class": 5, "download": False, "validation_share": 0.1}
    assert datasets.build(PartSpec(name="mnist", path=None, **old)) == KerasBuiltin(labels_per_class=5, validation_share=0.1)
    found = datasets.build(PartSpec(name="mnist", path=str(tmp_path), **old))
    assert found == IdxFolder(path=tmp_path, labels_per_class=5, validation_share=0.1)
    recipe = Recipe.of(RunSpec().with_settings({"dataset": "mnist", "dataset.path": str(tmp_path)}))
    assert recipe.dataset == IdxFolder(path=tmp_path)
    assert Recipe.of(recipe.draft()) == recipe
    stored = RunSpec.parse({"dataset": {"name": "mnist", "path": None, **old}})
    assert Recipe.of(stored).dataset == KerasBuiltin(labels_per_class=5, validation_share=0.1)
    another = stored.with_settings({"dataset.which": "fashion_mnist"})  # run again with one setting changed
    assert Recipe.of(another).dataset == KerasBuiltin(which=Which.FASHION_MNIST, labels_per_class=5, validation_share=0.1)


def test_the_names_are_all_there() -> None:
    assert len(CIFAR100_NAMES) == len(set(CIFAR100_NAMES)) == 100
    assert {which.value for which in Which} <= set(dir(keras.datasets))
