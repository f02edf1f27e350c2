"""Several labels on real photographs with the default network, against scikit-learn's pipeline on the same features."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

from tests.tasks.pairs import pairs
from tests.tools.toy import temporary_cache
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.training.evaluation import outcome_of
from tl_core.training.train import set_up


@pytest.mark.full
def test_which_photographs_are_in_an_image_is_told_as_by_scikit_learn(tmp_path: Path) -> None:
    """EfficientNet-Lite0 tells from 64 pixels which two of eight photographs stand side by side, as well with our probe."""
    settings = {"dataset": "csv_manifest", "dataset.path": str(pairs(tmp_path, 20, 64)), "strategy.strength": 10.0}
    recipe = Recipe.of(RunSpec().with_settings({"task": "multi_label", "image_size": 64, **settings}))
    run = set_up(recipe, lambda event: None, cache=temporary_cache())
    inputs = run.inputs.inputs_for(run.cuts.phases[0], 0).train, run.inputs.test(run.model)[1]
    train, test = (each.batch(np.arange(len(each))).astype(np.float64) for each in inputs)
    for phase in run.remaining_phases():
        run.train_phase(phase)
    outcome = outcome_of(run)
    result = {metric.name: metric for metric in outcome.result.metrics}
    one = LogisticRegression(C=10.0, tol=1e-8, max_iter=10_000)
    theirs = make_pipeline(StandardScaler(with_std=False), Normalizer(), OneVsRestClassifier(one))
    found, true = theirs.fit(train, run.data.train.labels.astype(int)).predict_proba(test), run.data.test.labels
    np.testing.assert_allclose(outcome.predictions.probabilities, found, atol=1e-3)
    assert result["mean_average_precision"].value == pytest.approx(average_precision_score(true, found), abs=1e-3)
    decided = found >= outcome.predictions.thresholds
    assert result["micro_f1"].value == pytest.approx(f1_score(true, decided, average="micro"), abs=0.02)
    assert result["mean_average_precision"].low is not None
    assert result["mean_average_precision"].low > true.mean() + 0.2
