"""The shelf on the command line: weights are listed, fetched, carried here, checked and removed."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.helpers import CommandLine
from tests.networks.test_download import CONTENT, server, serving
from tl_core.backbones import keras_applications
from tl_core.backbones._keras_catalogue import NETWORKS
from tl_core.backbones._onnx_example import onnx_bytes

__all__ = ["server", "serving"]

NETWORK, OTHER = "DenseNet121", "MobileNetV2"


@pytest.fixture
def line(home: Path, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The command line, whose server has a file of a hundred bytes for one network; of another one no digest is published."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(keras_applications, "SERVER", f"{server}/")
    published = replace(NETWORKS[NETWORK], url="good", digest=hashlib.md5(CONTENT).hexdigest())
    monkeypatch.setitem(NETWORKS, NETWORK, published)
    return CommandLine(home)


def told(line: CommandLine, network: str) -> dict[str, object]:
    return next(facts for facts in line.call("weights", "list", "--json").json if facts["network"] == network)


def test_weights_are_fetched_verified_and_removed(line: CommandLine) -> None:
    assert told(line, NETWORK)["weights"] == f"python -m tl_core weights fetch {NETWORK}"
    assert line.call("weights", "fetch", NETWORK.lower()).code == 0
    assert "are here" in line.call("weights", "fetch", NETWORK).err
    found = told(line, NETWORK)
    assert (found["here"], found["bytes"], found["algorithm"]) == (True, 100, "md5")
    place = Path(str(found["weights"]))
    assert f"{NETWORK}: as published ({place})" in line.call("weights", "verify", NETWORK).out
    place.write_bytes(CONTENT[1:])
    refused = line.call("weights", "verify")
    assert refused.code == 2
    assert "differs from the published one" in refused.out
    assert f"weights remove {NETWORK}" in refused.err
    asked = line.call("weights", "remove", NETWORK)
    assert (asked.code, place.exists()) == (2, True)  # nobody answers
    assert line.call("weights", "remove", NETWORK, "--yes").code == 0
    assert not place.exists()
    assert "are not here" in line.call("weights", "remove", NETWORK).err


def test_a_file_that_was_carried_here_is_taken_if_it_is_a_published_one(line: CommandLine, tmp_path: Path) -> None:
    carried = tmp_path / "from a stick.h5"
    carried.write_bytes(CONTENT)
    assert line.call("weights", "import", carried).code == 0
    assert told(line, NETWORK)["here"]
    carried.write_bytes(CONTENT[1:])
    assert "none of the published ones" in line.call("weights", "import", carried).err
    for network, said in ((NETWORK, "since its md5 differs"), (OTHER, "No digest is published")):
        named = carried.rename(tmp_path / NETWORKS[network].file)
        assert said in line.call("weights", "import", named).err
        carried = named
    assert told(line, OTHER)["here"]
    assert f"{OTHER}: no digest is published" in line.call("weights", "verify", OTHER).out
    assert "is not there" in line.call("weights", "import", tmp_path / "nothing.h5").err


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("fetch", "DenseNet12"), "Did you mean DenseNet121?"),
        (("fetch", "BERT tiny"), "not kept in Keras' cache"),
        (("remove", "EfficientNet-Lite0", "--yes"), "not kept in Keras' cache"),
        (("verify", NETWORK), "No file of the weights of DenseNet121 is here"),
    ],
)
def test_what_cannot_be_done_is_said(command: tuple[str, ...], said: str, line: CommandLine) -> None:
    refused = line.call("weights", *command)
    assert refused.code == 2
    assert said in refused.err


def test_the_list_has_a_line_for_each_network(line: CommandLine) -> None:
    listed = line.call("weights", "list").out
    assert all(name in listed for name in (NETWORK, OTHER, "EfficientNet-Lite0"))
    assert "none published" in listed


def test_an_onnx_file_is_brought_verified_and_removed(line: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "carried.onnx"
    file.write_bytes(onnx_bytes())
    done = line.call("weights", "import", f"mine={file}", "--pixels", "0 to 1")
    assert (done.code, done.err) == (0, "mine is on the shelf: 16 features from 1,368 parameters.\n")
    found = told(line, "mine")
    assert (found["here"], found["bytes"], found["algorithm"]) == (True, len(onnx_bytes()), "sha256")
    assert "mine: as it came" in line.call("weights", "verify", "mine").out
    Path(str(found["weights"])).write_bytes(b"")
    assert "mine: differs from the file that came" in line.call("weights", "verify", "mine").out
    Path(str(found["weights"])).unlink()
    assert "which is gone" in line.call("weights", "remove", "mine").out
    assert line.call("weights", "remove", "mine", "--yes").code == 0
    assert not [*(line.home / "networks").iterdir()]
    refused = line.call("weights", "import", f"mine={file}", "--output", "other")
    assert (refused.code, "has no tensor called other" in refused.err) == (2, True)
    assert "standardised" in line.call("weights", "import", f"mine={file}", "--pixels", "own").err
