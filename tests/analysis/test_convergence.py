"""Whether a run ended below what it had reached, or at guessing: told where the images are enough to say so, and else not."""

import math
from typing import Any

import pytest

from tl_core.analysis.convergence import Decided, warnings
from tl_core.networks.outline import Provenance
from tl_core.result import Better, Measured, MetricValue, PhaseRecord, Result

CLASSES = ("a", "b", "c")


def phase(name: str, rate: float | None, **ended: float | None) -> PhaseRecord:
    facts: dict[str, Any] = {"epochs": 1, "batch_size": 32, "blocks": (), "trained": (), "trainable_parameters": 1}
    facts |= {"frozen_tensors": 0, "unchanged_tensors": 0}
    return PhaseRecord(name=name, learning_rate=rate, ended=Measured(**ended) if ended else None, **facts)


def result(*phases: PhaseRecord, train: int = 24, validation: int = 3, classes: tuple[str, ...] = CLASSES) -> Result:
    facts: dict[str, Any] = {"test_images": 9, "test_correct": 3, "test_digest": "", "validation_accuracy": None, "notes": ()}
    facts |= {"total_parameters": 1, "trainable_parameters": 1, "timings": (), "versions": {}, "class_names": classes}
    source = Provenance("nowhere", "nothing", "none", "")
    return Result(train_images=train, validation_images=validation, phases=phases, provenance=source, **facts)


PROBE = phase("head", None, loss=2.6e-5, accuracy=1.0, validation_loss=0.1, validation_accuracy=1.0)


def test_a_fall_on_few_images_is_told() -> None:
    """24 images, from all right to a third of them."""
    fallen = phase("everything", 1e-3, loss=9.0, accuracy=1 / 3, validation_loss=8.0, validation_accuracy=1 / 3)
    (said,) = warnings(result(PROBE, fallen))
    assert said == (
        "Training made it worse: the phase everything ended with 33 % (19\N{EN DASH}52) of 24 training and 3 validation "
        "images right, the phase head with 100 % (88\N{EN DASH}100). Try a lower learning rate."
    )


@pytest.mark.parametrize(
    ("images", "accuracy", "told"),
    [(160, 0.86, False), (160, 0.80, True), (3, 1 / 3, False), (1000, 0.90, True), (100_000, 0.93, True), (160, 0.97, False)],
)
def test_the_number_of_images_decides(images: int, accuracy: float, told: bool) -> None:
    """From 94 % of the validation images; those to learn from were changed, so that nothing is known of them."""
    before = phase("head", None, validation_loss=0.3, validation_accuracy=0.94)
    after = phase("everything", 1e-3, validation_loss=0.4, validation_accuracy=accuracy)
    assert bool(warnings(result(before, after, validation=images))) == told


def test_only_what_both_know_is_held_against_each_other() -> None:
    """A run that went back to its probe knows its training images no more, and has not fallen."""
    back = phase("everything", 1e-3, validation_loss=0.1, validation_accuracy=1.0)
    assert warnings(result(PROBE, back)) == ()
    assert warnings(result(PROBE, phase("everything", 1e-3, loss=0.1))) == ()


@pytest.mark.parametrize(
    ("better", "before", "after", "images", "told"),
    [
        (Better.LOWER, 2.0, 4.5, 25, True),
        (Better.LOWER, 2.0, 3.9, 25, False),
        (Better.LOWER, 4.5, 2.0, 25, False),
        (Better.LOWER, 2.0, 4.5, 9, False),
        (Better.HIGHER, 4.5, 2.0, 25, True),
        (Better.HIGHER, 2.0, 4.5, 25, False),
    ],
)
def test_the_metric_that_decides_has_a_direction(better: Better, before: float, after: float, images: int, told: bool) -> None:
    """Of 100 test images its interval is 1 wide, and so on 25 it is 2 wide; accuracies say the opposite."""
    phases = [
        phase(name, None, loss=1.0, validation_metric=value, validation_accuracy=share)
        for name, value, share in (("head", before, 0.0 if told else 1.0), ("all", after, 1.0 if told else 0.0))
    ]
    found = MetricValue(name="mae", value=4.0, low=3.5, high=4.5, n=100, better=better)
    said = warnings(result(*phases, validation=images), "texts", Decided(found, "mean absolute error", "{:.1f} cm".format))
    sentence = (
        f"Training made it worse: the phase all ended with mean absolute error {after:.1f} cm on 25 validation texts, the phase "
        f"head with {before:.1f} cm. Try a lower learning rate."
    )
    assert said == ((sentence,) if told else ())


@pytest.mark.parametrize("ended", [{"loss": math.nan}, {"loss": 0.1, "validation_loss": math.inf}])
def test_a_loss_that_is_no_number_is_told(ended: dict[str, float]) -> None:
    (said,) = warnings(result(phase("everything", 1.0, **ended)))
    assert said.startswith("Training diverged: the phase everything ended without a finite loss.")
    stored = Result.model_validate_json(result(phase("everything", 1.0, **ended)).model_dump_json())
    assert warnings(stored) == (said,)


@pytest.mark.parametrize(
    ("loss", "accuracy", "told"),
    [(9.0, 1 / 3, True), (1.2, 0.3, True), (1.0, 0.3, False), (9.0, 0.9, False)],
    ids=["diverged to one class", "untrained", "on its way", "sure and often wrong"],
)
def test_a_run_at_guessing_is_told(loss: float, accuracy: float, told: bool) -> None:
    """Guessing among three classes has a loss of log 3 = 1.1 nats."""
    only = phase("everything", 1.0, loss=loss, accuracy=accuracy, validation_loss=loss, validation_accuracy=accuracy)
    said = warnings(result(only))
    assert bool(said) == told
    assert not told or said[0].startswith("It is no better than guessing among 3 classes: the phase everything ended with 3")


def test_one_class_leaves_nothing_to_guess() -> None:
    assert warnings(result(phase("everything", 1e-3, loss=1e-7, accuracy=1.0), classes=("a",))) == ()


def test_nothing_is_known_of_old_results_and_of_trials_that_others_follow() -> None:
    assert warnings(result(phase("head", None), phase("everything", 1e-3))) == ()
    kept = phase("rate 0.001", 1e-3, validation_loss=0.1, validation_accuracy=1.0)
    assert warnings(result(phase("rate 1", 1.0), kept)) == ()


def test_the_first_phase_that_was_better_is_named() -> None:
    worse = phase("top 2", 1e-3, loss=9.0, accuracy=0.5, validation_loss=8.0, validation_accuracy=0.5)
    worst = phase("top 4", 1e-3, loss=9.0, accuracy=0.1, validation_loss=8.0, validation_accuracy=0.0)
    (said,) = warnings(result(PROBE, worse, worst))
    assert "the phase top 4 ended" in said
    assert "the phase head with 100 %" in said
