"""The recipe bar: what would run, what it would cost, and Start."""

import streamlit as st

from tl_core.analysis.statements import count, size
from tl_core.errors import TransferError
from tl_core.machine import backends
from tl_core.planning.estimate import free
from tl_core.recipe import Recipe
from tl_core.runner import control
from tl_core.system import settings
from tl_core.ui import estimates, faults, formatting, previews, session, steps

ABOUT = (
    "From Start to the result, in float32, with an empty cache and nothing else running. Waiting in the queue and decoding large "
    "images come on top. The page Result compares it with the actual time."
)


def recipe_bar() -> None:
    """Draw the bar for this session's draft. Pressing Start leads to the Train page of the new run."""
    recipe = session.recipe()
    with st.container(border=True, key="recipe_bar"):
        left, right = st.columns([5, 1], vertical_alignment="center")
        with left:
            _chips(recipe)
            _estimate()
        with right:
            pressed = st.button(
                "Start",
                type="primary",
                key="start",
                icon=":material/play_arrow:",
                width="stretch",
                help="Put this recipe into the queue. It trains as soon as a device is free, in a process of its own.",
            )
    problem = session.complaint()
    if problem:
        formatting.say_wrong(problem)
    if pressed:
        with formatting.sentence_for_mistakes():
            started = start(recipe)
            st.switch_page(steps.TRAIN.script, query_params=session.url_parameters() | {session.RUN_PARAMETER: started})


def start(recipe: Recipe, *, repeats: str | None = None) -> str:
    """Queue a run of `recipe`, which may repeat another one, look at it and return its id. Raises `TransferError`."""
    require_allowed_paths(recipe)
    with faults.contained("the start of this run"):
        started = control.start(session.store(), recipe.spec(), repeats=repeats)
    session.forget_runs()
    session.look_at(started)
    return started


def require_allowed_paths(recipe: Recipe) -> None:
    """Raise `SettingError` where a part points to a folder that the pages may not read."""
    for part in (recipe.dataset, recipe.backbone, recipe.strategy):
        for path in part.paths:
            settings.require_allowed(path)


def chips(recipe: Recipe) -> list[tuple[str, steps.PageInfo]]:
    """Return the recipe in the words of the bar, each with the page on which it is set."""
    dataset, backbone, strategy = recipe.titles()
    labels = recipe.dataset.labels_per_class
    return [
        (dataset, steps.DATASET),
        (backbone, steps.BACKBONE),
        (strategy, steps.STRATEGY),
        (recipe.shown_size, steps.BACKBONE),
        (formatting.labels(labels, recipe.dataset.label_kind.drawn_from), steps.DATASET),
        (f"seed {recipe.seed}", steps.DATASET),
    ]


def _chips(recipe: Recipe) -> None:
    address = session.url_parameters()
    with st.container(horizontal=True, key="chips", gap="small", vertical_alignment="center"):
        st.markdown("**Next run**", width="content")
        for text, page in chips(recipe):
            about = f"Change it on the page {page.title}."
            st.page_link(page.script, label=formatting.plain(text), query_params=address, help=about, width="content")


def _estimate() -> None:
    """Draw the estimate. It is looked for every two seconds until the machine has been measured, and then drawn once."""
    recipe = session.recipe()
    try:
        backends.require_importable()
        require_allowed_paths(recipe)
    except TransferError as error:
        st.caption(formatting.plain(f"Nothing can be trained yet. {error}"))
        return
    waiting = not _unmeasurable(recipe) and estimates.probe(recipe) is None
    st.fragment(_estimate_now, run_every=session.POLL_SECONDS if waiting else None)(waiting)


def _estimate_now(was_waiting: bool) -> None:
    recipe = session.recipe()
    if lacking := _unmeasurable(recipe):
        st.caption(lacking)
        return
    measured = estimates.probe(recipe)
    if measured is None:
        st.caption(
            "Measuring the speed of this backbone on this machine. It takes about twenty seconds, once. You can start right away."
        )
        return
    if was_waiting:
        st.rerun()
    try:
        preview = _preview(recipe)
    except TransferError:
        st.caption("An estimate appears here when the dataset can be read.")
        return
    try:
        found = estimates.estimate(recipe, measured, preview.images, len(preview.class_names))
    except TransferError:
        st.caption("An estimate appears here when the strategy fits the network.")
        return
    trained, total = count(found.trainable_parameters), count(found.total_parameters)
    took = f"About {formatting.clock(estimates.seconds_from_start(found))} on this machine"
    needs = f"up to {size(found.memory_bytes)} of memory · up to {size(found.disk_bytes)} of disk"
    st.caption(f"{took} · {needs} · {trained} of {total} parameters train", help=ABOUT)
    for warning in estimates.warnings(recipe, found, *free(session.store().home)):
        st.warning(formatting.plain(warning), icon=":material/warning:")


def _unmeasurable(recipe: Recipe) -> str:
    """Return why the network cannot be measured; an empty text where it can."""
    listed = recipe.backbone.listing()
    if not recipe.is_accepted:
        return f"An estimate appears here when the network takes {recipe.dataset.modality}."
    return "" if listed.parameters or listed.here else "An estimate appears here when there is a network to measure."


def _preview(recipe: Recipe) -> previews.Preview:
    require_allowed_paths(recipe)
    return previews.preview(recipe.dataset, recipe.seed)
