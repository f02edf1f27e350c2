"""The BiT-HyperRule against the numbers of its paper, whatever the batch."""

import pytest

from tests.tools.toy import ToyBackbone
from tl_core.strategies import Phase
from tl_core.strategies.bit_hyperrule import BiTHyperRule

RULE = {
    160: (500, 100, (200, 300, 400), 0.0),
    19_999: (500, 100, (200, 300, 400), 0.0),
    20_000: (10_000, 500, (3000, 6000, 9000), 0.1),
    499_999: (10_000, 500, (3000, 6000, 9000), 0.1),
    500_000: (20_000, 500, (6000, 12_000, 18_000), 0.1),
}
"""Images: steps with a batch of 512, those of the rise, those after which the rate falls, and the mixup (arXiv 1912.11370)."""
BATCHES = (1, 8, 64, 100, 512, 4096)


def phase_of(images: int, **settings: float) -> Phase:
    (phase,) = BiTHyperRule.model_validate(settings).phases(ToyBackbone(), (), images)
    return phase


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("images", RULE)
def test_as_many_images_are_seen_as_with_the_papers_batch(images: int, batch: int) -> None:
    """To the end of the pass that is begun."""
    phase = phase_of(images, batch_size=batch)
    wanted = RULE[images][0] * 512
    assert wanted <= phase.epochs * images < wanted + images
    assert phase.batch_size == batch


def test_the_steps_are_those_of_the_paper_where_batches_come_out_even() -> None:
    """512 images: a pass is one step of the paper."""
    for batch, steps in ((512, 500), (256, 1000), (64, 4000)):
        phase = phase_of(512, batch_size=batch)
        assert phase.epochs * phase.steps(512) == steps


@pytest.mark.parametrize("images", RULE)
def test_the_rate_is_that_of_the_paper_at_each_step(images: int) -> None:
    """In the middle of each stretch that is one step of the paper, 512 images long."""
    steps, rise, falls, _ = RULE[images]
    phase = phase_of(images, batch_size=512)
    peak = 0.003 * min(images, 512) / 512
    for step in range(0, steps, 7):
        share = (step + 0.5) / steps
        expected = peak * (step + 0.5) / rise if step < rise else peak * 0.1 ** sum(step >= fall for fall in falls)
        assert phase.learning_rate * phase.learning.schedule.factor(share) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("images", "batch", "rate"), [(1000, 512, 3e-3), (1000, 64, 3.75e-4), (1000, 1024, 5.859375e-3), (32, 64, 1.875e-4)]
)
def test_the_rate_follows_the_batch_that_there_is(images: int, batch: int, rate: float) -> None:
    """In proportion; the last one has no more than 32 images in a step."""
    assert phase_of(images, batch_size=batch).learning_rate == pytest.approx(rate)


@pytest.mark.parametrize("images", RULE)
def test_it_learns_as_in_the_paper(images: int) -> None:
    learning = phase_of(images).learning
    assert (learning.optimizer, learning.mixup, learning.weight_decay) == ("sgd", RULE[images][3], 0)


def test_a_part_of_it_is_the_same_in_fewer_passes() -> None:
    """As it is offered to those who cannot wait for 1600 passes over 160 images."""
    whole, part = phase_of(160), phase_of(160, length=0.05)
    assert (whole.epochs, part.epochs) == (1600, 80)
    assert part.learning == whole.learning
    assert part.learning_rate == whole.learning_rate


def test_settings_that_were_stored_before_there_was_a_length_are_the_whole_rule() -> None:
    assert BiTHyperRule.model_validate({"batch_size": 64, "learning_rate": 3e-3}) == BiTHyperRule()
