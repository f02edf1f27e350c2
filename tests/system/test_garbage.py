"""What is taken out of the search for garbage, and what is not."""

import gc
import sys
import weakref
from types import ModuleType

import pytest

from tests.tools.pages import PAGES, opened
from tl_core.system import garbage


class Cycle:
    """Is found by the search for garbage alone."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def unfrozen(monkeypatch: pytest.MonkeyPatch) -> None:
    gc.unfreeze()
    monkeypatch.setattr(garbage, "_seen", {"modules": 0})


def test_what_is_imported_is_not_searched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    garbage.freeze_imports()
    first = gc.get_freeze_count()
    assert first > 10_000
    kept = [Cycle()]
    garbage.freeze_imports()
    assert gc.get_freeze_count() <= first
    monkeypatch.setitem(sys.modules, "a_module_of_this_test", ModuleType("a_module_of_this_test"))
    kept.append(Cycle())
    garbage.freeze_imports()
    assert gc.get_freeze_count() > first


def test_garbage_from_later_is_found() -> None:
    garbage.freeze_imports()
    lost = weakref.ref(Cycle())
    gc.collect()
    assert lost() is None


def test_pages_spare_the_search() -> None:
    opened(PAGES[0])
    assert gc.get_freeze_count() > 10_000
