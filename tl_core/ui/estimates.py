"""What a draft will cost on this machine, before anything runs."""

import shutil

import psutil

from tl_core import costs
from tl_core.analysis.statements import size
from tl_core.backbones import Outline
from tl_core.recipe import Recipe
from tl_core.runs import estimating, probing
from tl_core.runs.estimating import Estimate
from tl_core.runs.probing import Probe
from tl_core.settings import cache_room
from tl_core.ui import session


def probe(recipe: Recipe) -> Probe | None:
    """The measured backbone; None while it is being measured in the background."""
    home = session.store().home
    found = Probe.read(home, recipe.backbone, recipe.image_size)
    if found is None:
        probing.request(home, recipe.backbone, recipe.image_size)
    return found


def planned(recipe: Recipe, outline: Outline, images: costs.Images) -> costs.Costs:
    """What the draft costs with the cache of this machine."""
    return costs.of(recipe, outline.blocks, images, cache_room(session.store().home))


def estimate(recipe: Recipe, measured: Probe, images: costs.Images, classes: int) -> Estimate:
    """See `estimating.estimate`."""
    return estimating.estimate(recipe, measured, images, classes, cache_room(session.store().home))


def warnings(found: Estimate) -> list[str]:
    """What this machine lacks for it now, each with what to do."""
    home = session.store().home
    memory, disk = psutil.virtual_memory().available, shutil.disk_usage(home).free
    told = []
    if found.memory_bytes > memory:
        told.append(f"Only {size(memory)} of memory are free now. Smaller batches or smaller images need less.")
    if found.disk_bytes > disk:
        told.append(f"Only {size(disk)} of disk are free. Remove old runs, or clear the cache: python -m tl_core cache --clear.")
    return told
