"""What a browser session knows: a draft of the recipe. Everything else is read from the store, or is in the URL."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar, cast

import streamlit as st

from tl_core.analysis.usage import Usage, usage_of
from tl_core.errors import RunError, TransferError
from tl_core.recipe import Recipe, changed
from tl_core.result import Predictions, Result
from tl_core.runner import service
from tl_core.runner.runner import WATCHED_SECONDS
from tl_core.runs import artifacts
from tl_core.runs.store import Run, Store, StoredEvent
from tl_core.spec import DISPLAY_NAME, RunSpec, to_text, with_current_names
from tl_core.system import settings
from tl_core.ui.example_sizes import typical_size

Value = TypeVar("Value")

SPEC, RUN, COMPLAINT, REFUSAL = "draft_spec", "chosen_run", "complaint_about_url", "refusal"
LEFT_OUT = "dataset.left_out"
NAME = f"dataset.{DISPLAY_NAME}"
OF_THE_SAME_SPLITS = {LEFT_OUT, NAME, "dataset.labels_per_class", "dataset.download"}
"""Settings of a dataset that move no example into another split."""
RUN_PARAMETER, RUNS_PARAMETER, BY_PARAMETER, GROUP_PARAMETER = "run", "runs", "by", "group"
AGAINST_PARAMETER, COST_PARAMETER = "against", "cost"
POLL_SECONDS, MOST_POINTS = 2.0, 500
SHARED_SECONDS = 0.95 * POLL_SECONDS
"""How long what was read of the store serves all browsers; a browser that polls alone finds everything new."""
ATTENDED_SECONDS = WATCHED_SECONDS / 3
"""How often a page that is open says so, also where nothing goes on."""


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """Return the store, opened once for all sessions."""
    return Store()


def recipe() -> Recipe:
    """Return the draft of this session; in a new session, what the URL says, or else the defaults."""
    if SPEC not in st.session_state:
        st.session_state[SPEC] = _from_url().draft().dotted()
    return Recipe.of(RunSpec().with_settings(st.session_state[SPEC]), typical_size)


def change(settings: Mapping[str, Any]) -> None:
    """Change the draft by dotted names. What does not fit is said on the page, and the draft stays as it was. A list of what is
    left out goes with the data, or the splits, of which it was made, and so does the name that somebody gave the data."""
    try:
        before = recipe()
        others = {name for name in settings if name.startswith("dataset.")} - OF_THE_SAME_SPLITS
        stale = {LEFT_OUT: None} if others and before.dataset.left_out else {}
        after = Recipe.of(changed(before.draft(), {**stale, **settings}))
        moved = NAME not in settings and after.dataset.origin != before.dataset.origin
        st.session_state[SPEC] = after.draft().with_settings({NAME: None} if moved else {}).dotted()
    except TransferError as error:
        st.session_state[COMPLAINT] = str(error)


def take(spec: RunSpec) -> None:
    """Make a stored run's settings the draft."""
    st.session_state[SPEC] = spec.dotted()


def url_parameters() -> dict[str, str]:
    """Return what a URL must hold to give this draft, and the chosen run, to another browser."""
    parameters = {name: to_text(value) for name, value in recipe().overrides().items()}
    chosen = run_id()
    return parameters | ({RUN_PARAMETER: chosen} if chosen else {})


def run_id() -> str | None:
    """Return the id of the run that this session looks at: the URL's, else the one it looked at last."""
    if given := st.query_params.get(RUN_PARAMETER):
        st.session_state[RUN] = given
    return st.session_state.get(RUN)


def look_at(chosen: str) -> None:
    """Choose a run for the pages that show one, and put it into the address."""
    if st.session_state.get(RUN) != chosen:
        st.session_state.pop(REFUSAL, None)
    st.session_state[RUN] = chosen
    st.query_params[RUN_PARAMETER] = chosen


def request(wish: Callable[..., None], *details: Any, asker: str | None = None) -> None:
    """Do what a button asks of the store. A refusal is kept until the next wish, for `asker` (by default the wish's module)."""
    st.session_state.pop(REFUSAL, None)
    try:
        wish(store(), *details)
    except TransferError as error:
        st.session_state[REFUSAL] = asker or wish.__module__, str(error)
    forget_runs()


def refusal(*askers: str) -> str | None:
    """Return why the last wish could not be fulfilled, if it was made by one of `askers`."""
    by, why = st.session_state.get(REFUSAL, (None, None))
    return why if by in askers else None


def complaint() -> str | None:
    """Return what was wrong with the last change or with the URL; said once."""
    return st.session_state.pop(COMPLAINT, None)


@st.cache_resource(ttl=SHARED_SECONDS, show_spinner=False)
def runs() -> Sequence[Run]:
    """Return every run, the newest first; read at most once for all browsers that look at the same time."""
    revision, known, deleted = _known()[0]
    changes = store().changes(revision)
    changed, gone = known | {run.id: run for run in changes.runs}, set(changes.deleted)
    known = {run_id: run for run_id, run in changed.items() if run_id not in gone}
    _known()[:] = [(changes.revision, known, deleted + len(gone))]  # at once, for others look, too
    found = sorted(known.values(), key=lambda run: run.number, reverse=True)
    if any(run.state.alive for run in found):
        _keep_runner()
    return tuple(found)


def deletions() -> int:
    """Return how many runs were ever deleted, as of the last look at `runs`."""
    return _known()[0][2]


@st.cache_resource(show_spinner=False)
def _known() -> list[tuple[int, dict[str, Run], int]]:
    """Return the last look: its revision, the runs by id (only changed ones are read again), and how many were ever deleted."""
    return [(0, {}, 0)]


@st.cache_data(ttl=ATTENDED_SECONDS / 2, show_spinner=False)
def ensure_runner() -> None:
    """Start a runner, and with it a spare interpreter, for whoever looks at a page: the next Start need not wait."""
    if settings.keeps_spare():
        service.ensure(store().home, watched=True)


@st.cache_data(ttl=5, show_spinner=False)
def _keep_runner() -> None:
    """Start a runner where none is alive: while there is something to do, somebody must do it, whatever has happened to it."""
    service.ensure(store().home)


def run(chosen: str) -> Run:
    """Return one run of `runs()`. Raises `RunError` where there is none."""
    try:
        return next((run for run in runs() if run.id == chosen), None) or store().run(chosen)
    except RunError as error:  # whose next step is for the command line
        raise RunError(error.what, "Choose another one on this page.", received=chosen) from error


def version(run: Run, kind: str) -> tuple[int, float]:
    """Return what changes when a curve of the run's events of that kind would look different: a curve of `MOST_POINTS` does not
    before as large a part of them has come again. At every change of the run's state it does."""
    count = _counts(run.id, run.changed).get(kind, 0)
    return count - count % max(1, count // MOST_POINTS), run.changed


@st.cache_resource(ttl=SHARED_SECONDS, show_spinner=False, max_entries=64)
def _counts(chosen: str, changed: float) -> Mapping[str, int]:
    return store().counts(chosen)


def events(run: Run, kind: str) -> Sequence[StoredEvent]:
    """Return a run's events of one kind, at most `MOST_POINTS`; read once for all browsers that watch, and not to be changed."""
    return newest(f"events {kind}", run, version(run, kind), lambda: tuple(store().events(run.id, kind, most=MOST_POINTS)))


def newest(what: str, run: Run, version: object, make: Callable[[], Value]) -> Value:
    """Return what `make` gives for the present `version` of a run. It is made once for all browsers, and only the newest is kept:
    a run that is watched for an hour has hundreds. While it is made for one browser, others are given the one before, as long as
    the run goes on and they will ask again."""
    slot = _slot(what, run.id)
    if slot.version != version and slot.making.acquire(blocking=slot.version is None or not run.state.alive):
        try:
            if slot.version != version:
                slot.value, slot.version = make(), version
        finally:
            slot.making.release()
    return cast(Value, slot.value)


@dataclass
class Slot:
    """What is kept of a run for all browsers, the version of the run that it shows (None before there is one), and a lock that is
    held while it is made."""

    value: object = None
    version: object = None
    making: Lock = field(default_factory=Lock)


@st.cache_resource(show_spinner=False, max_entries=64)
def _slot(what: str, run_id: str) -> Slot:
    return Slot()


def usage(run: Run) -> Usage:
    """Return what a run used of the machine, all its attempts together."""
    return _usage(run.id, run.changed)


@st.cache_data(ttl=60, show_spinner=False, max_entries=256)
def _usage(chosen: str, changed: float) -> Usage:
    return usage_of(store().events(chosen, "telemetry"))


@st.cache_data(show_spinner=False, max_entries=32)
def result(chosen: str) -> Result:
    """Return the stored result of a finished run; it never changes."""
    return artifacts.read_result(store().folder(chosen))


@st.cache_data(show_spinner=False, max_entries=8)
def predictions(chosen: str) -> Predictions:
    """Return the stored predictions of a finished run; they never change."""
    return artifacts.read_predictions(store().folder(chosen))


def forget_runs() -> None:
    """Read the store again at the next look: something was started or stopped here."""
    runs.clear()


def _from_url() -> Recipe:
    """Return what the address says of the recipe. Parameters of others, which chats and mail programs append, are ignored."""
    named = with_current_names(st.query_params.to_dict())
    given = {name: value for name, value in named.items() if name.partition(".")[0] in RunSpec.model_fields}
    try:
        return Recipe.of(RunSpec().with_settings(given))
    except TransferError as error:
        st.session_state[COMPLAINT] = f"The address of this page holds a setting that does not fit. {error}"
        return Recipe.of(RunSpec())
