"""Shares in tables: one column with the interval, which sorts by its number."""

from tests.pages.test_train import put
from tests.tools.pages import opened
from tl_core.runs.states import State
from tl_core.ui import formatting, steps

SPACE = "\N{FIGURE SPACE}"


def test_percentages_sort_as_numbers() -> None:
    """A browser compares the texts; a space comes before every digit."""
    texts = [formatting.in_column(text) for text in ("9 % (5-16)", "10.5 % (9.9-11.0)", "100 % (98-100)")]
    assert [text.replace(SPACE, " ") for text in texts] == ["  9 % (5-16)", " 10.5 % (9.9-11.0)", "100 % (98-100)"]
    assert sorted(texts, key=lambda text: text.replace(SPACE, " ")) == texts


def test_the_accuracy_of_a_run_and_its_interval_are_one_column() -> None:
    put(State.DONE)
    columns = opened(steps.COMPARE.script).dataframe[0].value.columns
    assert "Accuracy" in columns
    assert not {"From", "To"} & set(columns)
