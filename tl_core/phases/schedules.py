"""How a learning rate moves in the course of a phase."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Ease(StrEnum):
    """The way from one end of a piece of a schedule to the other."""

    LINEAR = "linear"
    COSINE = "cosine"
    GEOMETRIC = "geometric"


@dataclass(frozen=True)
class Piece:
    """A piece of a schedule: until the share `until` of the phase's steps the factor goes from `start` to `end`."""

    until: float
    start: float
    end: float
    ease: Ease = Ease.LINEAR


@dataclass(frozen=True)
class Schedule:
    """What the learning rate is multiplied by in the course of a phase; the last piece ends at 1."""

    pieces: tuple[Piece, ...] = (Piece(1.0, 1.0, 1.0),)

    def factor(self, share: float) -> float:
        """Return the factor when `share` of the phase (0..1) has passed."""
        begin = 0.0
        for piece in self.pieces:
            if share < piece.until or piece is self.pieces[-1]:
                along = min(1.0, max(0.0, (share - begin) / (piece.until - begin)))
                if piece.ease is Ease.GEOMETRIC:
                    return piece.start * (piece.end / piece.start) ** along
                eased = along if piece.ease is Ease.LINEAR else (1 - math.cos(math.pi * along)) / 2
                return piece.start + (piece.end - piece.start) * eased
            begin = piece.until
        raise ValueError("A schedule has at least one piece.")

    @property
    def is_constant(self) -> bool:
        """Return whether the factor is 1 all the time."""
        return all(piece.start == piece.end == 1 for piece in self.pieces)


CONSTANT = Schedule()


def cosine(warmup: float = 0.1) -> Schedule:
    """Return a rise from 0 in the first `warmup` of the steps, then half a cosine down to 0 (Loshchilov and Hutter 2017)."""
    rise = (Piece(warmup, 0.0, 1.0),) if warmup else ()
    return Schedule((*rise, Piece(1.0, 1.0, 0.0, Ease.COSINE)))


def one_cycle(rise: float = 0.25) -> Schedule:
    """Return a rise from a 25th of the rate in the first `rise` of the steps, then a fall to a 100,000th, both along half a
    cosine (Smith 2018, with fastai's numbers)."""
    return Schedule((Piece(rise, 1 / 25, 1.0, Ease.COSINE), Piece(1.0, 1.0, 1e-5, Ease.COSINE)))


def rising(lowest: float) -> Schedule:
    """Return a rise from `lowest` (above 0) to 1, by one ratio in every step: the range test (Smith 2017, arXiv 1506.01186)."""
    return Schedule((Piece(1.0, lowest, 1.0, Ease.GEOMETRIC),))


def steps_down(boundaries: Sequence[float], warmup: float) -> Schedule:
    """Return a rise from 0 in the first `warmup` of the steps, then a tenth from each of `boundaries` (shares, growing) on."""
    level, pieces = 1.0, [Piece(warmup, 0.0, 1.0)]
    for end in (*boundaries, 1.0):
        pieces.append(Piece(end, level, level))
        level /= 10
    return Schedule(tuple(pieces))
