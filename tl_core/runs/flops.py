"""What a finished run took in floating-point operations: as it was stored, or as follows from what was."""

from contextlib import suppress

from tl_core.errors import TransferError
from tl_core.planning import cost_model, flops
from tl_core.planning.backbone_profile import BackboneProfile
from tl_core.planning.cuts import SplitSizes
from tl_core.recipe import Recipe
from tl_core.result import Result
from tl_core.runs import artifacts
from tl_core.runs.store import Run, Store
from tl_core.system.settings import cache_room


def of(store: Store, run: Run) -> float | None:
    """Return the FLOPs of a finished run. Of one from before they were counted they follow from its settings and epochs where its
    network was measured on this machine; None where it was not, its result is lost, or its parts are no longer installed or plan
    other phases."""
    with suppress(TransferError):
        result = artifacts.read_result(store.folder(run.id))
        return _derived(store, run, result) if result.flops is None else result.flops
    return None


def _derived(store: Store, run: Run, result: Result) -> float | None:
    recipe = Recipe.of(run.spec, lambda _: None)
    measured = BackboneProfile.read(store.home, recipe.backbone, recipe.input_size)
    if measured is None:
        return None
    outline, images = measured.outline, SplitSizes(result.train_images, result.validation_images, result.test_images)
    costs = cost_model.of(recipe, outline.blocks, images, cache_room(store.home))
    if [phase.name for phase in costs.cuts.phases] != [record.name for record in result.phases]:
        return None
    features, epochs = recipe.strategy.feature_size(outline), [record.epochs for record in result.phases]
    return flops.of(costs, outline, features, len(result.class_names), epochs)
