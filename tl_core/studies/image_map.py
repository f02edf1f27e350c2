"""Image map: a dataset as a pretrained network sees it, and whether its test images differ from those it learns from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from tl_core.checks.domain_shift import Shift, domain_auc
from tl_core.checks.projection import ImageMap, map_of, project, sampled, sheet
from tl_core.datasets import Images
from tl_core.events import Activity
from tl_core.features.cache import cache_of
from tl_core.jobs.background import ResultWriter
from tl_core.recipe import Recipe
from tl_core.studies import Study, StudyResult, register, with_all_labels
from tl_core.system.files import write_whole

SHEET = ".webp"


@dataclass(frozen=True)
class ImageMapResult(StudyResult):
    """The map, and the shift from training to test images where there are enough of both."""

    map: ImageMap | None = None
    shift: Shift | None = None


@register("image_map")
class ImageMapStudy(Study[ImageMapResult]):
    """Draw the examples so that those lie together which the network sees alike, and tell training from test examples."""

    title: ClassVar[str] = "Image map"
    folder: ClassVar[str] = "maps"

    def first(self) -> ImageMapResult:
        return ImageMapResult()

    def decisive(self, recipe: Recipe) -> Sequence[Any]:
        spec = recipe.spec()
        return with_all_labels(recipe.dataset), spec.backbone, spec.image_size

    def require_possible(self, recipe: Recipe) -> None:
        recipe.require_weights()

    def sheet_file(self, home: Path, recipe: Recipe) -> Path:
        """Return the file of the pictures on the map, a WebP file."""
        return self.file(home, recipe).with_suffix(SHEET)

    def run(self, recipe: Recipe, home: Path, writer: ResultWriter[ImageMapResult]) -> None:
        from tl_core.heads.threads import single_thread
        from tl_core.studies._frozen_backbone import FrozenBackbone

        data = sampled(recipe.dataset.whole(recipe.seed))
        network = FrozenBackbone(recipe.adapted_to(data.train), writer.report, cache_of(home))
        features = {split: np.asarray(network.features(images)) for split, images in data.splits.items() if len(images)}
        with network.stages.stage(Activity.COMPARING_SPLITS):
            shift = domain_auc(features["train"], features["test"], (data.train.groups, data.test.groups))
        with network.stages.stage(Activity.PLACING_IMAGES), single_thread():
            places = project(np.concatenate(list(features.values())))
        if isinstance(data.train, Images):
            with network.stages.stage(Activity.DRAWING_IMAGES):
                pictures = Image.fromarray(sheet(data))
            name = self.sheet_file(home, recipe)
            write_whole(name, lambda path: pictures.save(path, "WEBP", quality=70, method=4))
        writer.update(map=map_of(data, places), shift=shift)

    def rows(self, found: ImageMapResult) -> Iterator[dict[str, Any]]:
        if found.map is not None:
            shift = found.shift
            yield {
                "images": len(found.map.x),
                "classes": None if found.map.of_numbers else len(found.map.class_names),
                "train_against_test_auc": None if shift is None else shift.auc,
            }
