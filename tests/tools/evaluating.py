"""Tests of a run on other data, in this process."""

import shutil
from pathlib import Path

from tests.helpers import keep_run
from tests.tools.answering import answered
from tl_core.recipe import Recipe
from tl_core.runs import artifacts
from tl_core.runs.evaluations import Evaluation
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
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


def stored(left: Path, spec: RunSpec) -> str:
    """The id of a finished run with what it `left`, in the present store."""
    store = Store()
    keep_run(store, "a", State.DONE, spec, **artifacts.summary(artifacts.read_result(left)))
    shutil.copytree(left, store.folder("a"))
    return "a"
