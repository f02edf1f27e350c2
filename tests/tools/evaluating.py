"""Tests of a run on other data, in this process."""

from tests.tools.answering import answered
from tl_core.recipe import Recipe
from tl_core.runs.evaluations import Evaluation
from tl_core.runs.store import Store
from tl_core.studies.evaluation import EvaluationResult, EvaluationStudy


def evaluated(run: str, recipe: Recipe) -> EvaluationResult:
    """What the study finds of the data of `recipe`."""
    return answered(EvaluationStudy(run_id=run), Store().home, recipe)


def evaluation(run: str, recipe: Recipe) -> Evaluation:
    """The same, of a study that ends well."""
    found = evaluated(run, recipe)
    assert found.error == ""
    assert found.evaluation
    return found.evaluation
