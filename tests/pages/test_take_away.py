"""What is taken away of a run from its page: exports, script and notebook, command, settings, model card."""

import io
import zipfile

import pytest

from tests.exports.odd import GOOD
from tests.tools.pages import opened
from tl_core.jobs import background
from tl_core.recipe import Recipe
from tl_core.runs import exported, scripts
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.studies.keras_script import KerasScript, ScriptResult
from tl_core.ui import steps
from tl_core.ui.downloads import zipped

pytestmark = pytest.mark.usefixtures("nothing_cached", "known_profiles")


def test_all_of_it_is_offered(finished: str) -> None:
    study, store = KerasScript(run_id=finished), Store()
    study.place(store.home).mkdir(parents=True)
    background.write(study.file(store.home, Recipe.of(RunSpec())), ScriptResult(finished=True, files={scripts.SCRIPT: 10}))
    place = scripts.place(store.folder(finished))
    place.mkdir()
    (place / scripts.SCRIPT).write_text("the script")
    lossy = GOOD.model_copy(update={"examples": 800, "disagreements": (20, 8)})
    for name, parity in {"keras": GOOD, "onnx_int8": lossy}.items():
        with exported.new_export(store.folder(finished), name) as folder:
            exported.write(folder, exported.PARITY, parity)
    app = opened(steps.RESULT.script, run=finished)
    (table,) = (each.value for each in app.dataframe if "Verdict" in each.value)
    assert table["Format"].tolist() == ["Keras", "ONNX, int8"]
    assert table["Verdict"].tolist() == ["Good: up to 3e-08 apart", "Not offered: loses 2.7 points at most"]
    assert table["Alone"].tolist() == ["4.2 ms", "4.2 ms"]
    assert "Export the model" in [each.proto.label for each in app.get("page_link")]
    assert app.button(key="ask_keras_script").label == "Write them again"
    labels = {each.proto.label for each in app.get("download_button")}
    assert {"Markdown", "HTML", "Settings", "Download as a zip"} <= labels
    assert "the script" in [each.value for each in app.code]
    with zipfile.ZipFile(io.BytesIO(zipped(place))) as archive:
        assert archive.namelist() == [scripts.SCRIPT]
