"""What a run is held against: training from scratch on the same labels."""

from collections.abc import Iterator

import streamlit as st

from tl_core.analysis import comparison
from tl_core.backbones import backbones
from tl_core.recipe import Recipe
from tl_core.runs.compared import deciding, is_control
from tl_core.runs.states import State
from tl_core.runs.store import Run
from tl_core.spec import RunSpec
from tl_core.strategies import strategies
from tl_core.ui import compare_by, formatting, recipe_bar, session, steps


def offered(spec: RunSpec) -> Iterator[RunSpec]:
    """Yield the controls of a run with that `spec`: its own network from random weights, and of each source of networks that
    takes the same examples its `controls`, or itself where it is one."""
    accepts = backbones.part(spec.backbone.name).accepts
    sources = {name: source for name, source in backbones.parts().items() if source.accepts is accepts}
    own = dict[str, object]()
    others = [
        {"backbone": name} | {f"backbone.{setting}": value for setting, value in settings.items()}
        for name, source in sources.items()
        for settings in source.controls
    ]
    for strategy in (name for name, part in strategies.parts().items() if not part.pretrained):
        for network in (own, *others):
            yield spec.with_settings({"strategy": strategy, **network})
    for name in (name for name, source in sources.items() if source.is_control):
        yield spec.with_settings({"strategy": RunSpec().strategy.name, "backbone": name})


def controls(run: Run) -> None:
    """Draw how the run compares with training from scratch on the same labels, and buttons for controls not run yet."""
    if is_control(run):
        st.caption("This run is a control itself: nothing that was learned before is in it.")
        return
    twins = [other for other in session.runs() if _is_control_of(other, run)]
    latest = {formatting.model_of(other): other for other in reversed(twins)}
    for other in latest.values():
        names = {each.id: formatting.name_of(each) for each in (run, other)}
        told = compare_by.verdict(run, other, deciding(run), names)
        st.markdown(f"- {formatting.plain(told)}")
    recipes = list(map(Recipe.of, offered(run.spec)))
    titles = [f"{recipe.backbone.listing().title} · {recipe.strategy.title}" for recipe in recipes]
    missing = {title: recipe for title, recipe in zip(titles, recipes, strict=True) if title not in latest}
    if not latest:
        st.caption("To see what the transfer saved, train on the same labels from scratch. Start a control:")
    elif missing:
        st.caption("More controls, on the same labels:")
    with st.container(horizontal=True, key="controls"):
        for title, recipe in missing.items():
            _control_button(recipe, title)


def _control_button(recipe: Recipe, title: str) -> None:
    about = "Train it on the same labels, without anything that was learned before."
    if st.button(title, key=f"control_{title}", icon=":material/play_arrow:", help=about):
        with formatting.sentence_for_mistakes():
            started = recipe_bar.start(recipe)
            st.switch_page(steps.TRAIN.script, query_params={session.RUN_PARAMETER: started})


def _is_control_of(other: Run, run: Run) -> bool:
    finished = other.state is State.DONE and is_control(other)
    return finished and other.test_digest == run.test_digest and comparison.same_data(other.spec, run.spec)
