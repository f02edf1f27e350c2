"""What is taken away of a run from its page: script and notebook, command, settings, model card."""

import io
import zipfile

import pytest

from tests.tools.pages import opened
from tl_core.jobs import background
from tl_core.recipe import Recipe
from tl_core.runs import scripts
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
    app = opened(steps.RESULT.script, run=finished)
    assert app.button(key="ask_keras_script").label == "Write them again"
    labels = {each.proto.label for each in app.get("download_button")}
    assert {"Markdown", "HTML", "Settings", "Download as a zip"} <= labels
    assert "the script" in [each.value for each in app.code]
    with zipfile.ZipFile(io.BytesIO(zipped(place))) as archive:
        assert archive.namelist() == [scripts.SCRIPT]
