"""Waiting for a network to be measured on this machine, where somebody asks how long runs take."""

from pathlib import Path

from rich.markup import escape

from tl_core.cli.console import err
from tl_core.machine import backends
from tl_core.planning import backbone_profile
from tl_core.planning.backbone_profile import BackboneProfile
from tl_core.recipe import Recipe


def measured(home: Path, recipe: Recipe) -> BackboneProfile | None:
    """Return how fast a network is here. Where that is not known it is measured now, once, and waited for, if it can be."""
    title = escape(recipe.backbone.listing().title)
    begun = f"Measuring {title} on this machine, once."
    found = backbone_profile.awaited(home, recipe.backbone, recipe.input_size, lambda: err.print(begun, soft_wrap=True))
    if found is None and backends.is_importable():
        err.print(
            f"{title} could not be measured within {backbone_profile.GIVEN_UP_SECONDS} s; its runs are not counted.",
            soft_wrap=True,
        )
    return found
