"""Finding a learning rate: a button, a curve that grows, and a suggestion that is taken with a click."""

from functools import partial

import streamlit as st

from tl_core import costs
from tl_core.recipe import Recipe
from tl_core.runs import finding
from tl_core.runs.finding import Search
from tl_core.runs.probing import Probe
from tl_core.ui import estimates, session, shown
from tl_core.ui.charts import rates
from tl_core.ui.kept_chart import kept_chart
from tl_core.ui.polled import is_at_work, polled

ABOUT = (
    "The same training, for a few dozen batches in which the learning rate rises from far too low to far too high. "
    "The highest rate at which the loss is still low is about to be too high; a tenth of it is a good one."
)


def rate_finder(recipe: Recipe, measured: Probe, train_images: int) -> None:
    """Shown for a strategy that has a learning rate, and polled while its search is at work."""
    if "learning_rate" not in type(recipe.strategy).model_fields:
        return
    st.subheader("Learning rate", help=ABOUT)
    panel = partial(_panel, recipe, measured, train_images)
    polled(__name__, lambda: Search.read(session.store().home, recipe), panel)


def _panel(recipe: Recipe, measured: Probe, train_images: int, found: Search | None) -> None:
    planned = finding.steps_within(_step_seconds(recipe, measured, train_images))
    if found is None or found.error:
        st.caption(f"{ABOUT} It tries {planned} rates and takes about a minute.")
    if found is not None:
        _show(recipe, found)
    if not is_at_work(found):
        _buttons(recipe, found, planned)


def _show(recipe: Recipe, found: Search) -> None:
    if found.error:
        shown.say_wrong(found.error)
        return
    if not found.finished:
        st.progress(found.share, f"{found.stage}: {len(found.curve.rates)} of at most {found.planned}")
    present = _present(recipe)
    figure = rates.rate_chart(found.curve, present, str(found.planned))
    kept_chart(str(figure.to_json(validate=False)), "rate_curve", "The loss at each learning rate that was tried")
    if found.finished:
        st.caption(_told(found))


def _told(found: Search) -> str:
    """What a finished search says, in words."""
    curve = found.curve
    if curve.limit is None:
        return "The loss broke out before enough rates had been tried, so nothing is suggested."
    tried = f"Tried in the phase *{shown.plain(found.phase)}* on training images alone. "
    if not curve.has_fallen:
        return tried + (
            f"The loss never fell: the head fits these images already. So the curve only says that training breaks beyond "
            f"{curve.limit:.1g}, and nothing is suggested; the rate that is set stays."
        )
    return tried + f"Up to {curve.limit:.1g} the loss was as low as it gets; a tenth of that is suggested."


def _buttons(recipe: Recipe, found: Search | None, planned: int) -> None:
    suggestion = found.curve.suggestion if found else None
    with st.container(horizontal=True, gap="small", key="rate_buttons"):
        if suggestion is not None:
            taken = suggestion == _present(recipe)
            label, change = f"{suggestion:g} is set" if taken else f"Use {suggestion:g}", {"strategy.learning_rate": suggestion}
            st.button(label, key="use_rate", type="primary", disabled=taken, on_click=session.change, args=(change,))
        title, icon = ("Search again", "replay") if found else ("Find a learning rate", "search")
        st.button(title, key="find_rate", icon=f":material/{icon}:", on_click=_request, args=(recipe, planned))


def _present(recipe: Recipe) -> float:
    """The rate that is set, or the one that an empty box stands for."""
    return recipe.strategy.model_dump()["learning_rate"] or recipe.backbone.scratch.learning_rate


def _step_seconds(recipe: Recipe, measured: Probe, train_images: int) -> float:
    """By the cost model and the measured rate of this machine, for the dearest phase."""
    images = costs.Images(train_images, 0, 0)
    planned = estimates.planned(recipe, measured.outline, images)
    dearest = max(planned.epoch(phase).trained / phase.steps(train_images) for phase in planned.phases)
    return dearest / measured.trained_rate


def _request(recipe: Recipe, planned: int) -> None:
    session.ask(lambda store: finding.request(store.home, recipe, planned))
