"""Waiting for a network to be measured on this machine, where somebody asks how long runs take."""

import time
from pathlib import Path

from rich.markup import escape

from tl_core.cli.console import err
from tl_core.machine import backends
from tl_core.planning import backbone_profile
from tl_core.planning.backbone_profile import BackboneProfile
from tl_core.recipe import Recipe

POLL_SECONDS = 0.25
MOST_SECONDS = 120
"""How long it is waited for."""


def measured(home: Path, recipe: Recipe) -> BackboneProfile | None:
    """Return how fast a network is here. Where that is not known it is measured now, once, and waited for, if it can be."""
    network = (home, recipe.backbone, recipe.input_size)
    found = BackboneProfile.read(*network)
    if found or not backends.is_importable():
        return found
    title, end = escape(recipe.backbone.listing().title), time.monotonic() + MOST_SECONDS
    err.print(f"Measuring {title} on this machine, once.", soft_wrap=True)
    backbone_profile.request(*network)
    while (found := BackboneProfile.read(*network)) is None and time.monotonic() < end:
        time.sleep(POLL_SECONDS)
    if found is None:
        err.print(f"{title} could not be measured within {MOST_SECONDS} s; its runs are not counted.", soft_wrap=True)
    return found
