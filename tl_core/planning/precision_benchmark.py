"""How fast a network is in each precision on this machine: measured once on request, kept, and what "auto" goes by."""

import time
from collections.abc import Callable
from pathlib import Path

from pydantic import TypeAdapter

from tl_core import backbones
from tl_core.backbones import Backbone
from tl_core.jobs import background
from tl_core.machine import backends
from tl_core.machine.telemetry import devices
from tl_core.planning import cost_model
from tl_core.planning.backbone_profile import BATCH, BackboneProfile, file_of, frozen_pass, seconds_of, training_step
from tl_core.planning.cuts import SplitSizes
from tl_core.precision import CHOICES, Precision, Speed, Speeds
from tl_core.recipe import Recipe
from tl_core.spec import PartSpec
from tl_core.system.settings import cache_room

TIMES = 6
"""The fastest of so many counts: the slower ones measure what else the machine was doing."""
SECONDS = 180.0
"""After so long no further precision is begun."""


def read(home: Path, backbone: Backbone, image_size: int) -> Speeds | None:
    """What was measured, which grows while it is being measured; None where nothing was on this machine's device."""
    try:
        found = TypeAdapter(Speeds).validate_json(_file(home, backbone, image_size).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return found if found.device == _device() else None


def is_measuring(home: Path, backbone: Backbone, image_size: int) -> bool:
    """Whether it is being measured."""
    return background.is_at_work(_file(home, backbone, image_size))


def request(home: Path, backbone: Backbone, image_size: int) -> None:
    """Measure it in the background. Raises what `apart.start` does."""
    command = ["measure-precision", backbone.spec().model_dump_json(), str(image_size)]
    background.start(home, _file(home, backbone, image_size), command)


def decide(home: Path) -> Callable[[Recipe, SplitSizes], Precision]:
    """What a run on this machine computes in whose spec leaves it open, by what `home` knows of it."""

    def by_measurement(recipe: Recipe, images: SplitSizes) -> Precision:
        known, probe = (kind(home, recipe.backbone, recipe.image_size) for kind in (read, BackboneProfile.read))
        if not isinstance(known, Speeds) or not isinstance(probe, BackboneProfile):
            return Precision.FLOAT32
        work = cost_model.of(recipe, probe.outline.blocks, images, cache_room(home)).total
        return known.fastest(work.frozen, work.trained)

    return by_measurement


def measure(home: Path, backbone_json: str, image_size: int) -> None:
    """Measure one precision after the other, float32 first, and keep each at once."""
    import keras

    backbone = backbones.build(PartSpec.model_validate_json(backbone_json))
    speeds, began = dict[Precision, Speed](), time.monotonic()
    for precision in CHOICES:
        if time.monotonic() - began > SECONDS or (precision.xla and keras.backend.backend() != "tensorflow"):
            continue
        speeds[precision] = _speed(backbone, image_size, precision)
        background.write(_file(home, backbone, image_size), Speeds(_device(), BATCH, speeds))


def _speed(backbone: Backbone, image_size: int, precision: Precision) -> Speed:
    from tl_core.networks.classifier import compiling

    backends.compute_in(precision)
    network = backbone.load(image_size, pretrained=False)
    network.model.jit_compile = compiling(precision.xla)
    work = training_step(network, image_size, compiling(precision.xla)), frozen_pass(network, image_size, precision)
    firsts = [seconds_of(each) for each in work]
    step, forward = (min(seconds_of(each) for _ in range(TIMES)) for each in work)
    return Speed(max(0.0, sum(firsts) - step - forward) if precision.xla else 0.0, step, forward)


def _device() -> str:
    return ", ".join(sorted(device.title for device in devices()))


def _file(home: Path, backbone: Backbone, image_size: int) -> Path:
    return file_of(home, "speeds", backbone, image_size)
