"""Interrupted and gone on with is the same as never interrupted: bit for bit, whatever interrupts it and wherever."""

import json
import math
import random
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as drawn

from tests.helpers import FEW_CROPS, wait_until
from tests.tools.interrupting import (
    Attempt,
    Moment,
    Whole,
    at,
    at_epoch_after,
    at_event,
    at_stage,
    at_step,
    in_attempts,
    require_same_outcome,
    resumed_at,
    told,
)
from tests.tools.toy import SIZE, TOY, Alternating, Dropping, known
from tests.tools.variants import variants
from tl_core import strategies
from tl_core.errors import Paused, RunError, Stopped, StorageError
from tl_core.events import Activity, Epoch, Event, Plan, Resumed, Stage, Step, encoded
from tl_core.precision import Precision
from tl_core.result import Outcome, Result
from tl_core.spec import RunSpec
from tl_core.strategies import Strategy
from tl_core.system.settings import CHECKPOINT_VARIABLE
from tl_core.testing._toy import finish_example
from tl_core.training.checkpoints import COST_FACTOR, STATE, Checkpoints, Snapshot, TrainingState
from tl_core.training.freezing import digests
from tl_core.training.loop import EpochProgress, Progress
from tl_core.training.resume import random_state, restore, restore_random
from tl_core.training.train import train

TRAINED = encoded(Activity.TRAINING, "all")
PARTS = strategies.strategies.parts()


MOMENTS = {
    "while features are computed": (at_stage(Activity.COMPUTING_FEATURES, 2), None),
    "before the first step": (at_stage(Activity.TRAINING, phase="head"), 0),
    "before the short batch of an epoch": (at_step(8), 8),
    "the last step of an epoch": (at_step(9), 9),
    "an epoch's end": (at_epoch_after(9), 9),
    "a phase's end": (at_epoch_after(12), 12),
    "between two phases": (at_stage(Activity.COMPUTING_FEATURES, 5), 12),
    "while it is tested": (at_stage(Activity.TESTING, 2), 18),
}
"""Where it is paused, and after which step it then goes on; None: from its start."""


@pytest.mark.parametrize("name", MOMENTS)
def test_paused_once(whole: Whole, spec: RunSpec, tmp_path: Path, name: str) -> None:
    moment, step = MOMENTS[name]
    attempts, outcome = in_attempts(spec, tmp_path, [moment])
    require_same_run(whole, attempts, outcome)
    assert resumed_at(attempts) == ([] if step is None else [step])
    assert outcome.result.resumed == len(resumed_at(attempts))


def require_same_run(whole: Whole, attempts: Sequence[Attempt], outcome: Outcome) -> None:
    """Each step and epoch was told once, and all that came of it is the same, random numbers included."""
    require_same_outcome(whole[1], outcome)
    assert [pair for attempt in attempts for pair in attempt.drawn] == whole[0].drawn
    assert told([event for attempt in attempts for event in attempt]) == told(whole[0])


@pytest.mark.parametrize("moment", [at(Stage), at(Stage, 2), at(Plan)], ids=["reading", "loading", "plan"])
def test_paused_before_there_is_anything_to_keep(spec: RunSpec, tmp_path: Path, moment: Moment) -> None:
    with pytest.raises(Paused):
        train(spec, Attempt(moment), Checkpoints(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_paused_again_before_anything_new_happened(whole: Whole, spec: RunSpec, tmp_path: Path) -> None:
    """The former checkpoint stays: what was not put back yet is not written over."""
    again = [at(Stage), at(Plan), at(Resumed), at_stage(Activity.TRAINING, phase="all"), at_step(9)]
    attempts, outcome = in_attempts(spec, tmp_path, [at_step(8), *again])
    require_same_run(whole, attempts, outcome)
    assert resumed_at(attempts) == [8, 8, 8, 9]
    assert outcome.result.resumed == 2


@settings(max_examples=2, deadline=None, database=None)
@given(drawn.lists(drawn.integers(1, 38), min_size=2, max_size=4))
def test_paused_anywhere_any_number_of_times(whole: Whole, spec: RunSpec, numbers: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        attempts: list[Attempt] = []
        for moment in map(at_event, numbers):
            attempts.append(Attempt(moment))
            try:
                outcome = train(spec, attempts[-1], Checkpoints(Path(folder)))
                break  # it had fewer events left
            except Paused:
                continue
        else:
            attempts.append(Attempt())
            outcome = train(spec, attempts[-1], Checkpoints(Path(folder)))
    require_same_run(whole, attempts, outcome)


def example_spec(strategy: Strategy) -> RunSpec:
    """64 images: two steps an epoch where a step has 32."""
    backbone = {"backbone": "known"} if strategy.pretrained else {"backbone": "small_cnn", "backbone.batch_norm": True}
    few = FEW_CROPS | {"dataset.labels_per_class": 4, "image_size": SIZE}
    few |= {"strategy.epochs": 4} if "epochs" in type(strategy).model_fields else {}
    return RunSpec(strategy=strategy.spec()).with_settings(few | backbone)


def spread(events: Sequence[Event]) -> list[Moment]:
    """At the end of an epoch early on, and within an epoch of the last phase; where a head is computed, at that."""
    if not any(isinstance(event, Step) for event in events):
        return [at(Epoch)]
    ends = [event.step for event in events if isinstance(event, Epoch)]
    steps = [event for event in events if isinstance(event, Step)]
    within = [step.step for step in steps if step.phase == steps[-1].phase and step.step not in ends]
    later = at_step(within[len(within) // 2]) if within else at_epoch_after(ends[2 * len(ends) // 3])
    return [at_epoch_after(ends[len(ends) // 3]), later]


SHORT_LIST = {part.family: name for name, part in sorted(PARTS.items())}.values()


@pytest.mark.parametrize("name", variants(sorted(PARTS), SHORT_LIST))
def test_every_strategy(name: str, tmp_path: Path) -> None:
    with known():
        spec, events = example_spec(PARTS[name].example()), Attempt()
        finish_example(spec.dataset)  # which teaches, where a strategy wants that
        outcome = train(spec, events)
        attempts, resumed = in_attempts(spec, tmp_path, spread(events))
    require_same_run((events, outcome), attempts, resumed)
    assert resumed.result.resumed == len(attempts) - 1


def test_a_stop_keeps_nothing_new(spec: RunSpec, tmp_path: Path) -> None:
    def report(event: Event) -> None:
        if isinstance(event, Step) and event.step == 8:
            raise Stopped

    with pytest.raises(Stopped):
        train(spec, report, Checkpoints(tmp_path))
    kept = Checkpoints(tmp_path).load()
    assert kept is not None
    assert kept.state.progress.steps == 0  # from when the features were there


@pytest.fixture(scope="module")
def paused(spec: RunSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was paused in its second phase."""
    folder = tmp_path_factory.mktemp("paused")
    with pytest.raises(Paused):
        train(spec, Attempt(at_step(8)), Checkpoints(folder))
    return folder


def test_what_is_kept(paused: Path) -> None:
    assert sorted(path.name for path in paused.iterdir()) == [STATE]
    snapshot = Checkpoints(paused).load()
    assert snapshot is not None
    progress = snapshot.state.progress
    assert (progress.phase, progress.epoch, progress.now.batches, progress.now.images, progress.steps) == (1, 0, 2, 24, 8)
    assert [record.name for record in snapshot.state.records] == ["head"]
    done = {Activity.READING_DATASET, Activity.COMPUTING_FEATURES, encoded(Activity.TRAINING, "head"), TRAINED}
    assert set(snapshot.state.seconds) > done
    assert 0 < progress.now.seconds <= snapshot.state.seconds[TRAINED]
    assert snapshot.optimizer[0] == 2  # its own count of steps


def test_the_seconds_of_all_attempts_count(spec: RunSpec, paused: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(paused, tmp_path / "copy"))
    before = Checkpoints(folder).load()
    assert before is not None
    (attempt,), outcome = in_attempts(spec, folder, [])
    after = {encoded(timing.activity, timing.phase): timing.seconds for timing in outcome.result.timings}
    for name in (Activity.READING_DATASET, Activity.LOADING_BACKBONE, TRAINED):
        assert after[name] > before.state.seconds[name]
    solved = encoded(Activity.TRAINING, "head")
    assert after[solved] == before.state.seconds[solved]
    (first,) = (event for event in attempt if isinstance(event, Epoch) and event.step == 9)
    assert before.state.progress.now.seconds < first.seconds <= after[TRAINED]


def test_nobody_falls_back_who_goes_on(spec: RunSpec, paused: Path, tmp_path: Path) -> None:
    (attempt,), _ = in_attempts(spec, Path(shutil.copytree(paused, tmp_path / "copy")), [])
    shares = [event.done for event in attempt if isinstance(event, Stage | Step | Resumed)]
    assert shares[0] > 0.35
    assert shares == sorted(shares)


def test_what_moved_during_a_pause_is_noticed(spec: RunSpec, tmp_path: Path) -> None:
    """The proof that nothing frozen moved spans the interruption: it holds what is put back against what was before the phase."""
    checkpoints = Checkpoints(tmp_path)
    with pytest.raises(Paused):
        train(spec, Attempt(at_step(2)), checkpoints)
    state = checkpoints.load()
    assert state is not None
    kernel = np.nextafter(state.variables[0], np.float32(9))
    checkpoints.save(lambda: replace(state, variables=(kernel, *state.variables[1:])))
    with pytest.raises(RuntimeError, match=r"1 frozen tensors moved in the phase head\."):
        train(spec, Attempt(), Checkpoints(tmp_path))


OTHERS: dict[str, dict[str, Any]] = {
    "network": {"image_size": 16, "backbone": "small_cnn"},
    "dataset": {"dataset.labels_per_class": 3},
    "seed": {"seed": 1},
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_checkpoint_of_another_run_is_told(spec: RunSpec, paused: Path, name: str) -> None:
    before = (paused / STATE).read_bytes()
    with pytest.raises(RunError, match=rf"\(it belongs to a run with another {name}\)\. Start the run again.*Received: {paused}"):
        train(spec.with_settings(OTHERS[name]), Attempt(), Checkpoints(paused))
    assert (paused / STATE).read_bytes() == before


def test_another_plan_is_told(spec: RunSpec, paused: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    longer = [replace(phase, epochs=3) for phase in Alternating().phases(Dropping(), (), 12)]
    monkeypatch.setattr(Alternating, "phases", lambda *_: longer)
    with pytest.raises(RunError, match="it belongs to a run with another plan"):
        train(spec, Attempt(), Checkpoints(paused))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_half_a_file_is_told(spec: RunSpec, paused: Path, tmp_path: Path, share: float) -> None:
    folder = Path(shutil.copytree(paused, tmp_path / "copy"))
    content = (folder / STATE).read_bytes()
    (folder / STATE).write_bytes(content[: int(len(content) * share)])
    checkpoints = Checkpoints(folder)
    with pytest.raises(
        RunError, match=rf"^The checkpoint of this run cannot be used \(.*\)\. Start .* Received: {folder / STATE}$"
    ):
        checkpoints.load()


SMALL = Snapshot({"seed": 1}, TrainingState(Progress(total=1.0)), {}, {}, (np.arange(3.0),), (np.array(7),))


@pytest.mark.parametrize("bits", [0x02, pytest.param(0x41, marks=pytest.mark.full)])
def test_no_changed_byte_goes_unnoticed(tmp_path: Path, bits: int) -> None:
    """A checkpoint is read as it was written, or refused."""
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(lambda: SMALL)
    whole = (tmp_path / STATE).read_bytes()
    refused = 0
    for place in range(len(whole)):
        (tmp_path / STATE).write_bytes(whole[:place] + bytes([whole[place] ^ bits]) + whole[place + 1 :])
        try:
            require_equal(checkpoints.load())
        except RunError:
            refused += 1
    assert refused > len(whole) / 2


def test_a_changed_shape_is_noticed(tmp_path: Path) -> None:
    """NumPy reads as much as the header says, and of a long array that is less than the checksum is of."""
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(lambda: replace(SMALL, variables=(np.zeros(30_000),)))
    content = (tmp_path / STATE).read_bytes()
    assert content.count(b"(30000,)") == 1
    (tmp_path / STATE).write_bytes(content.replace(b"(30000,)", b"(10000,)"))
    with pytest.raises(RunError, match="is damaged"):
        checkpoints.load()


def test_one_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    Checkpoints(tmp_path).save(lambda: replace(SMALL, state=TrainingState(Progress(total=1.0), precision=Precision.BFLOAT16)))
    file = tmp_path / STATE
    with np.load(file) as stored:
        arrays = dict(stored)
    assert '"precision": "mixed bfloat16"' in str(arrays["plain"])
    arrays["plain"] = np.array(str(arrays["plain"]).replace('"precision"', '"arithmetic"'))
    np.savez(file, **arrays)
    snapshot = Checkpoints(tmp_path).load()
    assert snapshot is not None and snapshot.state.precision is Precision.BFLOAT16


def require_equal(snapshot: Snapshot | None) -> None:
    assert snapshot is not None
    assert replace(snapshot, variables=(), optimizer=()) == replace(SMALL, variables=(), optimizer=())
    for found, expected in zip(snapshot.variables + snapshot.optimizer, SMALL.variables + SMALL.optimizer, strict=True):
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype


def test_numbers_that_are_none_come_back(tmp_path: Path) -> None:
    """A diverged run has losses that JSON has no word for."""
    lost = Progress(total=1 / 3, now=EpochProgress(1, 1, math.nan, 0.1 + 0.2, math.inf))
    Checkpoints(tmp_path).save(lambda: replace(SMALL, state=TrainingState(lost)))
    snapshot = Checkpoints(tmp_path).load()
    assert snapshot is not None
    assert math.isnan(snapshot.state.progress.now.loss)
    assert (snapshot.state.progress.total, snapshot.state.progress.now.accuracy) == (1 / 3, 0.1 + 0.2)
    assert snapshot.state.progress.now.seconds == math.inf


def test_variables_of_other_shapes_are_told() -> None:
    variable = keras.Variable(np.zeros((2, 3)))
    for values in ((), (np.ones((3, 2)),), (np.ones((2, 3)), np.ones(1))):
        with pytest.raises(RunError, match="it holds variables of other shapes"):
            restore([variable], values)
    assert not keras.ops.convert_to_numpy(variable).any()


def test_random_generators_go_on_where_they_were() -> None:
    def draw() -> list[Any]:
        return [random.random(), random.gauss(), np.random.normal(), *np.asarray(keras.random.normal((3,)))]

    keras.utils.set_random_seed(3)
    draw()
    state = json.loads(json.dumps(random_state()))
    expected = draw()
    keras.utils.set_random_seed(4)  # and Keras' own generator does not exist now
    restore_random(state)
    assert draw() == expected


def test_features_are_computed_once(spec: RunSpec, tmp_path: Path) -> None:
    attempts, _ = in_attempts(spec, tmp_path, [at_step(1), at_step(8), at_step(14)])
    computing = [sum(at_stage(Activity.COMPUTING_FEATURES)([event]) for event in attempt) for attempt in attempts]
    assert computing == [3, 1, 3, 1]  # the stage, and a report for each split; the third phase has features of its own


def test_checkpoints_are_due_when_they_cost_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not Checkpoints(tmp_path).due()
    monkeypatch.setenv(CHECKPOINT_VARIABLE, "0")
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.due()

    def take() -> Snapshot:
        time.sleep(0.01)  # what taking it costs counts too
        return SMALL

    started = time.monotonic()
    checkpoints.save(take)
    ended = time.monotonic()
    wait_until(lambda: checkpoints.due() or None)
    assert time.monotonic() - ended >= COST_FACTOR * (ended - started) / 2


def test_the_first_moment_after_going_on_is_kept(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(lambda: SMALL)
    assert not checkpoints.due()
    checkpoints.load()
    assert checkpoints.due()


def test_nothing_is_left_when_cleared(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "checkpoint")
    checkpoints.clear()
    checkpoints.save(lambda: SMALL)
    checkpoints.clear()
    assert list(tmp_path.iterdir()) == []
    assert checkpoints.load() is None


def test_what_a_killed_writer_left_goes_with_the_next_checkpoint(tmp_path: Path) -> None:
    (tmp_path / f".partial-1-{STATE}").write_bytes(b"half of it")
    Checkpoints(tmp_path).save(lambda: SMALL)
    assert [path.name for path in tmp_path.iterdir()] == [STATE]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"No checkpoint can be kept \(.*\)\. Make the folder writable\."):
        Checkpoints(tmp_path / "file" / "checkpoint").save(lambda: SMALL)


def test_an_old_result_was_never_interrupted(whole: Whole) -> None:
    old = whole[1].result.model_dump(exclude={"resumed"})
    assert Result.model_validate(old).resumed == 0


@pytest.mark.parametrize("moment", [None, 3, 4], ids=["at once", "after the best epoch", "before the way back"])
def test_patience_goes_back_to_the_best_epoch(tmp_path: Path, moment: int | None) -> None:
    """To the very bits of a run of so many epochs, also where it was interrupted after the best one."""
    steady = TOY.with_settings({"strategy.schedule": "constant"})  # what does not depend on how many epochs there are
    impatient = steady.with_settings({"strategy.learning_rate": 0.02, "strategy.epochs": 40, "strategy.patience": 2})
    attempts, outcome = in_attempts(impatient, tmp_path / "kept", [] if moment is None else [at(Epoch, moment)])
    losses = [event.validation_loss or 0.0 for attempt in attempts for event in attempt if isinstance(event, Epoch)]
    best = 1 + losses.index(min(losses))
    assert (best, len(losses)) == (2, 4)
    alone = train(impatient.with_settings({"strategy.epochs": best}), Attempt())
    assert digests(outcome.model) == digests(alone.model)
    assert outcome.result.validation_accuracy == alone.result.validation_accuracy
