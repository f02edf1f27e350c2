"""Notes are stored as facts; those that are sentences, of earlier versions or of somebody else's dataset, keep their words."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from tests.analysis.test_convergence import PROBE
from tests.analysis.test_convergence import result as stored_result
from tests.helpers import keep_run
from tests.tools.pages import nothing_cached, opened  # noqa: F401  # a fixture
from tests.tools.short_training import outcome
from tl_core.__main__ import app
from tl_core.data.formats.uploads import ABOUT, Upload, keep
from tl_core.datasets import ArrayImages, Data, Dataset, datasets
from tl_core.errors import DataError
from tl_core.notes import Note, NoteKind, sentences
from tl_core.result import Result
from tl_core.runs import artifacts
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.testing import dataset as contract
from tl_core.ui import steps

OWN = Note(NoteKind.OTHER, text="The camera was [new] in *May*.")
TYPED = Note.counting(NoteKind.HIDDEN_FILES, [f".{number}" for number in range(1200)])
SENTENCE = "Hidden files and folders: 1,200 left out (.0, .1, .2, and others)."
RUN = "20260101-000000-aaaaaa"


class Photographed(Dataset):
    """A source of somebody else, who notes what no kind says."""

    title: ClassVar[str] = "Photographed"

    def read(self, seed: int) -> Data:
        rng = np.random.default_rng(0)
        train, validation, test = (ArrayImages(rng.integers(0, 256, (8, 9, 9, 3), np.uint8), np.arange(8) % 2) for _ in range(3))
        return Data(("a", "b"), train, validation, test, (OWN, TYPED))


@pytest.fixture
def photographed() -> Iterator[type[Dataset]]:
    datasets.parts()
    yield datasets.register("photographed")(Photographed)
    del datasets._parts["photographed"]


def finished(**fields: Any) -> Result:
    """The result of a run in the store, its file with these fields."""
    store, kept = Store(), stored_result(PROBE).model_copy(update={"class_names": ("a", "b"), "test_images": 4})
    keep_run(store, RUN, State.DONE, **artifacts.summary(kept))
    folder = store.folder(RUN)
    folder.mkdir(parents=True, exist_ok=True)
    artifacts.write_outcome(folder, replace(outcome(4, 0), result=kept))
    (folder / artifacts.RESULT).write_text(json.dumps(kept.model_dump(mode="json") | fields), encoding="utf-8")
    return artifacts.read_result(folder)


def captions(page: AppTest) -> list[str]:
    return [caption.value.replace("\\", "") for caption in page.caption]


def test_a_result_has_facts() -> None:
    result = stored_result(PROBE).model_copy(update={"notes": (TYPED, OWN)})
    assert Result.model_validate_json(result.model_dump_json()).notes == (TYPED, OWN)
    assert result.model_dump(mode="json")["notes"][0]["numbers"] == [1200]


def test_sentences_of_an_earlier_result_are_shown_as_they_were(nothing_cached: None) -> None:  # noqa: F811
    result = finished(notes=[SENTENCE, OWN.text])
    assert result.notes == (Note(NoteKind.OTHER, text=SENTENCE), OWN)
    assert {SENTENCE, OWN.text} <= set(captions(opened(steps.RESULT.script, run=RUN)))


def test_facts_are_shown_in_words(home: Path, nothing_cached: None) -> None:  # noqa: F811
    finished(notes=[{"kind": TYPED.kind, "numbers": TYPED.numbers, "names": TYPED.names}])
    assert SENTENCE in captions(opened(steps.RESULT.script, run=RUN))
    shown = CliRunner().invoke(app, ["watch", RUN, "--json"])
    assert json.loads(shown.stdout)["notes"] == [SENTENCE]


def test_a_dataset_may_note_facts_and_what_no_kind_says(photographed: type[Dataset], nothing_cached: None) -> None:  # noqa: F811
    lines = CliRunner().invoke(app, ["examine", "--dataset", "photographed"]).stdout.splitlines()
    assert lines[:2] == [OWN.text, SENTENCE]
    page = opened(steps.DATASET.script, dataset="photographed")
    assert f"- {OWN.text}\n- {SENTENCE}" in [info.value.replace("\\", "") for info in page.info]


def test_a_dataset_whose_notes_are_strings_fails_its_check(photographed: type[Dataset], monkeypatch: pytest.MonkeyPatch) -> None:
    contract.check_notes_are_stored_as_they_are(photographed)
    monkeypatch.setattr(contract, "_loaded", lambda part: replace(part().load(0), notes=(OWN.text,)))
    with pytest.raises(AssertionError):
        contract.check_notes_are_stored_as_they_are(photographed)


def uploaded(home: Path, files: dict[str, bytes]) -> Upload:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    packed.seek(0)
    return keep(packed, "pets.zip", home, lambda share: None)


def test_what_an_archive_lacked_is_kept_as_facts_and_read_in_former_words(tmp_path: Path) -> None:
    upload = uploaded(tmp_path, {"cats/1.png": b"1", "cats/.hidden": b"2", **{f"{n}.doc": b"3" for n in range(9)}})
    others, hidden = upload.notes
    assert (others.kind, others.numbers, len(others.names)) == (NoteKind.OTHER_FILES_IN_ARCHIVE, (9,), 5)
    assert hidden == Note(NoteKind.HIDDEN_IN_ARCHIVE, (1,), ("cats/.hidden",))
    assert Upload.read(upload.folder).notes == upload.notes
    about = upload.folder / ABOUT
    about.write_text(json.dumps(json.loads(about.read_text()) | {"notes": list(sentences(upload.notes))}))
    former = Upload.read(upload.folder).notes
    assert {note.kind for note in former} == {NoteKind.OTHER}
    assert sentences(former) == sentences(upload.notes)


def test_an_error_tells_the_facts_in_the_same_words(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no images and no tables\. Hidden files in the archive: 1 left out \(\.a\)\."):
        uploaded(tmp_path, {".a": b"1"})
