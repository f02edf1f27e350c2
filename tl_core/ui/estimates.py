"""What a draft will cost on this machine, before anything runs."""

from dataclasses import dataclass

from tl_core import costs
from tl_core.backbones import Outline
from tl_core.recipe import Recipe
from tl_core.runs import probing
from tl_core.runs.probing import Probe
from tl_core.strategies import Phase
from tl_core.ui import session


@dataclass(frozen=True)
class Estimate:
    """Seconds from Start to the result, and how many of all parameters train at some time."""

    seconds: float
    trainable_parameters: int
    total_parameters: int


def probe(recipe: Recipe) -> Probe | None:
    """The measured backbone; None while it is being measured in the background."""
    home = session.store().home
    found = Probe.read(home, recipe.backbone, recipe.image_size)
    if found is None:
        probing.request(home, recipe.backbone, recipe.image_size)
    return found


def phases(recipe: Recipe, outline: Outline, train_images: int) -> tuple[Phase, ...]:
    """The phases of the draft's strategy on that network and so many training images."""
    return tuple(recipe.strategy.phases(recipe.backbone, outline.blocks, train_images))


def head_parameters(recipe: Recipe, outline: Outline, classes: int) -> int:
    """A dense layer's kernel and bias from the features to the classes."""
    return (recipe.strategy.feature_size(outline) + 1) * classes


def estimate(recipe: Recipe, measured: Probe, images: costs.Images, classes: int) -> Estimate:
    """By the cost model in `costs` and the measured rate of this machine."""
    outline = measured.outline
    plan = phases(recipe, outline, images.train)
    head = head_parameters(recipe, outline, classes)
    passes = costs.total_passes(plan, outline.blocks, images)
    most = max(costs.trainable_parameters(phase, outline.blocks, head) for phase in plan)
    return Estimate(measured.starting_seconds + passes / measured.images_per_second, most, outline.parameters + head)
