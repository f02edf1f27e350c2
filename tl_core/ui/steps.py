"""The six steps, in the order of the work: each is a page."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """A page: its title, its script below the project's folder, and what it is for in a sentence."""

    number: int
    title: str
    question: str

    @property
    def script(self) -> str:
        """The page's file, as Streamlit names it."""
        return f"pages/views/{self.number}_{self.path}.py"

    @property
    def path(self) -> str:
        """Its address below the server's root."""
        return self.title.lower()

    @property
    def icon(self) -> str:
        """Its number in a circle."""
        return f":material/counter_{self.number}:"


DATASET = Step(1, "Dataset", "Which pictures, and how many labels?")
BACKBONE = Step(2, "Backbone", "Which pretrained network suits them?")
STRATEGY = Step(3, "Strategy", "How much of it is retrained?")
TRAIN = Step(4, "Train", "How is it going?")
RESULT = Step(5, "Result", "How good is it, and what did it cost?")
COMPARE = Step(6, "Compare", "Which one is better, and is that true?")

STEPS = (DATASET, BACKBONE, STRATEGY, TRAIN, RESULT, COMPARE)
