"""How fast networks were measured to be in each precision on this machine: kept, and what "auto" goes by."""

from collections.abc import Callable
from pathlib import Path

from tl_core.backbones import Backbone
from tl_core.jobs import background
from tl_core.machine.telemetry import devices
from tl_core.planning import cost_model
from tl_core.planning.backbone_profile import BackboneProfile, file_of
from tl_core.planning.cuts import SplitSizes
from tl_core.precision import Precision, Speeds
from tl_core.recipe import Recipe
from tl_core.system.adapters import adapter
from tl_core.system.files import storage_error
from tl_core.system.settings import cache_room


def read(home: Path, backbone: Backbone, size: int) -> Speeds | None:
    """Return what was measured of a network; None where nothing was on this machine's device."""
    try:
        found = adapter(Speeds).validate_json(file(home, backbone, size).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return found if found.device == device() else None


def write(home: Path, backbone: Backbone, size: int, speeds: Speeds) -> None:
    """Save what was measured of a network. Raises `StorageError`."""
    name = file(home, backbone, size)
    try:
        name.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(name.parent, error) from error
    background.write(name, speeds)


def decide(home: Path) -> Callable[[Recipe, SplitSizes], Precision]:
    """Return a function that chooses the precision of a run whose spec leaves it open, by what `home` knows of this machine."""

    def by_measurement(recipe: Recipe, images: SplitSizes) -> Precision:
        known, probe = (kind(home, recipe.backbone, recipe.input_size) for kind in (read, BackboneProfile.read))
        if not isinstance(known, Speeds) or not isinstance(probe, BackboneProfile):
            return Precision.FLOAT32
        work = cost_model.of(recipe, probe.outline.blocks, images, cache_room(home)).total
        return known.fastest(work.frozen, work.trained)

    return by_measurement


def device() -> str:
    """Return what computes on this machine, for people: its kinds of GPU, or its processor. A process that holds one of several
    sees no other."""
    return ", ".join(sorted({device.title for device in devices()}))


def file(home: Path, backbone: Backbone, size: int) -> Path:
    """Return the file that keeps the speeds of a backbone at an image size."""
    return file_of(home, "speeds", backbone, size)
