"""What-ifs: many answers after one pass, each the one that a run would give."""

from pathlib import Path
from unittest.mock import Mock, patch

import numpy as np
import pytest

from tests.helpers import FEW_CROPS, processes_of, wait_until
from tl_core.analysis.what_if import Answer, Question
from tl_core.data import resizing
from tl_core.datasets.digits import Digits
from tl_core.errors import SettingError
from tl_core.features import engines
from tl_core.features.cache import ActivationCache
from tl_core.metrics.accuracy import Accuracy
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.studies import COMMAND
from tl_core.studies._linear_probes import answers
from tl_core.studies.what_if import WhatIf, WhatIfResult
from tl_core.training.evaluation import HARDEST
from tl_core.training.train import train

SPEC = RunSpec().with_settings(FEW_CROPS | {"image_size": 32})
STUDY = WhatIf(labels="1,2,3", strengths="chosen,1,100", seeds=2)
QUESTION = Question((1, 2, 3), (None, 1.0, 100.0), 2)


def ended(home: Path, recipe: Recipe) -> WhatIfResult:
    def finished() -> WhatIfResult | None:
        found = STUDY.read(home, recipe)
        return found if found and found.finished else None

    return wait_until(finished)


def nothing(event: object) -> None:
    return


def test_a_question_says_what_is_drawn() -> None:
    question = Question((2, None, 5), (1.0,), 3)
    assert question.draws == [(None, 0), (5, 0), (5, 1), (5, 2), (2, 0), (2, 1), (2, 2)]
    assert question.answers == 7


def test_an_answer_is_what_a_run_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ActivationCache(tmp_path, 10**9)
    found = list(answers(SPEC, QUESTION, nothing, cache))
    assert STUDY.question == QUESTION
    assert len(found) == QUESTION.answers == 18
    assert {answer.train_images for answer in found} == {16, 32, 48}
    fitted = Mock(wraps=resizing.center_crop_resize)  # the real one, counted
    monkeypatch.setattr(resizing, "center_crop_resize", fitted)
    monkeypatch.setattr(engines, "choose", None)
    for strength in (None, 100.0):
        spec = SPEC.with_settings({"seed": 1, "strategy.strength": strength or "null"})
        run = train(spec, nothing, cache=cache).result
        (answer,) = [each for each in found if (each.labels, each.strength, each.seed) == (2, strength, 1)]
        assert run.test_correct is not None
        without = Accuracy().of_counts(run.test_correct, run.test_images).model_copy(update={"low": None, "high": None})
        assert answer == Answer(2, strength, 1, run.train_images, without)
        assert fitted.call_count <= HARDEST  # the network ran on none, and only those that are shown are looked at again
        fitted.reset_mock()
        train(spec, nothing, cache=cache)
        assert fitted.call_count == 0


@pytest.mark.parametrize(
    ("settings", "name", "place"),
    [
        ({"task": "multi_label"}, "mean_average_precision", 0),
        ({"task": "multi_label", "metric": "micro_f1"}, "micro_f1", 3),
        ({"task": "regression", "dataset.label_column": "number"}, "mae", 0),
        ({"task": "regression", "dataset.label_column": "number", "metric": "r2"}, "r2", 3),
    ],
    ids=["labels", "F1 chooses", "numbers", "R2 chooses"],
)
def test_labels_and_numbers_have_the_value_and_the_interval_of_a_run(
    settings: dict[str, str], name: str, place: int, texts: Path, tmp_path: Path
) -> None:
    cache, bag = ActivationCache(tmp_path, 10**9), {"backbone": "bag_of_words", "backbone.words": "12"}
    spec = RunSpec().with_settings({"dataset": "csv_text", "dataset.path": str(texts)} | bag | settings)
    found = list(answers(spec, Question((24, None), (None, 10.0), 1), nothing, cache))
    assert [(each.labels, each.strength) for each in found] == [(None, 10.0), (None, None), (24, 10.0), (24, None)]
    answer = found[place]
    asked = {"strategy.strength": answer.strength or "null", "dataset.labels_per_class": answer.labels or "null"}
    run = train(spec.with_settings(asked), nothing, cache=cache).result
    held = next(each for each in run.metrics if each.name == name)
    assert answer.train_images == run.train_images
    assert (answer.found.name, answer.found.n, answer.found.better) == (held.name, held.n, held.better)
    assert held.low is not None
    assert (answer.found.value, answer.found.low, answer.found.high) == pytest.approx((held.value, held.low, held.high), rel=1e-4)


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts of twelve words, the number of some, and labels that some of them tell, mostly."""
    rng, rows, names = np.random.default_rng(0), ["text,number,labels"], ("word3", "word4", "word5")
    for number in range(160):
        words = [f"word{rng.integers(12)}" for _ in range(6)]
        labels = "|".join(name for name in names if (name in words) == (rng.random() < 0.8))
        rows.append(f"{' '.join(words)} n{number},{words.count('word1') + rng.random():.2f},{labels}")
    file = tmp_path_factory.mktemp("texts") / "texts.csv"
    file.write_text("\n".join(rows))
    return file


def test_another_metric_than_the_usual_one_is_another_question(home: Path) -> None:
    files = {
        STUDY.file(home, Recipe.of(SPEC.with_settings(more))) for more in ({}, {"metric": "accuracy"}, {"metric": "macro_f1"})
    }
    assert len(files) == 2


def test_the_dataset_is_read_once(tmp_path: Path) -> None:
    spec = SPEC.with_settings({"dataset": "digits"})
    with patch.object(Digits, "read", autospec=True, side_effect=Digits.read) as read:
        found = list(answers(spec, QUESTION, nothing, ActivationCache(tmp_path, 10**9)))
    assert {answer.train_images for answer in found} == {10, 20, 30}
    assert read.call_count == 1


def test_points_have_intervals() -> None:
    of_counts = Accuracy().of_counts
    answers = [Answer(5, None, seed, 50, of_counts(correct, 100)) for seed, correct in enumerate((80, 90, 85))]
    answers += [Answer(None, None, 0, 500, of_counts(95, 100)), Answer(5, 1.0, 0, 50, of_counts(70, 100))]
    few, plain, every = WhatIfResult(answers=tuple(answers)).points
    assert (few.labels, few.strength, few.found.value, few.draws) == (5, None, pytest.approx(0.85), (0.8, 0.9, 0.85))
    assert few.found.low == pytest.approx(0.85 - 4.303 * 0.05 / 3**0.5, abs=1e-4)
    assert (plain.strength, len(plain.draws)) == (1.0, 1)
    assert every.labels is None
    assert every.found.low == pytest.approx(0.888, abs=1e-3)  # Wilson


@pytest.mark.process
def test_it_is_asked_in_a_process_of_its_own(home: Path) -> None:
    recipe = Recipe.of(SPEC)
    assert STUDY.read(home, recipe) is None
    STUDY.request(home, recipe)
    STUDY.request(home, recipe)
    assert len(wait_until(lambda: processes_of(home, COMMAND))) == 1
    known = STUDY.read(home, recipe)
    assert known and not known.finished
    found = ended(home, recipe)
    assert not found.error
    assert len(found.answers) == 18
    assert found.share == 1
    other = Recipe.of(SPEC.with_settings({"dataset.labels_per_class": 7, "seed": 3}))
    assert STUDY.read(home, other) == found  # it was about all numbers of labels and all seeds
    assert STUDY.read(home, Recipe.of(SPEC.with_settings({"image_size": 48}))) is None


@pytest.mark.full
@pytest.mark.process
def test_why_there_are_no_answers(home: Path, tmp_path: Path) -> None:
    recipe = Recipe.of(SPEC.with_settings({"dataset": "image_folder", "dataset.path": str(tmp_path / "none")}))
    STUDY.request(home, recipe)
    found = ended(home, recipe)
    assert "none" in found.error
    assert not found.answers
    wait_until(lambda: not STUDY.is_at_work(home, recipe))


@pytest.mark.parametrize("text", ["", "a", "1,,2", "0", "-1", "nan", "inf"])
def test_numbers_that_are_none(text: str) -> None:
    with pytest.raises(SettingError, match="positive numbers"):
        WhatIf(strengths=text)
