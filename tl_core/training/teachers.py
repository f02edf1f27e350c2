"""Which finished run may teach which data, told without Keras: before a run is queued, and again when it trains."""

from tl_core.backbones.finished_run import FinishedRun
from tl_core.datasets import Data
from tl_core.errors import DataError, RunError
from tl_core.networks.model_file import shortened
from tl_core.notes import listed
from tl_core.recipe import Recipe
from tl_core.result import Result
from tl_core.spec import RunSpec
from tl_core.system.settings import RESULT, SPEC


def require_teacher(recipe: Recipe) -> None:
    """Raise the `TransferError` of a recipe whose teacher cannot teach its data, where that costs no download."""
    if recipe.strategy.teacher_run and not recipe.dataset.fetches:
        of_data(recipe.strategy.teacher_run, recipe.dataset.load(recipe.seed))


def of_data(run: str, data: Data) -> Recipe:
    """Return the recipe of a finished `run` that may teach `data`: it has the same classes, and was tested on the same examples.
    Raises a `TransferError`."""
    recipe, result = _told(run)
    if result.class_names != data.class_names:
        raise DataError(
            f"The teacher tells other classes apart than those of these data, {listed(data.class_names)}.",
            "Let a run teach that has learned the same classes.",
            received=f"run {run}, which knows {listed(result.class_names)}",
        )
    its, ours = (result.data_digest, data.digest()) if recipe.backbone.adapts else (result.test_digest, data.test.digest())
    if its != ours:
        raise DataError(
            "The teacher was tested on other examples than these, so it may have learned from some that test its student.",
            "Let a run teach that has the same dataset, with the same test examples.",
            received=f"run {run}, of {recipe.dataset.shown_name}",
        )
    return recipe


def _told(run: str) -> tuple[Recipe, Result]:
    """Return what the run was, and what came of it. Raises `TransferError`."""
    folder = FinishedRun(run=run).required_file().path.parent
    try:
        return Recipe.of(RunSpec.read(folder / SPEC)), Result.model_validate_json((folder / RESULT).read_bytes())
    except (OSError, ValueError) as error:
        told = f"The result of the teacher cannot be read ({shortened(error)})."
        raise RunError(told, "Choose another run.", received=f"run {run}") from None
