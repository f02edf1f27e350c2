"""Small things that several pages show the same way."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import streamlit as st
from streamlit.elements.lib import streamlit_plotly_theme

from tl_core.analysis.statements import seconds
from tl_core.errors import TransferError
from tl_core.recipe import titles_of as titles_of_spec
from tl_core.report.figures import Drawing
from tl_core.runs import compared, rungs
from tl_core.runs.score import label_kind, score
from tl_core.runs.states import State
from tl_core.runs.store import Run
from tl_core.spec import RunSpec
from tl_core.ui import run_names
from tl_core.ui.charts import theme

TEXT = streamlit_plotly_theme.GRAY_90
"""Stands in a figure for a colour that the browser fills in: dark in the light theme, and light in the dark one."""
NOTHING: Mapping[str, str] = {}
COLOURS = {
    State.QUEUED: "gray",
    State.STARTING: "blue",
    State.RUNNING: "orange",
    State.PAUSING: "blue",
    State.PAUSED: "blue",
    State.CANCELLING: "orange",
    State.DONE: "green",
    State.FAILED: "red",
    State.CANCELLED: "gray",
    State.CRASHED: "red",
}


def chart(figure: Any, key: str, alt: str) -> None:
    """Draw a Plotly figure as wide as its place, with `alt` for screen readers."""
    # Streamlit writes in a grey whose contrast to the page is 3.7.
    figure.update_layout(font_color=TEXT)
    for axes in (figure.update_xaxes, figure.update_yaxes):
        axes(tickfont_color=TEXT, title_font_color=TEXT)
    st.plotly_chart(figure, width="stretch", theme="streamlit", key=key, config=theme.CONFIG, alt=alt)


def draw(drawing: Drawing, key: str) -> None:
    """Draw a figure below what is to be said of it."""
    for text in drawing.notes:
        st.caption(plain(text))
    chart(drawing.figure, key, drawing.alt)


@contextmanager
def sentence_for_mistakes(labels: Mapping[str, str] = NOTHING, *, unfilled: bool = False) -> Iterator[None]:
    """Show a `TransferError` as its sentence and go on with the page; names of settings give way to their `labels`. Where a form
    is `unfilled`, it is not a mistake, but the next step."""
    try:
        yield
    except TransferError as error:
        text = str(error)
        for name, label in labels.items():
            text = text.replace(name, f"\N{LEFT DOUBLE QUOTATION MARK}{label}\N{RIGHT DOUBLE QUOTATION MARK}")
        if unfilled:
            st.info(plain(text), icon=":material/arrow_back:")
        else:
            say_wrong(text)


def say_wrong(text: str) -> None:
    """Show a sentence about something wrong, as plain text: it may hold a file name that somebody else chose."""
    st.error(plain(text), icon=":material/error:")


def plain(text: str) -> str:
    """Return `text` with everything escaped that Streamlit's Markdown would read as a mark-up."""
    for mark in "\\`*_{}[]<>()#+-.!|$~:":
        text = text.replace(mark, "\\" + mark)
    return text.replace("\n", " ")


def badge(run: Run) -> None:
    """Show the state of a run in its colour."""
    st.badge(state_of(run), color=COLOURS[run.state])  # type: ignore[arg-type]  # a literal of colour names


def state_of(run: Run) -> str:
    """Return how a run stands: one that waits at a rung, or was left there, is told apart from one that was paused."""
    return rungs.standing(run).capitalize() or state_named(run.state)


def state_named(state: State) -> str:
    """Return a state in the words of the buttons that bring a run there: what Stop ends is stopped."""
    return {State.CANCELLING: "Stopping", State.CANCELLED: "Stopped"}.get(state, state.capitalize())


def title_of(run: Run) -> str:
    """Return a run in a few words: its name, or else backbone, strategy, dataset."""
    return run_names.given_to(run) or parts_of(run)


def parts_of(run: Run) -> str:
    """Return backbone, strategy and dataset of a run, whatever its name is."""
    return f"{model_of(run)} · {titles_of(run)[0]}"


def name_of(run: Run) -> str:
    """Return what to call a run among others on the same data: its name, or else backbone and strategy."""
    return run_names.given_to(run) or model_of(run)


def model_of(run: Run) -> str:
    """Return backbone and strategy of a run."""
    return " · ".join(titles_of(run)[1:]) + (" (settings unreadable)" if run.unreadable else "")


def data_of(run: Run) -> str:
    """Return what tells runs of one network and strategy apart: the dataset, how many labels and pixels of it where that is set,
    and the seed."""
    size, has_fewer = run.spec.image_size, bool(run.spec.dataset.settings.get("labels_per_class"))
    set_here = [_labels_of(run)] * has_fewer + [f"{size} px"] * bool(size)
    return ", ".join([titles_of(run)[0], *set_here, f"seed {run.spec.seed}"])


def labels(count: int | None, drawn_from: str) -> str:
    """Return how many labels are used, and of what so many each: "10 labels a class", "1 label", "all labels"."""
    return "all labels" if count is None else f"{count} label{'s' if count != 1 else ''} {drawn_from}".strip()


def _labels_of(run: Run) -> str:
    return labels(run.spec.dataset.settings.get("labels_per_class"), label_kind(run).drawn_from)


TELLING_APART: tuple[Callable[[Run], str], ...] = (
    lambda run: titles_of(run)[0],
    _labels_of,
    lambda run: f"seed {run.spec.seed}",
    lambda run: f"run {run_names.short_id(run)}",
)


def names_apart(runs: Sequence[Run]) -> dict[str, str]:
    """Return, by their ids, names that tell `runs` apart: those that were given, or backbone and strategy; with the dataset, the
    labels, the seed and the id where that is not enough, and where it helps."""
    names = {run.id: name_of(run) for run in runs}
    for more in TELLING_APART:
        alike: dict[str, dict[str, str]] = defaultdict(dict)
        for run in runs:
            alike[names[run.id]][run.id] = more(run)
        for name, told in alike.items():
            if len(set(told.values())) > 1:
                names |= {run_id: f"{name}, {text}" for run_id, text in told.items()}
    return names


def titles_of(run: Run) -> tuple[str, str, str]:
    """Return the titles of dataset, backbone and strategy; names where a run was made by a part that is no longer installed."""
    return _parts(run.spec.model_dump_json())


@lru_cache(maxsize=4096)
def _parts(spec_json: str) -> tuple[str, str, str]:
    """Return `titles_of` by the text of a spec, since lists of runs ask for the same ones every two seconds."""
    return titles_of_spec(RunSpec.model_validate_json(spec_json))


def accuracy_of(run: Run) -> str:
    """Return the accuracy as "85 % (82-88)", or of a task without one its primary metric; a dash where the run was not tested."""
    return score(run) or "\N{EM DASH}"


def decided(run: Run) -> str:
    """Return the value of the metric that decides a run, with its interval, or a dash where the run was not tested."""
    found = compared.decided(run)
    return "\N{EM DASH}" if found is None else compared.shown(found, compared.deciding(run))


def in_column(number: str, digits: int = 3) -> str:
    """Return a text that begins with a number, such as "85 % (82-88)", so padded that in a table digits stand below digits and 9
    comes before 10; no number of the column has more `digits` in front of its point."""
    return "\N{FIGURE SPACE}" * (digits - whole_digits(number)) + number


def whole_digits(number: str) -> int:
    """Return how many digits stand at the beginning of a text."""
    return len(number) - len(number.lstrip("0123456789"))


def clock(passed: float) -> str:
    """Return a time (seconds) that passes while one looks, in whole seconds: tenths would only flicker."""
    return "less than a second" if passed < 1 else seconds(passed) if passed >= 10 else f"{passed:.0f} s"


def unbroken(text: str) -> str:
    """Return `text` on one line: a number is not torn from its unit."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def times(number: int) -> str:
    """Return "once", "twice", "3 times"."""
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
