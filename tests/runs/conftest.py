"""Some tests here open pages, too: they ask for `opens_pages`."""

import pytest

from tests.tools.pages import known_profiles, nothing_cached, profiles
from tests.tools.seeded import template

__all__ = ["known_profiles", "nothing_cached", "profiles", "template"]


@pytest.fixture
def opens_pages(nothing_cached: None, known_profiles: None) -> None:
    """Nothing is left of the test before, and no process measures a network."""
