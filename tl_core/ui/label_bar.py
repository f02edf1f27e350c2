"""What people say of a run, under it: star, name, tags and note; and archiving and deleting it. It is apart from what polls, so
that nobody is disturbed in typing."""

from collections.abc import Sequence

import streamlit as st

from tl_core.analysis.statements import size
from tl_core.runs import deletion, labels
from tl_core.runs.store import Run, Store
from tl_core.ui import formatting, session


def label_bar(run: Run) -> None:
    """Draw the buttons, and below them what was said of the run so far, and what it takes of the disk."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="label_bar"):
        _star(run)
        about = "What you call this run, and what you note about it."
        with st.popover("Name, tags, note", icon=":material/label:", help=about, key=_opened(run), on_change="rerun"):
            _form(run)
        _archive(run)
        works = run.state.at_work
        about = (
            "Stop it first: a run that works cannot be deleted."
            if works
            else "Delete it with all its files. You are asked first."
        )
        if st.button("Delete", key="delete", icon=":material/delete:", disabled=works, help=about):
            _ask(run)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="labels"):
        for tag in run.tags:
            # Not `st.badge`: it escapes brackets once more.
            st.markdown(f":gray-badge[:material/sell: {formatting.plain(tag)}]", width="content")
        if run.disk_bytes is not None:
            st.caption(f"{size(run.disk_bytes)} on disk", width="content", help="What the files of this run take.")
    if run.note:
        st.text(run.note)
    problem = _refusal()
    if problem:
        formatting.say_wrong(problem)


def _refusal() -> str | None:
    return session.refusal(__name__, labels.__name__, deletion.__name__)


def _opened(run: Run) -> str:
    """Return the name under which the session keeps whether the form of `run` is open."""
    return f"labels_open_{run.id}"


def _star(run: Run) -> None:
    st.button(
        "Starred" if run.starred else "Star",
        key="star",
        icon=":material/star:" if run.starred else ":material/star_border:",
        type="tertiary",
        help="Take its star away." if run.starred else "Mark it as a favourite.",
        on_click=session.request,
        args=(labels.star, run.id, not run.starred),
    )


def _archive(run: Run) -> None:
    st.button(
        "Bring back" if run.archived else "Archive",
        key="archive",
        icon=":material/unarchive:" if run.archived else ":material/archive:",
        disabled=run.state.alive,
        help="Show it in the lists again." if run.archived else "Leave it out of the lists. Nothing of it is lost.",
        on_click=session.request,
        args=(labels.archive, run.id, not run.archived),
    )


def _form(run: Run) -> None:
    """Draw the fields of name, tags and note. A field begins anew where somebody has changed what it is about, so it never shows
    an old name as the present one."""
    name, tags, note = f"name_{run.id}_{run.name}", f"tags_{run.id}_{'/'.join(run.tags)}", f"note_{run.id}_{run.note}"
    with st.form(f"labels_{run.id}", border=False):
        st.text_input(
            "Name",
            run.name,
            max_chars=labels.MOST_LETTERS["name"],
            key=name,
            placeholder=formatting.parts_of(run),
            help="Shown in place of backbone, strategy and dataset. The run's id, and addresses that hold it, stay.",
        )
        st.multiselect(
            "Tags",
            labels.tags_of(session.runs()),
            list(run.tags),
            key=tags,
            accept_new_options=True,
            placeholder="Choose one, or type a new one",
            help="Lists of runs can be filtered by tags.",
        )
        st.text_area(
            "Note",
            run.note,
            max_chars=labels.MOST_LETTERS["note"],
            key=note,
            help="What you want to remember of this run.",
        )
        st.form_submit_button("Save", icon=":material/check:", on_click=_submit, args=(run, name, tags, note))


def _submit(run: Run, name: str, tags: str, note: str) -> None:
    """Save what stands in the fields of these keys, and close the form unless it was refused."""
    session.request(_save, run, *(st.session_state[key] for key in (name, tags, note)))
    st.session_state[_opened(run)] = _refusal() is not None


def _save(store: Store, run: Run, name: str, tags: Sequence[str], note: str) -> None:
    """Write what differs from what `run` showed.

    Args:
        store: Where the run is.
        run: The run as the form showed it.
        name: Its new name, empty for none.
        tags: All tags that it is to have.
        note: Its new note, empty for none.
    """
    if name != run.name:
        labels.rename(store, run.id, name, seen=run.name)
    if set(tags) != set(run.tags):
        labels.tag(store, run.id, add=set(tags) - set(run.tags), remove=set(run.tags) - set(tags))
    if note != run.note:
        labels.annotate(store, run.id, note, seen=run.note)


@st.dialog("Delete this run?")
def _ask(run: Run) -> None:
    """Ask about the run as it is shown now; if it comes to another state meanwhile, it stays."""
    taken = "" if run.disk_bytes is None else f", {size(run.disk_bytes)} on disk"
    st.markdown(f"**{formatting.plain(formatting.title_of(run))}**")
    st.caption(formatting.plain(f"{run.id}, {formatting.state_of(run).lower()}{taken}"))
    for loss in deletion.losses(session.store(), run):
        st.markdown(f"- {formatting.plain(loss)}")
    wish = (deletion.delete, run.id, run.state)
    with st.container(horizontal=True, horizontal_alignment="right"):
        kept = st.button("Keep it", key="delete_no")
        deleted = st.button(
            "Delete it", key="delete_yes", type="primary", icon=":material/delete:", on_click=session.request, args=wish
        )
        if kept or deleted:
            st.rerun()
