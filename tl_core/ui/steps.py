"""The six steps, in the order of the work: each is a page."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PageInfo:
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


DATASET = PageInfo(1, "Dataset", "Which pictures, and how many labels?")
BACKBONE = PageInfo(2, "Backbone", "Which pretrained network suits them?")
STRATEGY = PageInfo(3, "Strategy", "How much of it is retrained?")
TRAIN = PageInfo(4, "Train", "How is it going?")
RESULT = PageInfo(5, "Result", "How good is it, and what did it cost?")
COMPARE = PageInfo(6, "Compare", "Which one is better, and is that true?")

STEPS = (DATASET, BACKBONE, STRATEGY, TRAIN, RESULT, COMPARE)
