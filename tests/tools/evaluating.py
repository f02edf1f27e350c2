"""Tests of a run on other data, in this process."""

from tl_core.recipe import Recipe
from tl_core.runs.store import Store
from tl_core.studies.evaluation import EvaluationResult, EvaluationStudy


def evaluated(run: str, recipe: Recipe) -> EvaluationResult:
    """What the study finds of the data of `recipe`."""
    study, home = EvaluationStudy(run_id=run), Store().home
    study.require_possible(recipe)
    study.file(home, recipe).parent.mkdir(parents=True, exist_ok=True)
    study.answer(home, recipe, lambda _: 0)
    found = study.read(home, recipe)
    assert found
    return found
