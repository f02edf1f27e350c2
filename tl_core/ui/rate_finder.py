"""Finding a learning rate: a button, a curve that grows, and a suggestion that is taken with a click."""

from typing import Literal

import streamlit as st

from tl_core import costs
from tl_core.recipe import Recipe
from tl_core.runs import finding
from tl_core.runs.finding import Search
from tl_core.runs.probing import Probe
from tl_core.ui import estimates, session, shown
from tl_core.ui.charts import rates
from tl_core.ui.kept_chart import kept_chart

ABOUT = (
    "The same training, for a few dozen batches in which the learning rate rises from far too low to far too high. "
    "The highest rate at which the loss is still low is about to be too high; a tenth of it is a good one."
)


POLL_SECONDS = 1.0
FELL = 0.1
"""Nats by which the loss must fall for the curve to say where training is fast."""


def rate_finder(recipe: Recipe, measured: Probe, train_images: int) -> None:
    """Shown for a strategy that has a learning rate, and polled while its search is at work."""
    if "learning_rate" not in type(recipe.strategy).model_fields:
        return
    st.subheader("Learning rate", help=ABOUT)
    found = Search.read(session.store().home, recipe)
    at_work = found is not None and not found.finished
    # A fragment redraws nothing but itself, and what a button here changes is shown all over the page.
    panel = st.fragment(_panel, run_every=POLL_SECONDS) if at_work else _panel
    panel(recipe, measured, train_images, at_work)


def _panel(recipe: Recipe, measured: Probe, train_images: int, was_at_work: bool) -> None:
    found = Search.read(session.store().home, recipe)
    if (found is not None and not found.finished) != was_at_work:
        st.rerun()  # the polling begins or ends
    planned = finding.steps_within(_step_seconds(recipe, measured, train_images))
    if found is None or found.error:
        st.caption(f"{ABOUT} It tries {planned} rates and takes about a minute.")
    if found is not None:
        _show(recipe, found)
    if not was_at_work:
        _buttons(recipe, found, planned)
    refusal = session.refusal()
    if refusal:
        shown.say_wrong(refusal)


def _show(recipe: Recipe, found: Search) -> None:
    if found.error:
        shown.say_wrong(found.error)
        return
    if not found.finished:
        st.progress(found.share, f"{found.stage}: {len(found.curve.rates)} of at most {found.planned}")
    present = _present(recipe)
    figure = rates.rate_chart(found.curve, present, str(found.planned))
    kept_chart(str(figure.to_json(validate=False)), "rate_curve", "The loss at each learning rate that was tried")
    if found.finished and found.curve.limit is None:
        st.caption("The loss broke out before enough rates had been tried, so nothing is suggested.")
    elif found.finished:
        st.caption(
            f"Tried in the phase *{shown.plain(found.phase)}* on training images alone. "
            f"Up to {found.curve.limit:.1g} the loss was as low as it gets; a tenth of that is suggested."
        )
        if _never_fell(found):
            st.caption(
                "The loss never fell: the head fits these images already. So the curve only says where training breaks, "
                "and a much lower rate may be the better one."
            )


def _never_fell(found: Search) -> bool:
    smoothed = found.curve.smoothed
    return bool(smoothed.min() > smoothed[0] - FELL)


def _buttons(recipe: Recipe, found: Search | None, planned: int) -> None:
    suggestion = found.curve.suggestion if found else None
    with st.container(horizontal=True, gap="small", key="rate_buttons"):
        if suggestion is not None:
            taken = suggestion == _present(recipe)
            label, change = f"{suggestion:g} is set" if taken else f"Use {suggestion:g}", {"strategy.learning_rate": suggestion}
            weight: Literal["primary", "secondary"] = "secondary" if found and _never_fell(found) else "primary"
            st.button(label, key="use_rate", type=weight, disabled=taken, on_click=session.change, args=(change,))
        title, icon = ("Search again", "replay") if found else ("Find a learning rate", "search")
        st.button(title, key="find_rate", icon=f":material/{icon}:", on_click=_request, args=(recipe, planned))


def _present(recipe: Recipe) -> float:
    """The rate that is set, or the one that an empty box stands for."""
    return recipe.strategy.model_dump()["learning_rate"] or recipe.backbone.scratch.learning_rate


def _step_seconds(recipe: Recipe, measured: Probe, train_images: int) -> float:
    """By the cost model and the measured rate of this machine, for the dearest phase."""
    images = costs.Images(train_images, 0, 0)
    phases = estimates.phases(recipe, measured.outline, train_images)
    dearest = max(costs.epoch_passes(phase, measured.outline.blocks, images) / phase.steps(train_images) for phase in phases)
    return dearest / measured.images_per_second


def _request(recipe: Recipe, planned: int) -> None:
    session.ask(lambda store: finding.request(store.home, recipe, planned))
