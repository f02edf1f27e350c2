"""A map of a dataset as a pretrained network sees it, and whether its test images differ from those it learns from."""

from dataclasses import dataclass

import numpy as np

from tl_core.checks.domain_shift import Shift, domain_auc
from tl_core.checks.projection import ImageMap, map_of, project, sampled, sheet
from tl_core.data.images import Pixels
from tl_core.events import Reporter
from tl_core.features.cache import ActivationCache
from tl_core.heads.threads import single_thread
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.studies.frozen_backbone import FrozenBackbone

PICTURES, PLACING, COMPARING = "Reading the pictures", "Placing the images", "Comparing training and test images"


@dataclass(frozen=True)
class Drawn:
    """A map, the sheet of its pictures, and the shift from training to test images where there are enough of both."""

    map: ImageMap
    sheet: Pixels
    shift: Shift | None


def mapped(spec: RunSpec, report: Reporter, cache: ActivationCache) -> Drawn:
    """The map of the dataset of `spec`, all its labels, by the features of its backbone, which are taken from `cache` and kept
    there. Raises a `TransferError` for what the user can mend, and whatever `report` raises."""
    recipe = Recipe.of(spec)
    data = sampled(recipe.dataset.whole(recipe.seed))
    network = FrozenBackbone(recipe, report, cache)
    features = {split: np.asarray(network.features(images)) for split, images in data.splits.items() if len(images)}
    with network.stages.stage(COMPARING):
        shift = domain_auc(features["train"], features["test"], (data.train.groups, data.test.groups))
    with network.stages.stage(PLACING), single_thread():
        places = project(np.concatenate(list(features.values())))
    with network.stages.stage(PICTURES):
        return Drawn(map_of(data, places), sheet(data), shift)
