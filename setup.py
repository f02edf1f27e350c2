"""What pyproject.toml cannot say: the dashboard's files go into the package, and its requirements are those of a file."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

DASHBOARD = ("app.py", "pages/**/*.py", ".streamlit/config.toml")
"""What Streamlit runs. In a wheel it lies in `tl_core/dashboard` (`tl_core/system/dashboard.py` finds it)."""


class BuildWithDashboard(build_py):
    """Copy the dashboard's files beside the package's own."""

    def run(self) -> None:
        """Build the package and then put the dashboard into it, unless it is an editable install, which uses these very files."""
        super().run()
        for file in () if self.editable_mode else dashboard_files():
            target = Path(self.build_lib, "tl_core", "dashboard", file)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)

    def get_source_files(self) -> list[str]:
        """Return what a source distribution needs."""
        return [*super().get_source_files(), *map(str, dashboard_files()), *map(str, Path().glob("requirements*.txt"))]


def dashboard_files() -> list[Path]:
    """Return the dashboard's files, relative to this folder."""
    return sorted(file for pattern in DASHBOARD for file in Path().glob(pattern))


def requirements() -> list[str]:
    """Return the lines of requirements.txt that name a library. What it includes (`-r`) is for the tests alone."""
    lines = Path("requirements.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-"))]


setup(cmdclass={"build_py": BuildWithDashboard}, install_requires=requirements())
