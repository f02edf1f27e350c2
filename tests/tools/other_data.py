"""Images of the default data as somebody else's photographs: a folder of some of their classes, darker."""

from pathlib import Path

import numpy as np
from PIL import Image

from tl_core.datasets.photo_patches import PhotoPatches


def darker_patches(folder: Path, classes: int = 3, each: int = 4) -> Path:
    """Test images of the first classes at half their brightness, with one folder a class."""
    data = PhotoPatches(test_per_class=each).load(0)
    for label, name in enumerate(data.class_names[:classes]):
        (folder / name).mkdir(parents=True)
        for index in np.flatnonzero(data.test.labels == label):
            Image.fromarray(data.test.read(index) // 2).save(folder / name / f"{index}.png")
    return folder
