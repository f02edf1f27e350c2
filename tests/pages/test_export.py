"""Export: formats as cards, what was found of the chosen one, and what can be taken away."""

import io
import zipfile

import pytest
from streamlit.testing.v1 import AppTest

from tests.exports.odd import GOOD
from tests.tools.pages import opened
from tl_core.exports import INSTALL, formats
from tl_core.exports._answers import SCRIPT
from tl_core.jobs import background
from tl_core.recipe import Recipe
from tl_core.runs import exported
from tl_core.runs.exported import Calibration, Parity
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.studies.export_check import ExportCheck, ExportResult
from tl_core.ui import downloads, steps

pytestmark = pytest.mark.usefixtures("nothing_cached", "known_profiles")


def page(run: str, parity: Parity | None = None) -> AppTest:
    """The page of a run of which `parity` was found for the first format."""
    if parity:
        study = ExportCheck(run_id=run, format="keras")
        study.place(Store().home).mkdir(parents=True)
        found = ExportResult(finished=True, parity=parity, things="images")
        background.write(study.file(Store().home, Recipe.of(RunSpec())), found)
        with exported.new_export(Store().folder(run), "keras") as folder:
            exported.write(folder, exported.PARITY, parity)
            (folder / SCRIPT).write_text("the script")
    return opened(steps.EXPORT.script, run=run)


def test_each_format_is_a_card(finished: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats.part("onnx"), "needs", ("no_such_module",))
    app = page(finished)
    captions = [each.value for each in app.caption]
    exact = {part.summary() for part in formats.parts().values() if not part.quantised}
    assert exact <= set(captions)
    assert f"no-such-module is not installed here: `{INSTALL}`" in captions
    assert (app.button(key="choose_onnx").disabled, app.button(key="choose_openvino").disabled) == (True, False)
    app.button(key="choose_openvino").click().run()
    assert [each.value for each in app.subheader] == ["OpenVINO"]
    assert app.button(key="ask_export_check").label == "Export"
    app.toggle(key="export_quantised").set_value(True).run()
    captions = [each.value for each in app.caption]
    assert {part.summary() for part in formats.parts().values() if part.quantised} <= set(captions)
    assert not exact & set(captions)


def test_what_says_the_same_can_be_taken(finished: str) -> None:
    cooled = Calibration(temperature=1.24, examples=160, validation_error=(0.05, 0.02), test_error=(0.04, 0.03))
    app = page(finished, GOOD.model_copy(update={"calibration": cooled}))
    assert not app.toggle(key="export_calibrated").value
    (said,) = (each.value.replace("\\", "") for each in app.success)
    assert said.startswith(
        "Keras says the same as the run: on 200 test images, the same first class for 200, and nothing differs"
    )
    rows = app.table[0].value["Value"]
    assert rows["Largest difference"] == "3.0e-08 (up to 1e-04 is allowed)"
    assert rows["Accuracy"] == rows["Accuracy of the run on the same"] == "89 % (84\N{EN DASH}93)"
    assert (rows["Size"], rows["Time for one, alone"]) == ("14 MB", "4.2 ms")
    assert rows["Temperature"] == "1.24, fitted to 160 validation examples"
    assert rows["Calibration error, test"] == "4.0 %, now 3.0 %"
    assert [each.value for each in app.code] == ["the script"]
    assert len(app.get("download_button")) == 1
    assert "Keras" in [each.value for each in app.sidebar.caption]
    with zipfile.ZipFile(io.BytesIO(downloads.zipped(exported.place(Store().folder(finished), "keras")))) as archive:
        assert archive.namelist() == [SCRIPT]


def test_what_does_not_is_not_offered(finished: str) -> None:
    app = page(finished, GOOD.model_copy(update={"largest_difference": 0.02}))
    (said,) = (each.value.replace("\\", "") for each in app.error)
    assert said.endswith("it differs by up to 2.0e-02, and 1e-04 is allowed. So it is not offered.")
    assert not app.get("download_button")
    assert not app.code


def test_what_is_too_large_for_a_page_is_fetched_by_a_command(finished: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "LARGEST_ZIP", 1)
    app = page(finished, GOOD)
    assert not app.get("download_button")
    assert any(f"`python -m tl_core export {finished} --format keras --to DIR`" in each.value for each in app.caption)
