"""An archive of images that somebody brought with a browser."""

import io
import tempfile
import zipfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from PIL import Image
from pydantic import Field

from tl_core.data.formats.uploads import Upload, keep
from tl_core.datasets import register
from tl_core.datasets._user_data import Given
from tl_core.datasets.image_folder import ClassFolders
from tl_core.errors import DataError, TransferError
from tl_core.system import settings
from tl_core.system.settings import ServerPath


@register("zip_upload")
class ZipUpload(ClassFolders):
    """Images of your own in an archive, zip or tar.gz, with one folder a class.

    It is unpacked once, after a check that nothing in it leads elsewhere or swells beyond measure, and stays with the
    dashboard's other data until it is removed. Above the class folders there may be train, validation and test.
    """

    title: ClassVar[str] = "Upload"
    listing_order: ClassVar[int] = 10
    second_class: ClassVar[str] = "Put one folder per class into the archive."

    upload: ServerPath | None = Field(
        None,
        title="Archive",
        description="An archive that was unpacked here, by its folder; python -m tl_core unpack brings one without a browser.",
        json_schema_extra={"widget": "upload"},
    )

    @classmethod
    def example(cls) -> Self:
        return cls(upload=_example().folder)

    def given(self) -> Given:
        if self.upload is None:
            raise DataError("No archive is chosen yet.", "Upload a zip or tar.gz with one folder of images a class.")
        upload = Upload.read(self.upload)
        found = self.in_class_folders(upload.content)
        return found._replace(notes=(*upload.notes, *found.notes))

    @property
    def own_name(self) -> str:
        with suppress(TransferError):  # it was removed, or lies where nobody may look
            if self.upload:
                settings.require_allowed(self.upload)
                return Upload.read(self.upload).title
        return f"{self.title}, removed" if self.upload else self.title

    def location(self) -> str:
        return f"the upload {Upload.read(self.upload).title}" if self.upload else "an archive yet to be uploaded"


@cache
def _example() -> Upload:
    """Make three classes with twelve small images of noise each, and unpack them as an upload."""
    written, rng = io.BytesIO(), np.random.default_rng(0)
    with zipfile.ZipFile(written, "w") as archive:
        for name in ("blue", "green", "red"):
            for number in range(12):
                image = io.BytesIO()
                Image.fromarray(rng.integers(0, 256, (20 + number, 24, 3), dtype=np.uint8)).save(image, "PNG")
                archive.writestr(f"{name}/{number:02}.png", image.getvalue())
    written.seek(0)
    return keep(written, "example.zip", Path(_home().name), lambda _: None)


@cache
def _home() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="transfer_lab_uploads_")
