"""Non-inferiority: by how much worse one of two models may be than the other, on the same examples."""

from math import ceil, sqrt
from statistics import NormalDist

Z = NormalDist().inv_cdf(0.95)


def greatest_loss(only_reference: int, only_other: int, examples: int) -> float:
    """Return the one-sided 95% upper bound (-1..1) of the accuracy of a reference minus that of another model, of which so many
    of the same `examples` only the reference, and only the other one, got right.

    It is an end of Tango's (1998) score interval for paired shares, which is honest where the two hardly ever differ: without
    any such example it is Z² / (n + Z²), and not 0.
    """
    from scipy.optimize import brentq  # takes a second to import, and few pages need it

    differing, lead = only_reference + only_other, only_reference - only_other

    def above(loss: float) -> float:
        """Return by how much the lead is above what is still credible with a true `loss`."""
        linear = (2 * examples - lead) * loss - differing
        constant = only_other * loss * (1 - loss)
        share = (sqrt(linear**2 + 8 * examples * constant) - linear) / (4 * examples)  # of only the other, most likely then
        return lead - examples * loss + Z * sqrt(max(0.0, examples * (2 * share + loss * (1 - loss))))

    estimate = lead / examples
    return float(brentq(above, estimate + 1e-9, 1.0)) if estimate < 1 else 1.0


def fewest_examples(margin: float) -> int:
    """Return how many examples it takes to show a loss of at most `margin` (0..1) where the two never differ."""
    return ceil(Z**2 * (1 - margin) / margin)
