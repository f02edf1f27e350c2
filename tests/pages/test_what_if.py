"""The page What if: a question is chosen, counted, started, and looked after."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.helpers import FEW_CROPS
from tests.tools.pages import SMALL, errors, opened
from tl_core.groups import statements
from tl_core.groups.budget import NotStarted
from tl_core.groups.expansion import expand
from tl_core.groups.group import Group
from tl_core.groups.halving import LeftAt
from tl_core.runner import group_control, service
from tl_core.runs import deletion, groups
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.ui import group_draft, session, steps
from tl_core.ui.ready_groups import READY

SCRIPT = steps.WHAT_IF.script
ADDRESS = SMALL | {name: str(value) for name, value in FEW_CROPS.items()}


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "ensure", lambda home, **more: None)


def said(app: AppTest) -> str:
    return " ".join(each.value.replace("\\", "") for each in (*app.main.markdown, *app.main.caption))


def asked(app: AppTest) -> Group:
    """The group that Start would start."""
    held = app.session_state[group_draft.DRAFT]
    return Group.parse({"name": held["name"], "axes": held["axes"]})


def picked(app: AppTest) -> str | None:
    return next(each.value for each in app.selectbox if each.label == "Group")


def small_group(**axes: list[int]) -> Group:
    return Group.parse({"name": "Small", "base": ADDRESS, "axes": axes or {"seed": [0, 1]}})


def test_ready_questions_are_counted_before_they_start(home: Path) -> None:
    app = opened(SCRIPT)
    assert "8 runs." in said(app)
    assert "In all runs: Image size 48" in said(app)
    app.button(key=f"ready_{READY[1].name}").click().run()
    axes = asked(app).axes
    assert (list(axes), len(axes["strategy"])) == (["strategy", "seed"], 4)
    assert f"{4 * 2} runs." in said(app)
    assert not errors(app)
    assert Store().runs() == []


def test_a_question_is_changed_started_and_extended(home: Path) -> None:
    app = opened(SCRIPT, **ADDRESS)
    app.text_input(key=group_draft.NAME).set_value("Own").run()
    app.multiselect(key=group_draft.AXES).set_value(["seed", "strategy.epochs", "precision"]).run()
    app.text_input(key="axis_seed").set_value("0, 1").run()
    app.text_input(key="axis_strategy.epochs").set_value("1, 2").run()
    app.multiselect(key="axis_precision").set_value(['"float32"']).run()
    app.checkbox(key=group_draft.HALVING).check().run()
    assert "4 runs." in said(app)
    assert "on this machine, one run after the other" in said(app)
    assert "Each trains 1 epoch at first" in said(app)
    app.button(key="start_group").click().run()
    assert not errors(app)
    (found,) = groups.listed(Store())
    assert (found.group.name, found.group.successive_halving) == ("Own", True)
    assert {run.rung for run in Store().runs()} == {1}
    assert [dict(each) for each in found.runs.values()] == [
        {"seed": seed, "strategy.epochs": epochs} for seed in (0, 1) for epochs in (1, 2)
    ]
    assert {run.spec.precision for run in Store().runs()} == {"float32"}
    assert app.query_params[session.GROUP_PARAMETER] == found.id
    assert "4 runs, all of which are there already." in said(app)
    app.text_input(key="extended_values").set_value("1, 2")
    app.button(key="extend_group").click().run()
    assert len(groups.one(Store(), found.id).runs) == 6
    app.button(key="stop_group").click().run()
    assert {run.state for run in Store().runs()} == {State.CANCELLED}
    (table,) = (each.value for each in app.dataframe)
    assert table["Seed"].tolist() == ["0", "0", "1", "1", "2", "2"]
    assert set(table["State"]) == {"Stopped"}


def test_what_was_left_at_a_rung_and_what_did_not_fit_into_the_budget_is_told(home: Path) -> None:
    store, group = Store(), small_group().model_copy(update={"budget": 60.0})
    members, left = expand(group).runs, [NotStarted({"seed": 2}, 30.0)]
    folders = {each.spec.content: f"run{place}" for place, each in enumerate(members)}
    kept = groups.keep(store, group, members, folders, environment={}, left=left)
    assert kept
    one, other = kept.queued
    why = LeftAt(epochs=3, place=2, of=2, kept=1)
    store.update(one, lambda _: {"state": State.PAUSED, "rung": 3, "left_at": why.model_dump()})
    app = opened(SCRIPT, group=kept.group_id)
    assert "1 run was left after 3 epochs by successive halving" in said(app)
    assert "1 run is not started, as beyond the budget of 1 min 0 s: seed 2" in said(app)
    (table,) = (each.value for each in app.dataframe)
    assert table["State"].tolist() == ["Left after 3 epochs", "Queued"]
    assert table["Why"].tolist() == [statements.left_at(why), ""]
    assert "resume_group" not in {button.key for button in app.button}
    assert store.run(other).left_at is None


def test_a_group_of_an_address_is_shown_and_one_that_is_gone_is_none(home: Path) -> None:
    store = Store()
    first, second = (group_control.start(store, small_group(seed=seeds)).group_id for seeds in ([0, 1], [0, 1, 2]))
    assert picked(opened(SCRIPT, group=first)) == first
    assert picked(opened(SCRIPT)) == second
    app = opened(SCRIPT, group="none")
    assert picked(app) is None
    assert not errors(app)


def test_a_group_loses_a_run_and_goes_with_the_others(home: Path) -> None:
    store = Store()
    kept = group_control.start(store, small_group())
    deletion.delete(store, kept.queued[0], State.QUEUED)
    app = opened(SCRIPT, group=kept.group_id)
    assert "1 run of this group was deleted (seed 0)." in said(app)
    app.button(key="delete_group").click().run()
    app.checkbox(key="delete_group_runs").check()
    app.button(key="delete_group_yes").click().run()
    assert not errors(app)
    assert (groups.listed(store), store.runs()) == ([], [])
    assert session.GROUP_PARAMETER not in app.query_params


@pytest.mark.parametrize(
    ("axis", "text", "expected"),
    [
        ("axis_seed", "0, -1", "1 combination is dropped: The setting seed"),
        ("axis_seed", "-1, -2", "No combination of this group makes sense"),
        ("axis_seed", "", "A group has at least one axis"),
        (group_draft.NAME, " ", "The setting name"),
    ],
)
def test_what_does_not_fit_is_said(axis: str, text: str, expected: str, home: Path) -> None:
    app = opened(SCRIPT, **ADDRESS)
    app.multiselect(key=group_draft.AXES).set_value(["seed"]).run()
    app.text_input(key="axis_seed").set_value("0, 1").run()
    app.text_input(key=axis).set_value(text).run()
    assert expected in " ".join([said(app), *errors(app)])
