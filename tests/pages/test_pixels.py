"""The Dataset page tells what is unusual about the pixels of a dataset, before anybody examines it."""

from pathlib import Path

import numpy as np

from tests.checks.test_brightness import folder_of, noise
from tests.data.test_exif import SOFTWARE, block, filled, jpeg
from tests.data.test_transparency import ON_WHITE
from tests.helpers import write_images
from tests.tools.pages import errors, opened
from tl_core.ui import steps


def told(**query: str) -> str:
    """What the page says of a dataset."""
    app = opened(steps.DATASET.script, image_size="32", **query)
    assert not errors(app)
    return " ".join(info.value for info in app.info).replace("\\", "")


def test_images_of_12_bits_and_pixels_of_zeros_and_ones_are_told(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "deep", "tif", noise(0, 1 << 12, "uint16"))
    assert "images are nearly black" in told(dataset="image_folder", **{"dataset.path": str(folder)})
    np.savez(tmp_path / "masks.npz", x=noise(0, 2, "uint8"), y=np.arange(24) % 2)
    notes = told(dataset="numpy", **{"dataset.path": str(tmp_path / "masks.npz")})
    assert "The pixels in x are uint8 from 0 to 1, brought to 0 to 255" in notes
    assert "nearly black" not in notes


def test_a_page_shows_a_folder_with_unusual_and_transparent_images(tmp_path: Path) -> None:
    folder = write_images(tmp_path, classes=2)
    (folder / "class0" / "camera.jpg").write_bytes(jpeg(block(filled(SOFTWARE, 5, 1, b"\7\0\0\0\3\0\0\0"))))
    for number in range(6):
        (folder / "class1" / f"clear{number}.png").write_bytes(ON_WHITE["PNG"] + bytes(number))
    assert "Transparent images are laid on white" in told(dataset="image_folder", **{"dataset.path": str(folder)})
