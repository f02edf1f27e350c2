"""A finished run asked about pictures or texts: how they come, and what it says of each."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from tl_core.data.formats.folders import EXTENSIONS
from tl_core.data.formats.pictures import bring
from tl_core.data.formats.written import ENDINGS as TEXT_ENDINGS
from tl_core.data.formats.written import MOST_BYTES, OF_TABLES
from tl_core.data.label_kinds import NUMBERS
from tl_core.datasets import Modality
from tl_core.notes import sentences
from tl_core.recipe import Recipe
from tl_core.runs import score
from tl_core.runs.store import Run
from tl_core.studies._predicted import PredictedExample, Shown
from tl_core.studies.prediction import GIVEN, Prediction, PredictionResult, modality_of
from tl_core.ui import formatting, session
from tl_core.ui.charts.predicted import output_bars, with_heat
from tl_core.ui.deciding_words import draw_text, legend
from tl_core.ui.downloads import download
from tl_core.ui.study_panel import StudyPanel
from tl_core.ui.uploads import ENDINGS, MOST_MEGABYTES

BROUGHT = "files_to_predict"
"""Where the session keeps which files it has brought, for which run, and where they lie."""
FILES, CAMERA, AREA = "Files", "Camera", "Texts, one a line"
BEGIN = {
    Modality.IMAGES: ("What the run says of your pictures will be here. Bring one to begin.", "add_photo_alternate"),
    Modality.TEXTS: ("What the run says of your texts will be here. Write one to begin.", "notes"),
}
"""What stands where nothing was brought yet, and its icon."""
TOP, CARDS = 5, 12
"""So many classes are drawn of an example, and so many examples are drawn; a table has all of them."""
MOST_BROKEN, NEAR_PIXELS = 5, 84
ABOUT = (
    "The model of the run says what it makes of each, and what carried that, and shows the training examples that are the most "
    "alike. Where even these are far away, you are warned: of what it has never seen a model speaks with confidence, too. Files "
    "that you bring are kept with the run; once they are a day old, they go when it is asked again."
)
OUTSIDE = (
    "This looks unlike anything that the run has learned from: even the most similar training examples are far away. What is "
    "said of it may mean nothing."
)
CAMERA_HELP = "Browsers give a page the camera only on this very machine, or by https."
HEAT = (
    "Orange: what speaks for the most probable output (Grad-CAM, Selvaraju et al. 2017), by {} x {} places of the network's last "
    "map."
)
COLUMN_HELP = "In which column of a table the texts stand; empty finds one called text, sentence, review or the like."
TABLE = (
    "A CSV file with a row for each: the most probable outputs with their values, the distance to the training examples, "
    "whether it lies outside, what carried the decision on a text, or why a picture could not be read."
)


def given() -> tuple[Path, ...]:
    """Return the files that this session has brought, where they lie."""
    files: tuple[Path, ...] = st.session_state.get(BROUGHT, ((), ()))[1]
    return files


def asked(run: Run) -> Prediction | None:
    """Draw how pictures or texts are given, and return what the run is asked about them; None before there is one."""
    about_texts, column = modality_of(run) is Modality.TEXTS, ""
    written = st.text_area(AREA, key="predict_texts", height=160, help="Each is predicted by itself.") if about_texts else ""
    files = _brought(run, written, _text_files() if about_texts else _pictures())
    if any(file.suffix.lower() in OF_TABLES for file in files):
        column = st.text_input("Column of the texts", key="predict_column", placeholder="found by its name", help=COLUMN_HELP)
    return Prediction(run_id=run.id, files=files, column=column or None, top=TOP, shown=CARDS) if files else None


def _pictures() -> Sequence[Any]:
    way = st.radio("Pictures from", [FILES, CAMERA], horizontal=True, key="predict_from", help="Where the pictures come from.")
    if way == CAMERA:
        return [photograph] if (photograph := st.camera_input("Take a picture", key="predict_camera", help=CAMERA_HELP)) else []
    return st.file_uploader(
        "Pictures, or an archive of them",
        type=sorted(ending.removeprefix(".") for ending in EXTENSIONS) + ENDINGS,
        accept_multiple_files=True,
        key="predict_files",
        max_upload_size=MOST_MEGABYTES,
        help="One or several pictures, or a zip or tar.gz of them.",
    )


def _text_files() -> Sequence[Any]:
    return st.file_uploader(
        "Files of texts",
        type=[ending.removeprefix(".") for ending in TEXT_ENDINGS],
        accept_multiple_files=True,
        key="predict_files",
        max_upload_size=MOST_BYTES // 10**6,
        help="A .txt file with one text a line, or a table with a column of texts.",
    )


def _brought(run: Run, written: str, files: Sequence[Any]) -> tuple[Path, ...]:
    """Return where that lies which somebody has written, and the files that the browser has brought, for a run; it is put there
    once."""
    key = run.id, written, *(each.file_id for each in files)
    if st.session_state.get(BROUGHT, ((), ()))[0] != key:
        place, before = Prediction(run_id=run.id).place(session.store().home) / GIVEN, given()
        pairs = [("written.txt", written.encode())] * bool(written.strip()) + [(each.name, each.getvalue()) for each in files]
        st.session_state[BROUGHT] = key, bring(pairs, place) if pairs else ()
        if given() != before:
            st.rerun()  # the sidebar, which says how many there are, is drawn already
    return given()


def predictions(run: Run, study: Prediction | None) -> None:
    """Draw what a run says of that which `study` asks about, and the button that asks it."""
    if study is None:
        begin, icon = BEGIN[modality_of(run)]
        st.info(begin, icon=f":material/{icon}:")
        st.caption(ABOUT)
        return
    StudyPanel(study, ABOUT, "Predict", "Predict again", "search", partial(_show, run, study)).draw(Recipe.of(run.spec))


def _show(run: Run, study: Prediction, found: PredictionResult) -> None:
    if not found.finished:
        return
    st.markdown(formatting.plain(study.conclusion(found)))
    for sentence in (*study.trust(found), *sentences(found.notes)):
        st.caption(formatting.plain(sentence))
    broken = [picture for picture in found.examples if picture.reason]
    for picture in broken[:MOST_BROKEN]:
        formatting.say_wrong(f"{picture.name} cannot be read: {picture.reason}.")
    if found.modality is Modality.TEXTS:
        _text_cards(run, found)
    elif len(broken) < len(found.examples):
        _cards(run, found, Shown.read(study.shown_file(session.store().home, Recipe.of(run.spec))))
    if len(found.examples) > CARDS or len(broken) > MOST_BROKEN:
        st.caption(f"A table that you can download has all {len(found.examples):,}.")
    download(lambda: pd.DataFrame(study.rows(found)), f"predictions_{run.id}", "Download as CSV", TABLE)


def _text_cards(run: Run, found: PredictionResult) -> None:
    """Draw the first texts, each with what is said of it and which words carried that."""
    legend()
    for number, text in enumerate(found.examples[:CARDS]):
        with st.container(border=True, key=f"predicted_{number}"):
            if text.words:
                draw_text(text.words, in_percent=score.label_kind(run) != NUMBERS)
            _said(run, text, number)
            if text.nearest:
                st.caption("The nearest training texts, as the network sees them (a distance of 0 is the same, 2 the farthest):")
                near = [(each.label, each.distance, each.name) for each in text.nearest]
                st.dataframe(
                    pd.DataFrame(near, columns=["Is", "Distance", "Text"]).round(2),
                    hide_index=True,
                    width="stretch",
                    column_config={"Text": st.column_config.TextColumn(width="large")},
                    alt="The nearest training texts",
                )


def _cards(run: Run, found: PredictionResult, shown: Shown) -> None:
    """Draw the pictures that are shown, each with what is said of it."""
    is_hot = False
    if found.map_size:
        is_hot = st.toggle("Show where it looks", value=True, key="predict_heat", help=HEAT.format(*found.map_size))
    else:
        st.caption("Where it looks cannot be shown: this network has no map of the places of a picture.")
    for place, number in enumerate(shown.numbers.tolist()):
        picture = found.examples[number]
        with st.container(border=True, key=f"predicted_{number}"):
            seen, said = st.columns([2, 3])
            pixels = with_heat(shown.pixels[place], shown.heat[place]) if is_hot else shown.pixels[place]
            seen.image(pixels, width="stretch", alt=picture.name + (", the hottest where the model looks" if is_hot else ""))
            with said:
                st.markdown(f"**{formatting.plain(picture.name)}**")
                _said(run, picture, number)
            with seen:
                _checked(picture)
            _nearest(picture, shown.nearest[place])


def _said(run: Run, example: PredictedExample, number: int) -> None:
    """Draw the most probable outputs, and the warning where an example is like nothing that was trained on."""
    name, value = example.outputs[0]
    if example.is_outside:
        st.warning(OUTSIDE, icon=":material/travel_explore:")
    if score.label_kind(run) == NUMBERS:
        ends = "" if example.interval is None else " (95 %: {:,.4g} to {:,.4g})".format(*example.interval)
        st.markdown(f"{formatting.plain(name)}: **{value:,.4g}**{ends}")
        return
    if example.labels is not None:
        st.markdown(formatting.plain("Has " + (", ".join(example.labels) or "none of the labels")) + ".")
    said = (name,) if example.labels is None else example.labels
    told = ", ".join(f"{each} {100 * share:.0f} %" for each, share in example.outputs)
    formatting.chart(output_bars(example.outputs, said), f"outputs_{number}", f"The most probable of {example.name}: {told}")


def _checked(picture: PredictedExample) -> None:
    """Say whether the heat map points at what matters."""
    if picture.areas is None:
        return
    without, alone = (f"{100 * area:.0f} %" for area in picture.areas)
    verdict = "points at" if picture.areas.deletion < picture.areas.insertion else "does not point at"
    st.caption(
        f"The map {verdict} what matters here: the probability is {without} on average while its hottest places are blurred "
        f"first, and {alone} while they are the first to be seen."
    )


def _nearest(picture: PredictedExample, pixels: NDArray[np.uint8]) -> None:
    """Draw the nearest training images, where they are known."""
    if not picture.nearest:
        return
    st.caption("The nearest training images, as the network sees them, each with its distance (0 is the same, 2 the farthest):")
    with st.container(horizontal=True, gap="xsmall"):
        for near, seen in zip(picture.nearest, pixels, strict=True):
            told = formatting.plain(f"{near.label}, {near.distance:.2f}")
            st.image(seen, caption=told, width=NEAR_PIXELS, alt=f"{near.name}: {near.label}")
