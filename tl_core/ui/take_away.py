"""What one takes away of a finished run: exports, a script, a notebook, the command, the settings, the model card."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from tl_core.recipe import Recipe
from tl_core.result import Result
from tl_core.runs import evaluations, repetition, scripts
from tl_core.runs.card import Card, card_of
from tl_core.runs.card_text import FORMATS
from tl_core.runs.store import Run
from tl_core.studies.keras_script import KerasScript, ScriptResult
from tl_core.system.settings import SPEC
from tl_core.ui import exports, formatting, session
from tl_core.ui.downloads import download_folder
from tl_core.ui.study_panel import StudyPanel

ABOUT = (
    "A script and a notebook that do this run again with Keras alone, without Transfer Lab. The images, or where they are, and "
    "the first weights lie beside them."
)
TITLES = {".md": "Markdown", ".html": "HTML"}


def take_away(run: Run, result: Result) -> None:
    """Draw all of it."""
    st.markdown("**The model in other formats**, each held against this run")
    exports.made(run)
    st.markdown("**Model card**: data, licences, scores, where it fails, limits and cost")
    with st.container(horizontal=True, key="cards"):
        for ending, render in FORMATS.items():
            st.download_button(
                TITLES[ending],
                partial(_card, render, run.id),
                file_name=f"{run.id}{ending}",
                icon=":material/badge:",
                on_click="ignore",
                key=f"card_{ending}",
            )
    st.markdown("**Script and notebook**")
    study = KerasScript(run_id=run.id)
    show = partial(_offer, run.id, session.store().folder(run.id))
    with formatting.sentence_for_mistakes():
        StudyPanel(study, ABOUT, "Write them", "Write them again", "code", show).draw(Recipe.of(run.spec))
    st.markdown("**With Transfer Lab**: the command, and the file of its settings")
    spec = repetition.spec_of(run.spec, result)
    st.code(repetition.command(run.spec, result), language=None, wrap_lines=True)
    st.download_button(
        "Settings",
        f"{spec.model_dump_json(indent=2)}\n",
        file_name=SPEC,
        mime="application/json",
        icon=":material/settings:",
        help=f"For: python -m tl_core train --spec {SPEC}",
        on_click="ignore",
        key="download_spec",
    )


def _card(render: Callable[[Card], str], run_id: str) -> bytes:
    return render(card_of(evaluations.finished(session.store(), run_id))).encode()


def _offer(run_id: str, folder: Path, found: ScriptResult) -> None:
    """Draw the button that fetches the script with its files, and the script."""
    place = scripts.place(folder)
    if not found.files or not (place / scripts.SCRIPT).is_file():
        return
    about = f"{scripts.SCRIPT}, {scripts.NOTEBOOK}, and the files that they read."
    download_folder(place, f"{run_id}-script", about, f"python -m tl_core reproduce {run_id} --to DIR")
    with st.expander(scripts.SCRIPT):
        st.code((place / scripts.SCRIPT).read_text(encoding="utf-8"), language=None, wrap_lines=True)
