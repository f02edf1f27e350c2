"""Distillation: a finished run teaches a smaller network."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar, Self

from pydantic import Field

from tl_core.backbones import Backbone, BlockOutline
from tl_core.backbones.finished_run import EXAMPLE, FinishedRun, RunId
from tl_core.errors import SettingError
from tl_core.phases.teacher import Teacher
from tl_core.strategies import Family, Phase, everything, register
from tl_core.strategies._by_gradient import TunedFromProbe


@register("distillation")
class Distillation(TunedFromProbe):
    """Train everything from a probe, on the labels and on what a finished run says of the same examples.

    The probabilities that it gives to wrong classes tell what an example resembles, which the label alone does not. Both sides
    are softened by a temperature (Hinton et al. 2015, arXiv 1503.02531), and the loss is that of Keras'
    `keras.distillation.LogitsDistillation`. The teacher is asked once for each training example, as it is without augmentation.
    """

    title: ClassVar[str] = "Distillation"
    family: ClassVar[Family] = Family.TUNED
    when_to_use: ClassVar[str] = (
        "A large network has won, and a small one is to be used: the large run teaches it. "
        "Hold it against the same small network with probe, then fine-tune, to see what the teacher brought."
    )

    teacher: RunId | None = Field(
        None, title="Teacher", description="The id of a finished run of the same data, or its last letters."
    )
    temperature: float = Field(
        3.0, ge=1, le=100, title="Temperature", description="What logits are divided by before both sides are compared."
    )
    share: float = Field(
        0.5, ge=0, le=1, title="Teacher's share", description="The share of the loss that goes by the teacher, and not by labels."
    )

    @classmethod
    def example(cls) -> Self:
        return cls(teacher=EXAMPLE)

    @property
    def teacher_run(self) -> str | None:
        return self.teacher

    def require_ready(self) -> None:
        """Raise `SettingError` where no teacher is named, and `WeightsError` where it is not there, or has not finished."""
        if self.teacher is None:
            raise SettingError(
                "No run is named to teach the network.",
                "Set strategy.teacher to the id of a finished run; the page Result has a button that does it.",
                received="strategy.teacher is empty",
            )
        FinishedRun(run=self.teacher).required_file()

    def phases(self, backbone: Backbone, blocks: Sequence[BlockOutline], train_images: int) -> Iterator[Phase]:
        yield from self.probe()
        phase = self.phase("everything", self.epochs, self.learning_rate, everything)
        teacher = Teacher(self.teacher, self.temperature, self.share) if self.teacher else None
        yield replace(phase, learning=replace(phase.learning, teacher=teacher))
