"""Datasets held against those that runs have learned from: what is found of kept runs, what wins there, and what is said."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.helpers import write_images
from tests.tools.answering import answered
from tests.tools.ranked import TESTED, keep_trained
from tests.tools.toy import known
from tl_core.analysis.dataset_distances import frechet, mmd
from tl_core.analysis.ranking import SAMPLES, Scored
from tl_core.backbones._untrained import listing
from tl_core.data.examples import Modality
from tl_core.errors import RunError
from tl_core.features.cache import cache_of
from tl_core.metrics.accuracy import Accuracy
from tl_core.recipe import Recipe
from tl_core.result import Predictions
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.studies._datasets_seen import SeenDataset, Winner, datasets_known, harmed, verdict
from tl_core.studies._frozen_backbone import FrozenBackbone
from tl_core.studies.dataset_similarity import DatasetSimilarity, smallest
from tl_core.testing._toy import Known

STUDY = DatasetSimilarity(examples=40)
TOY = replace(listing("Toy", {}, 1), pretrained=True, here=True)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The smallest network on this machine."""
    monkeypatch.setattr(Known, "catalogue", classmethod(lambda cls: (TOY,)))
    with known() as name:
        yield name


def of_images(place: Path) -> Recipe:
    return Recipe.of(RunSpec().with_settings({"dataset": "image_folder", "dataset.path": str(place)}))


def test_the_nearest_is_the_one_that_the_network_sees_alike(home: Path, tmp_path: Path, network: str) -> None:
    own, alike, gone = (write_images(tmp_path / name, 2, 24, size) for name, size in (("own", 16), ("alike", 17), ("gone", 9)))
    keep_trained("a", 150, dataset="image_folder", dataset__path=str(alike))
    keep_trained("b", 170, dataset="image_folder", dataset__path=str(alike), dataset__labels_per_class=5, strategy="lp_ft")
    keep_trained("c", 190, dataset="digits")
    keep_trained("d", 199, dataset="image_folder", dataset__path=str(own))
    keep_trained("e", 199, dataset="image_folder", dataset__path=str(gone))
    shutil.rmtree(gone)
    recipe = of_images(own)
    found = answered(STUDY, home, recipe)
    assert (found.error, found.network, found.share, found.lost) == ("", "Toy", 1, ("gone",))
    rows = list(STUDY.rows(found))
    assert [(row["dataset"], row["runs"], row["strategy"], row["value"]) for row in rows] == [
        ("alike", 2, "Probe, then fine-tune", 170 / TESTED),
        ("Digits, 8 x 8", 1, "Linear probe", 190 / TESTED),
    ]
    assert STUDY.conclusion(found).startswith(
        "Most like alike, where EfficientNet-Lite0 with Probe, then fine-tune won (accuracy 85 %"
    )
    frozen = FrozenBackbone(replace(recipe, backbone=Known(), given_size=Known().fitting_size(1)), lambda _: None, cache_of(home))
    seen = [np.asarray(frozen.features(of_images(each).dataset.whole(0).train), np.float64) for each in (own, alike)]
    nearest = next(each for each in found.seen if each.title == "alike")
    assert (nearest.mmd, nearest.frechet) == (mmd(*seen), frechet(*seen))


def test_where_nothing_was_learned_from_other_data_that_is_said(home: Path, tmp_path: Path, network: str) -> None:
    own = write_images(tmp_path / "own", 2, 24, 16)
    keep_trained("d", 199, dataset="image_folder", dataset__path=str(own))
    keep_trained("e", 199, dataset="docstrings", backbone="bag_of_words")
    assert datasets_known(Store().runs(), of_images(own)) == []
    with pytest.raises(RunError, match=r"No finished run has learned from other images than these\. Train on other data first\."):
        STUDY.require_possible(of_images(own))


def test_the_smallest_network_is_asked_unless_somebody_has_brought_it(network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert smallest(Modality.IMAGES) == Known()
    monkeypatch.setattr(Known, "catalogue", classmethod(lambda cls: (replace(TOY, brought=True),)))
    other = smallest(Modality.IMAGES)
    assert other
    assert not other.is_control
    assert other.listing().parameters > 1


def test_where_transfer_is_behind_its_twin_from_scratch_it_has_harmed(home: Path) -> None:
    right = {"p": 120, "s": 180, "n": 178}
    keep_trained("p", right["p"])
    keep_trained("s", right["s"], strategy="from_scratch")
    keep_trained("n", right["n"], strategy="nearest_class_mean")

    def read(run_id: str) -> Predictions:
        labels, said = np.zeros(TESTED, np.int64), np.eye(2, dtype=np.float32)[(np.arange(TESTED) >= right[run_id]).astype(int)]
        return Predictions(labels, said, np.arange(TESTED), np.zeros((TESTED, 1, 1, 3), np.uint8), np.array(["a"] * TESTED))

    assert harmed(Store().runs(), read) == ("EfficientNet-Lite0 with Linear probe",)


def seen(title: str, mmd: float, *harmed: str) -> SeenDataset:
    """One whose discrepancy is known to about 0.1."""
    found = Scored(mmd, tuple(mmd + np.resize([-0.05, 0.05], SAMPLES)))
    return SeenDataset(title, 500, found, 9.0, 3, Winner("Lite0", "Probe", Accuracy().of_counts(170, 200)), harmed)


WON = "where Lite0 with Probe won (accuracy 85 % (79\N{EN DASH}89), 3 runs)"
SAID = {
    "nothing": ((), None, ""),
    "one alone": (
        (seen("A", 1.0),),
        None,
        f"The only other data that runs have learned from are A, {WON}; whether that is near, one cannot tell.",
    ),
    "clear": ((seen("B", 3.0, "X with Y"), seen("A", 1.0)), 2.0, f"Most like A, {WON}."),
    "far": (
        (seen("A", 3.0), seen("B", 5.0)),
        2.0,
        f"Most like A, {WON}. But each of them is farther from these data than any two of them are from each other: what won "
        "there says little here.",
    ),
    "harmed": (
        (seen("A", 1.0), seen("B", 1.0, "X with Y")),
        2.0,
        f"Most like A, {WON}. B cannot be told from it in that. On B transfer harmed (X with Y, against the same from scratch): "
        "hold a run here against one from scratch.",
    ),
}


@pytest.mark.parametrize(("found", "apart", "said"), SAID.values(), ids=SAID)
def test_what_is_said_of_it(found: tuple[SeenDataset, ...], apart: float | None, said: str) -> None:
    assert verdict(found, apart) == said
