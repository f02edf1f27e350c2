"""Names, tags, stars, notes, the archive and deletion on the pages, in several browsers at once."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.test_train import nobody_attends, put, said
from tests.tools.pages import errors, opened
from tl_core.runs import deletion, labels
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.ui import formatting, frame, run_names, run_picker, session, steps

__all__ = ["nobody_attends"]  # a fixture that is used by its effect
ODD = "**b** <i>x</i> $y$ :red[z] `k`"


def fill(app: AppTest, run_id: str, *, name: str, tags: list[str], note: str) -> AppTest:
    """What somebody types into the form, and Save."""
    app.text_input(key=f"name_{run_id}_").input(name)
    app.multiselect(key=f"tags_{run_id}_").set_value(tags)
    app.text_area(key=f"note_{run_id}_").input(note)
    return next(button for button in app.button if button.label == "Save").click().run()


def test_a_run_is_named_tagged_and_noted_on_the_train_page() -> None:
    run, odd_tag = put(State.FAILED), "[t](x)"
    labels.tag(Store(), put(State.FAILED), add=[odd_tag, "v2"])
    app = fill(opened(steps.TRAIN.script, run=run), run, name=ODD, tags=[odd_tag], note="one\ntwo")
    stored = Store().run(run)
    assert (stored.name, stored.tags, stored.note) == (ODD, (odd_tag,), "one\ntwo")
    assert any(f"**{formatting.plain(ODD)}**" == element.value for element in app.markdown)  # as letters, in bold
    read_as_markdown = [element.value for element in (*app.markdown, *app.caption)] + [button.label for button in app.button]
    assert not [text for text in read_as_markdown if ODD in text or odd_tag in text]
    assert formatting.parts_of(stored) in said(app)
    assert [element.value for element in app.text] == ["one\ntwo"]
    assert not app.exception


def test_what_cannot_be_a_name_is_told_and_changes_nothing() -> None:
    run = put(State.FAILED)
    app = fill(opened(steps.TRAIN.script, run=run), run, name="a\N{RIGHT-TO-LEFT OVERRIDE}b", tags=[], note="")
    assert "The name holds a character that cannot be seen. Leave it out. Received: au202eb" in errors(app)
    assert Store().run(run).name == ""


def test_of_two_browsers_the_second_is_told_of_the_name_the_first_has_given() -> None:
    run = put(State.FAILED)
    app = opened(steps.TRAIN.script, run=run)
    seen = Store().run(run)
    labels.rename(Store(), run, "from the other browser")
    from tl_core.ui.label_bar import _save

    with pytest.raises(Exception, match="Somebody has changed the name of this run meanwhile"):
        _save(Store(), seen, "mine", [], "")
    session.forget_runs()
    app.run()
    assert "from the other browser" in said(app)
    assert app.text_input(key=f"name_{run}_from the other browser").value == "from the other browser"


def test_a_star_and_the_archive_are_one_press() -> None:
    run = put(State.FAILED)
    app = opened(steps.TRAIN.script, run=run)
    app.button(key="star").click().run()
    app.button(key="archive").click().run()
    assert (Store().run(run).starred, Store().run(run).archived) == (True, True)
    assert [app.button(key=key).label for key in ("star", "archive")] == ["Starred", "Bring back"]
    app.button(key="archive").click().run()
    assert not Store().run(run).archived


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.PAUSED, State.DONE])
def test_only_what_does_not_work_can_be_deleted(state: State) -> None:
    app = opened(steps.TRAIN.script, run=put(state))
    assert app.button(key="delete").disabled is state.at_work
    assert app.button(key="archive").disabled is state.alive


def test_a_run_is_deleted_after_a_question_and_its_page_says_so() -> None:
    other, run = put(State.FAILED), put(State.FAILED)
    (folder := Store().folder(run)).joinpath("log.txt").write_text("x")
    app = opened(steps.TRAIN.script, run=run)
    app.button(key="delete").click().run()
    assert "This cannot be undone." in said(app)
    assert Store().run(run)
    app.button(key="delete_yes").click().run()
    assert [found.id for found in Store().runs()] == [other]
    assert not folder.exists()
    assert errors(app) == [f"This run was deleted. Choose another one on this page. Received: {run}"]
    assert "delete" not in {button.key for button in app.button}


@pytest.mark.parametrize("page", [steps.TRAIN, steps.RESULT, steps.COMPARE], ids=lambda step: step.path)
def test_a_run_deleted_in_another_browser_is_told_and_no_other_stands_in_its_place(page: steps.PageInfo) -> None:
    put(State.DONE)
    run = put(State.DONE)
    app = opened(page.script, run=run, runs=run)
    drawn = session.deletions()
    deletion.delete(Store(), run, State.DONE)
    session.forget_runs()
    app.run()
    assert session.deletions() == drawn + 1
    assert errors(app) == [f"This run was deleted. Choose another one on this page. Received: {run}"]
    assert "test images right" not in said(app)
    assert "### Test accuracy" not in said(app)
    assert not app.exception


def test_every_browser_follows_a_label_or_a_deletion_with_the_next_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    run, other = put(State.DONE), put(State.DONE)
    monkeypatch.setattr(session, "run_id", lambda: run)
    drawn = frame._standing()
    seen = {drawn}
    for wish in (
        lambda: labels.rename(Store(), other, "x"),
        lambda: labels.tag(Store(), other, add=["t"]),
        lambda: labels.star(Store(), other),
        lambda: labels.annotate(Store(), other, "n"),
        lambda: labels.archive(Store(), other),
        lambda: Store().record(run, [], disk_bytes=5),
        lambda: deletion.delete(Store(), other, State.DONE),
        lambda: deletion.delete(Store(), run, State.DONE),
    ):
        wish()
        session.forget_runs()
        seen.add(frame._standing())
    assert len(seen) == 9
    put()
    labels_before = run_names.current().version
    put()
    session.forget_runs()
    assert run_names.current().version == labels_before  # a new run redraws no page


def test_equal_names_are_told_apart_by_the_ends_of_their_ids() -> None:
    first, second, alone = put(State.DONE), put(State.DONE), put(State.DONE)
    for run, name in ((first, "same"), (second, "same"), (alone, "alone")):
        labels.rename(Store(), run, name)
    names = [formatting.title_of(run) for run in session.runs()]
    assert names == ["alone", f"same ({second[-6:]})", f"same ({first[-6:]})"]
    assert list(formatting.names_apart(session.runs()).values()) == names


def test_archived_runs_are_out_of_the_lists_until_they_are_asked_for() -> None:
    kept, archived = put(State.DONE), put(State.DONE)
    labels.archive(Store(), archived)
    app = opened(steps.COMPARE.script)
    ids = lambda: list(app.dataframe[0].value["Run"])  # noqa: E731
    assert ids() == [kept]
    app.toggle(key="filter_archived").set_value(True).run()
    assert ids() == [archived, kept]
    assert opened(steps.TRAIN.script).button(key="star")
    assert f"look_at_{archived}" not in {button.key for button in opened(steps.TRAIN.script, run=kept).button}
    app = opened(steps.COMPARE.script, runs=archived)  # an address goes before the archive
    assert list(app.dataframe[0].value["Run"]) == [archived, kept]


def test_compare_and_the_picker_show_names_and_filter_by_tags() -> None:
    runs = [put(State.DONE) for _ in range(3)]
    labels.rename(Store(), runs[0], ODD)
    labels.tag(Store(), runs[0], add=["paper"])
    labels.tag(Store(), runs[1], add=["paper", "v2"])
    labels.star(Store(), runs[1])
    app = opened(steps.COMPARE.script)
    table = app.dataframe[0].value
    assert list(table["Name"]) == ["", "", ODD]
    assert [list(tags) for tags in table["Tags"]] == [[], ["paper", "v2"], ["paper"]]
    app.multiselect(key="filter_tags").set_value(["paper", "v2"]).run()
    assert list(app.dataframe[0].value["Run"]) == [runs[1]]
    app.multiselect(key="filter_tags").set_value(["paper"]).run()
    app.toggle(key="filter_starred").set_value(True).run()
    assert list(app.dataframe[0].value["Run"]) == [runs[1]]
    picked = [run_picker.label(run) for run in session.runs()]
    assert picked[2].startswith(f"{ODD} · ")
    assert picked[1].startswith("\N{BLACK STAR} ")
    assert picked[1].endswith(f"#paper #v2 · {runs[1][-6:]}")
    app = opened(steps.RESULT.script, run=runs[2])
    app.multiselect(key="filter_tags").set_value(["v2"]).run()
    assert app.selectbox(key="picked_run").options == [run_picker.label(Store().run(run)) for run in (runs[2], runs[1])]
    assert app.selectbox(key="picked_run").value == runs[2]  # the run of the address stays


def test_what_ended_last_stands_first_whatever_is_said_of_others_later() -> None:
    first, second = put(State.FAILED), put(State.FAILED)
    labels.rename(Store(), first, "renamed")
    app = opened(steps.TRAIN.script, run=put())
    keys = [button.key for button in app.button if str(button.key).startswith("look_at_")]
    assert keys == [f"look_at_{second}", f"look_at_{first}"]
