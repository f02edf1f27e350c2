"""Whether each network says the same in each format in which a model can leave: a table in Markdown.

    python -m benchmarks.parity --home DIR [--backbones efficientnet_lite0 ...] [--formats onnx litert ...]

Each network whose weights are on this machine gets a linear probe on the images, or the texts, that are always there, and that
run leaves in each format, as from the page Export. Told is how far it is from the run, or in a note what its converter or its
runtime says, which names the operator. Runs, and what was found, stay in DIR: an interrupted benchmark goes on, and one that is
done prints its table again.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tl_core.cli.study import answered
from tl_core.errors import TransferError
from tl_core.exports import formats
from tl_core.recipe import Recipe, changed
from tl_core.runs.states import State
from tl_core.runs.store import Run, Store
from tl_core.spec import RunSpec
from tl_core.studies.backbone_ranking import candidates
from tl_core.studies.export_check import ExportCheck, ExportResult, gap
from tl_core.system.settings import HOME_VARIABLE, SPEC

DATA = ("photo_patches", "docstrings")
"""Images and texts that are always there."""


def main() -> None:
    """Find what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--backbones", nargs="+")
    parser.add_argument("--formats", nargs="+", default=list(formats.parts()))
    asked = parser.parse_args()
    os.environ[HOME_VARIABLE] = str(asked.home.resolve())
    found = {
        recipe.backbone.listing().title: [exported(run, name) for name in asked.formats]
        for recipe in networks(asked.backbones)
        for run in [trained(recipe)]
    }
    print("\n".join(table(asked.formats, found)))


def networks(wanted: Sequence[str] | None) -> Iterator[Recipe]:
    """Yield the recipes of the networks that are at hand, of those `wanted` by name, if any are."""
    for data in DATA:
        for recipe in candidates(Recipe.of(changed(RunSpec(), {"dataset": data}))):
            if wanted is None or recipe.backbone.name in wanted:
                yield recipe


def trained(recipe: Recipe) -> Run:
    """Return the run of a network, in a process of its own if it is not there yet."""
    if (run := stored(recipe)) is None:
        with TemporaryDirectory() as folder:
            (file := Path(folder) / SPEC).write_text(recipe.draft().model_dump_json(), encoding="utf-8")
            subprocess.run([sys.executable, "-m", "tl_core", "train", "--spec", file], stdout=sys.stderr, check=True)
        run = stored(recipe)
    assert run
    return run


def stored(recipe: Recipe) -> Run | None:
    """Return the finished run of a network."""
    wanted = recipe.backbone.spec()
    return next((run for run in Store().runs() if run.state is State.DONE and run.spec.backbone == wanted), None)


def exported(run: Run, name: str) -> ExportResult:
    """Return what was found of a run in a format, now or before, or why it cannot be."""
    study, recipe = ExportCheck(run_id=run.id, format=name), Recipe.of(run.spec)
    found = study.read(Store().home, recipe)
    if found and (found.parity or found.error):
        return found
    try:
        return answered(study, recipe)
    except TransferError as error:
        return ExportResult(error=str(error))


def table(names: Sequence[str], found: dict[str, list[ExportResult]]) -> Iterator[str]:
    """Yield the lines of a table with a row a network and a column a format, and notes on what could not be."""
    notes = list[str]()
    titles = [formats.part(name).title for name in names]
    yield f"| network | {' | '.join(titles)} |"
    yield "|---" * (len(names) + 1) + "|"
    for network, results in found.items():
        cells = list[str]()
        for title, result in zip(titles, results, strict=True):
            if result.parity:
                cells.append(gap(result.parity) if result.parity.is_good else f"not offered: {gap(result.parity)}")
            else:
                notes.append(f"{network}, {title}: {result.error}")
                cells.append(f"none ({len(notes)})")
        yield f"| {network} | {' | '.join(cells)} |"
    yield from (f"\n{place}. {note}" for place, note in enumerate(notes, 1))


if __name__ == "__main__":
    main()
