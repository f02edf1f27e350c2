"""Compare shows the runs and the columns that its address asks for, and its address holds what is chosen."""

import shutil
from datetime import date, datetime

import pytest
import sqlalchemy as sa

from tests.helpers import QUICK, keep_run
from tests.pages.test_compare_by import put
from tests.tools import many_runs
from tests.tools.pages import errors, opened
from tl_core.groups.group import Group
from tl_core.runner import group_control, service
from tl_core.runs import groups, labels
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.runs.tables import runs as runs_table
from tl_core.ui import address, session, steps

pytestmark = pytest.mark.usefixtures("nothing_cached")
OLD, TAGGED = "20260101-000000-aaaaaa", "20260101-000001-bbbbbb"
SCRIPT = steps.COMPARE.script


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> groups.StoredGroup:
    """A group of two runs that wait, beside an old run and one with a tag."""
    monkeypatch.setattr(service, "ensure", lambda home, **more: None)
    store = Store()
    for run_id in (OLD, TAGGED):
        keep_run(store, run_id, State.CANCELLED)
    labels.tag(store, TAGGED, add=["paper, v2"])
    with store.database.writing() as connection:
        long_ago = datetime(2026, 1, 1, 12).timestamp()
        connection.execute(sa.update(runs_table).where(runs_table.c.id == OLD).values(created=long_ago))
    base = {name: value for name, value in QUICK.dotted().items() if name != "seed"}
    asked = Group.parse({"name": "Two [seeds]", "base": base, "axes": {"seed": [5, 6]}})
    return groups.one(store, group_control.start(store, asked).group_id)


def test_an_address_asks_for_a_group_tags_days_and_columns(group: groups.StoredGroup) -> None:
    def shown(**asked: str) -> set[str]:
        app = opened(SCRIPT, **asked)
        assert not errors(app)
        assert set(app.query_params) >= asked.keys()  # what is asked for outlives the first look
        return set(app.dataframe[0].value["Run"])

    assert shown(group=group.id) == set(group.runs)
    assert shown(**{"only.tags": "paper, v2"}) == {TAGGED}
    assert shown(**{"only.from": "2026-01-01", "only.until": "2026-01-01"}) == {OLD}
    assert shown(**{"only.from": "2026-01-02"}) == {TAGGED, *group.runs}
    assert shown(**{"only.state": "Queued"}) == set(group.runs)
    assert shown(**{"only.state": "None"}) == {OLD, TAGGED, *group.runs}
    assert shown(**{"only.from": "soon", "column": "Seed"}) == {OLD, TAGGED, *group.runs}


def test_the_address_holds_what_is_chosen(group: groups.StoredGroup) -> None:
    app = opened(SCRIPT)
    app.selectbox(key="filter_group").set_value(group.id)
    app.multiselect(key="filter_state").set_value(["Queued", "Stopped"])
    app.date_input(key="filter_from").set_value((date(2026, 1, 2), date.today()))
    app.multiselect(key="filter_column").set_value(["Seed", "State"]).run()
    assert not app.exception
    assert {name: value for name, value in app.query_params.items() if name.partition(".")[0] in address.OF_PAGES} == {
        "group": group.id,
        "only.state": ["Queued", "Stopped"],
        "only.from": "2026-01-02",
        "only.until": date.today().isoformat(),
        "column": ["Seed", "State"],
    }
    assert set(app.dataframe[0].value["Run"]) == set(group.runs)
    app.selectbox(key="filter_group").set_value(None).run()
    assert session.GROUP_PARAMETER not in app.query_params


def test_a_long_list_needs_no_file_of_a_run() -> None:
    put(OLD, finds_the_rare=True)
    store = Store()
    many_runs.fill(store.home, OLD, 60)
    shutil.rmtree(store.folders)
    table = opened(SCRIPT).dataframe[0].value
    assert (len(table), table["Accuracy"].notna().sum(), table["Labels"].nunique()) == (61, 61, 20)


def test_a_group_that_is_gone_is_one_sentence_and_hides_no_run(group: groups.StoredGroup) -> None:
    app = opened(SCRIPT, group="none")
    (why,) = errors(app)
    assert "names a group that is not here" in why
    assert len(app.dataframe[0].value) == 4
