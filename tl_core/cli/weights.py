"""The commands of the shelf: where the weights of networks are, how they come there, and whether they are the published ones."""

import difflib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from tl_core.analysis.statements import size
from tl_core.backbones import CatalogueEntry, backbones
from tl_core.backbones._scaling import TOLD, Scaling
from tl_core.backbones._shelf import bring
from tl_core.cli.console import AsJson, app, confirm, err, out, print_json, says_what_is_wrong
from tl_core.errors import SettingError, WeightsError
from tl_core.networks.download import WeightsFile, download, file_digest
from tl_core.system import settings
from tl_core.system.files import write_whole

BYTES_PER_PARAMETER = 4
VERIFIED = {True: "as published", False: "differs from the published one"}
BROUGHT = {True: "as it came", False: "differs from the file that came"}
Networks = Annotated[list[str], typer.Argument(metavar="NETWORK...", help="Names of networks, as the list has them.")]
Some = Annotated[list[str] | None, typer.Argument(metavar="[NETWORK...]", help="Names of networks; else all that are here.")]


def _scaling(text: str) -> Scaling:
    """Return the scaling of that name. Raises `typer.BadParameter` where there is none."""
    if text not in TOLD:
        raise typer.BadParameter(f"What a network expects of a pixel is one of {', '.join(TOLD)}. Received: {text}")
    return Scaling(text)


shelf = typer.Typer(no_args_is_help=True, help="Weights of networks: which are on this machine, and how others come here.")
app.add_typer(shelf, name="weights")


@shelf.command("list")
@says_what_is_wrong
def list_weights(as_json: AsJson = False) -> None:
    """List the networks with their weights: where they are, or the line that brings them; size, published digest and licence."""
    if as_json:
        print_json([_facts(entry) for entry in _pretrained()])
        return
    table = Table("Network", Column("Weights", overflow="fold"), Column("Size", justify="right"), "Digest", "Licence", box=None)
    for entry in _pretrained():
        facts = _facts(entry)
        held = size(facts["bytes"]) if facts["bytes"] else f"about {size(BYTES_PER_PARAMETER * entry.parameters)}"
        digest = f"{facts['algorithm']} {facts['digest'][:8]}" if facts["digest"] else "none published"
        table.add_row(*map(escape, (entry.title, facts["weights"], held, digest, entry.licence)))
    out.print(table)


@shelf.command()
@says_what_is_wrong
def fetch(network: Networks) -> None:
    """Fetch weights from the network to where Keras looks for them. What has come before an interruption is kept."""
    for entry in map(_named, network):
        if entry.here:
            err.print(escape(f"The weights of {entry.title} are here: {entry.weights}"), soft_wrap=True)
            continue
        place = _fetched(entry, *_published(entry))
        err.print(escape(f"The weights of {entry.title} are at {place}."), soft_wrap=True)


@shelf.command("import")
@says_what_is_wrong
def import_weights(
    file: Annotated[str, typer.Argument(metavar="FILE|NAME=FILE.onnx", help="A file that was fetched elsewhere, or a network.")],
    pixels: Annotated[
        Scaling, typer.Option(parser=_scaling, metavar="|".join(TOLD), help="What a network expects of a pixel.")
    ] = Scaling.INSIDE,
    output: Annotated[str | None, typer.Option(help="The tensor that is its features; else its first result.")] = None,
) -> None:
    """Put a file of published weights to where Keras looks for it, or an ONNX file on the shelf as the network NAME."""
    name, is_named, path = file.partition("=")
    if is_named and not Path(file).exists():
        found = bring(settings.home(), name, settings.absolute(path), pixels, output)
        told = f"{found.facts.features:,} features from {found.facts.parameters:,} parameters"
        err.print(escape(f"{name} is on the shelf: {told}."), soft_wrap=True)
        return
    _import_published(Path(file))


def _import_published(file: Path) -> None:
    if not file.is_file():
        raise WeightsError("This file is not there.", "Give the path of a file of weights.", received=file)
    entry, published = _recognised(file)
    write_whole(published.place, lambda place: _copy(file, place))
    checked = "" if published.digest else " No digest is published by which it could be checked."
    err.print(escape(f"The weights of {entry.title} are at {published.place}.{checked}"), soft_wrap=True)


@shelf.command()
@says_what_is_wrong
def verify(network: Some = None) -> None:
    """Compute the digests of the files that are here, and hold them against the published ones."""
    wrong = []
    for entry in map(_named, network) if network else [entry for entry in _pretrained() if entry.here and entry.file]:
        if not (entry.here and entry.file):
            raise WeightsError(f"No file of the weights of {entry.title} is here.", received=entry.weights)
        is_copy = entry.file.is_copy(entry.file.place)
        wrong += [] if is_copy else [entry.title]
        said = "no digest is published" if entry.file.digest is None else (BROUGHT if entry.brought else VERIFIED)[is_copy]
        out.print(escape(f"{entry.title}: {said} ({entry.file.place})"), soft_wrap=True)
    if wrong:
        raise WeightsError(
            "Not all files are the published ones, or as they came here.",
            f"Remove them and fetch or import them again: python -m tl_core weights remove {' '.join(wrong)}",
            received=", ".join(wrong),
        )


@shelf.command()
@says_what_is_wrong
def remove(network: Networks, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Remove weights from where Keras looks for them, after a question."""
    found = []
    for entry in map(_named, network):
        place = entry.file.place if entry.brought and entry.file else _published(entry)[0].place
        if not (entry.here or entry.brought):
            raise WeightsError(f"The weights of {entry.title} are not here.", received=place)
        found.append(place.parent if entry.brought else place)
        if not yes:
            held = size(place.stat().st_size) if entry.here else "which is gone"
            out.print(escape(f"{entry.title}: {place}, {held}"), soft_wrap=True)
    if not yes:
        confirm("Remove?" if len(found) == 1 else f"Remove these {len(found)} files?")
    for place in found:
        shutil.rmtree(place) if place.is_dir() else place.unlink()
        err.print(escape(f"{place} is removed."), soft_wrap=True)


def _pretrained() -> Iterator[CatalogueEntry]:
    """Yield the networks that have learned something, and that have names."""
    for part in backbones.parts().values():
        yield from (entry for entry in part.catalogue() if entry.pretrained and entry.parameters)


def _facts(entry: CatalogueEntry) -> dict[str, Any]:
    """Return what is told of the weights of a network."""
    file = entry.file
    fetched = file is not None and file.url is not None and not entry.here
    return {
        "network": entry.title,
        "here": entry.here,
        "weights": f"python -m tl_core weights fetch {entry.title}" if fetched else entry.weights,
        "bytes": file.place.stat().st_size if file and file.place.is_file() else None,
        "algorithm": file.algorithm if file and file.digest else None,
        "digest": file.digest if file else None,
        "url": file.url if file else None,
        "licence": entry.licence,
        "learned_from": entry.learned_from,
        "parameters": entry.parameters,
    }


def _named(name: str) -> CatalogueEntry:
    known = {entry.title.casefold(): entry for entry in _pretrained()}
    if name.casefold() not in known:
        near = difflib.get_close_matches(name.casefold(), known, n=1)
        hint = f"Did you mean {known[near[0]].title}? " if near else ""
        raise SettingError("There is no network of that name.", f"{hint}See: python -m tl_core weights list", received=name)
    return known[name.casefold()]


def _published(entry: CatalogueEntry) -> tuple[WeightsFile, str]:
    """Return the file of a network in Keras' cache, and where it is fetched from. Raises `WeightsError` for one whose weights
    come in another way."""
    if entry.file is None or entry.file.url is None:
        raise WeightsError(
            f"The weights of {entry.title} are not kept in Keras' cache: they come with a package, or from KerasHub.",
            received=entry.weights,
        )
    return entry.file, entry.file.url


def _fetched(entry: CatalogueEntry, file: WeightsFile, url: str) -> Path:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as shown:
        task = shown.add_task(escape(entry.title), total=None)
        return download(url, file.place, file.digest, lambda done, total: shown.update(task, completed=done, total=total))


def _recognised(file: Path) -> tuple[CatalogueEntry, WeightsFile]:
    """Return the network whose published file this is: by its digest, or by its name where none is published. Raises
    `WeightsError`."""
    known = [(entry, entry.file) for entry in _pretrained() if entry.file and entry.file.url]
    digests = {file_digest(file, algorithm) for algorithm in ("md5", "sha256")}
    called = [pair for pair in known if pair[1].place.name == file.name]
    found = [pair for pair in known if pair[1].digest in digests] or [pair for pair in called if pair[1].digest is None]
    if found:
        return found[0]
    if called:
        entry, published = called[0]
        raise WeightsError(
            f"This file is called like the weights of {entry.title}, and is not them, since its {published.algorithm} differs.",
            f"Fetch it anew from {published.url}",
            received=file,
        )
    raise WeightsError(
        "This file is none of the published ones, by its name or its digest.",
        "See the published ones with: python -m tl_core weights list --json",
        received=file,
    )


def _copy(file: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, place)
