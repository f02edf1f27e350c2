"""Fetching a weights file, whole or not at all."""

import hashlib
import http.client
import shutil
import tempfile
import urllib.request
from pathlib import Path

from tl_core.errors import WeightsError

SECONDS = 60
"""How long the server may keep silent."""


def download(url: str, file: Path, md5: str | None = None) -> Path:
    """Fetch `url` into `file` and return it. The file appears by renaming, complete and, where `md5` is given, checked.

    Raises `WeightsError` where the network, the server or the disk does not allow it.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".download-") as folder:
            part = Path(folder) / file.name
            _fetch(url, part)
            _check(url, part, md5)
            part.replace(file)
    except (OSError, http.client.HTTPException) as error:
        raise WeightsError(
            f"The weights could not be fetched ({error}).",
            f"Check the network, or fetch the file elsewhere and put it at {file}.",
            received=url,
        ) from None
    return file


def _fetch(url: str, part: Path) -> None:
    with urllib.request.urlopen(url, timeout=SECONDS) as answer, part.open("wb") as target:  # noqa: S310  # our own constant addresses
        shutil.copyfileobj(answer, target)
        announced = answer.headers.get("Content-Length")
    if announced is not None and part.stat().st_size != int(announced):
        raise ConnectionError(f"the connection ended after {part.stat().st_size} of {announced} bytes")


def _check(url: str, part: Path, md5: str | None) -> None:
    with part.open("rb") as stream:
        # Keras publishes md5 only. It guards against damage on the way, as https does against intent.
        digest = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if md5 is not None and digest != md5:
        raise WeightsError(
            "The fetched file is not the published one, since its md5 differs.",
            "Try again later.",
            received=f"{url} with md5 {digest}",
        )
