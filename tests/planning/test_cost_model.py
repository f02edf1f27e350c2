"""What a run costs in passes: forward one, backward two, and only as far down as something trains."""

from dataclasses import replace
from typing import Any

import pytest

from tl_core.backbones import BlockOutline
from tl_core.phases.phase import Augmentation
from tl_core.planning import cost_model
from tl_core.planning.cuts import CutPlan, SplitSizes
from tl_core.strategies import BatchNorm, Learning, Moves, Phase, everything, last_blocks, nothing

BLOCKS = (
    BlockOutline("a", 2, 100, norm_parameters=20, multiply_adds=10, statistics=10, biases=5, adapter_units=7, numbers=20),
    BlockOutline("b", 2, 200, norm_parameters=40, multiply_adds=30, statistics=20, other_norms=6, adapter_units=3, numbers=50),
    BlockOutline("c", 2, 300, norm_parameters=0, multiply_adds=60, numbers=7),
)
IMAGES = SplitSizes(train=100, validation=10, test=50)
HEAD = Phase("head", 4, 1e-3, 8, trains=nothing)
TOP = Phase("top", 3, 1e-4, 8, trains=last_blocks(1))
ALL = Phase("all", 2, 1e-4, 8, trains=everything, batch_norm=BatchNorm.ADAPTS)


@pytest.mark.parametrize(("phase", "share"), [(HEAD, 0.0), (TOP, 0.6), (ALL, 1.0)])
def test_backward_goes_down_to_the_lowest_trained_block(phase: Phase, share: float) -> None:
    assert cost_model.trained_share(phase, BLOCKS) == pytest.approx(share)


def test_a_network_without_multiply_adds_costs_no_backward_pass() -> None:
    assert cost_model.trained_share(ALL, [BlockOutline("a", 1, 0, 0, 0)]) == 0


def planned(*phases: Phase, room: float = 1e9, images: SplitSizes = IMAGES) -> cost_model.Costs:
    return cost_model.Costs(CutPlan(phases, BLOCKS, images, room))


def test_a_phase_is_cut_below_what_it_trains() -> None:
    assert [planned().cuts.cut(phase) for phase in (HEAD, TOP, ALL)] == [3, 2, 0]


def test_images_that_change_in_each_epoch_are_worth_nothing_later() -> None:
    for learning in (Learning(mixup=0.2), Learning(cutmix=1), Learning(augmentation=Augmentation.FLIP)):
        assert planned().cuts.cut(replace(TOP, learning=learning)) == planned().cuts.cut(replace(HEAD, learning=learning)) == 0
    fixed = Learning(augmentation=Augmentation.FLIP, views=3)
    assert planned().cuts.cut(replace(TOP, learning=fixed)) == 2
    assert planned().cuts.cut(replace(TOP, learning=replace(fixed, mixup=0.2))) == 0
    assert planned(replace(TOP, learning=fixed)).frozen(0).frozen == pytest.approx(0.4 * (3 * 100 + 10))


@pytest.mark.parametrize(("room", "below"), [(4 * 110 * 50, 2), (4 * 110 * 50 - 1, 1), (4 * 110 * 20, 1), (4 * 110 * 20 - 1, 0)])
def test_what_does_not_fit_is_cut_lower_or_not_at_all(room: float, below: int) -> None:
    assert planned(room=room).cuts.cut(TOP) == below


def test_a_cut_under_which_next_to_nothing_lies_is_none() -> None:
    blocks = (replace(BLOCKS[0], multiply_adds=9), replace(BLOCKS[1], multiply_adds=91))
    above = Phase("above", 3, 1e-4, 8, trains=last_blocks(1))
    assert CutPlan((above,), blocks, IMAGES, 1e9).cut(above) == 0


def test_epochs() -> None:
    assert planned().epoch(HEAD).trained == pytest.approx(0.05 * 110)
    assert planned().epoch(TOP).trained == pytest.approx(3 * 60 + 6)
    assert planned(room=0).epoch(TOP).trained == pytest.approx(100 * 2.2 + 10)
    assert planned(room=4 * 110 * 20).epoch(TOP).trained == pytest.approx(100 * (0.9 + 1.2) + 9)
    assert planned().epoch(ALL).trained == pytest.approx(100 * 3 + 10)


def test_a_run_is_the_sum_of_its_parts() -> None:
    total = planned(HEAD, TOP).total
    assert total.frozen == pytest.approx(110 + 0.4 * 110 + 0.4 * 50)
    assert total.trained == pytest.approx(4 * 5.5 + 3 * 186 + 0.6 * 50)
    assert total.passes == pytest.approx(0.5 * total.frozen + total.trained)
    assert planned(ALL).total.frozen == 0
    assert planned(ALL).total.trained == pytest.approx(2 * 310 + 50)


def test_the_test_images_go_through_what_never_trained() -> None:
    assert [planned(*phases).cuts.test_cut for phases in ((HEAD,), (HEAD, TOP), (HEAD, TOP, ALL), ())] == [3, 2, 0, 3]


def test_what_is_kept_on_disk() -> None:
    assert planned(HEAD).kept_bytes == 4 * (110 + 50) * 7
    assert planned(HEAD, TOP, TOP).kept_bytes == 4 * (110 * 7 + (110 + 50) * 50)
    assert planned(ALL).kept_bytes == 0


def test_frozen_batch_norm_and_statistics_are_not_trainable() -> None:
    assert cost_model.trainable_parameters(HEAD, BLOCKS, head=7) == 7
    frozen = Phase("all", 1, 1e-3, 8, trains=everything)
    assert cost_model.trainable_parameters(frozen, BLOCKS, head=7) == 7 + 80 + 160 + 300
    assert cost_model.trainable_parameters(ALL, BLOCKS, head=7) == 7 + 90 + 180 + 300


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
    assert cost_model.trainable_parameters(replace(ALL, **changes), BLOCKS, head=7) == 7 + expected


def test_features_are_computed_again_after_the_backbone_has_changed() -> None:
    features = IMAGES.train + IMAGES.validation
    other = replace(HEAD, name="another")
    for phases, times in (([HEAD], 1), ([HEAD, other], 1), ([HEAD, ALL, other], 2), ([ALL], 0), ([ALL, HEAD], 1)):
        assert sum(planned(*phases).frozen(index).frozen for index in range(len(phases))) == pytest.approx(times * features)
