"""Weights files: their digests, and fetching one, whole or not at all."""

import hashlib
import http.client
import shutil
import tempfile
import urllib.request
from pathlib import Path

from tl_core.errors import WeightsError

SHA256_LETTERS = 64
SECONDS = 60
"""How long the server may keep silent."""


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """Return the digest of a file in hexadecimal; md5 guards against damage alone."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()


def download(url: str, file: Path, expected: str | None = None) -> Path:
    """Fetch `url` into `file` and return it. The file appears by renaming, complete and, where its `expected` md5 or sha256 is
    given, checked.

    Raises `WeightsError` where the network, the server or the disk does not allow it.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".download-") as folder:
            part = Path(folder) / file.name
            _fetch(url, part)
            _check(url, part, expected)
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


def _check(url: str, part: Path, expected: str | None) -> None:
    if expected is None:
        return
    # Keras publishes md5 of most files. It guards against damage on the way, as https does against intent.
    name = "sha256" if len(expected) == SHA256_LETTERS else "md5"
    digest = file_digest(part, name)
    if digest != expected:
        raise WeightsError(
            f"The fetched file is not the published one, since its {name} differs.",
            "Try again later.",
            received=f"{url} with {name} {digest}",
        )
