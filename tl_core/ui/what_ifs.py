"""What-ifs: a button, and a curve of a metric by the number of labels that grows as the answers come."""

from functools import partial

import streamlit as st

from tl_core.analysis.statements import seconds
from tl_core.data.label_kinds import LEAST_NUMBERS
from tl_core.recipe import Recipe
from tl_core.studies.what_if import ALL, CHOSEN, WhatIf, WhatIfResult
from tl_core.ui import previews
from tl_core.ui.charts.learning_curve import learning_curve as curve_chart
from tl_core.ui.live_chart import live_chart
from tl_core.ui.study_panel import StudyPanel

COUNTS: tuple[int, ...] = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
NUMBERS = 5
STRENGTHS = f"{CHOSEN},1,10,100,1000"
ABOUT = (
    "Estimates what a linear probe on this network would reach with fewer or more labels. Each of the {things} passes through "
    "the frozen network once, which later runs reuse; after that an answer takes milliseconds."
)


def what_ifs(recipe: Recipe) -> None:
    """Draw the panel of what-ifs, for a network with pretrained weights."""
    if not recipe.strategy.pretrained:
        return
    about = ABOUT.format(things=recipe.dataset.thing)
    st.subheader(WhatIf.title, help=about)
    StudyPanel(study_of(recipe), about, "Ask", "Ask again", "question_exchange", partial(_show, recipe)).draw(recipe)


def study_of(recipe: Recipe) -> WhatIf:
    """Return a question with five numbers of labels, as a dataset has them: the largest that are less than its smallest class
    has, or than all its examples where none is of one class, and all of them; or a few up to 50, where it makes as many as it is
    asked for. Raises `DataError`."""
    counts = [str(count) for count in COUNTS if 1 < count <= 50]
    if type(recipe.dataset).model_fields["labels_per_class"].default is None:
        dataset, kind = recipe.dataset.model_copy(update={"labels_per_class": None}), recipe.dataset.label_kind
        found = previews.preview(dataset, recipe.seed)
        least, most = (1, min(filter(None, found.counts["train"]))) if kind.drawn_from else (LEAST_NUMBERS, found.images.train)
        counts = [*[str(count) for count in COUNTS if least <= count < most][-(NUMBERS - 1) :], ALL]
    return WhatIf(labels=",".join(counts), strengths=STRENGTHS)


def _show(recipe: Recipe, found: WhatIfResult) -> None:
    metric, dataset = recipe.deciding_metric, recipe.dataset
    labelled = f"labelled {dataset.thing} {dataset.label_kind.drawn_from}".strip()
    figure = curve_chart(found.points, str(found.question), metric, labelled)
    live_chart(str(figure.to_json(validate=False)), "what_ifs", f"Test {metric.in_sentence} by {labelled}")
    if found.finished:
        st.caption(
            f"{len(found.answers)} answers in {seconds(found.seconds)}, starting Python included. Each point is the mean over up "
            f"to {found.question.seeds} draws of the labels, on all test {dataset.thing}; bars are its 95 % interval over the "
            f"draws, or that of the test {dataset.thing} where all labels are used. C is the inverse of the penalty on large "
            "weights of the head. Only the line of the C that was chosen as a run chooses it predicts a run: the best of the "
            f"other lines would be chosen on test {dataset.thing}."
        )
