"""What a search chooses from: networks, the heads that are computed on them, and the ways in which they are fine-tuned."""

from collections.abc import Mapping
from typing import Any

from tl_core.analysis.ranking import Candidate
from tl_core.groups.expansion import flat
from tl_core.groups.group import Group
from tl_core.recipe import titles_of
from tl_core.registry import Part
from tl_core.spec import RunSpec
from tl_core.strategies import Family, strategies


def network(each: Candidate) -> dict[str, Any]:
    """Return the network of a candidate as a value of an axis."""
    return {"name": each.backbone, **each.settings}


def computed() -> list[str]:
    """Return the strategies that compute a head on the features of a frozen network."""
    return [name for name, part in strategies.parts().items() if part.family is Family.FROZEN and not part.looks_inside]


def tuned() -> list[str]:
    """Return the strategies that train a pretrained network for some epochs, those that stand in front of the lists."""
    every = strategies.parts().items()
    return [name for name, part in every if part.epochs_setting and part.pretrained and part.listing_order < Part.listing_order]


def titles(group: Group, settings: Mapping[str, Any]) -> tuple[str, str]:
    """Return what people call the network and the strategy of a combination of a group."""
    _, network, strategy = titles_of(RunSpec().with_settings(flat(group.base) | flat(settings)))
    return network, strategy
