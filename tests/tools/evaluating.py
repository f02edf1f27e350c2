"""Tests of a run on other data, in this process."""

from tests.tools.answering import answered
from tl_core.recipe import Recipe
from tl_core.runs.store import Store
from tl_core.studies.evaluation import EvaluationResult, EvaluationStudy


def evaluated(run: str, recipe: Recipe) -> EvaluationResult:
    """What the study finds of the data of `recipe`."""
    return answered(EvaluationStudy(run_id=run), Store().home, recipe)
