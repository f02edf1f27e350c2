"""The command that says which of several runs is better."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tl_core.analysis.comparison import Cost
from tl_core.analysis.paired_tests import PairedTest
from tl_core.analysis.power_law import PowerLaw
from tl_core.analysis.statistics import Interval
from tl_core.analysis.usage import usage_of
from tl_core.cli.console import AsJson, app, out, path_in, print_json, says_what_is_wrong
from tl_core.cli.settings import Parts, Settings, given_part, with_parts
from tl_core.errors import RunError
from tl_core.metrics import Metric, MetricValue, metrics
from tl_core.recipe import titles_of
from tl_core.report import sentences
from tl_core.report.figures import cost_of
from tl_core.report.page import View, page
from tl_core.runs import artifacts, compared, findings, flops, seeds
from tl_core.runs.findings import Findings, Reads
from tl_core.runs.label_counts import LabelCurve
from tl_core.runs.store import Run, Store
from tl_core.runs.twins import Twins
from tl_core.system.files import write_whole

REPORTS = (".html", ".htm")
"""Endings of a report's name."""


@app.command()
@says_what_is_wrong
@with_parts("metric")
def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN RUN...", help="Ids of finished runs, or ends of them.")],
    *,
    parts: Parts,
    settings: Settings = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", parser=path_in, help="Write it with its charts into a file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say for the first of several finished runs and each other one which is better, by a paired test on the same test images, or
    over the seeds that both have been run with. Of several comparisons p-values are corrected by Holm."""
    by, store = given_part("metric", parts, settings), Store()
    metric = metrics.build(by) if by else compared.ACCURACY
    chosen = [store.run(run_id) for run_id in dict.fromkeys(map(store.named, runs))]
    if report and report.suffix.lower() not in REPORTS:
        raise RunError("A report is a web page, in one file.", f"Name it {report.stem}.html.", received=report)
    if len(chosen) < 2:
        raise RunError("A comparison needs two runs or more.", "Name another one; see: python -m tl_core runs", received=runs[0])
    read = compared.reader(store)
    values = {run.id: _value(run, metric, read) for run in chosen}
    found = findings.find(chosen, values, metric, reads := _reads(store, metric, read))
    if report:
        text = page(found, _names, reads, View())
        write_whole(report, lambda path: path.write_text(text, encoding="utf-8"))
    if as_json:
        print_json(_told(found, reads))
        return
    for text in (*sentences.verdicts(found, _names), *map(_beside_twin, sentences.beside_twins(found, _names))):
        out.print(text, markup=False, soft_wrap=True)
    for text in sentences.by_labels(found, _names):
        out.print(text, markup=False, soft_wrap=True)


def _reads(store: Store, metric: Metric, read: compared.Read) -> Reads:
    return Reads(
        test=partial(compared.paired_test, metric=metric, read=read),
        events=lambda run, kind: store.events(run.id, kind),
        classes=lambda run: len(artifacts.read_result(store.folder(run.id)).class_names),
        usage=lambda run: usage_of(store.events(run.id, "telemetry")),
        flops=partial(flops.of, store),
    )


def _names(runs: Sequence[Run]) -> dict[str, str]:
    return {run.id: f"{run.name or ' · '.join(titles_of(run.spec)[1:])} ({run.id})" for run in runs}


def _beside_twin(row: Mapping[str, object]) -> str:
    return ". ".join(f"{name}: {value}" for name, value in row.items())


def _told(found: Findings, reads: Reads) -> dict[str, object]:
    """Return what `--json` prints."""
    pairs = zip(found.matches, found.tests, sentences.verdicts(found, _names), strict=True)
    saved = [{"transfer": one.runs[0].id, "scratch": other.runs[0].id} | asdict(saving) for one, other, saving in found.savings]
    return {
        "metric": found.metric.spec().model_dump(mode="json"),
        "pairs": [_pair(*each) for each in pairs],
        "transfers": list(map(_beside_its_twin, found.twins)),
        "by_labels": list(map(_by_labels, found.curves)),
        "label_savings": saved,
        "costs": [{"run_id": run.id} | {cost: cost_of(run, cost, reads) for cost in Cost} for run in found.runs],
    }


def _pair(match: seeds.Match, said: PairedTest | None, text: str) -> dict[str, object]:
    ids = [match.baseline[0].id, match.others[0].id]
    return {"run_ids": ids, "sides": _ids(match)} | _facts(said) | {"verdict": text}


def _by_labels(curve: LabelCurve) -> dict[str, object]:
    law = curve.law if isinstance(curve.law, PowerLaw) else None
    told = curve.foretold if isinstance(curve.foretold, Interval) else None
    return {
        "run_ids": [run.id for run in curve.runs],
        "points": list(map(asdict, curve.points)),
        "law": law and {"scale": law.scale, "exponent": law.exponent, "floor": law.floor},
        "more_labels": curve.more,
        "foretold": told and asdict(told),
        "silent": None if told else curve.foretold,
    }


def _beside_its_twin(each: Twins) -> dict[str, object]:
    scratch, transfer = _ids(each.match)
    learning = each.learning and asdict(each.learning) | {"metric": each.learned_by.spec().model_dump(mode="json")}
    told = {"transfer": transfer, "scratch": scratch, "gain": each.gain, "effect": each.effect, "learning": learning}
    return told | _facts(each.test)


def _value(run: Run, metric: Metric, read: compared.Read) -> MetricValue:
    found = compared.value_of(run, metric, read)
    if isinstance(found, compared.Lacks):
        raise RunError(f"This run has no {metric.in_sentence} ({found}).", "Choose another run or metric.", received=run.id)
    return found


def _ids(match: seeds.Match) -> list[list[str]]:
    return [[run.id for run in side] for side in (match.baseline, match.others)]


FACTS = ("images", "seeds", "lead", "p_value", "comparisons", "corrected", "least", "told_apart")
"""What `--json` has of a test, besides the ends of its interval."""


def _facts(test: PairedTest | None) -> dict[str, object]:
    return {name: getattr(test, name, None) for name in FACTS} | {
        "interval": [test.interval.low, test.interval.high] if test and test.interval else None
    }
