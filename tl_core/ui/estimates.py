"""What a draft will cost on this machine, before anything runs."""

from collections.abc import Iterator

from tl_core.analysis.statements import size
from tl_core.backbones import Outline
from tl_core.planning import backbone_profile, cost_model
from tl_core.planning.backbone_profile import BackboneProfile
from tl_core.planning.cuts import SplitSizes
from tl_core.planning.estimate import Estimate
from tl_core.planning.estimate import estimate as of_recipe
from tl_core.recipe import Recipe
from tl_core.runner.warm_worker import WarmWorker
from tl_core.system.settings import cache_room
from tl_core.ui import formatting, session


def probe(recipe: Recipe) -> BackboneProfile | None:
    """Return the measured backbone, or None while it is being measured in the background."""
    home = session.store().home
    found = BackboneProfile.read(home, recipe.backbone, recipe.input_size)
    if found is None:
        backbone_profile.request(home, recipe.backbone, recipe.input_size)
    return found


def planned(recipe: Recipe, outline: Outline, images: SplitSizes) -> cost_model.Costs:
    """Return what the draft costs with the cache of this machine."""
    return cost_model.of(recipe, outline.blocks, images, cache_room(session.store().home))


def estimate(recipe: Recipe, measured: BackboneProfile, images: SplitSizes, classes: int) -> Estimate:
    """Return the estimate of the draft with the cache of this machine; see `planning.estimate`."""
    return of_recipe(recipe, measured, images, classes, cache_room(session.store().home))


def seconds_from_start(found: Estimate) -> float:
    """Return the seconds from Start to the result: where a spare waits, Python has started already."""
    return found.running_seconds + (0.0 if WarmWorker.affordable() else found.starting_seconds)


def warnings(recipe: Recipe, found: Estimate, memory: int, disk: int) -> Iterator[str]:
    """Yield what this machine lacks for it, each with what to do; `memory` and `disk` are the bytes that are free."""
    if not recipe.executor.shares_store:
        return  # it runs elsewhere
    shorter = f"smaller {recipe.dataset.thing}" if recipe.has_images else f"fewer {recipe.backbone.unit} of each"
    if found.memory_bytes > memory:
        smaller = f"{shorter} or a smaller batch" if recipe.strategy.batch_setting else shorter
        yield f"It may need {_size(found.memory_bytes)} of memory, and {_size(memory)} is free now: choose {smaller}."
    if found.disk_bytes > disk:
        yield (
            f"It may need {_size(found.disk_bytes)} of disk, and {_size(disk)} is free: choose {shorter}, or clear the "
            "cache with python -m tl_core cache --clear."
        )


def _size(value: int) -> str:
    return formatting.unbroken(size(value))
