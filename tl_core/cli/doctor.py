"""The command that says what computes on this machine, and why a GPU that is there does not."""

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.markup import escape

from tl_core import studies
from tl_core.cli.console import AsJson, app, err, out, print_json, says_what_is_wrong
from tl_core.cli.format import USER_MISTAKE
from tl_core.cli.study import answered, print_rows
from tl_core.machine.doctor import Examination, examine
from tl_core.recipe import Recipe, changed
from tl_core.spec import PartSpec, RunSpec
from tl_core.studies._doctors_words import FINE, facts, what_is_the_matter
from tl_core.studies.backend_times import BackendTimes


@app.command()
@says_what_is_wrong
def doctor(
    backbone: Annotated[str | None, typer.Option(help="Time training steps of this network on each backend that is here")] = None,
    batches: Annotated[int, typer.Option(help="How many steps")] = BackendTimes().batches,
    as_json: AsJson = False,
) -> None:
    """Say what networks are computed on, why a GPU that is there is not used, and the line that mends it."""
    found, rows = _timed(backbone, batches) if backbone is not None else (examine(), [])
    said = what_is_the_matter(found)
    if as_json:
        print_json(asdict(found) | {"finding": found.finding, "said": said, "times": rows})
    else:
        for name, fact in facts(found).items():
            out.print(f"[bold]{name:<10}[/] {escape(fact)}", soft_wrap=True)
        print_rows(rows)
        (out if found.finding in FINE else err).print(escape(said), soft_wrap=True)
    if found.finding not in FINE:
        raise typer.Exit(USER_MISTAKE)


def _timed(backbone: str, batches: int) -> tuple[Examination, list[dict[str, Any]]]:
    study = studies.build(PartSpec.model_validate({"name": BackendTimes.name, "batches": batches}))
    found = answered(study, Recipe.of(changed(RunSpec(), {"backbone": backbone})))
    assert found.examination is not None  # it is finished
    return found.examination, list(study.rows(found))
