"""Finding a learning rate: a button, a curve that grows, and a suggestion that is taken with a click."""

from functools import partial

import streamlit as st

from tl_core.analysis.rates import Shape
from tl_core.planning.backbone_profile import BackboneProfile
from tl_core.planning.cuts import SplitSizes
from tl_core.recipe import Recipe
from tl_core.studies.lr_finder import LrFinder, LrFinderResult, steps_within
from tl_core.ui import estimates, formatting, session
from tl_core.ui.charts import rates
from tl_core.ui.live_chart import live_chart
from tl_core.ui.study_panel import StudyPanel

ABOUT = (
    "Trains for a few dozen batches while the learning rate rises from far too low to far too high. The suggestion is a tenth of "
    "the highest rate at which the loss is still low, or the rate at which the loss first gets that low, if it is smaller. If "
    "the head is computed first, half of the training examples compute it, and the rates are tried on the other half."
)
SAID = {
    Shape.SHORT: "The loss diverged before enough rates had been tried, so nothing is suggested.",
    Shape.FALLS: "The loss was lowest between {reached:.1g} and {limit:.1g}. The suggestion is the lower end, or a tenth of "
    "the upper end if that is smaller.",
    Shape.BREAKS: "The loss never fell, and beyond {limit:.1g} it rose: training diverges there. The suggestion is a tenth of "
    "that. It is safe, but only what the validation examples say can tell whether training helps.",
    Shape.RISES: "The loss rose from the lowest rates on: no rate is safe, and nothing is suggested. Check the data and the "
    "other settings first.",
    Shape.STAYS: "No rate changed the loss, so nothing is suggested; the present rate stays.",
    Shape.NOTHING: "The loss was zero from the start: these examples were classified correctly before any training. The rates "
    "cannot be compared, and nothing is suggested; the present rate stays.",
}


def rate_finder(recipe: Recipe, measured: BackboneProfile, train_images: int) -> None:
    """Draw the search for a learning rate where the strategy has one; it is polled while the search is at work."""
    setting = recipe.strategy.rate_setting
    if setting is None:
        return
    st.subheader("Learning rate", help=ABOUT)
    study = LrFinder(steps=steps_within(_step_seconds(recipe, measured, train_images)))
    about = f"{ABOUT} It tries {study.steps} rates and takes about a minute."
    StudyPanel(study, about, "Find a learning rate", "Search again", "search", partial(_show, recipe, setting)).draw(recipe)


def _show(recipe: Recipe, setting: str, found: LrFinderResult) -> None:
    present = _present(recipe, setting)
    figure = rates.rate_chart(found.curve, present, str(found.planned))
    live_chart(str(figure.to_json(validate=False)), "rate_curve", "The loss at each learning rate that was tried")
    if found.finished:
        st.caption(_told(found))
        _suggestion(found.curve.suggestion, present, f"strategy.{setting}")


def _told(found: LrFinderResult) -> str:
    """Return what a finished search says, in words."""
    reached, limit = found.curve.low or (None, None)
    said = SAID[found.curve.shape].format(reached=reached, limit=limit)
    return f"Tried in the phase *{formatting.plain(found.phase)}* on training examples alone. {said}" if found.phase else said


def _suggestion(suggestion: float | None, present: float, setting: str) -> None:
    """Draw a button that gives the suggested rate, where there is one, to the `setting`."""
    if suggestion is not None:
        taken = suggestion == present
        label, change = f"{suggestion:g} is set" if taken else f"Use {suggestion:g}", {setting: suggestion}
        st.button(label, key="use_rate", type="primary", disabled=taken, on_click=session.change, args=(change,))


def _present(recipe: Recipe, setting: str) -> float:
    """Return the rate that is set, or the one that an empty box stands for."""
    return recipe.strategy.model_dump()[setting] or recipe.backbone.scratch.learning_rate


def _step_seconds(recipe: Recipe, measured: BackboneProfile, train_images: int) -> float:
    """Return the seconds of a step in the dearest phase, by the cost model and the measured rate of this machine."""
    images = SplitSizes(train_images, 0, 0)
    planned = estimates.planned(recipe, measured.outline, images)
    dearest = max(planned.epoch(phase).trained / phase.steps(train_images) for phase in planned.cuts.phases)
    return dearest / measured.trained_rate
