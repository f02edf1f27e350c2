"""What is said of a dataset stays with the run that learned from it."""

from pathlib import Path

from tests.checks.test_brightness import folder_of, noise
from tests.helpers import QUICK
from tl_core.notes import NoteKind
from tl_core.training.train import train


def test_a_run_keeps_the_note_that_its_images_are_nearly_black(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "tif", noise(0, 1 << 12, "uint16"))
    spec = QUICK.with_settings({"dataset": "image_folder", "dataset.path": str(folder)})
    assert NoteKind.NEARLY_BLACK in {note.kind for note in train(spec, lambda event: None).result.notes}
