"""Bringing a network of another library: an ONNX file on this machine becomes one of the list."""

from pathlib import Path

import streamlit as st

from tl_core.backbones._scaling import ABOUT_PIXELS, TOLD, Scaling
from tl_core.backbones._shelf import bring
from tl_core.backbones.onnx_file import OnnxFile
from tl_core.system import settings
from tl_core.ui import formatting, session

ABOUT = (
    "A network in an ONNX file stays frozen: OpenVINO computes its features, on which heads, rankings, maps and what-ifs stand. "
    "An image passes it before it is listed; the file itself stays where it is, and a copy is kept."
)


def bring_network() -> None:
    """Draw what is asked of a file, and the button that puts it on the shelf and chooses it."""
    with st.expander("Bring an ONNX file", icon=":material/add:", key="bring_network"):
        st.caption(ABOUT)
        name = st.text_input("Name", key="bring_name", help="What the network is called from now on.")
        place = st.text_input("File", key="bring_file", placeholder="Path on the machine that runs the app")
        pixels = st.selectbox("Pixels", TOLD, key="bring_pixels", help=ABOUT_PIXELS)
        output = st.text_input(
            "Features",
            key="bring_output",
            placeholder="its first result",
            help="The name of the tensor that is its features: mostly the one below its classifier.",
        )
        if st.button("Put it on the shelf", key="bring", icon=":material/download:", disabled=not (name and place)):
            with formatting.sentence_for_mistakes():
                _bring(name, settings.absolute(place), pixels, output)


def _bring(name: str, file: Path, pixels: Scaling, output: str) -> None:
    settings.require_allowed(file)
    with st.spinner("An image passes it"):
        bring(session.store().home, name, file, pixels, output or None)
    session.change({"backbone": OnnxFile.name, "backbone.network": name})
    st.rerun()
