"""Looking at data."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tl_core.checks.scan import examine
from tl_core.data.formats.archives import unpack
from tl_core.datasets.image_folder import ImageFolder
from tl_core.features.resizing import SizedImages
from tl_core.ui import previews


def decoded(folder: str) -> dict[str, Any]:
    """All images decoded and brought to 64 pixels, on all cores."""
    with _measured() as found:
        data = ImageFolder(path=Path(folder)).read(0)
        for images in data.splits.values():
            sized = SizedImages(images, 64)
            for part in np.split(np.arange(len(sized)), range(64, len(sized), 64)):
                sized.batch(part)
    return found


def previewed(folder: str) -> dict[str, Any]:
    """What the Dataset page shows first."""
    with _measured() as found:
        previews.preview(ImageFolder(path=Path(folder)), 0)
    return found


def examined(folder: str) -> dict[str, Any]:
    """The whole report."""
    with _measured() as found:
        examine(ImageFolder(path=Path(folder)).read(0), lambda done, images: None)
    return found


def unpacked(archive: str, folder: str) -> dict[str, Any]:
    """A zip unpacked."""
    with _measured() as found:
        unpack(Path(archive), Path(folder))
    return found


@contextmanager
def _measured() -> Iterator[dict[str, Any]]:
    """What the peak of memory rises by."""
    before, found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, dict[str, Any]()
    yield found
    found["above_idle_mb"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / 1e6
