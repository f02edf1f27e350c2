"""A ranking of networks: scores of their real features, of training examples alone."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.helpers import FEW_CROPS
from tests.tools.answering import answered
from tl_core.analysis.ranking import SAMPLES
from tl_core.backbones.efficientnet_lite0 import EfficientNetLite0
from tl_core.errors import SettingError
from tl_core.features.cache import cache_of
from tl_core.ranking.linear_probe import LinearProbeScore
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.studies import backbone_ranking
from tl_core.studies._frozen_backbone import FrozenBackbone
from tl_core.studies.backbone_ranking import BackboneRanking, BackboneRankingResult, candidates, halves

IMAGES = FEW_CROPS | {"image_size": 32, "dataset.labels_per_class": 3}


def ranked(study: BackboneRanking, home: Path, settings: Mapping[str, object]) -> BackboneRankingResult:
    """What it finds, in this process."""
    found = answered(study, home, Recipe.of(RunSpec().with_settings(settings)))
    assert not found.error
    assert found.finished
    return found


def nothing(event: object) -> None:
    return


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has the chosen network alone, whatever is installed."""
    monkeypatch.setattr(backbone_ranking, "candidates", lambda recipe: candidates(recipe)[:1])


def test_each_network_is_scored_by_what_it_makes_of_training_images(tmp_path: Path, alone: None) -> None:
    study = BackboneRanking(scores="linear_probe,nearest_neighbours,leep")
    found = ranked(study, tmp_path, IMAGES)
    recipe = Recipe.of(RunSpec().with_settings(IMAGES))
    data = recipe.dataset.load(0)
    train = data.train
    assert found.examples == len(train)
    assert (found.test_digest, found.data_digest) == (data.test.digest(), data.digest())
    assert found.share == 1
    first = found.candidates[0]
    assert (first.title, first.size, first.published) == (EfficientNetLite0.title, "32 px", 0.751)
    assert first.multiply_adds == EfficientNetLite0().load(32, pretrained=False).outline().multiply_adds
    features = np.asarray(FrozenBackbone(recipe, nothing, cache_of(tmp_path)).features(train), np.float64)
    assert first.scores["linear_probe"].value == LinearProbeScore().value(features, train.labels)
    assert set(first.scores) == {"linear_probe", "nearest_neighbours", "leep"}
    assert {len(scored.samples) for scored in first.scores.values()} == {SAMPLES}
    assert next(row["network"] for row in study.rows(found)) in {each.title for each in found.candidates}
    assert study.conclusion(found).startswith("Take ")
    assert [len(row) for row in found.similarities] == list(range(len(found.candidates)))
    assert next(row["cka_with_first"] for row in study.rows(found)) == 1
    floor = found.candidates[-1]
    assert (floor.random, floor.published) == (True, None)
    assert all(floor.scores[name].value < first.scores[name].value for name in floor.scores)
    assert set(floor.scores) == {"linear_probe", "nearest_neighbours"}
    again = ranked(study, tmp_path, IMAGES)
    assert again.candidates[-1].scores == floor.scores  # its weights are drawn once for all
    assert [each.per_second for each in again.candidates] == [None] * len(again.candidates)  # all of it was kept
    assert again.candidates[0].scores == first.scores


def test_words_that_are_counted_are_a_control(tmp_path: Path, alone: None) -> None:
    settings = {"dataset": "docstrings", "dataset.labels_per_class": 10, "backbone": "bag_of_words"}
    (control,) = ranked(BackboneRanking(), tmp_path, settings).candidates
    assert control.control
    assert 0.2 < control.scores["linear_probe"].value < 1  # of ten classes


def test_the_network_that_is_chosen_comes_first() -> None:
    recipe = Recipe.of(RunSpec())
    assert candidates(recipe)[0].backbone == recipe.backbone
    titles = [each.backbone.listing().title for each in candidates(recipe)]
    assert len(set(titles)) == len(titles)
    assert all(each.backbone.listing().here for each in candidates(recipe))


def test_half_of_each_class_is_in_each_half() -> None:
    labels = np.repeat([0, 1, 2], [10, 40, 1])
    for rows in halves(labels):
        counts = np.bincount(labels[rows], minlength=3)
        assert counts[0] == 5
        assert counts[1] == 20
        assert len(np.unique(rows)) == len(rows)
    assert len({tuple(rows) for rows in halves(labels)}) == SAMPLES


@pytest.mark.parametrize("scores", ["linear_prob", "logme,logme", ""])
def test_scores_that_cannot_be_are_refused(scores: str) -> None:
    with pytest.raises(SettingError):
        BackboneRanking(scores=scores)


def test_numbers_are_not_ranked() -> None:
    recipe = Recipe.of(RunSpec().with_settings({"task": "regression", "dataset": "csv_manifest", "dataset.path": "x.csv"}))
    with pytest.raises(SettingError, match="looks at classes"):
        BackboneRanking().require_suitable(recipe)
