"""What strategies that compute their head have in common: whether classes are balanced in it."""

from typing import ClassVar

from tl_core.heads import Solver
from tl_core.strategies import Phase, Strategy
from tl_core.strategies._by_gradient import ByGradient, StoredBalance, solved


class ByComputation(Strategy):
    """A strategy that computes its head by minimising a loss over all images at once."""

    balance_setting: ClassVar[str | None] = "balanced"
    balanced: StoredBalance = ByGradient.model_fields["balanced"]  # type: ignore[assignment]  # one setting, whoever minimises

    def solved(self, solver: Solver) -> Phase:
        """Return the phase in which `solver` computes the head."""
        return solved(solver, balanced=self.balanced)
