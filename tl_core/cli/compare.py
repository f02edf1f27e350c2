"""The command that says which of several runs is better."""

from typing import Annotated

import typer

from tl_core.analysis import comparison
from tl_core.cli.console import AsJson, app, out, print_json, says_what_is_wrong
from tl_core.cli.settings import Parts, Settings, given_part, with_parts
from tl_core.errors import RunError
from tl_core.metrics import Metric, metrics
from tl_core.recipe import titles_of
from tl_core.runs import compared
from tl_core.runs.store import Run, Store


@app.command()
@says_what_is_wrong
@with_parts("metric")
def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN RUN...", help="Ids of finished runs, or ends of them.")],
    *,
    parts: Parts,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Say for the first of several finished runs and each other one which is better, by a paired test on the same test images."""
    by, store = given_part("metric", parts, settings), Store()
    metric = metrics.build(by) if by else compared.ACCURACY
    chosen = [store.run(store.named(name)) for name in runs]
    if len(chosen) < 2:
        raise RunError("A comparison needs two runs or more.", "Name another one; see: python -m tl_core runs", received=runs[0])
    first, *others = (_contender(run, metric, store) for run in chosen)
    read = compared.reader(store)
    found = [compared.paired_test(chosen[0], run, metric, read) for run in chosen[1:]]
    sentences = [comparison.verdict(first, other, test) for other, test in zip(others, found, strict=True)]
    if not as_json:
        for text in sentences:
            out.print(text, markup=False, soft_wrap=True)
        return
    told = [_facts(test) | {"verdict": text} for test, text in zip(found, sentences, strict=True)]
    pairs = [{"run_ids": [chosen[0].id, run.id]} | each for run, each in zip(chosen[1:], told, strict=True)]
    print_json({"metric": metric.spec().model_dump(mode="json"), "pairs": pairs})


def _contender(run: Run, metric: Metric, store: Store) -> comparison.Contender:
    found = compared.value_of(run, metric, compared.reader(store))
    if isinstance(found, compared.Lacks):
        raise RunError(f"This run has no {metric.in_sentence} ({found}).", "Choose another run or metric.", received=run.id)
    title = run.name or " · ".join(titles_of(run.spec)[1:])
    return compared.contender(run, f"{title} ({run.id})", found, metric)


def _facts(test: comparison.PairedTest | None) -> dict[str, object]:
    if test is None:
        return dict.fromkeys(("images", "lead", "p_value", "interval", "told_apart"))
    ends = test.interval and [test.interval.low, test.interval.high]
    return {
        "images": test.images,
        "lead": test.lead,
        "p_value": test.p_value,
        "interval": ends,
        "told_apart": test.told_apart,
    }
