"""What-ifs: a button, and a curve of accuracy by the number of labels that grows as the answers come."""

import streamlit as st

from tl_core.analysis import learning_curve
from tl_core.analysis.statements import seconds
from tl_core.data.label_kinds import CLASSES
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
    "Estimates the accuracy of a linear probe on this network with fewer or more labels. Each image passes through the frozen "
    "network once, which later runs reuse; after that an answer takes milliseconds."
)


def what_ifs(recipe: Recipe) -> None:
    """Draw the panel of what-ifs, for a network with pretrained weights and classes to tell."""
    if not recipe.strategy.pretrained or recipe.dataset.label_kind != CLASSES:
        return
    st.subheader(WhatIf.title, help=ABOUT)
    StudyPanel(study_of(recipe), ABOUT, "Ask", "Ask again", "question_exchange", _show).draw(recipe)


def study_of(recipe: Recipe) -> WhatIf:
    """Return a question with five numbers of labels, as a dataset has them: the largest that are less than its smallest class
    has, and all of them; or a few up to 50, where it makes as many as it is asked for. Raises `DataError`."""
    counts = [str(count) for count in COUNTS if 1 < count <= 50]
    if type(recipe.dataset).model_fields["labels_per_class"].default is None:
        dataset = recipe.dataset.model_copy(update={"labels_per_class": None})
        smallest = min(count for count in previews.preview(dataset, recipe.seed).counts["train"] if count)
        counts = [*[str(count) for count in COUNTS if count < smallest][-(NUMBERS - 1) :], ALL]
    return WhatIf(labels=",".join(counts), strengths=STRENGTHS)


def _show(found: WhatIfResult) -> None:
    points = learning_curve.points(found.answers)
    figure = curve_chart(points, str(found.question))
    live_chart(str(figure.to_json(validate=False)), "what_ifs", "Test accuracy by the number of labels a class")
    if found.finished:
        st.caption(
            f"{len(found.answers)} answers in {seconds(found.seconds)}, starting Python included. Each point is the mean over up "
            f"to {found.question.seeds} draws of the labels, on all test images; bars are its 95 % interval over the draws, or "
            "that of the test images where all labels are used. C is the inverse of the penalty on large weights of the head. "
            "Only the line of the C that was chosen on validation images predicts the accuracy of a run: the best of the other "
            "lines would be chosen on test images."
        )
