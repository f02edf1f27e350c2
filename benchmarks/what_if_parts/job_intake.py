"""Looking at data."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tl_core.checks.scan import examine
from tl_core.data.formats.archives import unpack
from tl_core.data.resizing import SquarePixels
from tl_core.datasets.image_folder import ImageFolder
from tl_core.features.inputs import EncodedInputs
from tl_core.ui import previews


def decoded(folder: str) -> dict[str, Any]:
    """Decode all images and bring them to 64 pixels, on all cores."""
    with _measured() as found:
        data = ImageFolder(path=Path(folder)).read(0)
        for images in data.splits.values():
            sized = EncodedInputs(images, SquarePixels(64))
            for part in np.split(np.arange(len(sized)), range(64, len(sized), 64)):
                sized.batch(part)
    return found


def previewed(folder: str) -> dict[str, Any]:
    """Compute what the Dataset page shows first."""
    with _measured() as found:
        previews.preview(ImageFolder(path=Path(folder)), 0)
    return found


def examined(folder: str) -> dict[str, Any]:
    """Compute the whole report."""
    with _measured() as found:
        examine(ImageFolder(path=Path(folder)).read(0), lambda done, images: None)
    return found


def unpacked(archive: str, folder: str) -> dict[str, Any]:
    """Unpack a zip."""
    with _measured() as found:
        unpack(Path(archive), Path(folder))
    return found


@contextmanager
def _measured() -> Iterator[dict[str, Any]]:
    """Yield a dict that holds in the end what the peak of memory rises by, in megabytes."""
    before, found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, dict[str, Any]()
    yield found
    found["above_idle_mb"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / 1e6
