"""What a run costs in passes: forward one, backward two, and only as far down as something trains."""

from dataclasses import replace
from typing import Any

import pytest

from tl_core import costs
from tl_core.backbones import BlockOutline
from tl_core.strategies import BatchNorm, Moves, Phase, everything, last_blocks, nothing

BLOCKS = (
    BlockOutline("a", layers=2, parameters=100, norm_parameters=20, multiply_adds=10, statistics=10, biases=5, adapter_units=7),
    BlockOutline(
        "b", layers=2, parameters=200, norm_parameters=40, multiply_adds=30, statistics=20, other_norms=6, adapter_units=3
    ),
    BlockOutline("c", layers=2, parameters=300, norm_parameters=0, multiply_adds=60),
)
IMAGES = costs.Images(train=100, validation=10, test=50)
HEAD = Phase("head", 4, 1e-3, 8, trains=nothing)
TOP = Phase("top", 3, 1e-4, 8, trains=last_blocks(1))
ALL = Phase("all", 2, 1e-4, 8, trains=everything, batch_norm=BatchNorm.ADAPTS)


@pytest.mark.parametrize(("phase", "share"), [(HEAD, 0.0), (TOP, 0.6), (ALL, 1.0)])
def test_backward_goes_down_to_the_lowest_trained_block(phase: Phase, share: float) -> None:
    assert costs.trained_share(phase, BLOCKS) == pytest.approx(share)


def test_a_network_without_multiply_adds_costs_no_backward_pass() -> None:
    assert costs.trained_share(ALL, [BlockOutline("a", 1, 0, 0, 0)]) == 0


def test_epochs() -> None:
    assert costs.epoch_passes(HEAD, BLOCKS, IMAGES) == pytest.approx(0.05 * 110)
    assert costs.epoch_passes(TOP, BLOCKS, IMAGES) == pytest.approx(100 * 2.2 + 10)
    assert costs.epoch_passes(ALL, BLOCKS, IMAGES) == pytest.approx(100 * 3 + 10)


def test_features_are_computed_once_and_only_for_the_head_alone() -> None:
    assert costs.feature_passes([HEAD, HEAD, TOP], BLOCKS, IMAGES) == 110
    assert costs.feature_passes([TOP, ALL], BLOCKS, IMAGES) == 0


def test_a_run_is_the_sum_of_its_parts() -> None:
    assert costs.total_passes([HEAD, TOP], BLOCKS, IMAGES) == pytest.approx(110 + 4 * 5.5 + 3 * 230 + 50)


def test_frozen_batch_norm_and_statistics_are_not_trainable() -> None:
    assert costs.trainable_parameters(HEAD, BLOCKS, head=7) == 7
    frozen = Phase("all", 1, 1e-3, 8, trains=everything)
    assert costs.trainable_parameters(frozen, BLOCKS, head=7) == 7 + 80 + 160 + 300
    assert costs.trainable_parameters(ALL, BLOCKS, head=7) == 7 + 90 + 180 + 300


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"moves": Moves.NORMS, "batch_norm": BatchNorm.STATISTICS_FROZEN}, 10 + 20 + 6),
        ({"moves": Moves.BIASES, "batch_norm": BatchNorm.STATISTICS_FROZEN}, 10 + 20 + 6 + 5),
        ({"moves": Moves.BIASES, "batch_norm": BatchNorm.FROZEN}, 6 + 5),
        ({"moves": Moves.ADAPTERS, "rank": 4}, 4 * (7 + 3)),
    ],
)
def test_a_part_of_each_block_trains(changes: dict[str, Any], expected: int) -> None:
    assert costs.trainable_parameters(replace(ALL, **changes), BLOCKS, head=7) == 7 + expected


def test_features_are_computed_again_after_the_backbone_has_changed() -> None:
    features = IMAGES.train + IMAGES.validation
    for phases, times in (([HEAD], 1), ([HEAD, HEAD], 1), ([HEAD, ALL, HEAD], 2), ([ALL], 0), ([ALL, HEAD], 1)):
        assert costs.feature_passes(phases, BLOCKS, IMAGES) == times * features
