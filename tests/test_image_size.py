"""The image size follows the images and the network until somebody sets it, and is written out when a run starts."""

import io
from pathlib import Path

import pytest
from PIL import Image

from tests.helpers import CommandLine, write_images
from tl_core.datasets.keras_builtin import KerasBuiltin
from tl_core.errors import DataError
from tl_core.recipe import Recipe
from tl_core.runner import control, service
from tl_core.runs.store import Store
from tl_core.spec import RunSpec


def recipe(**settings: object) -> Recipe:
    return Recipe.of(RunSpec().with_settings({name.replace("__", "."): value for name, value in settings.items()}))


def photographs(folder: Path, width: int = 640, height: int = 500) -> Path:
    """Headers of large photographs, and nothing of their pixels: whoever decodes one fails."""
    for name in ("rose", "tulip"):
        (folder / name).mkdir(parents=True)
        for number in range(4):
            written = io.BytesIO()
            Image.effect_noise((width + number, height), 80).save(written, "JPEG")
            (folder / name / f"{number}.jpg").write_bytes(written.getvalue()[:2000])
    return folder


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        ({}, 96),  # crops of 56 to 99 pixels
        ({"dataset": "digits"}, 96),
        ({"dataset": "keras_builtin"}, 96),  # which is not here
        ({"dataset": "keras_builtin", "backbone": "article_mlp"}, 28),
        ({"backbone": "keras_applications"}, 96),
        ({"dataset": "digits", "backbone": "small_cnn"}, 16),
        ({"dataset": "image_folder"}, 224),  # nobody knows yet
        ({"dataset": "image_folder", "backbone": "small_cnn"}, 96),
        ({"dataset": "csv_text"}, 224),
        ({"image_size": 64}, 64),
    ],
)
def test_what_is_chosen(settings: dict[str, object], size: int) -> None:
    assert recipe(**settings).input_size == size


@pytest.mark.parametrize(("height", "size"), [(500, 224), (225, 224), (200, 224), (190, 192), (128, 128), (97, 128), (60, 96)])
def test_a_folder_of_photographs(tmp_path: Path, height: int, size: int) -> None:
    folder = photographs(tmp_path / "data", height=height)
    (folder / "rose" / "broken.jpg").write_bytes(b"no image")
    assert recipe(dataset="image_folder", dataset__path=str(folder)).input_size == size


def test_only_headers_of_some_images_are_read(tmp_path: Path) -> None:
    """No file is hashed for its split, either: that may take minutes, and a page would wait for it without a word."""
    made = recipe(dataset="image_folder", dataset__path=str(photographs(tmp_path / "data")))
    with pytest.raises(DataError):
        made.dataset.read(0).train.picture(0)
    assert made.typical_size == 500
    assert made.dataset.some_examples().__dict__.get("ids") is None
    assert KerasBuiltin().typical_size() == 28


def test_a_spec_is_written_out_and_a_draft_goes_on_following() -> None:
    made = recipe()
    assert made.spec().image_size == 96
    assert made.draft().image_size is None
    assert "image_size" not in made.overrides()
    assert recipe(image_size=96).overrides() == {"image_size": 96}
    assert recipe(image_size="null").given_size is None


def test_a_run_is_stored_with_its_number(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "ensure", lambda home: None)  # nobody does it
    folder = write_images(tmp_path / "data", size=300)
    store = Store()
    run_id = control.start(store, RunSpec().with_settings({"dataset": "image_folder", "dataset.path": str(folder)}))
    assert store.run(run_id).spec.image_size == 224
    assert RunSpec.read(store.folder(run_id) / "spec.json").image_size == 224
    done = CommandLine(home).call("train", "--no-wait", "--like", run_id, "--set", "dataset=digits", "--set", "image_size=null")
    assert store.run(done.out.strip()).spec.image_size == 96
