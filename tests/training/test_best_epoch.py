"""Ending with the best epoch, the probe's own included: what is kept, what is told, and that an interruption changes nothing."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tools.interrupting import Attempt, Moment, at, at_stage, at_step, in_attempts, require_same_outcome
from tests.tools.toy import FEW, SIZE, TOY, Known, known
from tl_core.backbones import BlockOutline
from tl_core.errors import Paused, SettingError
from tl_core.events import Activity, Epoch, Resumed, Step
from tl_core.result import Measured, Outcome, PhaseRecord, Result
from tl_core.spec import RunSpec
from tl_core.strategies import strategies
from tl_core.strategies._by_gradient import FromProbe
from tl_core.training.checkpoints import STATE, Checkpoints
from tl_core.training.freezing import digests
from tl_core.training.train import train

HARMFUL, HELPFUL = 0.5, 3e-3
"""Learning rates after which the probe was better, and with which the validation loss falls."""
EPOCHS = 3
BLOCKS = tuple(BlockOutline(f"block {n}", layers=3, parameters=100, norm_parameters=20, multiply_adds=1000) for n in range(3))


@pytest.fixture(scope="module")
def probed() -> Iterator[RunSpec]:
    """Probe, then fine-tune, on a toy network: two steps an epoch, after a probe that leaves much to be learned."""
    with known() as backbone:
        settings = FEW | {"dataset.labels_per_class": 4, "backbone": backbone, "image_size": SIZE, "strategy": "lp_ft"}
        weak = {"strategy.strength": 1e-3, "strategy.epochs": EPOCHS, "strategy.schedule": "constant"}
        yield RunSpec().with_settings(settings | weak)


def harmed(spec: RunSpec, **settings: Any) -> RunSpec:
    return spec.with_settings({"strategy.learning_rate": HARMFUL} | {f"strategy.{k}": v for k, v in settings.items()})


def epochs_of(attempts: list[Attempt]) -> list[Epoch]:
    return [event for attempt in attempts for event in attempt if isinstance(event, Epoch)]


@pytest.fixture(scope="module")
def probe_alone(probed: RunSpec) -> Outcome:
    return train(probed.with_settings({"strategy": "linear_probe", "strategy.strength": 1e-3}), Attempt())


@pytest.fixture(scope="module")
def harmful(probed: RunSpec) -> tuple[Attempt, Outcome]:
    events = Attempt()
    return events, train(harmed(probed), events)


def test_a_harmful_rate_ends_with_the_probe(harmful: tuple[Attempt, Outcome], probe_alone: Outcome) -> None:
    """Bit for bit, and the numbers of the result are the probe's."""
    events, outcome = harmful
    losses = [epoch.validation_loss or 0.0 for epoch in epochs_of([events])]
    assert len(losses) == 1 + EPOCHS
    assert min(losses) == losses[0]
    assert digests(outcome.model) == digests(probe_alone.model)
    head, rest = outcome.result.phases
    assert (head.best_epoch, rest.best_epoch, rest.epochs) == (None, 0, EPOCHS)
    assert head.ended and rest.ended
    assert (rest.ended.validation_loss, rest.ended.validation_accuracy) == (
        head.ended.validation_loss,
        head.ended.validation_accuracy,
    )
    assert (rest.ended.loss, rest.ended.accuracy) == (None, None)  # nobody measured them after it had gone back
    assert outcome.result.validation_accuracy == probe_alone.result.validation_accuracy


def test_where_epochs_are_better_the_best_of_them_is_kept(probed: RunSpec) -> None:
    spec = probed.with_settings({"strategy.learning_rate": HELPFUL})
    events = Attempt()
    outcome = train(spec, events)
    losses = [epoch.validation_loss or 0.0 for epoch in epochs_of([events])]
    best = int(np.argmin(losses))
    assert best > 0
    alone = train(spec.with_settings({"strategy.restore_best": False, "strategy.epochs": best}), Attempt())
    assert digests(outcome.model) == digests(alone.model)
    record = outcome.result.phases[-1]
    assert record.best_epoch == best
    assert record.ended
    assert record.ended.validation_loss == losses[best]


def test_without_it_the_last_epoch_stays(probed: RunSpec, probe_alone: Outcome) -> None:
    outcome = train(harmed(probed, restore_best=False), Attempt())
    assert digests(outcome.model) != digests(probe_alone.model)
    record = outcome.result.phases[-1]
    assert record.best_epoch is None
    assert record.ended
    assert record.ended.accuracy is not None


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(at_stage(Activity.TRAINING, phase="everything"), id="before its first step", marks=pytest.mark.full),
        pytest.param(at_step(2), id="within an epoch", marks=pytest.mark.full),
        pytest.param(at(Epoch, 2), id="after an epoch", marks=pytest.mark.full),
        pytest.param(at(Epoch, 1 + EPOCHS), id="before the way back"),
    ],
)
def test_an_interruption_changes_nothing(
    probed: RunSpec, harmful: tuple[Attempt, Outcome], moment: Moment, tmp_path: Path
) -> None:
    attempts, outcome = in_attempts(harmed(probed), tmp_path / "kept", [moment])
    assert [event for attempt in attempts for event in attempt if isinstance(event, Resumed)]
    require_same_outcome(harmful[1], outcome)


@pytest.mark.full
def test_a_checkpoint_of_before_is_gone_on_with(probed: RunSpec, tmp_path: Path) -> None:
    """It kept no start to go back to, and so the epochs after it decide."""
    spec = harmed(probed)
    with pytest.raises(Paused):
        train(spec, Attempt(at_step(2)), Checkpoints(tmp_path))
    with np.load(tmp_path / STATE) as kept:
        arrays = {name: array for name, array in kept.items() if not name.startswith("best")} | {"best": np.array(0)}
    plain = json.loads(str(arrays["plain"]))
    progress = plain["account"]["progress"]
    del progress["loss"], progress["accuracy"], plain["account"]["records"][0]["ended"]
    progress |= {"best_loss": None, "best_accuracy": None}
    np.savez(tmp_path / STATE, **arrays | {"plain": np.array(json.dumps(plain))})
    attempt = Attempt()
    record = train(spec, attempt, Checkpoints(tmp_path)).result.phases[-1]
    losses = [epoch.validation_loss or 0.0 for epoch in epochs_of([attempt])]
    assert record.best_epoch == 1 + int(np.argmin(losses))


@pytest.mark.parametrize("name", [name for name, part in strategies.parts().items() if issubclass(part, FromProbe)])
def test_whoever_begins_with_a_probe_may_end_with_it(name: str) -> None:
    """Neighbours of probe-then-fine-tune, whose numbers are theirs: each phase by gradient ends with its best."""
    part = strategies.part(name)
    for wanted in (True, False):
        phases = list(part.model_validate({"restore_best": wanted}).phases(Known(), BLOCKS, 32))
        assert [phase.learning.restore_best for phase in phases] == [wanted and not phase.solver for phase in phases]
        assert phases[0].solver
    assert part.model_fields["restore_best"].default is True


@pytest.mark.parametrize(
    ("strategy", "settings", "said"),
    [
        (
            "from_scratch",
            {"strategy.patience": 1},
            r"^Patience goes by the loss on validation images, and this dataset has none\.",
        ),
        ("lp_ft", {"strategy.patience": 3}, r"leave strategy\.patience empty\. Received: patience 3$"),
        ("from_scratch", {"strategy.trials": 2, "strategy.patience": 1}, r"set strategy\.trials to 1"),
    ],
)
def test_patience_without_validation_images_is_refused(
    probed: RunSpec, strategy: str, settings: dict[str, Any], said: str
) -> None:
    base = TOY if strategy == "from_scratch" else probed
    events = Attempt()
    with pytest.raises(SettingError, match=said):
        train(base.with_settings(settings | {"dataset.validation_per_class": 0}), events)
    assert not [event for event in events if isinstance(event, Step)]


def test_without_validation_images_nothing_is_said_to_be_the_best(probed: RunSpec) -> None:
    result = train(harmed(probed).with_settings({"dataset.validation_per_class": 0}), Attempt()).result
    head, rest = result.phases
    assert rest.best_epoch is None
    assert rest.ended
    assert rest.ended.validation_loss is None
    assert head.ended
    assert head.ended.accuracy
    assert rest.ended.accuracy is not None


@pytest.mark.full
def test_where_every_epoch_diverged_none_is_said_to_be_the_best() -> None:
    result = train(
        TOY.with_settings({"strategy.epochs": 3, "strategy.patience": 1, "strategy.learning_rate": 1.0}), Attempt()
    ).result
    (record,) = result.phases
    assert record.ended
    diverged = not math.isfinite(record.ended.validation_loss or 0.0)
    assert (record.best_epoch is None) == diverged


RECORD = {"name": "head", "epochs": 3, "learning_rate": 0.1, "batch_size": 32, "blocks": (), "trained": ()} | {
    "trainable_parameters": 1,
    "frozen_tensors": 0,
    "unchanged_tensors": 0,
}


def test_stored_records_of_before_say_what_was() -> None:
    """Zero was written where no epoch was the best, and nothing had gone back."""
    assert PhaseRecord.model_validate(RECORD | {"best_epoch": 0}).best_epoch is None
    assert PhaseRecord.model_validate(RECORD | {"best_epoch": 2}).best_epoch == 2
    now = PhaseRecord.model_validate(RECORD | {"best_epoch": 0, "ended": {"validation_loss": 1.0}})
    assert now.best_epoch == 0
    assert PhaseRecord.model_validate_json(now.model_dump_json()) == now


@pytest.mark.parametrize("loss", [math.nan, math.inf, 0.5, None])
def test_a_loss_that_is_no_number_survives_storing(loss: float | None) -> None:
    written = Measured(loss=loss).model_dump_json()
    json.loads(written, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    read = Measured.model_validate_json(written).loss
    assert read == loss or (read is not None and loss is not None and math.isnan(read) and math.isnan(loss))
    assert Result.model_config["ser_json_inf_nan"] == "strings"
