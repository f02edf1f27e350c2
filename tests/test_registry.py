"""Parts are found without being listed anywhere, and a part that cannot be found is never passed over in silence."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers import CommandLine, python
from tl_core.errors import SettingError
from tl_core.registry import Part, Registry
from tl_core.spec import PartSpec
from tl_core.strategies import strategies

GOOD = '''
from typing import ClassVar
from pydantic import Field
from tl_core.registry import Part
from {package} import registry

@registry.register("good")
class Good(Part):
    """A good part."""
    title: ClassVar[str] = "Good"
    number: int = Field(3, ge=1, title="Number", description="A number.")
'''

EXTERNAL = '''
from typing import ClassVar
from tl_core.strategies import Phase, Strategy, nothing, register

@register("external")
class External(Strategy):
    """A strategy from another package."""
    title: ClassVar[str] = "External"
    when_to_use: ClassVar[str] = "In this test."

    def phases(self, backbone, blocks, train_images):
        yield Phase("head", 1, 1e-3, 8, trains=nothing)
'''

MakePackage = Callable[..., Registry[Part]]


@pytest.fixture
def make_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakePackage:
    """A package of parts with the given modules, and its registry."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(package: str, **modules: str) -> Registry[Part]:
        (tmp_path / package).mkdir()
        head = f"from tl_core.registry import Registry\nregistry = Registry('toy', '{package}')\n"
        (tmp_path / package / "__init__.py").write_text(head)
        for name, code in modules.items():
            (tmp_path / package / f"{name}.py").write_text(code.format(package=package))
        return __import__(package).registry

    return make


def test_a_module_is_found_without_being_named(make_package: MakePackage) -> None:
    registry = make_package("toy_found", any_name=GOOD)
    assert list(registry.parts()) == ["good"]
    assert registry.build(PartSpec(name="good")).model_dump() == {"number": 3}


@pytest.mark.parametrize("code", ["raise RuntimeError('broken')", "import no_such_module", "def ("])
def test_a_broken_module_is_an_error_each_time(make_package: MakePackage, code: str) -> None:
    registry = make_package(f"toy_broken{abs(hash(code))}", a_good=GOOD, b_broken=code)
    for _ in range(2):
        with pytest.raises((RuntimeError, ImportError, SyntaxError)):
            registry.parts()


def test_two_parts_of_one_name_are_an_error(make_package: MakePackage) -> None:
    registry = make_package("toy_twice", first=GOOD, second=GOOD)
    with pytest.raises(ValueError, match="Two toy parts are named 'good'"):
        registry.parts()


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"name": "goood"}, "There is no toy of that name. Did you mean good? Known: good. Received: goood"),
        ({"name": "x"}, "There is no toy of that name. Known: good. Received: x"),
        ({"name": "good", "size": 1}, "There is no setting toy.size. Known settings here: number. Received: toy.size=1"),
        ({"name": "good", "number": 0}, "The setting toy.number should be greater than or equal to 1."),
        ({"name": "good", "number": "x"}, "The setting toy.number should be a valid integer"),
    ],
)
def test_mistakes_are_told_with_the_next_step(make_package: MakePackage, spec: dict[str, object], sentence: str) -> None:
    registry = make_package(f"toy_mistakes{abs(hash(sentence))}", module=GOOD)
    with pytest.raises(SettingError) as raised:
        registry.build(PartSpec.model_validate(spec))
    assert str(raised.value).startswith(sentence)


def install(folder: Path, code: str) -> None:
    """A distribution with one module, which it offers as a part."""
    (folder / "an_external.py").write_text(code)
    information = folder / "an_external-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: an-external\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[transfer_lab.parts]\nany = an_external\n")


def test_another_distribution_adds_a_part(tmp_path: Path, home: Path) -> None:
    install(tmp_path, EXTERNAL)
    listed = CommandLine(home).run("parts", PYTHONPATH=str(tmp_path))
    assert "strategy external  A strategy from another package." in listed.out
    assert "external" not in strategies.parts()


def test_a_broken_part_of_another_distribution_is_an_error(tmp_path: Path) -> None:
    install(tmp_path, "raise RuntimeError('this distribution is broken')")
    listed = python("from tl_core.strategies import strategies; strategies.parts()", PYTHONPATH=str(tmp_path))
    assert listed.code == 1
    assert "this distribution is broken" in listed.err
