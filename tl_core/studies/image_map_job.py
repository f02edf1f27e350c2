"""A dataset's map, drawn in a process of its own and kept with the sheet of its pictures."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from PIL import Image

from tl_core.checks.domain_shift import Shift
from tl_core.checks.projection import ImageMap
from tl_core.jobs import background
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.system.files import write_whole

SHEET = ".webp"


@dataclass(frozen=True)
class Mapped:
    """A map as far as it has come. `images_per_second` is told while the network sees them; `seconds` is what all of it took;
    `error` says why there is none."""

    stage: str = "Starting Python and Keras"
    images_per_second: float | None = None
    map: ImageMap | None = None
    shift: Shift | None = None
    seconds: float = 0.0
    finished: bool = False
    error: str = ""

    @classmethod
    def read(cls, home: Path, recipe: Recipe) -> Self | None:
        """The last one of the recipe's data by its network; None where there is none, or its process has gone without an end."""
        return background.read(_file(home, recipe), cls)


def sheet_file(home: Path, recipe: Recipe) -> Path:
    """The pictures of the map, a WebP file."""
    return _file(home, recipe).with_suffix(SHEET)


def request(home: Path, recipe: Recipe) -> None:
    """Draw it in the background, unless that is being done. Raises what `apart.start` does."""
    file = _file(home, recipe)
    background.start(home, file, ["map", recipe.spec().model_dump_json()], lambda: background.write(file, Mapped()))


def draw(home: Path, spec_json: str) -> None:
    """Draw it, keeping what is known every half second."""
    spec = RunSpec.model_validate_json(spec_json)
    file = _file(home, Recipe.of(spec))
    watch = background.Watch(file, Mapped())

    def drawn() -> None:
        from tl_core.features.cache import cache_of
        from tl_core.studies.image_map import mapped

        found = mapped(spec, watch.hear, cache_of(home))
        sheet = Image.fromarray(found.sheet)
        write_whole(file.with_suffix(SHEET), lambda path: sheet.save(path, "WEBP", quality=70, method=4))
        watch.change(map=found.map, shift=found.shift)

    watch.carry_out(drawn, spec)


def _file(home: Path, recipe: Recipe) -> Path:
    """By the data but for the number of labels, and the network."""
    spec = recipe.spec()
    return background.file_for(home / "maps", background.with_all_labels(recipe.dataset), spec.backbone, spec.image_size)
