"""The address /predict on a server that has served no page yet: Streamlit looks here first and is sent in by app.py."""

from pathlib import Path
from runpy import run_path

run_path(str(Path(__file__).parents[1] / "app.py"))
