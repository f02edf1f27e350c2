"""A finished run is started again from its page, and says there whether it came to the same."""

import pytest

from tests.helpers import keep_outcome
from tests.tools.pages import opened
from tl_core.runner import service
from tl_core.runs import artifacts
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.ui import session, steps

pytestmark = pytest.mark.usefixtures("nothing_cached", "known_profiles")


def test_a_run_is_started_again(finished: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "ensure", lambda *_, **__: None)
    app = opened(steps.RESULT.script, run=finished)
    app.button(key="run_it_again").click().run()
    (started,) = Store().queue()
    assert (started.repeats, started.state, started.spec) == (finished, State.QUEUED, Store().run(finished).spec)


def test_what_it_came_to_is_said(finished: str) -> None:
    store = Store()
    for run_id in ("again", "other"):
        keep_outcome(store, run_id, store.run(finished).spec, store.folder(finished), repeats=finished)
    app = opened(steps.RESULT.script, run="again")
    (said,) = (each.value.replace("\\", "") for each in app.success)
    assert said.startswith("**Same number again: accuracy ")
    assert "All 800 predictions are the same, bit for bit. So are the trained weights." in said
    result = artifacts.read_result(store.folder("other"))
    changed = result.model_copy(update={"test_correct": 400, "metrics": (), "versions": result.versions | {"numpy": "1.0"}})
    (store.folder("other") / artifacts.RESULT).write_text(changed.model_dump_json())
    store.update("other", lambda run: {"correct": 400})
    session.runs.clear()
    (said,) = (each.value.replace("\\", "") for each in opened(steps.RESULT.script, run="other").warning)
    assert said.startswith("**Another number: accuracy 50 % ")
    assert "What differs: numpy is 1.0 and was " in said
