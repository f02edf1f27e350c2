"""What-ifs: a button, and a curve of accuracy by the number of labels that grows as the answers come."""

from functools import partial

import streamlit as st

from tl_core.analysis import learning_curve
from tl_core.analysis.statements import seconds
from tl_core.analysis.what_if import Question
from tl_core.recipe import Recipe
from tl_core.runs.store import Store
from tl_core.studies import what_if_job
from tl_core.studies.what_if_job import Inquiry
from tl_core.ui import formatting, previews, session
from tl_core.ui.charts.learning_curve import learning_curve as curve_chart
from tl_core.ui.live_chart import live_chart
from tl_core.ui.polling import is_at_work, polled
from tl_core.ui.recipe_bar import require_allowed_paths

COUNTS: tuple[int, ...] = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
NUMBERS = 5
STRENGTHS: tuple[float | None, ...] = (None, 1.0, 10.0, 100.0, 1000.0)
SEEDS = 5
ABOUT = (
    "What a linear probe on this network would reach with fewer labels or more. The frozen network sees each image once, which "
    "the runs then need not do again; after that an answer takes milliseconds."
)


def what_ifs(recipe: Recipe) -> None:
    """Shown for a network with pretrained weights, and polled while something is asked."""
    if not recipe.strategy.pretrained:
        return
    st.subheader("What if there were other labels?", help=ABOUT)
    polled(__name__, lambda: Inquiry.read(session.store().home, recipe), partial(_panel, recipe))


def question_of(recipe: Recipe) -> Question:
    """Five numbers of labels, as a dataset has them: the largest that are less than its smallest class has, and all of them; or a
    few up to 50, where it makes as many as it is asked for. Raises `DataError`."""
    if type(recipe.dataset).model_fields["labels_per_class"].default is not None:
        return Question(tuple(count for count in COUNTS if 1 < count <= 50), STRENGTHS, SEEDS)
    dataset = recipe.dataset.model_copy(update={"labels_per_class": None})
    smallest = min(count for count in previews.preview(dataset, recipe.seed).counts["train"] if count)
    fitting = [count for count in COUNTS if count < smallest]
    return Question((*fitting[-(NUMBERS - 1) :], None), STRENGTHS, SEEDS)


def _panel(recipe: Recipe, found: Inquiry | None) -> None:
    if found is None:
        st.caption(ABOUT)
    elif found.error:
        formatting.say_wrong(found.error)
    else:
        _show(found)
    if not is_at_work(found):
        title, icon = ("Ask again", "replay") if found else ("Ask", "question_exchange")
        st.button(title, key="ask_what_ifs", icon=f":material/{icon}:", on_click=_request, args=(recipe,))


def _show(found: Inquiry) -> None:
    if not found.finished:
        rate = f", {found.images_per_second:,.0f} images a second" if found.images_per_second and not found.answers else ""
        st.progress(found.share, f"{found.stage}{rate}: {len(found.answers)} of {found.question.answers} answers")
    points = learning_curve.points(found.answers)
    figure = curve_chart(points, str(found.question))
    live_chart(str(figure.to_json(validate=False)), "what_ifs", "Test accuracy by the number of labels a class")
    if found.finished:
        st.caption(
            f"{len(found.answers)} answers in {seconds(found.seconds)}, starting Python included. Each point is the mean over up "
            f"to {found.question.seeds} draws of the labels, on all test images; bars are its 95 % interval over the draws, or "
            "that of the test images where all labels are used. C is the freedom of the head: the inverse of the penalty on "
            "large weights. Only the line of the C that validation images chose says what a run would reach: "
            "to take the best of the others would let the test images choose."
        )


def _request(recipe: Recipe) -> None:
    def ask(store: Store) -> None:
        require_allowed_paths(recipe)
        what_if_job.request(store.home, recipe, question_of(recipe))

    session.request(ask)
