"""How often the warning of Predict comes for examples of a run's own kind, and for those of another.

    python -m benchmarks.foreign RUN [--data dataset=digits] [--data dataset=image_folder,dataset.path=DIR] ... [--most 200]

RUN is a finished run of the home, of images. Each `--data` is a dataset with its settings, with commas; up to `--most` of its
test images are looked at, and as many crops of four photographs of scikit-image that the default data do not have. Told are the
false alarms on the run's own test images, which chose nothing, and the share of each foreign dataset that is warned about, all
with Wilson's 95 % interval.
"""

import argparse
from collections.abc import Iterator, Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.ranking import recipe_of
from tl_core.analysis.statements import percent
from tl_core.analysis.statistics import wilson
from tl_core.data.decoding import read_image
from tl_core.data.examples import Examples
from tl_core.data.formats.paths import packaged_file
from tl_core.data.images import ArrayImages
from tl_core.datasets.photo_patches import Region, crop_boxes
from tl_core.runs import evaluations
from tl_core.runs.evaluations import Testable
from tl_core.runs.store import Store
from tl_core.studies._predicting import Asked

OTHERS = ("camera.png", "cell.png", "microaneurysms.png", "page.png")


def main() -> None:
    """Ask the run about its own and foreign images, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--data", action="append")
    parser.add_argument("--most", type=int, default=200)
    asked = parser.parse_args()
    store = Store()
    run = evaluations.finished(store, store.named(asked.run))
    table = Table("images", "warned about", "of", "share (95 %)")
    for title, warned, count in rates(run, dict(foreign(asked.data or ["dataset=digits"], asked.most)), store):
        table.add_row(title, str(warned), str(count), percent(warned / count, wilson(warned, count)))
    Console().print(table)


def foreign(data: Sequence[str], most: int) -> Iterator[tuple[str, Examples]]:
    """Yield what each foreign dataset is called, and at most so many of its examples."""
    for text in data:
        recipe = recipe_of(text)
        yield recipe.dataset.shown_name, recipe.dataset.load(recipe.seed).test.subsample(most)
    crops = list[np.ndarray]()
    for number, name in enumerate(OTHERS):
        photograph = np.asarray(read_image(packaged_file("skimage", "scikit-image", f"data/{name}")))
        height, width = photograph.shape[:2]
        for top, left, side in crop_boxes(Region(0, 0, height, width), most // len(OTHERS), [number]):
            crops.append(photograph[top : top + side, left : left + side])
    yield "Crops of other photographs", ArrayImages(crops, np.zeros(len(crops), np.int64))


def rates(run: Testable, others: dict[str, Examples], store: Store) -> Iterator[tuple[str, int, int]]:
    """Yield, of the run's own test and of each of `others`, its name, how many are warned about, and of how many."""
    for place, (title, examples) in enumerate(others.items()):
        neighbours = Asked(run, examples, lambda _: None, store.home).neighbours
        if neighbours is None or (limit := neighbours.threshold) is None:
            raise SystemExit("This run knows no limit: its data are not there as they were, or too few.")
        if not place:
            yield "The run's own test", limit.alarms, limit.tested
        yield title, int((neighbours.nearest.distances[:, -1] > limit.distance).sum()), len(examples)


if __name__ == "__main__":
    main()
