"""What carried a prediction, by the words of its text: plain values."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TextWords:
    """What carried a prediction, by the words of its text.

    `example` is the text's number among the test examples, or among those that were given, `predicted` the name of the class
    that the model takes it for, or of the number that it predicts, and `value` the probability of that class, or that number.
    `parts` are the text from its beginning: words, or `together` neighbouring ones, each with by how much `value` falls where
    they are left out. What follows them begins with `rest`: `untried` words that were not left out, since they are too many, and
    `unread` ones that the network does not see.
    """

    example: int
    predicted: str
    value: float
    parts: tuple[tuple[str, float], ...]
    together: int = 1
    untried: int = 0
    unread: int = 0
    rest: str = ""

    def strongest(self, most: int) -> tuple[tuple[str, float], ...]:
        """Return the parts with the largest effects, for or against the prediction, the largest first; none without effect."""
        return tuple(sorted((part for part in self.parts if part[1]), key=lambda part: -abs(part[1]))[:most])
