"""Successive halving over epochs (Jamieson and Talwalkar 2016, arXiv 1502.07943): all begin with few, and the better ones go on.

A *rung* is a number of epochs after which settings are held against each other, by what their validation images say. The best
third goes on, from where it was, to a rung three times as high; the others are left there. Which these are Optuna says.
"""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from tl_core.errors import SettingError, TransferError
from tl_core.groups.expansion import Member
from tl_core.recipe import ONE_BLOCK

FACTOR = 3
"""One of so many goes on, to so many times the epochs."""
ROUNDS = 2
"""So many rungs lie below the whole length of a run."""


class LeftAt(BaseModel):
    """Why a run was left where it is: after so many `epochs` its setting had the `place` among `of` by the validation images, of
    which the best `kept` went on."""

    model_config = ConfigDict(frozen=True)
    epochs: int
    place: int
    of: int
    kept: int


def first_rung(members: Sequence[Member]) -> int | None:
    """Return after how many epochs runs are first held against each other; None where none of them trains for longer."""
    longest = max(map(_epochs, members), default=0)
    rung = max(1, longest // FACTOR**ROUNDS)
    return rung if rung < longest else None


def require(members: Sequence[Member]) -> None:
    """Raise the `SettingError` of runs that cannot be halved, since nothing could be said of them by validation images."""
    if any(member.shape and not member.shape.images.validation for member in members):
        what = "Successive halving goes by validation examples, and a dataset of this group has none."
        raise SettingError(what, "Start this group without it.")


def _epochs(member: Member) -> int:
    """Return the epochs of training that a run has, as far as that is known without its network; a computed head has none."""
    images = member.shape.images.train if member.shape else 1
    try:
        return sum(phase.epochs for phase in member.recipe.phases(ONE_BLOCK, images) if not phase.solver)
    except TransferError:  # the run itself will say it
        return 0


def promoted(values: Mapping[str, float]) -> set[str]:
    """Return which go on of settings with these values of their validation images, the larger the better: one in `FACTOR`, at
    least one, and whatever equals the last of them."""
    from optuna import create_study, logging  # a second, which only the runner of a group takes that asks for it
    from optuna.pruners import SuccessiveHalvingPruner

    logging.set_verbosity(logging.WARNING)
    on = set[str]()
    for name, value in values.items():
        study = create_study(direction="maximize", pruner=SuccessiveHalvingPruner(min_resource=1, reduction_factor=FACTOR))
        # Optuna judges a trial by those that came to the rung before it, so that the one in question comes last.
        for each in (*(other for key, other in values.items() if key != name), value):
            trial = study.ask()
            trial.report(each, step=1)
            is_pruned = trial.should_prune()
        if not is_pruned:
            on.add(name)
    return on
