"""The FLOPs of a run, against counts by hand: two a multiply-add, three passes for what trains, one for what stays as it is."""

from dataclasses import replace

import pytest

from tests.planning.test_cost_model import ALL, BLOCKS, HEAD, TOP, planned
from tl_core.backbones import Outline
from tl_core.heads import RidgeClassifier
from tl_core.networks.outline import Provenance
from tl_core.phases.teacher import Teacher
from tl_core.planning import flops
from tl_core.strategies import Learning, Phase

OUTLINE = Outline(BLOCKS, 5, Provenance("none", "none", "nothing"))
HEAD_SIZE, TRAIN, HELD_OUT, TEST = 5 * 2, 100, 10, 50
"""A pass takes 100 multiply-adds, 10, 30 and 60 in its three blocks."""
RIDGE = RidgeClassifier()
SOLVED = replace(HEAD, epochs=1, solver=RIDGE)
COUNTED = {
    "head alone": ((HEAD,), 100 * (110 + 50) + HEAD_SIZE * (4 * 310 + 50)),
    "everything": ((ALL,), 100 * (2 * (3 * 100 + 10) + 50) + HEAD_SIZE * (2 * 310 + 50)),
    "a block on kept activations": ((TOP,), 40 * (110 + 50) + 60 * (3 * 310 + 50) + HEAD_SIZE * (3 * 310 + 50)),
    "a computed head": ((SOLVED,), 100 * (110 + 50) + RIDGE.multiply_adds(TRAIN, 5, 2) + HEAD_SIZE * (TRAIN + HELD_OUT + TEST)),
    "the same features twice": (
        (SOLVED, HEAD),
        100 * (110 + 50) + RIDGE.multiply_adds(TRAIN, 5, 2) + HEAD_SIZE * (110 + 4 * 310 + 50),
    ),
}


@pytest.mark.parametrize("name", COUNTED)
def test_as_counted_by_hand(name: str) -> None:
    phases, multiply_adds = COUNTED[name]
    assert flops.of(planned(*phases), OUTLINE, 5, 2, [phase.epochs for phase in phases]) == pytest.approx(2 * multiply_adds)


def test_epochs_that_patience_spared_cost_nothing() -> None:
    all_of_them, one = (flops.of(planned(ALL), OUTLINE, 5, 2, [epochs]) for epochs in (2, 1))
    assert all_of_them is not None
    assert one == pytest.approx(all_of_them - 2 * (100 + HEAD_SIZE) * 310)


def test_where_a_teacher_had_its_part_nothing_is_said() -> None:
    taught: Phase = replace(ALL, learning=Learning(teacher=Teacher("a run", 2.0, 0.5)))
    assert flops.of(planned(HEAD, taught), OUTLINE, 5, 2, [4, 2]) is None
