"""Every test here opens pages."""

import pytest

from tests.tools.pages import finished, known_profiles, nothing_cached, profiles

__all__ = ["finished", "known_profiles", "nothing_cached", "profiles"]


@pytest.fixture(autouse=True)
def opens_pages(nothing_cached: None, known_profiles: None) -> None:
    """Nothing is left of the test before, and no process measures a network."""
