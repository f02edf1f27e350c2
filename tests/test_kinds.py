"""Kinds of parts stand in one list: a new one is documented, and an option of the command line, by its line there."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.helpers import ROOT
from tl_core.recipe import Recipe
from tl_core.registry import KINDS, registries
from tl_core.spec import PART_KINDS, RunSpec

PACKAGE = '''"""Samplers."""

from tl_core.registry import Part, Registry

samplers: Registry[Part] = Registry("sampler", "tl_core.samplers")
'''
PART = '''"""A sampler."""

from typing import ClassVar
from tl_core.registry import Part
from tl_core.samplers import samplers


@samplers.register("by_margin")
class ByMargin(Part):
    """Take the examples that a model is least sure of."""

    title: ClassVar[str] = "By margin"
'''
LINES = {
    "registry.py": ('KINDS = {\n', 'KINDS = {\n    "sampler": "tl_core.samplers:samplers",\n'),
    "spec.py": ("    seed: int = Field", '    sampler: PartSpec = PartSpec(name="by_margin")\n    seed: int = Field'),
    "recipe.py": ("    executor: Executor\n", "    executor: Executor\n    sampler: Any\n"),
}  # fmt: skip
USED = """
from typer.testing import CliRunner
from tl_core.__main__ import app
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
print(CliRunner().invoke(app, ["parts"]).stdout)
print(CliRunner().invoke(app, ["train", "--sampler", "by_marginn"]).stderr)
from tl_core import testing
print([check.__name__ for check in testing.checks("sampler")][:2])
print(Recipe.of(RunSpec().with_settings({"sampler": "by_margin"})).sampler.title)
"""


def test_each_registry_is_of_its_kind() -> None:
    assert {kind: registry.kind for kind, registry in registries().items()} == {kind: kind for kind in KINDS}
    assert set(PART_KINDS) < set(KINDS)
    assert set(PART_KINDS) < set(Recipe.__dataclass_fields__) & set(RunSpec.model_fields)


def test_a_kind_of_part_is_added_by_its_line(tmp_path: Path) -> None:
    """Together with its two lines for what each run has: a field of the spec and one of the recipe."""
    shutil.copytree(ROOT / "tl_core", tmp_path / "tl_core", ignore=shutil.ignore_patterns("__pycache__"))
    for name, (before, after) in LINES.items():
        file = tmp_path / "tl_core" / name
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after, 1))
    (tmp_path / "tl_core" / "samplers").mkdir()
    (tmp_path / "tl_core" / "samplers" / "__init__.py").write_text(PACKAGE)
    (tmp_path / "tl_core" / "samplers" / "by_margin.py").write_text(PART)
    done = subprocess.run([sys.executable, "-c", USED], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "sampler by_margin  Take the examples that a model is least sure of." in done.stdout
    assert "There is no sampler of that name. Did you mean by_margin?" in done.stdout
    assert "['check_is_found_by_its_name', 'check_describes_itself']" in done.stdout
    assert done.stdout.endswith("By margin\n")
