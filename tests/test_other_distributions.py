"""A part of another distribution, as CONTRIBUTING.md shows it: installed from a folder it is found, and passes the checks."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.helpers import HANGS_SECONDS, ROOT
from tests.tools.environment import Environment, run
from tl_core import testing

FILES = {"top_blocks.py": "class TopBlocks", "pyproject.toml": "[project]", "test_top_blocks.py": "import pytest"}
"""The files of the distribution, each with what tells its block in CONTRIBUTING.md."""
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_top_blocks.py")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder."""
    folder = tmp_path_factory.mktemp("top_blocks")
    blocks = re.findall(r"^```(?:python|toml)\n(.*?)^```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.M | re.S)
    for name, sign in (
        ("top_blocks.py", "class TopBlocks"),
        ("pyproject.toml", "[project]"),
        ("test_top_blocks.py", "import pytest"),
    ):
        (text,) = (block for block in blocks if sign in block)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def environment(project: Path) -> Environment:
    made = Environment.make(project / "environment", ROOT)
    made.install(project)
    (project / "top_blocks.py").rename(project / "source.py")  # what is tested is what is installed
    return made


@pytest.mark.process
def test_it_is_found(environment: Environment, project: Path) -> None:
    assert "strategy top_blocks  Train the head and the top blocks together" in run(
        [environment.program("python"), "-m", "tl_core", "parts"], project
    )


@pytest.mark.process
def test_it_passes_the_checks_of_its_kind(environment: Environment, project: Path) -> None:
    said = run([environment.program("python"), *PYTEST], project)
    assert f"{len(testing.checks('strategy'))} passed" in said


@pytest.mark.process
def test_a_mistake_in_it_is_found(environment: Environment, project: Path) -> None:
    """And pytest tells what was compared."""
    module = environment.packages / "top_blocks.py"
    right = module.read_text(encoding="utf-8")
    module.write_text(right.replace("quicker than two phases.", "quicker than two phases"), encoding="utf-8")
    command = [environment.program("python"), *PYTEST, "-k", "when_to_use or phases_fit"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=HANGS_SECONDS, check=False)
    module.write_text(right, encoding="utf-8")
    assert "1 failed, 1 passed" in done.stdout
    assert "where False = <built-in method endswith" in done.stdout
