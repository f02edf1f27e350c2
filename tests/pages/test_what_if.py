"""The page What if: a question is chosen, counted, started, and looked after."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.helpers import FEW_CROPS
from tests.tools.pages import SMALL, errors, opened
from tl_core.groups.group import Group
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
    assert "4 runs." in said(app)
    assert "on this machine, one run after the other" in said(app)
    app.button(key="start_group").click().run()
    assert not errors(app)
    (found,) = groups.listed(Store())
    assert found.group.name == "Own"
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
