"""A run's spec survives JSON, dotted names and texts from a command line; what does not fit is told in a sentence."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tl_core.errors import SettingError
from tl_core.precision import Precision
from tl_core.recipe import Recipe
from tl_core.spec import PartSpec, RunSpec

values = st.one_of(st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False, allow_infinity=False))
parts = st.builds(
    lambda name, settings: PartSpec(name=name, **settings),
    st.text(min_size=1),
    st.dictionaries(
        st.from_regex(r"\A[a-z][a-z_]{0,8}\Z").filter(lambda key: key not in {"name", "settings"}), values, max_size=3
    ),
)
specs = st.builds(
    RunSpec,
    dataset=parts,
    backbone=parts,
    strategy=parts,
    image_size=st.integers(8, 1024),
    seed=st.integers(0, 2**31 - 1),
)


@given(specs)
def test_survives_json(spec: RunSpec) -> None:
    assert RunSpec.parse(json.loads(spec.model_dump_json())) == spec


@given(specs)
def test_dotted_names_say_everything(spec: RunSpec) -> None:
    names = {name: value for name, value in spec.dotted().items() if not str(value).startswith(("[", "{")) and value != "null"}
    assert RunSpec().with_settings(names).dotted() | spec.dotted() == spec.dotted()


FORMER = {"arithmetic": "mixed bfloat16", "seed": 3}


def test_a_setting_is_still_read_by_its_former_name() -> None:
    expected = RunSpec(precision=Precision.BFLOAT16, seed=3)
    assert RunSpec.parse(FORMER) == RunSpec.salvage(FORMER) == RunSpec().with_settings(FORMER) == expected
    assert RunSpec.model_validate_json(json.dumps(FORMER)) == expected
    assert "arithmetic" not in expected.model_dump()
    assert RunSpec().with_settings(FORMER | {"precision": "float32"}).precision is Precision.FLOAT32
    with pytest.raises(SettingError, match="precision"):
        RunSpec().with_settings({"arithmetic": "float33"})


def test_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        RunSpec().seed = 3  # type: ignore[misc]


def test_a_part_may_be_its_name_alone() -> None:
    assert RunSpec.parse({"dataset": "digits"}).dataset == PartSpec(name="digits")


@pytest.mark.parametrize("backwards", [False, True])
def test_a_new_part_takes_settings_given_beside_it(backwards: bool) -> None:
    given_settings = [("dataset", "digits"), ("dataset.labels_per_class", "7"), ("image_size", "32")]
    spec = RunSpec().with_settings(dict(given_settings[::-1] if backwards else given_settings))
    assert spec.dataset == PartSpec(name="digits", labels_per_class="7")
    assert Recipe.of(spec).dataset.labels_per_class == 7
    assert spec.image_size == 32


def test_a_new_part_forgets_the_settings_of_the_old_one() -> None:
    spec = RunSpec().with_settings({"dataset.labels_per_class": 3})
    assert spec.with_settings({"dataset": "digits"}).dataset == PartSpec(name="digits")
    assert spec.with_settings({"seed": 1}).dataset == spec.dataset


def test_null_is_no_value() -> None:
    assert RunSpec().with_settings({"strategy.epochs": "null"}).strategy.settings == {"epochs": None}


def test_a_folder_may_be_named_like_a_number() -> None:
    assert RunSpec().with_settings({"dataset.path": "10"}).dataset.settings == {"path": "10"}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"sed": 1},
            "There is no setting sed. Known settings here: dataset, backbone, strategy, executor, metric, task, image_size, s",
        ),
        ({"model.x": 1}, "There is no setting model.x."),
        ({"seed": "one"}, "The setting seed should be a valid integer"),
        ({"seed": -1}, "The setting seed should be greater than or equal to 0."),
        ({"image_size": 7}, "The setting image_size should be greater than or equal to 8."),
        ({"dataset": "null", "dataset.path": "x"}, "The setting dataset.name should be a valid string."),
        ({"dataset": "[1]"}, "The setting dataset "),
        ({"dataset.name": 5}, "The setting dataset.name should be a valid string."),
    ],
)
def test_what_does_not_fit_is_told(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError) as raised:
        RunSpec().with_settings(settings)
    assert str(raised.value).startswith(sentence)
    assert "\n" not in str(raised.value)
    assert "Received:" in str(raised.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{", "The run file cannot be read"),
        (b"\xff\xfe", "The run file cannot be read"),
        (b"[]", "A run file holds one JSON object."),
        (b'"digits"', "A run file holds one JSON object."),
        (b'{"colour": 1}', "There is no setting colour."),
        (b"[" * 200_000, "The run file cannot be read"),
    ],
    ids=lambda content: None if isinstance(content, bytes) else content[:20],
)
def test_a_run_file_that_is_none_is_told(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(SettingError, match=f"^{sentence}"):
        RunSpec.read(tmp_path / "run.json")


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_run_file_that_is_not_there_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingError, match=r"^The run file cannot be read.*Received: "):
        RunSpec.read(tmp_path / name)
