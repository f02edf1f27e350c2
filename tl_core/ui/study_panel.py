"""The panel of a study: a button that asks, progress and a way to end it, and a result that stays."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import streamlit as st

from tl_core.analysis.stage_titles import stage_title
from tl_core.recipe import Recipe
from tl_core.runs.store import Store
from tl_core.studies import Study, StudyResult
from tl_core.ui import formatting, session
from tl_core.ui.polling import is_at_work, polled
from tl_core.ui.recipe_bar import require_allowed_paths

R = TypeVar("R", bound=StudyResult)


@dataclass(frozen=True)
class StudyPanel(Generic[R]):
    """How a study looks: what is said before there is a result (`about`), its button at first (`ask`) and later (`again`), the
    button's `icon`, and what draws a result without an error, finished or not (`show`)."""

    study: Study[R]
    about: str
    ask: str
    again: str
    icon: str
    show: Callable[[R], object]

    def draw(self, recipe: Recipe) -> None:
        """Draw the panel, and again every second while the study is at work."""
        polled(self.study.name, lambda: self.study.read(session.store().home, recipe), partial(self._panel, recipe))

    def _panel(self, recipe: Recipe, found: R | None) -> None:
        if found is None:
            st.caption(self.about)
        elif found.error:
            formatting.say_wrong(found.error)
        else:
            if not found.finished:
                _progress(found, recipe.dataset.thing)
            self.show(found)
        if is_at_work(found):
            self._button("cancel", "Cancel", "close", lambda store: self.study.cancel(store.home, recipe))
        else:
            label, icon = (self.again, "replay") if found else (self.ask, self.icon)
            self._button("ask", label, icon, partial(self._request, recipe))

    def _button(self, verb: str, label: str, icon: str, wish: Callable[[Store], None]) -> None:
        name = self.study.name
        more: dict[str, Any] = {"on_click": session.request, "args": (wish,), "kwargs": {"asker": name}}
        st.button(label, key=f"{verb}_{name}", icon=f":material/{icon}:", **more)

    def _request(self, recipe: Recipe, store: Store) -> None:
        require_allowed_paths(recipe)
        self.study.require_suitable(recipe)
        self.study.request(store.home, recipe)


def _progress(found: StudyResult, things: str) -> None:
    """Draw how far the study is, or its place in the line."""
    if found.place is not None:
        st.progress(0.0, f"Waiting for a device: place {found.place} in the queue")
        return
    rate = f", {found.images_per_second:,.0f} {things} a second" if found.images_per_second else ""
    left = f", about {formatting.clock(found.seconds_left)} left" if found.seconds_left is not None else ""
    st.progress(found.share, formatting.plain(f"{stage_title(found.stage)}{rate}{left}"))
