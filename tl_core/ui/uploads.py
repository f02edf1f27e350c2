"""Bringing an archive: from the browser, or from a place on the machine that runs the app."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

import streamlit as st

from tl_core.analysis.statements import seconds, size
from tl_core.data.formats import uploads
from tl_core.data.formats.uploads import Upload
from tl_core.errors import DataError, TransferError
from tl_core.system import settings
from tl_core.ui import formatting, session
from tl_core.ui.polling import refused

MOST_MEGABYTES = 1024
"""Of one upload. The serving process holds it in memory until it is unpacked; larger ones are better put on the machine."""
Put = Callable[[Path | None], None]
"""Takes the folder of an archive that was chosen, None for none."""
ENDINGS = ["zip", "gz", "tgz", "tar"]
TURN, REFUSED = "upload_turn", "upload_refused"


def upload_setting(dotted: str, value: Path | None, change: Callable[[Mapping[str, Any]], None]) -> None:
    """Choose one of the archives that are here, or bring another one; `change` takes what is chosen, as `dotted`."""
    put = partial(_put, change, dotted)
    home = session.store().home
    _choice(put, value, uploads.kept(home))
    refused(__name__)
    turn = st.session_state.setdefault(TURN, 0)
    given = st.file_uploader(
        "Upload an archive",
        type=ENDINGS,
        key=f"upload_{turn}",
        max_upload_size=MOST_MEGABYTES,
        help="A zip or tar.gz with one folder of images a class. It is checked, unpacked once, and kept on this machine.",
    )
    unfit, why = st.session_state.get(REFUSED, ("", ""))
    if given is not None and given.file_id != unfit:
        _bring(put, cast(BinaryIO, given), given.name, given.file_id)
    elif given is not None:
        formatting.say_wrong(why)
    with st.expander("A larger archive, or one on this machine", key="upload_from_disk"):
        place = st.text_input(
            "Archive on this machine",
            key="upload_place",
            placeholder="Path on the machine that runs the app",
            help="The archive stays where it is; its files are unpacked into the folder of the dashboard.",
        )
        if st.button("Unpack", key="unpack", icon=":material/unarchive:", disabled=not place):
            with formatting.sentence_for_mistakes(), _opened(settings.absolute(place)) as file:
                _bring(put, file, Path(place).name, "")


def _put(change: Callable[[Mapping[str, Any]], None], dotted: str, folder: Path | None) -> None:
    change({dotted: folder})


def _choice(put: Put, value: Path | None, known: list[Upload]) -> None:
    if not known:
        return
    folders = [upload.folder for upload in known]
    titles = {upload.folder: f"{upload.title}, {upload.files:,} files, {size(upload.bytes)}" for upload in known}
    st.session_state["upload_choice"] = value if value in folders else None
    st.selectbox(
        "Archive",
        folders,
        format_func=lambda folder: titles.get(folder, str(folder)),
        key="upload_choice",
        placeholder="Choose an archive",
        on_change=lambda: put(st.session_state["upload_choice"]),
        help="Archives that anybody has uploaded to this dashboard.",
    )
    if value in folders:
        with st.popover("Remove", icon=":material/delete:"):
            st.caption("Its images are deleted here. Runs that were trained on them keep their results, but cannot be repeated.")
            st.button("Remove this upload", key="remove_upload", on_click=_remove, args=(put, known[folders.index(value)]))


def _remove(put: Put, upload: Upload) -> None:
    session.request(lambda _: uploads.remove(upload))
    put(None)


def _opened(place: Path) -> BinaryIO:
    """Return the file at `place`. Raises `SettingError` outside the allowed folders, `DataError` where it cannot be opened."""
    settings.require_allowed(place)
    try:
        if place.is_file():
            return place.open("rb")
        reason = "it is no file"
    except OSError as error:
        reason = error.strerror or "it cannot be read"
    raise DataError(f"This archive cannot be opened ({reason}).", "Give the path of a zip or tar.gz.", received=place)


def _bring(put: Put, file: BinaryIO, title: str, file_id: str) -> None:
    """Unpack it and choose it. Whoever leaves the page meanwhile leaves nothing behind."""
    began, bar = time.monotonic(), st.progress(0.0, "Reading the archive")

    def report(share: float) -> None:
        left = (time.monotonic() - began) * (1 - share) / share if share > 0 else 0
        bar.progress(min(1.0, share), f"Unpacking {formatting.plain(title)}: about {seconds(left)} left")

    try:
        upload = uploads.keep(file, title, session.store().home, report)
    except TransferError as error:
        st.session_state[REFUSED] = file_id, str(error)
        bar.empty()
        formatting.say_wrong(str(error))
        return
    put(upload.folder)
    st.session_state[TURN] += 1  # an empty box for the next one
    st.rerun()
