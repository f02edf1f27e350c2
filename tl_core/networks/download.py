"""Files of weights: the published ones with their digests, and fetching one, whole or not at all."""

import errno
import fcntl
import hashlib
import http.client
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from tl_core.errors import WeightsError

SHA256_LETTERS = 64
SECONDS = 60
"""How long the server may keep silent."""
CHUNK = 2**20
"""Bytes that are read at once."""
Tell = Callable[[int, int | None], None]
"""Is told how many bytes have come, of how many; None where the server does not say."""


@dataclass(frozen=True)
class WeightsFile:
    """A published file: its `place` on this machine, whether it is there or not, its md5 or sha256, None where none is published,
    and where it is fetched from, None where a package brings it."""

    place: Path
    digest: str | None
    url: str | None = None

    @property
    def algorithm(self) -> str:
        """Return what its digest is. Keras publishes md5 of most files; it guards against damage on the way, as https does
        against intent."""
        return "sha256" if len(self.digest or "") == SHA256_LETTERS else "md5"

    def is_copy(self, file: Path) -> bool:
        """Return whether `file` is the published one, or no digest is published that could tell."""
        return self.digest is None or file_digest(file, self.algorithm) == self.digest


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """Return the digest of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()


def known_digest(path: Path) -> str:
    """Return the sha256 of a file, read again only where the file has changed; an empty text where it is not there."""
    try:
        now = path.stat()
    except OSError:
        return ""
    return _digest(path, now.st_mtime_ns, now.st_size)


@lru_cache(maxsize=256)  # lists of runs and of networks ask for each again and again
def _digest(path: Path, changed: int, size: int) -> str:
    return file_digest(path)


def download(url: str, file: Path, expected: str | None = None, tell: Tell = lambda done, total: None) -> Path:
    """Fetch `url` into `file` and return it. The file appears by renaming, complete and, where its `expected` md5 or sha256 is
    given, checked. Then, too, what has come before the connection ended is kept, and the next call fetches the rest.

    Raises `WeightsError` where the network, the server or the disk does not allow it, and whatever `tell` raises.
    """
    part = file.with_name(f".download-{file.name}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as target:
            fcntl.flock(target, fcntl.LOCK_EX)
            if not file.is_file():  # else another process has fetched it meanwhile
                _fetch(url, target, tell, resumes=expected is not None)
                _check(url, part, WeightsFile(file, expected))
                part.replace(file)
    except (OSError, http.client.HTTPException) as error:
        raise WeightsError(
            f"The weights could not be fetched ({error}).",
            f"Check the network, or fetch the file elsewhere and put it at {file}.",
            received=url,
        ) from None
    finally:
        _tidy(part, file, keeps=expected is not None)
    return file


def _fetch(url: str, target: BinaryIO, tell: Tell, *, resumes: bool) -> None:
    """Append to `target` what it lacks of `url`; all of it where the server gives no parts."""
    had = os.fstat(target.fileno()).st_size if resumes else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={had}-"} if had else {})  # noqa: S310  # our own constant addresses
    try:
        answer = urllib.request.urlopen(request, timeout=SECONDS)  # noqa: S310
    except urllib.error.HTTPError as error:
        if not had or error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        _fetch(url, target, tell, resumes=False)
        return
    with answer:
        if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
            had = 0
            target.truncate(0)
        length = answer.headers.get("Content-Length")
        total = None if length is None else had + int(length)
        if length is not None and int(length) > (free := shutil.disk_usage(target.name).free):
            raise OSError(errno.ENOSPC, f"{length} bytes are to come, and {free} are free", target.name)
        while chunk := answer.read(CHUNK):
            target.write(chunk)
            had += len(chunk)
            tell(had, total)
        target.flush()
    if total is not None and had != total:
        raise ConnectionError(f"the connection ended after {had} of {total} bytes")


def _check(url: str, part: Path, published: WeightsFile) -> None:
    if not published.is_copy(part):
        digest = file_digest(part, published.algorithm)
        part.unlink()
        raise WeightsError(
            f"The fetched file is not the published one, since its {published.algorithm} differs.",
            "Try again later.",
            received=f"{url} with {published.algorithm} {digest}",
        )


def _tidy(part: Path, file: Path, *, keeps: bool) -> None:
    """Remove the part of a file unless the next call can go on from it."""
    if part.is_file() and (file.is_file() or not keeps or not part.stat().st_size):
        part.unlink(missing_ok=True)
