"""A backbone measured in a process of its own."""

import json
from pathlib import Path

import psutil
import pytest

from tests.helpers import python, wait_until
from tl_core import backbones
from tl_core.backbones import Backbone
from tl_core.planning import backbone_profile
from tl_core.planning.backbone_profile import BackboneProfile
from tl_core.spec import PartSpec

pytestmark = pytest.mark.process

LOAD = """
import json, sys
from tl_core import backbones
from tl_core.spec import PartSpec
network = backbones.build(PartSpec(name="small_cnn", width=4)).load(16, pretrained=False)
print(network.outline().to_json().decode())
"""


@pytest.fixture
def backbone() -> Backbone:
    return backbones.build(PartSpec.model_validate({"name": "small_cnn", "width": 4}))


def probes_at_work() -> list[int]:
    return [child.pid for child in psutil.Process().children() if "probe" in child.cmdline()]


def test_it_is_measured_once_and_kept(home: Path, backbone: Backbone) -> None:
    assert BackboneProfile.read(home, backbone, 16) is None
    for _ in range(3):
        backbone_profile.request(home, backbone, 16)
    assert len(wait_until(probes_at_work)) == 1
    probe = wait_until(lambda: BackboneProfile.read(home, backbone, 16))
    assert probe.outline.to_json().decode() == python(LOAD).out.strip()
    assert probe.frozen_rate > 0
    assert probe.trained_rate > 0
    assert 10**8 < probe.idle_bytes < 10**10
    assert probe.frozen_bytes >= 0
    assert probe.trained_bytes > 0
    assert 0 < probe.starting_seconds < 120
    assert BackboneProfile.read(home, backbone, 32) is None
    assert BackboneProfile.read(home, backbones.build(PartSpec(name="small_cnn")), 16) is None
    wait_until(lambda: not probes_at_work())
    assert not [path for path in (home / "probes").glob("*.log") if "Traceback" in path.read_text()]


@pytest.mark.full
def test_the_memory_of_whoever_asks_does_not_count(home: Path, backbone: Backbone) -> None:
    ballast = b"x" * (1 << 30)
    backbone_profile.request(home, backbone, 16)
    probe = wait_until(lambda: BackboneProfile.read(home, backbone, 16))
    assert 0 < probe.idle_bytes < len(ballast)


def test_what_is_damaged_is_no_probe(home: Path, backbone: Backbone) -> None:
    file = backbone_profile._file(home, backbone, 16)
    file.parent.mkdir(parents=True)
    for content in ("", "{", json.dumps({"outline": 1})):
        file.write_text(content)
        assert BackboneProfile.read(home, backbone, 16) is None
