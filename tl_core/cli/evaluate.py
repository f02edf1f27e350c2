"""The command that tests a finished run on other data."""

from rich.markup import escape
from rich.table import Column, Table

from tl_core.analysis.statements import seconds as spoken
from tl_core.cli.console import AsJson, RunId, app, out, print_json, says_what_is_wrong
from tl_core.cli.format import told_evaluation
from tl_core.cli.settings import Parts, Settings, chosen, with_parts
from tl_core.cli.study import answered, text
from tl_core.errors import RunError, SettingError
from tl_core.notes import sentences
from tl_core.recipe import Recipe
from tl_core.runs import evaluations
from tl_core.runs.evaluations import Evaluation
from tl_core.runs.score import primary_metric
from tl_core.runs.store import Store
from tl_core.studies.evaluation import EvaluationStudy

DATASET = "dataset"


@app.command()
@says_what_is_wrong
@with_parts(DATASET)
def evaluate(run: RunId, *, parts: Parts, settings: Settings = None, as_json: AsJson = False) -> None:
    """Test a finished run on other data with the same labels, keep the result with the run, and say what differs."""
    store, given = Store(), chosen(parts, settings)
    tested = evaluations.finished(store, store.named(run))
    other = next((name for name in given if name.partition(".")[0] != DATASET), None)
    if other or DATASET not in given:
        raise SettingError(
            "A run is tested as it was trained, on other data." if other else "Say on which data the run is to be tested.",
            "Name a dataset, and its settings: --dataset image_folder --set dataset.path=DIR",
            received=f"{other}={given[other]}" if other else None,
        )
    recipe = Recipe.of(tested.run.spec.with_settings(given))
    found = answered(EvaluationStudy(run_id=tested.run.id), recipe).evaluation
    if found is None:
        raise RunError("The test was ended before it was done.", "Ask again.")
    if as_json:
        print_json({"run_id": tested.run.id} | told_evaluation(found))
        return
    out.print(_table(found))
    told = f"{found.title}: {found.told(primary_metric(tested.run), recipe.dataset.thing)}"
    for sentence in (*sentences(found.notes), told, f"Tested in {spoken(found.seconds)}."):
        out.print(escape(sentence), soft_wrap=True)


def _table(found: Evaluation) -> Table:
    numbers = ("Value", "from", "to", "Above own test", "from", "to")
    table, gains = Table("Metric", *(Column(title, justify="right") for title in numbers), box=None), found.differences
    by_name = {each.name: (each.value, each.low, each.high) for each in gains}
    for metric in found.metrics:
        gain = by_name.get(metric.name, (None, None, None))
        table.add_row(metric.name, *map(text, (metric.value, metric.low, metric.high, *gain)))
    return table
