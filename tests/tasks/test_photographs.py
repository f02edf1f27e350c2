"""Regression on real photographs with the default network, against scikit-learn's pipeline on the same features."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import RidgeCV
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

from tests.tasks.crops import crops
from tests.tools.toy import temporary_cache
from tl_core.heads.ridge_path import PENALTIES
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.training.evaluation import outcome_of
from tl_core.training.train import set_up


@pytest.mark.full
def test_the_physical_scale_of_a_crop_is_predicted_as_by_scikit_learn(tmp_path: Path) -> None:
    """EfficientNet-Lite0 tells from 64 pixels how large a piece of a photograph it sees; its probe is as good as theirs."""
    settings = {"dataset": "csv_manifest", "dataset.path": str(crops(tmp_path, 240, 64)), "dataset.label_column": "side"}
    recipe = Recipe.of(RunSpec().with_settings({"task": "regression", "image_size": 64, **settings}))
    run = set_up(recipe, lambda event: None, cache=temporary_cache())
    inputs = run.inputs.inputs_for(run.cuts.phases[0], 0).train, run.inputs.test(run.model)[1]
    train, test = (each.batch(np.arange(len(each))).astype(np.float64) for each in inputs)
    for phase in run.remaining_phases():
        run.train_phase(phase)
    result = {metric.name: metric for metric in outcome_of(run).result.metrics}
    theirs = make_pipeline(StandardScaler(with_std=False), Normalizer(), RidgeCV(PENALTIES)).fit(train, run.data.train.labels)
    found, true = theirs.predict(test), run.data.test.labels
    assert result["mae"].value == pytest.approx(mean_absolute_error(true, found), rel=1e-3)
    assert result["r2"].value == pytest.approx(r2_score(true, found), abs=1e-3)
    assert result["r2"].value > 0.4
    assert result["r2"].low is not None
    assert result["r2"].low > 0
