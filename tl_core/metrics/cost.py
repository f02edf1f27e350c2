"""Cost: what the mistakes cost, by a matrix of one's own."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, FiniteFloat, field_validator, model_validator

from tl_core.analysis.statistics import mean_interval
from tl_core.errors import SettingError
from tl_core.metrics import Better, Interval, Labels, Metric, Probabilities, Statistic, register
from tl_core.metrics._intervals import around, mean_of


@register("cost")
class Cost(Metric):
    """What an example costs in the mean, where each mistake has a price of its own.

    Each example is taken for the class whose expected cost, by the model's probabilities, is the least: nothing is fitted to the
    examples. The interval is Student's t of the mean.
    """

    title: ClassVar[str] = "Cost"
    better: ClassVar[Better] = Better.LOWER
    percent: ClassVar[bool] = False
    listing_order: ClassVar[int] = 100
    by_default: ClassVar[bool] = False
    most_probable: ClassVar[bool] = False

    costs: tuple[tuple[FiniteFloat, ...], ...] = Field(
        (),
        title="Costs",
        description="A row for each true class with the cost of taking it for each class, such as [[0, 1], [5, 0]]. "
        "Without any, each mistake costs 1.",
        json_schema_extra={"empty": "each mistake costs 1"},
    )

    @field_validator("costs", mode="before")
    @classmethod
    def _none_is_the_default(cls, value: Any) -> Any:
        return () if value is None else value

    @model_validator(mode="after")
    def _is_square(self) -> Self:
        if any(len(row) != len(self.costs) for row in self.costs):
            raise ValueError("has costs of which a row has more or fewer numbers than there are rows")
        return self

    def suits(self, classes: int) -> bool:
        return not self.costs or len(self.costs) == classes

    def require(self, classes: int) -> None:
        """Raise the `SettingError` of costs of another number of classes."""
        if not self.suits(classes):
            raise SettingError(
                f"The data have {classes} classes, and the costs are of {len(self.costs)}.",
                f"Give {classes} rows of {classes} numbers.",
                received=f"{len(self.costs)} rows",
            )

    def value(self, labels: Labels, probabilities: Probabilities) -> float:
        """Return the mean cost. Raises `SettingError` where the costs are of another number of classes."""
        return float(self._each(labels, probabilities).mean())

    def interval(self, labels: Labels, probabilities: Probabilities) -> Interval | None:
        each = self._each(labels, probabilities)
        if len(each) < 2:
            return None
        found = mean_interval(each)
        return around(float(each.mean()), found.low, found.high)

    def statistic(self, labels: Labels, probabilities: Probabilities) -> Statistic:
        return mean_of(self._each(labels, probabilities))

    def _each(self, labels: Labels, probabilities: Probabilities) -> NDArray[np.float64]:
        classes = probabilities.shape[1]
        self.require(classes)
        costs = np.array(self.costs) if self.costs else 1.0 - np.eye(classes)
        return costs[labels, self.decisions(probabilities)]

    def decisions(self, probabilities: Probabilities) -> Labels:
        """Return the class (n,) of the least expected cost for each example."""
        expected = probabilities.astype(np.float64) @ np.array(self.costs) if self.costs else -probabilities
        return expected.argmin(axis=1)
