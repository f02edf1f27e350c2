"""The command that trains a run again, and says whether the number is the same."""

from dataclasses import asdict
from math import isfinite
from typing import Any

from rich.markup import escape

from tl_core.cli.console import AsJson, RunId, app, out, print_json, says_what_is_wrong
from tl_core.cli.train import ended, tell
from tl_core.runner import control
from tl_core.runs.repetition import Repetition, repeatable, repetition
from tl_core.runs.store import Store


@app.command()
@says_what_is_wrong
def rerun(run: RunId, as_json: AsJson = False) -> None:
    """Train a finished run again with its own settings and seed, as a run of its own, and say what differs."""
    store = Store()
    first = store.named(run)
    second = ended(store, control.start(store, repeatable(store, first), repeats=first))
    found = repetition(store, second)
    if found is None:
        tell(store, second, as_json=as_json)
    elif as_json:
        print_json({"run_id": second.id} | told(found))
    else:
        for sentence in (f"Run {second.id}", *found.told()):
            out.print(escape(sentence), soft_wrap=True)


def told(found: Repetition) -> dict[str, Any]:
    """Return what `--json` prints of a run beside the one that it repeats."""
    values = {name: value if isfinite(value) else None for name, value in _numbers(found).items()}
    return {
        "repeats": found.first_id,
        "same_number": found.same_number,
        "metric": found.metric.name,
        **values,
        "predictions": found.agreement and asdict(found.agreement),
        "same_weights": found.same_weights,
        "differs": {fact.name: [fact.first, fact.second] for fact in found.facts if fact.differs},
        "same": {fact.name: fact.first for fact in found.facts if fact.is_known and not fact.differs},
        "not_stored": [fact.name for fact in found.facts if not fact.is_known],
    }


def _numbers(found: Repetition) -> dict[str, float]:
    return {"first": found.first.value, "second": found.second.value, "difference": found.difference}
