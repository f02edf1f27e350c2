"""The defaults of probe, then fine-tune: measured, and its own alone."""

from tl_core.strategies._by_gradient import TunedFromProbe
from tl_core.strategies.l2_sp import L2SP
from tl_core.strategies.lp_ft import ProbeThenFineTune


def test_its_defaults_are_those_that_were_measured() -> None:
    """Ten epochs at 1e-4, over three seeds of two datasets, by the validation images; the ends of the fields stay."""
    strategy = ProbeThenFineTune()
    assert (strategy.epochs, strategy.learning_rate, strategy.schedule, strategy.restore_best) == (10, 1e-4, "constant", True)
    assert (L2SP().epochs, L2SP().learning_rate) == (5, 3e-4)  # its neighbours keep theirs
    for name in ("epochs", "learning_rate"):
        own, usual = ProbeThenFineTune.model_fields[name], TunedFromProbe.model_fields[name]
        assert (own.title, own.description, own.metadata) == (usual.title, usual.description, usual.metadata)


def test_the_page_promises_no_more_than_was_seen() -> None:
    assert "improves from there" not in ProbeThenFineTune.when_to_use
    assert "the probe's own included" in ProbeThenFineTune.when_to_use
