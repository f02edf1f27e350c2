"""Fresh environments of the Python that runs the tests, with its libraries: nothing is downloaded."""

import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.helpers import HANGS_SECONDS


@dataclass(frozen=True)
class Environment:
    """A virtual environment in `folder`."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, *others: Path) -> "Environment":
        """A new one, which finds the libraries of the one that runs the tests, and what is in the folders `others`."""
        run([sys.executable, "-m", "venv", "--without-pip", str(folder)], folder.parent)
        made = cls(folder)
        lines = map(str, (*others, sysconfig.get_path("purelib")))
        (made.packages / "libraries.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return made

    @property
    def packages(self) -> Path:
        """Where its own packages lie."""
        (found,) = self.folder.glob("lib/python*/site-packages")
        return found

    def program(self, name: str) -> str:
        """The path of one of its programs."""
        return str(self.folder / "bin" / name)

    def install(self, source: Path) -> None:
        """Install a distribution by pip, from its folder or archive, without what it needs."""
        offline = ["--no-deps", "--no-build-isolation", "--no-index"]
        run([sys.executable, "-m", "pip", "--python", self.program("python"), "install", *offline, str(source)], self.folder)


def run(command: Sequence[str], folder: Path) -> str:
    """What the command prints, in `folder`; it must not fail."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=HANGS_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
