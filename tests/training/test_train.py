"""The main path, for real: from a spec to a test accuracy."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.groups.test_cost import PROFILE
from tests.helpers import FEW_CROPS, QUICK, Finished, keep_run
from tests.tools.toy import TOY, begin, shortened
from tl_core.analysis.stage_titles import activity_title
from tl_core.datasets import ArrayImages, Data
from tl_core.errors import Stopped
from tl_core.events import Activity, Epoch, Event, Plan, Stage, Step
from tl_core.planning.backbone_profile import BackboneProfile
from tl_core.recipe import Recipe
from tl_core.result import Outcome, Result
from tl_core.runs import flops
from tl_core.runs.artifacts import read_predictions, read_result, summary, write_outcome
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.strategies import HEAD
from tl_core.training.evaluation import HARDEST, outcome_of
from tl_core.training.freezing import digests
from tl_core.training.train import train

TWO_EPOCHS = QUICK.with_settings({"strategy.epochs": 2})
ON_LITE0 = RunSpec().with_settings(FEW_CROPS | {"image_size": 32})


class Told(list[Event]):
    """A reporter that keeps what it is told."""

    __call__ = list.append


def outcome_after(spec: RunSpec) -> Outcome:
    return train(spec, lambda event: None)


@pytest.fixture(scope="module")
def told_and_outcome() -> tuple[Told, Outcome]:
    told = Told()
    return told, train(TWO_EPOCHS, told)


@pytest.fixture(scope="module")
def told(told_and_outcome: tuple[Told, Outcome]) -> Told:
    return told_and_outcome[0]


@pytest.fixture(scope="module")
def outcome(told_and_outcome: tuple[Told, Outcome]) -> Outcome:
    return told_and_outcome[1]


def test_flops_of_a_run_from_before_they_were_counted_follow_from_the_rest(
    outcome: Outcome, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, before = Store(), outcome.result.model_copy(update={"flops": None})
    keep_run(store, "older", State.DONE, TWO_EPOCHS, **summary(before))
    store.folder("older").mkdir()
    write_outcome(store.folder("older"), replace(outcome, result=before))
    assert flops.of(store, store.run("older")) is None
    outline = Recipe.of(TWO_EPOCHS).backbone.load(Recipe.of(TWO_EPOCHS).input_size, pretrained=False).outline()
    monkeypatch.setattr(BackboneProfile, "read", lambda *_: replace(PROFILE, outline=outline))
    assert flops.of(store, store.run("older")) == outcome.result.flops


def titles(events: Sequence[Event]) -> list[str]:
    found = [activity_title(event.activity, event.phase) for event in events if isinstance(event, Stage)]
    return [title for before, title in zip([None, *found], found, strict=False) if title != before]


def test_events_come_in_order(told: Told) -> None:
    begun = ["Reading the dataset", "Loading the backbone"]
    assert titles(told) == [*begun, "Reading the images", "Training: everything", "Reading the images", "Testing"]
    (plan,) = (index for index, event in enumerate(told) if isinstance(event, Plan))
    assert not [event for event in told[:plan] if isinstance(event, Step | Epoch)]
    assert told[plan] == Plan(
        ({"name": "everything", "epochs": 2, "steps_per_epoch": 1, "computed": False},), 32, 16, 32, classes=16
    )
    assert [type(event).__name__ for event in told if isinstance(event, Step | Epoch)] == ["Step", "Epoch"] * 2


def test_done_rises_to_one(told: Told) -> None:
    shares = [event.done for event in told if isinstance(event, Stage | Step)]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] == 1
    assert len(set(shares)) > 3


def test_the_result_agrees_with_the_predictions(outcome: Outcome) -> None:
    result, predictions = outcome.result, outcome.predictions
    assert result.test_images == len(predictions.labels) == 32
    assert result.test_correct == (predictions.probabilities.argmax(axis=1) == predictions.labels).sum()
    assert result.test_correct is not None
    assert result.accuracy == result.test_correct / 32
    assert len(result.test_digest) == 64
    assert result.data_digest == Recipe.of(TWO_EPOCHS).dataset.load(TWO_EPOCHS.seed).digest()
    assert result.validation_accuracy is not None
    assert result.total_parameters == outcome.model.count_params()
    assert result.trainable_parameters == result.phases[0].trainable_parameters
    assert result.seconds == pytest.approx(sum(timing.seconds for timing in result.timings))
    assert result.timings[-1].activity is Activity.TESTING
    assert {"python", "keras", "backend", "cores", "transfer_lab"} <= set(result.versions)
    assert Result.model_validate_json(result.model_dump_json()) == result


def test_the_hardest_images_are_those_whose_class_got_the_least(outcome: Outcome) -> None:
    predictions = outcome.predictions
    of_truth = predictions.probabilities[np.arange(32), predictions.labels]
    assert len(predictions.hardest) == HARDEST
    assert of_truth[predictions.hardest].max() <= np.delete(of_truth, predictions.hardest).min()
    assert predictions.hardest_pixels.shape == (HARDEST, 16, 16, 3)
    assert predictions.hardest_names.tolist() == [f"image {index}" for index in predictions.hardest]


def test_the_same_seed_gives_the_same_run(outcome: Outcome) -> None:
    again = outcome_after(TWO_EPOCHS)
    np.testing.assert_array_equal(again.predictions.probabilities, outcome.predictions.probabilities)
    assert again.result.accuracy == outcome.result.accuracy
    assert digests(again.model) == digests(outcome.model)


def test_another_seed_gives_another_run_on_the_same_test(outcome: Outcome) -> None:
    other = outcome_after(TWO_EPOCHS.with_settings({"seed": 1}))
    assert digests(other.model) != digests(outcome.model)
    assert other.result.test_digest == outcome.result.test_digest


@pytest.mark.parametrize("kind", [Plan, Step, Epoch])
def test_a_stop_unwinds_from_wherever_it_comes(kind: type[Event]) -> None:
    seen: list[Event] = []

    def report(event: Event) -> None:
        seen.append(event)
        if isinstance(event, kind):
            raise Stopped

    with pytest.raises(Stopped):
        train(TWO_EPOCHS, report)
    assert isinstance(seen[-1], kind)


def permuted(data: Data) -> Data:
    """The same test images with their labels shuffled."""
    assert isinstance(data.test, ArrayImages)
    labels = np.random.default_rng(5).permutation(data.test.labels)
    assert (labels != data.test.labels).any()
    return replace(data, test=ArrayImages(data.test.pixels, labels))


def test_the_test_set_chooses_nothing() -> None:
    """With other labels on the test images every weight comes out the same, and only which are right differs."""
    ends = []
    for change in (lambda data: data, permuted):
        training, (phase,) = begin(change=change)
        training.train_phase(shortened(phase))
        outcome = outcome_of(training)
        right = outcome.predictions.probabilities.argmax(axis=1) == outcome.predictions.labels
        assert outcome.result.test_correct == right.sum()
        ends.append((digests(training.model), right.tolist()))
    assert ends[0][0] == ends[1][0]
    assert ends[0][1] != ends[1][1]


def test_the_validation_set_trains_nothing() -> None:
    ends = []
    for change in (lambda data: data, lambda data: replace(data, validation=data.test.take([0, 1]))):
        training, (phase,) = begin(change=change)
        training.train_phase(shortened(phase))
        ends.append(digests(training.model))
    assert ends[0] == ends[1]


def test_a_run_without_validation_images() -> None:
    result = outcome_after(QUICK.with_settings({"dataset.validation_per_class": 0})).result
    assert (result.validation_accuracy, result.validation_images) == (None, 0)


def test_the_head_is_trained_on_features_that_are_computed_once() -> None:
    told = Told()
    result = train(ON_LITE0, told).result
    assert titles(told)[2:] == ["Computing features", "Training: head", "Computing features", "Testing"]
    assert result.trainable_parameters == 1280 * 16 + 16
    assert result.phases[0].trained == (f"{HEAD}/bias", f"{HEAD}/kernel")
    assert result.phases[0].frozen_tensors == result.phases[0].unchanged_tensors > 200


def test_a_probe_and_then_two_blocks() -> None:
    changes = {"strategy": "lp_ft", "strategy.blocks": "last 2", "strategy.epochs": 1}
    head, top = outcome_after(ON_LITE0.with_settings(changes)).result.phases
    assert (head.blocks, top.blocks) == ((), ("block 7a", "top"))
    assert {path.split("/")[0] for path in top.trained} == {
        "block7a_expand_conv",
        "block7a_depthwise_conv",
        "block7a_project_conv",
        "top_conv",
        HEAD,
    }
    assert top.trainable_parameters == 192 * 1152 + 9 * 1152 + 1152 * 320 + 320 * 1280 + 1280 * 16 + 16
    assert (head.learning_rate, top.learning_rate) == (None, 1e-4)


def test_two_runs_in_one_process_name_their_variables_alike() -> None:
    """Keras numbers layers through the process; records of two runs could not be compared then."""
    first, second = (outcome_after(QUICK).result.phases[0].trained for _ in range(2))
    assert first == second


def test_the_toys_are_what_they_say() -> None:
    assert TOY.dataset == QUICK.dataset


@pytest.fixture(scope="module")
def default_result(default_run: Finished) -> Result:
    return read_result(default_run.home / "runs" / default_run.json["run_id"])


def test_the_default_run_reaches_the_accuracy_it_is_held_to(default_result: Result) -> None:
    assert 0.80 <= default_result.accuracy <= 0.90  # it measured 0.8575 on the day this was written
    assert default_result.test_images == 16 * 50


def test_the_default_run_trains_the_head_alone(default_result: Result) -> None:
    assert default_result.trainable_parameters == 20_496
    assert default_result.total_parameters == 3_413_024 + 2 * 1280 + 20_496  # with what normalises the features
    (phase,) = default_result.phases
    assert phase.trained == (f"{HEAD}/bias", f"{HEAD}/kernel")
    assert phase.unchanged_tensors == phase.frozen_tensors


def test_the_default_runs_predictions_are_kept(default_run: Finished, default_result: Result) -> None:
    predictions = read_predictions(default_run.home / "runs" / default_run.json["run_id"])
    assert predictions.probabilities.shape == (800, 16)
    assert (predictions.probabilities.argmax(axis=1) == predictions.labels).sum() == default_result.test_correct
