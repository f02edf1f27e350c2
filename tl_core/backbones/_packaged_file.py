"""Weights that come with a Python package: found without importing it, and read only where they are the published ones."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from tl_core.errors import WeightsError
from tl_core.networks.download import WeightsFile, file_digest


def file_of(package: str, name: str) -> Path | None:
    """Return a file of an installed package, which is not imported; None where there is none."""
    spec = importlib.util.find_spec(package)
    folders = (spec.submodule_search_locations or []) if spec else []
    return next((file for folder in folders if (file := Path(folder) / name).is_file()), None)


@dataclass(frozen=True)
class PackagedFile:
    """The file `name` of `package` (as Python imports it), which holds the weights of `network` (as people call it).

    `install` is the line that brings the package, and `sha256` the digest of the published file.
    """

    network: str
    package: str
    name: str
    install: str
    sha256: str

    def find(self) -> Path | None:
        """Return where it is; None where the package, or the file in it, is missing."""
        return file_of(self.package, self.name)

    @property
    def published(self) -> WeightsFile | None:
        """Return the file as it is listed; None where the package is missing."""
        file = self.find()
        return WeightsFile(file, self.sha256) if file else None

    def require(self) -> Path:
        """Return where it is. Raises `WeightsError` where it is missing."""
        file = self.find()
        if file is None:
            raise WeightsError(
                f"The weights of {self.network} are not on this machine, since their package is not installed.",
                f"Run: {self.install}",
            )
        return file

    def verified(self) -> Path:
        """Return where it is, its digest being the published one, so that no other file is ever read. Raises `WeightsError`."""
        file = self.require()
        digest = file_digest(file)
        if digest != self.sha256:
            raise WeightsError(
                f"The weights file of {self.network} is not the published one, since its sha256 differs.",
                f"Run: {self.install} --force-reinstall",
                received=f"{file} with sha256 {digest}",
            )
        return file
