"""What runs are called on the pages: the names that people gave them, told apart where several have the same one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from tl_core.runs.store import Run
from tl_core.ui import session

ID_LETTERS = 6
"""The end of an id that tells runs apart."""


@dataclass(frozen=True)
class Labels:
    """The names that several runs have, and a number that is another one after a run was labelled, archived or deleted."""

    shared: frozenset[str]
    version: int


def current() -> Labels:
    """Return what the labels of all runs are, as of the last look at them."""
    runs = session.runs()
    return _labels(len(runs), max((run.revision for run in runs), default=0), session.deletions(), runs)


@st.cache_resource(max_entries=1, show_spinner=False)
def _labels(count: int, revision: int, deleted: int, _runs: Sequence[Run]) -> Labels:
    """Return the labels of `_runs`. The numbers say whether these are the same as at the last look."""
    counted = Counter(run.name for run in _runs if run.name)
    said = [(run.id, labels) for run in _runs if any(labels := (run.name, run.tags, run.starred, run.archived, run.note))]
    return Labels(frozenset(name for name in counted if counted[name] > 1), hash((tuple(said), deleted)))


def given_to(run: Run) -> str:
    """Return the name of a run, with the end of its id where others have that name, too; empty where it has none."""
    return f"{run.name} ({short_id(run)})" if run.name and run.name in current().shared else run.name


def short_id(run: Run) -> str:
    """Return the end of a run's id."""
    return run.id[-ID_LETTERS:]
