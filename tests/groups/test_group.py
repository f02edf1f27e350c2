"""A group is a file; what does not fit in one is told in a sentence."""

from pathlib import Path
from typing import Any

import pytest

from tl_core.errors import SettingError
from tl_core.groups.group import MOST_BYTES, MOST_RUNS, MOST_VALUES, Group, shown, values_in

GROUP = Group(
    name="Größer",
    base={"image_size": 64, "dataset.path": None},
    axes={"strategy": ("linear_probe", {"name": "lp_ft", "epochs": 3}), "strategy.learning_rate": (1e-5, 0.1), "seed": (0, 1)},
)


def test_a_file_gives_the_same_group(tmp_path: Path) -> None:
    file = tmp_path / "group.yaml"
    file.write_text(GROUP.to_yaml(), encoding="utf-8")
    assert Group.read(file) == GROUP
    assert list(Group.read(file).axes) == ["strategy", "strategy.learning_rate", "seed"]


def test_axes_are_called_as_in_forms() -> None:
    assert GROUP.titles == {"strategy": "Strategy", "strategy.learning_rate": "Learning rate", "seed": "Seed"}
    paths = {f"{kind}.path": ("a", "b") for kind in ("backbone", "dataset")}
    alike = Group(name="x", axes={"backbone": ("keras_file", 5), "dataset": ("gone", "numpy")} | paths).titles
    assert [alike[name] for name in paths] == ["backbone: File", "dataset: File"]
    assert Group(name="x", axes={"dataset.gone": (0, 1)}).titles == {"dataset.gone": "dataset.gone"}


def test_combinations_come_in_the_order_of_the_axes() -> None:
    found = list(GROUP.combinations())
    assert len(found) == 8
    assert [(shown(each["strategy"]), each["seed"]) for each in found[:2]] == [("linear_probe", 0), ("linear_probe", 1)]
    assert shown(found[-1]["strategy"]) == "lp_ft (epochs 3)"


def test_an_axis_grows_by_what_it_does_not_have() -> None:
    assert GROUP.extended("seed", [1, 2, 2]).axes["seed"] == (0, 1, 2)
    with pytest.raises(SettingError, match=r"no such axis.*Received: image_size"):
        GROUP.extended("image_size", [96])


def test_names_of_before_are_read() -> None:
    assert list(Group.parse({"name": "x", "axes": {"arithmetic": ["float32", "auto"]}}).axes) == ["precision"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1, 2.5,1e-4", [1, 2.5, 1e-4]), ("float32,null, last 2", ["float32", None, "last 2"]), (" , ", [])],
)
def test_values_in_a_line(text: str, expected: list[Any]) -> None:
    assert values_in(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a list", "holds a name, base and axes"),
        ("a: [", "This is no YAML file"),
        ("!!python/object/apply:os.system ['true']", "This is no YAML file"),
        ("version: 2\nname: x\naxes: {seed: [0, 1]}", "of another version than 1"),
        ("name: x", "The setting axes"),
        ("name: ' '\naxes: {seed: [0, 1]}", "The setting name"),
        ('name: "a\\u202eb"\naxes: {seed: [0, 1]}', "cannot be seen"),
        ("name: x\naxes: {}", "at least one axis"),
        ("name: x\naxes: {seed: [0, 0]}", "The axis seed has one value"),
        ("name: x\naxes: {seed: 3}", "The setting axes.seed"),
        ("name: x\naxes: {seed: [2020-01-01, 1]}", "The setting axes.seed.0"),
        ("name: x\naxes: {colour: [1, 2]}", "There is no setting of that name"),
        ("name: x\naxes: {seed.of: [1, 2]}", "There is no setting of that name"),
        ("name: x\nlimit: 3\naxes: {seed: [1, 2]}", "There is no setting limit"),
        (f"name: x\naxes: {{seed: {list(range(MOST_VALUES + 1))}}}", f"more than {MOST_VALUES} values"),
        (f"name: x\naxes: {{seed: {list(range(60))}, image_size: {list(range(32, 92))}}}", f"at most {MOST_RUNS} runs"),
        ("x" * (MOST_BYTES + 1), "at most a megabyte"),
    ],
)
def test_what_is_no_group_is_told(text: str, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        Group.from_yaml(text)


@pytest.mark.parametrize("given", ["0", 0, "-5m", "soon", "", "nan", "10 d", True, [1]])
def test_a_budget_that_is_no_time_is_told(given: object) -> None:
    with pytest.raises(SettingError, match=r"A time budget is a time above 0.*Received: "):
        Group.parse({"name": "x", "axes": {"seed": [0, 1]}, "budget": given})


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"cannot be read.*Received: .*none\.yaml"):
        Group.read(tmp_path / "none.yaml")
