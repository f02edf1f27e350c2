"""A model card in words: Markdown, as Hugging Face has it, and one HTML file that needs no other."""

import html
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from tl_core.analysis.statements import count, percent, seconds
from tl_core.metrics import metric_of, metrics
from tl_core.notes import sentences
from tl_core.result import PhaseRecord
from tl_core.runs import compared
from tl_core.runs.card import FEW_IMAGES, Card
from tl_core.runs.score import primary_metric

MOST_NAMES = 20
"""So many outputs are named."""
HUB_LICENCES = frozenset({"apache-2.0", "mit"})
"""Licences of weights that Hugging Face's hub knows by name, in its spelling."""
MARKS = re.compile(r"([\\`*_\[\]<>|#~])")
"""What has a meaning in Markdown."""
STYLE = """\
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
body { color: #1f2933; background: #fff; overflow-wrap: anywhere }
div { overflow-x: auto } table { border-collapse: collapse; margin: 1rem 0 }
td, th { border-bottom: 1px solid #cbd2d9; padding: .3rem .8rem; text-align: left; min-width: 5rem }
pre { background: #f1f4f7; padding: .8rem; overflow-x: auto } h2 { margin-top: 2rem }
"""


@dataclass(frozen=True)
class Section:
    """A part of a card: its title, sentences, a table (a head, then rows), and lines of code."""

    title: str
    said: Sequence[str] = ()
    table: Sequence[Sequence[str]] = ()
    code: str = ""


def title_of(card: Card) -> str:
    """Return what stands above a card."""
    dataset, backbone, strategy = card.titles
    return card.run.name or f"{dataset}: {backbone}, {strategy}"


def sections(card: Card) -> Iterator[Section]:
    """Yield the parts of a card, in order."""
    dataset, backbone, strategy = card.titles
    made = datetime.fromtimestamp(card.run.created, UTC).strftime("%Y-%m-%d")
    about = f"{card.task} of {card.things} by {backbone}, adapted to {dataset}."
    yield Section("What it is", [about, f"Run {card.run.id}, {made}."])
    yield _data(card)
    yield _backbone(card)
    yield Section("How it was adapted", [f"{strategy}. {card.approach}", *map(_phase, card.result.phases)])
    tested = f"On {card.result.test_images:,} test {card.things}, which chose nothing; intervals of 95 %."
    yield Section("How good it is", [tested], _scores(card))
    yield from _failures(card)
    yield Section("Limits", list(_limits(card)))
    yield _cost(card)
    yield _loading(card)


def _phase(record: PhaseRecord) -> str:
    rate = record.learning_rate
    how = "the head was computed" if rate is None else f"{record.epochs} epochs at a learning rate of {rate:g}"
    return f"{record.name.capitalize()}: {how}; {record.trainable_parameters:,} parameters trained."


def _data(card: Card) -> Section:
    result = card.result
    rest = len(result.class_names) - MOST_NAMES
    names = ", ".join(result.class_names[:MOST_NAMES]) + (f" and {rest:,} more" if rest > 0 else "")
    sizes = {"training": result.train_images, "validation": result.validation_images, "test": result.test_images}
    rows = [("Split", card.things.capitalize()), *((split, f"{size:,}") for split, size in sizes.items())]
    digest = [f"sha256 of all splits: {result.data_digest}"] if result.data_digest else []
    return Section("Data", [f"{card.titles[0]}. Outputs: {names}.", *sentences(result.notes), *digest], rows)


def _backbone(card: Card) -> Section:
    rows = [("Weights", "Learned from", "Licence", "sha256")]
    rows += [(step.source, step.learned_from, step.licence, step.sha256 or "none") for step in card.result.provenance.steps]
    told = f"{card.titles[1]} at {card.input_size}, {count(card.result.total_parameters)} parameters with its head."
    return Section("Backbone", [told], rows)


def _scores(card: Card) -> list[tuple[str, str]]:
    known = [(found, metric_of(found)) for found in card.result.metrics if found.name in metrics.parts()]
    return [("Metric", "Value"), *((metric.full_title, compared.shown(found, metric)) for found, metric in known)]


def _failures(card: Card) -> Iterator[Section]:
    if card.worst:
        rows = [(each.name, f"{each.correct:,} of {each.examples:,}", percent(each.share, each.interval)) for each in card.worst]
        head = ("Class", "Found", "Recall")
        yield Section("Where it fails: classes", ["The classes of which the smallest share was found."], [head, *rows])
    if card.mistakes:
        rows = [(each.true, each.taken, f"{each.examples:,}") for each in card.mistakes]
        head = ("True class", "Taken for", card.things.capitalize())
        yield Section("Where it fails: pairs", ["The most frequent mistakes."], [head, *rows])


def _limits(card: Card) -> Iterator[str]:
    """Yield what should be known before the model is used."""
    yield f"Its test {card.things} are of the same source as those that it learned from. Elsewhere it may do worse."
    if card.rarely_tested:
        rare, classes = card.rarely_tested, len(card.result.class_names)
        yield f"{rare:,} of {classes:,} classes have fewer than {FEW_IMAGES} test {card.things}."
    yield from card.warnings
    if card.worst:
        yield "It always answers with one of its classes, whatever it is shown."
    for found in card.evaluations:
        yield f"On other data, {found.title}: {found.told(primary_metric(card.run), card.things)}"


def _cost(card: Card) -> Section:
    result = card.result
    trained = f"{result.trainable_parameters:,} of {result.total_parameters:,} parameters trained."
    where = f" on a {result.device.upper()}" if result.device else ""
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    return Section("Cost", [f"{seconds(result.seconds)}{where}. {trained}", f"Made with {versions}."])


def _loading(card: Card) -> Section:
    title = "How to load it"
    if card.head_alone:
        asked = f"python -m tl_core predict {card.run.id} PICTURE"
        return Section(title, [f"By Transfer Lab, which has its network in the file with that sha256: {asked}"])
    code = f"""\
import keras

# DIR comes from: python -m tl_core export {card.run.id} --format hugging_face --to DIR
model = keras.saving.load_model("DIR")  # from Hugging Face's hub, if it is there: "hf://OWNER/NAME"
outputs = model.predict(inputs)  # load.py, beside it, makes inputs of a file"""
    return Section(title, ["With Keras alone, or in another format by Transfer Lab's export."], code=code)


def markdown(card: Card) -> str:
    """Return a card as Markdown, with the facts that Hugging Face reads in front."""
    as_json = {name: json.dumps(value).replace("<", "\\u003c") for name, value in _front(card).items()}  # JSON is YAML, too
    front = (f"{name}: {value}" for name, value in as_json.items())
    parts = ["\n".join(["---", *front, "---"]), f"# {_marked(title_of(card))}"]
    for section in sections(card):
        parts.append(f"## {section.title}")
        parts += [_marked(sentence) for sentence in section.said]
        if section.table:
            head, *rows = (f"| {' | '.join(map(_marked, row))} |" for row in section.table)
            parts.append("\n".join([head, "|---" * len(section.table[0]) + "|", *rows]))
        if section.code:
            parts.append(f"```python\n{section.code}\n```")
    return "\n\n".join(parts) + "\n"


def _front(card: Card) -> dict[str, Any]:
    """Return the facts by their names on the hub."""
    (first, *others) = sorted({step.licence for step in card.result.provenance.steps})
    is_known = not others and first.lower() in HUB_LICENCES
    licence = {"license": first.lower()} if is_known else {"license": "other", "license_name": ", ".join((first, *others))}
    asked = {"pipeline_tag": card.pipeline} if card.pipeline else {}
    measured = [found for found in card.result.metrics if isfinite(found.value)]
    tested = {
        "task": {"type": card.pipeline or "other", "name": card.task},
        "dataset": {"type": "other", "name": card.titles[0]},
        "metrics": [{"type": found.name, "value": round(found.value, 4)} for found in measured],
    }
    return {
        "library_name": "keras",
        **licence,
        **asked,
        "tags": ["transfer-learning"],
        "metrics": [found.name for found in measured],
        "model-index": [{"name": title_of(card), "results": [tested]}],
    }


def _marked(text: str) -> str:
    """Return `text` on one line, as it stands, whatever means something in Markdown."""
    return MARKS.sub(r"\\\1", " ".join(text.split()))


def page(card: Card) -> str:
    """Return a card as one HTML file."""
    body = [f"<h1>{html.escape(title_of(card))}</h1>"]
    for section in sections(card):
        body.append(f"<h2>{html.escape(section.title)}</h2>")
        body += [f"<p>{html.escape(sentence)}</p>" for sentence in section.said]
        if section.table:
            head, *rows = section.table
            body.append(f"<div><table>{_row(head, 'th')}{''.join(_row(row, 'td') for row in rows)}</table></div>")
        if section.code:
            body.append(f"<pre>{html.escape(section.code)}</pre>")
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    head += f"<title>{html.escape(title_of(card))}</title><style>{STYLE}</style>"
    lines = ("<!doctype html>", f'<html lang="en"><head>{head}</head><body>', *body, "</body></html>")
    return "".join(f"{line}\n" for line in lines)


def _row(cells: Sequence[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"


FORMATS: dict[str, Callable[[Card], str]] = {".md": markdown, ".html": page}
"""What writes a card, by how the name of its file ends."""
