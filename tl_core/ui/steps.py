"""The steps, in the order of the work: each is a page, a file in `pages/views/` whose `PAGE` says what the frame shows of it.

`steps.TRAIN` is the page at the address /train, and so on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from tl_core.runs.states import State
from tl_core.system.dashboard import script

PAGES = script().parent / "pages"


@dataclass(frozen=True)
class PageInfo:
    """A page: its number, title and icon (Streamlit's name), what it is for as a question, `summary`, which gives what is chosen
    on it now, empty where nothing is yet, and the states of the runs of which it shows one."""

    number: int
    title: str
    icon: str
    question: str
    summary: Callable[[], str]
    shows: frozenset[State] = frozenset()

    @property
    def script(self) -> str:
        """Return the page's file, as Streamlit names it."""
        return f"pages/views/{self.number}_{self.path}.py"

    @property
    def path(self) -> str:
        """Return its address below the server's root."""
        return self.title.lower().replace(" ", "_")


@cache
def pages() -> tuple[PageInfo, ...]:
    """Return every page, by number. Raises `ValueError` for a file that is not named as its page is."""
    return tuple(sorted(map(_page_in, (PAGES / "views").glob("*.py")), key=lambda page: page.number))


def __getattr__(name: str) -> PageInfo:
    found = {page.path.upper(): page for page in pages()} if name.isupper() else {}
    if name not in found:
        raise AttributeError(f"There is no page {name} in {PAGES / 'views'}.")
    return found[name]


def _page_in(file: Path) -> PageInfo:
    """Return the `PAGE` of a script, which draws nothing unless it is run."""
    spec: Any = spec_from_file_location(f"page_{file.stem}", file)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    page: PageInfo = module.PAGE
    if Path(page.script).name != file.name:
        raise ValueError(f"The page {page.number} {page.title} belongs into the file {page.script}, and is in {file.name}.")
    return page
