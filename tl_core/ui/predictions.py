"""A finished run asked about pictures: how they come, and what it says of each."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from tl_core.data.formats.folders import EXTENSIONS
from tl_core.data.formats.pictures import bring
from tl_core.data.label_kinds import NUMBERS
from tl_core.notes import sentences
from tl_core.recipe import Recipe
from tl_core.runs import score
from tl_core.runs.store import Run
from tl_core.studies._predicted import PredictedPicture, Shown
from tl_core.studies.prediction import GIVEN, Prediction, PredictionResult, require_images
from tl_core.ui import formatting, session
from tl_core.ui.charts.predicted import output_bars, with_heat
from tl_core.ui.downloads import download
from tl_core.ui.study_panel import StudyPanel
from tl_core.ui.uploads import ENDINGS, MOST_MEGABYTES

BROUGHT = "pictures_to_predict"
"""Where the session keeps which pictures it has brought, for which run, and where they lie."""
FILES, CAMERA = "Files", "Camera"
TOP, CARDS = 5, 12
"""So many classes are drawn of a picture, and so many pictures are drawn; a table has all of them."""
MOST_BROKEN, NEAR_PIXELS = 5, 96
ABOUT = (
    "The model of the run says what it sees in each picture and where it sees that, and shows the training images that are the "
    "most alike to it. Where even these are far away, you are warned: of what it has never seen a model speaks with confidence, "
    "too. Pictures that you bring are kept with the run; once they are a day old, they go when it is asked again."
)
OUTSIDE = (
    "This picture lies outside of what the run was trained on: even the training images that are the most alike to it are far "
    "away. What is said of it may mean nothing."
)
CAMERA_HELP = "Browsers give a page the camera only on this very machine, or by https."
HEAT = (
    "Orange: what speaks for the most probable output (Grad-CAM, Selvaraju et al. 2017), by {} x {} places of the network's last "
    "map."
)
TABLE = (
    "A CSV file with a row for each picture: the most probable outputs with their values, the distance to the training images, "
    "whether it lies outside, or why it could not be read."
)


def given() -> tuple[Path, ...]:
    """Return the files that this session has brought, where they lie."""
    files: tuple[Path, ...] = st.session_state.get(BROUGHT, ((), ()))[1]
    return files


def brought(run: Run) -> tuple[Path, ...]:
    """Draw how pictures are given, and return where they lie; none before there is one."""
    require_images(run)
    way = st.radio("Pictures from", [FILES, CAMERA], horizontal=True, key="predict_from", help="Where the pictures come from.")
    if way == CAMERA:
        files = [photograph] if (photograph := st.camera_input("Take a picture", key="predict_camera", help=CAMERA_HELP)) else []
    else:
        files = st.file_uploader(
            "Pictures, or an archive of them",
            type=sorted(ending.removeprefix(".") for ending in EXTENSIONS) + ENDINGS,
            accept_multiple_files=True,
            key="predict_files",
            max_upload_size=MOST_MEGABYTES,
            help="One or several pictures, or a zip or tar.gz of them.",
        )
    key = run.id, *(each.file_id for each in files)
    if st.session_state.get(BROUGHT, ((), ()))[0] != key:
        place = Prediction(run_id=run.id).place(session.store().home) / GIVEN
        before = given()
        st.session_state[BROUGHT] = key, bring([(each.name, each.getvalue()) for each in files], place) if files else ()
        if given() != before:
            st.rerun()  # the sidebar, which says how many there are, is drawn already
    return given()


def predictions(run: Run, files: Sequence[Path]) -> None:
    """Draw what a run says of the pictures in `files`, and the button that asks it."""
    if not files:
        st.info("What the run says of your pictures will be here. Bring one to begin.", icon=":material/add_photo_alternate:")
        st.caption(ABOUT)
        return
    study = Prediction(run_id=run.id, pictures=tuple(files), top=TOP, shown=CARDS)
    StudyPanel(study, ABOUT, "Predict", "Predict again", "search", partial(_show, run, study)).draw(Recipe.of(run.spec))


def _show(run: Run, study: Prediction, found: PredictionResult) -> None:
    if not found.finished:
        return
    st.markdown(formatting.plain(study.conclusion(found)))
    for note in sentences(found.notes):
        st.caption(formatting.plain(note))
    broken = [picture for picture in found.pictures if picture.reason]
    for picture in broken[:MOST_BROKEN]:
        formatting.say_wrong(f"{picture.name} cannot be read: {picture.reason}.")
    if len(broken) < len(found.pictures):
        _cards(run, found, Shown.read(study.shown_file(session.store().home, Recipe.of(run.spec))))
    if len(found.pictures) > CARDS or len(broken) > MOST_BROKEN:
        st.caption(f"A table that you can download has all {len(found.pictures):,} pictures.")
    download(lambda: pd.DataFrame(study.rows(found)), f"predictions_{run.id}", "Download as CSV", TABLE)


def _cards(run: Run, found: PredictionResult, shown: Shown) -> None:
    """Draw the pictures that are shown, each with what is said of it."""
    is_hot = False
    if found.map_size:
        is_hot = st.toggle("Show where it looks", value=True, key="predict_heat", help=HEAT.format(*found.map_size))
    else:
        st.caption("Where it looks cannot be shown: this network has no map of the places of a picture.")
    for place, number in enumerate(shown.numbers.tolist()):
        picture = found.pictures[number]
        with st.container(border=True, key=f"predicted_{number}"):
            seen, said = st.columns([2, 3])
            pixels = with_heat(shown.pixels[place], shown.heat[place]) if is_hot else shown.pixels[place]
            seen.image(pixels, width="stretch", alt=picture.name + (", the hottest where the model looks" if is_hot else ""))
            with said:
                _said(run, picture, number)
            with seen:
                _checked(picture)
            _nearest(picture, shown.nearest[place])


def _said(run: Run, picture: PredictedPicture, number: int) -> None:
    """Draw the most probable outputs, and the warning where the picture is like nothing that was trained on."""
    name, value = picture.outputs[0]
    st.markdown(f"**{formatting.plain(picture.name)}**")
    if picture.is_outside:
        st.warning(OUTSIDE, icon=":material/travel_explore:")
    if score.label_kind(run) == NUMBERS:
        st.markdown(f"{formatting.plain(name)}: **{value:,.4g}**")
        return
    if picture.labels is not None:
        st.markdown(formatting.plain("Has " + (", ".join(picture.labels) or "none of the labels")) + ".")
    said = (name,) if picture.labels is None else picture.labels
    told = ", ".join(f"{each} {100 * share:.0f} %" for each, share in picture.outputs)
    formatting.chart(output_bars(picture.outputs, said), f"outputs_{number}", f"The most probable of {picture.name}: {told}")


def _checked(picture: PredictedPicture) -> None:
    """Say whether the heat map points at what matters."""
    if picture.areas is None:
        return
    without, alone = (f"{100 * area:.0f} %" for area in picture.areas)
    verdict = "points at" if picture.areas.deletion < picture.areas.insertion else "does not point at"
    st.caption(
        f"The map {verdict} what matters here: the probability is {without} on average while its hottest places are blurred "
        f"first, and {alone} while they are the first to be seen."
    )


def _nearest(picture: PredictedPicture, pixels: NDArray[np.uint8]) -> None:
    """Draw the nearest training images, where they are known."""
    if not picture.nearest:
        return
    st.caption("The nearest training images, as the network sees them, each with its distance (0 is the same, 2 the farthest):")
    captions = [formatting.plain(f"{each.label}, {each.distance:.2f}") for each in picture.nearest]
    st.image(list(pixels), caption=captions, width=NEAR_PIXELS, alt=[f"{each.name}: {each.label}" for each in picture.nearest])
