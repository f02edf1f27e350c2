"""A finished run's model in other formats: cards to choose from, what was found of each, and what one takes away."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from tl_core.analysis.statements import size
from tl_core.exports import INSTALL, ExportFormat, formats
from tl_core.exports._answers import SCRIPT
from tl_core.recipe import Recipe
from tl_core.runs import exported
from tl_core.runs.exported import Parity
from tl_core.runs.store import Run
from tl_core.studies.export_check import ABOUT_CALIBRATED, CALIBRATED, ExportCheck, ExportResult, gap, milliseconds
from tl_core.ui import formatting, session, steps
from tl_core.ui.downloads import download_folder
from tl_core.ui.study_panel import StudyPanel

CHOSEN = "export_format"
ABOUT = (
    "The model is written in this format, loaded back by its own runtime in a process of its own, and asked about up to 200 test "
    "examples of the run. It is offered only where it says the same. Whatever prepares pixels is inside the model already."
)

ABOUT_8_BITS = (
    "Smaller and often quicker; offered where it loses at most 1 point of accuracy, as far as the test examples can tell."
)


def chosen_format() -> type[ExportFormat]:
    """Return the format that this session looks at: at first one that needs nothing more."""
    return formats.part(st.session_state.get(CHOSEN) or next(iter(formats.parts())))


def cards(found: Mapping[str, Parity]) -> None:
    """Draw a card for each format, with what was `found` of it: of those in float32, or of those in 8 bits."""
    in_8_bits = st.toggle("In 8 bits", value=chosen_format().quantised, key="export_quantised", help=ABOUT_8_BITS)
    for name, part in formats.parts().items():
        if part.quantised == in_8_bits:
            _card(part, found.get(name))


def _card(part: type[ExportFormat], parity: Parity | None) -> None:
    missing, is_chosen = part.missing(), part is chosen_format()
    with st.container(border=True, key=f"card_{part.name}"):
        st.markdown(f"**{part.title}**{_mark(parity)}")
        st.caption(part.summary())
        if missing:
            st.caption(f"{missing.replace('_', '-')} is not installed here: `{INSTALL}`")
        st.button(
            "Chosen" if is_chosen else f"Choose {part.title}",
            key=f"choose_{part.name}",
            disabled=bool(missing),
            type="primary" if is_chosen else "secondary",
            on_click=partial(st.session_state.__setitem__, CHOSEN, part.name),
        )


def _mark(parity: Parity | None) -> str:
    if parity is None:
        return ""
    text = f"{gap(parity)}, {size(parity.file_bytes)}"
    return f" :green-badge[:material/check: {text}]" if parity.is_good else f" :red-badge[:material/close: {text}]"


def made(run: Run) -> None:
    """Draw a table of the exports of a run and what was found of each, and the door to where they are made."""
    found = exported.read(session.store().folder(run.id))
    rows = [_row(part.title, found[name]) for name, part in formats.parts().items() if name in found]
    if rows:
        st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", placeholder="\N{EN DASH}", alt="Exports of this run")
        st.caption(
            "Each was loaded back by its own runtime and asked about test examples of the run; times are those of one example. "
            "What is not the same, or may be less accurate, is not offered."
        )
    st.page_link(steps.EXPORT.script, label="Export the model", icon=":material/output:", query_params=session.url_parameters())


def _row(title: str, parity: Parity) -> dict[str, str | None]:
    agreeing = None if parity.agreeing is None else f"{parity.agreeing:,} of {parity.examples:,}"
    return {
        "Format": title,
        "Verdict": f"{'Good' if parity.is_good else 'Not offered'}: {gap(parity)}",
        "Size": size(parity.file_bytes),
        "Same first class": agreeing,
        "Largest difference": f"{parity.largest_difference:.1e}",
        "Alone": milliseconds(parity.seconds_alone),
        "In a batch of 32": milliseconds(parity.seconds_in_batch),
    }


def panel(run: Run) -> None:
    """Draw how the chosen format is asked for, and what was found of it."""
    part = chosen_format()
    st.subheader(part.title, anchor=False)
    calibrated = st.toggle(CALIBRATED, key="export_calibrated", help=ABOUT_CALIBRATED)
    study = ExportCheck(run_id=run.id, format=part.name, calibrated=calibrated)
    show = partial(_show, study, session.store().folder(run.id))
    StudyPanel(study, ABOUT, "Export", "Export again", "output", show).draw(Recipe.of(run.spec))


def _show(study: ExportCheck, folder: Path, found: ExportResult) -> None:
    if found.parity is None:
        return
    said = formatting.plain(study.conclusion(found))
    st.success(said, icon=":material/check_circle:") if found.parity.is_good else st.error(said, icon=":material/error:")
    rows = [{"Measured": title, "Value": value} for title, value in study.described(found).items()]
    st.table(pd.DataFrame(rows).set_index("Measured"))
    place = exported.place(folder, study.format)
    if found.parity.is_good and (place / SCRIPT).is_file():
        _offer(place, study)


def _offer(place: Path, study: ExportCheck) -> None:
    """Draw the button that fetches an export, and the script that loads it."""
    about = "The model, model.json with the names of its outputs and where it comes from, and a script that loads it."
    option = " --calibrated" if study.calibrated else ""
    command = f"python -m tl_core export {study.run_id} --format {study.format}{option} --to DIR"
    download_folder(place, f"{study.run_id}-{study.format}", about, command)
    st.markdown(f"`{SCRIPT}`, which goes with it, loads the model without Transfer Lab. This very script was checked.")
    st.code((place / SCRIPT).read_text(encoding="utf-8"), language=None, wrap_lines=True)  # Streamlit colours it too faintly
