"""Runs on a network that is cut: what is kept changes nothing but the time."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.helpers import FEW_CROPS
from tests.tools.interrupting import Attempt, at_stage, at_step, in_attempts, require_same_outcome
from tests.tools.toy import CLASSES, SIZE, Dropping, known
from tl_core.data import resizing
from tl_core.errors import Paused
from tl_core.events import Activity, Stage
from tl_core.features import engines
from tl_core.features.cache import ActivationCache
from tl_core.spec import RunSpec
from tl_core.strategies import Phase, everything, nothing
from tl_core.strategies.from_scratch import FromScratch
from tl_core.studies._lr_sweep import sweep
from tl_core.system import locks
from tl_core.training.freezing import Freezer
from tl_core.training.train import train

HEAD_ALONE = Phase("head", 1, 1e-3, 4, nothing)
ALL = Phase("all", 1, 1e-3, 4, everything)
SPECS: dict[str, dict[str, object]] = {
    "probe": {"strategy": "linear_probe"},
    "all blocks at once": {"strategy": "head2toe"},
    "last blocks": {"strategy": "last_blocks", "strategy.epochs": 2},
    "released": {"strategy": "gradual_unfreezing", "strategy.stages": 2},
    "views": {"strategy": "last_blocks", "strategy.epochs": 3, "strategy.augmentation": "flip and crop", "strategy.views": 2},
    "pixels": {"strategy": "lp_ft", "strategy.epochs": 1},
}


@pytest.fixture(scope="module", autouse=True)
def backbone() -> Iterator[str]:
    """A small network of four blocks, as if it had been pretrained."""
    with known() as name:
        yield name


def spec_of(name: str) -> RunSpec:
    return RunSpec().with_settings(FEW_CROPS | {"backbone": "known", "image_size": SIZE} | SPECS[name])


@pytest.fixture
def cache(tmp_path: Path) -> ActivationCache:
    return ActivationCache(tmp_path / "cache", 10**9)


def refuse(*arguments: object, **settings: object) -> Any:
    raise AssertionError("nothing was to be computed")


@pytest.mark.parametrize("name", SPECS)
def test_a_second_run_decodes_no_image_and_runs_no_frozen_layer(
    name: str, cache: ActivationCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bit for bit the same outcome, since the rows are the same."""
    first = train(spec_of(name), Attempt(), cache=cache)
    monkeypatch.setattr(resizing, "center_crop_resize", refuse)
    monkeypatch.setattr(engines, "choose", refuse)
    second = train(spec_of(name), Attempt(), cache=cache)
    require_same_outcome(first, second)
    computed = [sum(phase.frozen_part.computed.values()) for phase in first.result.phases]
    assert 48 in computed or name == "views"
    assert not any(phase.frozen_part.computed for phase in second.result.phases)
    assert any(phase.frozen_part.reused for phase in second.result.phases)


@pytest.mark.parametrize("name", ["last blocks", "released"])
def test_what_is_kept_gives_what_running_it_again_gives(name: str, tmp_path: Path) -> None:
    """To rounding: an engine computes the frozen part, in 16 bits on disk."""
    without = ActivationCache(tmp_path / "none", 1)  # there is room for nothing, so every epoch runs the whole network
    kept = train(spec_of(name), Attempt(), cache=ActivationCache(tmp_path / "much", 10**9))
    again = Attempt()
    whole = train(spec_of(name), again, cache=without)
    assert sum(isinstance(event, Stage) and event.activity is Activity.READING_IMAGES for event in again)
    difference = np.abs(kept.predictions.probabilities - whole.predictions.probabilities)
    assert difference.max() < 0.02
    assert kept.result.test_correct == whole.result.test_correct


def test_a_frozen_block_drops_nothing_out() -> None:
    """Otherwise what was kept of it would not be what training through it gives."""
    network = Dropping().load(SIZE, pretrained=False)
    model = FromScratch().join(network, CLASSES).model
    inputs = np.random.default_rng(0).normal(size=(4, SIZE, SIZE, 3)).astype(np.float32)
    freezer = Freezer(model, network)
    for phase, drops in ((HEAD_ALONE, False), (ALL, True), (HEAD_ALONE, False)):
        freezer.freeze(phase, phase.trained_blocks(network.outline().blocks))
        trained, inferred = (keras.ops.convert_to_numpy(model(inputs, training=training)) for training in (True, False))
        assert bool(np.abs(trained - inferred).max() > 0) is drops


def test_more_labels_compute_only_the_new_images(cache: ActivationCache) -> None:
    train(spec_of("probe"), Attempt(), cache=cache)
    more = train(spec_of("probe").with_settings({"dataset.labels_per_class": 3}), Attempt(), cache=cache)
    (phase,) = more.result.phases
    assert (sum(phase.frozen_part.computed.values()), phase.frozen_part.reused) == (16, 48)


def test_views_take_turns(cache: ActivationCache) -> None:
    """Each image has a row in both, and all epochs together take no more than these."""
    (phase,) = train(spec_of("views"), Attempt(), cache=cache).result.phases
    assert phase.epochs == 3
    assert sum(phase.frozen_part.computed.values()) == 2 * 32 + 16


def test_an_interrupted_run_on_views_goes_on_to_the_same_end(tmp_path: Path) -> None:
    whole = train(spec_of("views"), Attempt())
    _, outcome = in_attempts(spec_of("views"), tmp_path / "run", [at_stage(Activity.COMPUTING_FEATURES, 3), at_step(2)])
    require_same_outcome(whole, outcome)


def test_one_who_waits_for_another_says_so_and_can_be_paused(cache: ActivationCache) -> None:
    train(spec_of("probe"), Attempt(), cache=cache)
    held = [locks.hold(path) for path in cache.folder.glob("*.lock")]
    assert None not in held
    more = spec_of("probe").with_settings({"dataset.labels_per_class": 3})
    attempt = Attempt(at_stage(Activity.WAITING_FOR_FEATURES))
    try:
        with pytest.raises(Paused):
            train(more, attempt, cache=cache)
    finally:
        for descriptor in held:
            os.close(descriptor or 0)
    assert attempt[-1] == Stage(Activity.WAITING_FOR_FEATURES, attempt[-1].done)  # type: ignore[attr-defined]


def test_the_rate_finder_takes_what_a_run_has_left(cache: ActivationCache, monkeypatch: pytest.MonkeyPatch) -> None:
    train(spec_of("last blocks"), Attempt(), cache=cache)
    monkeypatch.setattr(resizing, "center_crop_resize", refuse)
    monkeypatch.setattr(engines, "choose", refuse)
    assert sweep(spec_of("last blocks"), 3, Attempt(), cache) == "last 2"
