"""Three questions that are ready to be asked, about the draft's data, each a group of a few minutes at most."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.strategies import Family, strategies
from tl_core.studies.backbone_ranking import candidates

SIZE = 48
"""Pixels of a side where nobody has set a size: a quarter of the work of 96, and enough to see a difference."""
LABELS, SEEDS = (2, 10), (0, 1)


@dataclass(frozen=True)
class ReadyGroup:
    """A question: its name, what it asks in a sentence, its axes for a draft, and settings of its own."""

    name: str
    about: str
    axes: Callable[[Recipe], Mapping[str, tuple[Any, ...]]]

    def base(self, recipe: Recipe) -> dict[str, Any]:
        """Return the settings that all runs have besides those of the draft."""
        return {"image_size": SIZE} if recipe.has_images and recipe.given_size is None else {}


def _twins(recipe: Recipe) -> Mapping[str, tuple[Any, ...]]:
    control = next(name for name, part in strategies.parts().items() if not part.pretrained)
    return {"dataset.labels_per_class": LABELS, "strategy": (RunSpec().strategy.name, control), "seed": SEEDS}


def _strategies(recipe: Recipe) -> Mapping[str, tuple[Any, ...]]:
    """Return the first strategy of each family that transfers, from the cheapest to the dearest."""
    parts = strategies.parts().items()
    firsts = [next((name for name, part in parts if part.family is family and part.pretrained), None) for family in Family]
    return {"strategy": tuple(name for name in firsts if name), "seed": SEEDS}


def networks(recipe: Recipe) -> tuple[dict[str, Any], ...]:
    """Return the networks on this machine that take the draft's examples, as values of an axis."""
    return tuple({"name": each.backbone.name, **each.backbone.listing().settings} for each in candidates(recipe))


READY = (
    ReadyGroup("Does transfer pay?", "A linear probe against training from scratch, by the number of labels.", _twins),
    ReadyGroup("How much to retrain?", "Strategies from a frozen network to one that trains whole.", _strategies),
    ReadyGroup(
        "Which network?",
        "A linear probe on each pretrained network that is on this machine.",
        lambda recipe: {"backbone": networks(recipe), "seed": SEEDS},
    ),
)
