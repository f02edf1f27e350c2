"""What strategies that compute their head have in common: whether classes are balanced in it."""

from tl_core.heads import Solver
from tl_core.strategies import Phase, Strategy
from tl_core.strategies._by_gradient import ByGradient, solved


class ByComputation(Strategy):
    """A strategy that computes its head by minimising a loss over all images at once."""

    balanced: bool = ByGradient.model_fields["balanced"]  # type: ignore[assignment]  # one setting, whoever minimises the loss

    def solved(self, solver: Solver) -> Phase:
        """Return the phase in which `solver` computes the head."""
        return solved(solver, balanced=self.balanced)
