"""Sentences about data that are the same under two names, or differ under one."""

import json
from collections.abc import Iterable, Sequence
from itertools import combinations

import streamlit as st

from tl_core import datasets
from tl_core.analysis.data_identity import DataUsed, Relation, relation
from tl_core.errors import TransferError
from tl_core.runs.states import State
from tl_core.runs.store import Run
from tl_core.ui import formatting, session

MOST_RUNS, MOST_CHOSEN, MOST_SENTENCES = 500, 20, 5
"""So many other runs are looked at, the newest first, so many chosen ones, and so much is said of them."""


def beside(run: Run) -> None:
    """Say of which other finished runs the data are those of `run` under another name, or others under its name."""
    finished = [other for other in session.runs() if other.state is State.DONE and other.id != run.id][:MOST_RUNS]
    name = formatting.titles_of(run)[0]
    _tell((run, other) for other in finished if other.test_digest == run.test_digest or formatting.titles_of(other)[0] == name)


def among(chosen: Sequence[Run]) -> None:
    """Say of each two finished runs of `chosen`, up to `MOST_CHOSEN`, what `beside` says of one and the others."""
    finished = [run for run in chosen if run.state is State.DONE]
    _tell(combinations(finished[:MOST_CHOSEN], 2))


def _tell(pairs: Iterable[tuple[Run, Run]]) -> None:
    said = dict[str, None]()
    for pair in pairs:
        one, other = map(used, pair)
        if found := relation(one, other):
            said.setdefault(sentence(found, one, other))
        if len(said) == MOST_SENTENCES:
            break
    for text in said:
        st.caption(f":material/fingerprint: {formatting.plain(text)}")


def used(run: Run) -> DataUsed:
    """Return what the data of a finished run were. Raises `StorageError` where its result cannot be read."""
    name, place, settings = formatting.titles_of(run)[0], "", run.spec.dataset.content.settings
    try:
        dataset = datasets.build(run.spec.dataset)
        place = dataset.location()
        settings = {key: value for key, value in dataset.spec().content.settings.items() if value not in map(str, dataset.paths)}
    except TransferError:
        pass  # a part that is no longer installed, or an upload that was removed
    drawn = json.dumps([settings, run.spec.seed, run.spec.task.model_dump()], sort_keys=True, default=str)
    return DataUsed(name, place, drawn, session.result(run.id).data_digest, run.test_digest or "")


def sentence(found: Relation, one: DataUsed, other: DataUsed) -> str:
    """Return what was found of the data of two runs, in words."""
    both = f"{_in_place(one)} and {_in_place(other)}"
    alike = f"Two datasets are called {one.name}: that {_from(one)}, and that {_from(other)}."
    if one.place == other.place:
        alike = f"{one.name} has changed between two runs."
    return {
        Relation.SAME_CONTENT: f"{both} hold the same content: each of their images is the same, by its sha256.",
        Relation.SAME_TEST: f"{both} have the same test images, by their sha256. Their training images differ, or were drawn "
        "otherwise.",
        Relation.OTHER_TEST: f"{alike} Their test images differ, so that the runs cannot be compared image by image.",
        Relation.OTHER_TRAINING: f"{alike} Their test images are the same, and their training images differ.",
    }[found]


def _in_place(used: DataUsed) -> str:
    return f"{used.name} ({used.place})" if used.place else used.name


def _from(used: DataUsed) -> str:
    return f"from {used.place}" if used.place else "from a place that is not known"
