"""What a phase learns from beside the labels: a finished run that is asked what it would say of the training examples."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Teacher:
    """The finished `run` (its id) whose probabilities are learned beside the labels, as `share` (0..1) of the loss, both sides of
    it softened by `temperature` (Hinton et al. 2015, arXiv 1503.02531)."""

    run: str
    temperature: float
    share: float
