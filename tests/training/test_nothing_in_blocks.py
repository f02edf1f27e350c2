"""A phase whose blocks hold nothing of what it trains says so in its record."""

from typing import Any

import pytest

from tests.tools.toy import begin, shortened
from tl_core.notes import Note, NoteKind
from tl_core.strategies import Moves, nothing


@pytest.mark.parametrize(
    ("changes", "remarks"),
    [
        ({"moves": Moves.ADAPTERS}, (Note(NoteKind.NOTHING_IN_BLOCKS),)),  # no layer has one
        ({"moves": Moves.BIASES}, ()),
        ({"trains": nothing}, ()),  # so it was meant
    ],
)
def test_it_is_told_where_the_head_trained_alone(changes: dict[str, Any], remarks: tuple[Note, ...]) -> None:
    training, (phase,) = begin()
    training.train_phase(shortened(phase, **changes))
    (record,) = training.state.records
    assert record.remarks == remarks
    assert all(path.startswith("head/") for path in record.trained) == (changes != {"moves": Moves.BIASES})
