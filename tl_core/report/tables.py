"""Tables of compared runs, on the page Compare and in its report alike."""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd

from tl_core.analysis import comparison
from tl_core.analysis.statements import seconds
from tl_core.errors import TransferError
from tl_core.recipe import Recipe, titles_of
from tl_core.report.sentences import Names
from tl_core.runs import compared
from tl_core.runs.findings import Findings
from tl_core.runs.label_counts import labels_of
from tl_core.runs.store import Run


def compared_runs(found: Findings, names: Names) -> pd.DataFrame:
    """Return what was compared, a row a run, without columns in which nothing stands."""
    called = names(found.runs)
    rows = pd.DataFrame(_row(run, called[run.id], found) for run in found.runs)
    return rows.loc[:, (rows != "").any()]


def _row(run: Run, name: str, found: Findings) -> dict[str, object]:
    dataset, backbone, strategy = titles_of(run.spec)
    return {
        "Run": name,
        "Tags": ", ".join(run.tags),
        "Dataset": dataset,
        "Labels a class": labels_of(run) or "all",
        "Backbone": backbone,
        "Strategy": strategy,
        "Seed": run.spec.seed,
        f"Test {found.metric.in_sentence}": compared.shown(found.values[run.id], found.metric),
        "Took": seconds(run.seconds or 0.0),
        "Trained parameters": f"{run.trainable_parameters or 0:,}",
        "Made": f"{datetime.fromtimestamp(run.created):%d %b %Y, %H:%M}",
        "Id": run.id,
    }


def differences(runs: Sequence[Run], names: Names) -> pd.DataFrame:
    """Return the settings in which `runs` differ, a column each."""
    called = names(runs)
    return comparison.differences({called[run.id]: settings_of(run) for run in runs})


def settings_of(run: Run) -> dict[str, object]:
    """Return the settings of a run by their dotted names, as they are called today where this version can read them."""
    try:
        return Recipe.of(run.spec).draft().dotted()
    except TransferError:
        return run.spec.dotted()
