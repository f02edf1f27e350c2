"""Quantised exports are held to the accuracy of the run, and measure ranges on training examples alone."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.exports.odd import GOOD, Wrong, checked
from tests.helpers import keep_outcome
from tl_core.errors import SettingError
from tl_core.exports import Contents, formats
from tl_core.recipe import Recipe
from tl_core.runs import exported
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.studies.export_check import ExportCheck


@pytest.mark.parametrize(
    ("found", "is_good"),
    [
        ({}, False),  # in float32 a probability may not differ by that
        ({"disagreements": (3, 1)}, True),
        ({"disagreements": (20, 8)}, False),
        ({"disagreements": (0, 0), "examples": 200}, False),  # too few to tell
        ({"disagreements": (0, 0), "largest_difference": float("nan")}, False),
    ],
)
def test_a_quantised_export_is_good_where_it_is_as_accurate(found: dict[str, Any], is_good: bool) -> None:
    assert GOOD.model_copy(update={"examples": 800, "largest_difference": 0.2} | found).is_good == is_good


class Constant(Wrong):
    """The same class for everything, in 8 bits."""

    quantised: ClassVar[bool] = True
    seen: ClassVar[list[NDArray[Any]]] = []

    def write(self, contents: Contents, place: Path) -> None:
        self.seen[:] = [contents.examples]
        super().write(contents, place)


@pytest.fixture
def constant(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of that format."""
    monkeypatch.setattr(Constant, "name", "constant", raising=False)
    monkeypatch.setitem(formats._parts, Constant.name, Constant)
    return Constant.name


def test_it_measures_ranges_on_training_examples_and_is_refused_where_it_loses(
    constant: str, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exported, "MARGIN", 0.2)  # else it takes 268 test images
    found = checked(run, constant)
    recipe = Recipe.of(Store().run(run).spec)
    train = recipe.dataset.load(recipe.seed).train
    np.testing.assert_array_equal(Constant.seen[0], recipe.preprocessor().encode(train, np.arange(len(train))))
    parity = found.parity
    assert parity
    assert parity.correct == 6  # six images of each class, of which it knows one
    assert parity.own_correct is not None
    assert parity.disagreements
    lost, won = parity.disagreements
    assert parity.own_correct - lost + won == parity.correct
    said = ExportCheck(format=constant).conclusion(found)
    assert said.startswith("Wrong may be less accurate than the run: on 18 test images it may have lost up to ")
    assert said.endswith(" points; at most 20 points may be lost. So it is not offered.")
    assert [file.name for file in exported.place(Store().folder(run), constant).iterdir()] == [exported.PARITY]


def test_what_cannot_show_what_it_costs_is_said_before_anything_starts(
    run: str, trained: tuple[RunSpec, Path], constant: str
) -> None:
    with pytest.raises(
        SettingError, match=r"may cost 1 point of accuracy, .* takes 268 test examples .* Received: 18 test examples"
    ):
        ExportCheck(run_id=run, format=constant).require_possible(Recipe.of(RunSpec()))
    keep_outcome(Store(), "b", trained[0].with_settings({"task": "regression"}), trained[1])
    with pytest.raises(SettingError, match="is held to the accuracy of the run, and here labels are "):
        ExportCheck(run_id="b", format=constant).require_possible(Recipe.of(RunSpec()))
