"""The command that holds finished runs against what rankings have foretold."""

from collections.abc import Iterator
from math import isnan
from typing import Any

from rich.table import Column, Table

from tl_core.analysis import audit as audit_of
from tl_core.analysis.audit import Audit, Foretell
from tl_core.cli.console import AsJson, app, out, print_json, says_what_is_wrong
from tl_core.cli.study import text
from tl_core.recipe import titles_of
from tl_core.runs import artifacts
from tl_core.runs.states import State
from tl_core.runs.store import Run, Store
from tl_core.studies._ranking_audit import audits, rankings
from tl_core.studies.backbone_ranking import BackboneRankingResult

PRIOR = "published"


@app.command()
@says_what_is_wrong
def audit(*, as_json: AsJson = False) -> None:
    """Hold every finished run against what the ranking of its data foretold: weighted tau, and the regret in points."""
    store = Store()
    finished = [run for run in store.runs() if run.state is State.DONE]

    def digest_of(run: Run) -> str:
        return artifacts.read_result(store.folder(run.id)).data_digest

    rows = [
        {"data": titles_of(store.run(each.networks[0].run_ids[0]).spec)[0], "strategy": each.title} | judgement
        for found in rankings(store.home)
        for each in audits(found, finished, digest_of)
        for judgement in _judgements(found, each)
    ]
    if as_json:
        print_json(rows)
        return
    if not rows:
        out.print("No ranking has two networks that were trained in the same way on its data. Rank them, and train two.")
        return
    numbers = (Column(name, justify="right") for name in ("Networks", "Weighted tau", "Regret"))
    table = Table("Data", "Strategy", "Foretold by", *numbers, box=None)
    for row in rows:
        table.add_row(*map(text, row.values()))
    out.print(table)


def _judgements(found: BackboneRankingResult, each: Audit) -> Iterator[dict[str, Any]]:
    """Yield how right each score was, and published accuracy in the end."""
    names = dict.fromkeys(name for candidate in found.candidates for name in candidate.scores)
    foretelling: dict[str, Foretell] = {name: audit_of.by_score(name) for name in names} | {PRIOR: audit_of.published}
    for name, foretell in foretelling.items():
        if judged := each.judged(foretell):
            tau = None if isnan(judged.tau) else judged.tau
            yield {"by": name, "networks": judged.networks, "tau": tau, "regret": 100 * judged.regret}
