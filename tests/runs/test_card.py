"""A model card says what was measured, where the model fails, and nothing that a name could smuggle in."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from tests.helpers import QUICK, CommandLine, keep_run
from tests.tools.short_training import outcome
from tl_core.result import Better, MetricValue
from tl_core.runs import artifacts, card_text, evaluations, labels
from tl_core.runs.card import Card, ClassRecall, Mistake, card_of
from tl_core.runs.states import State
from tl_core.runs.store import Store

HOSTILE = "<script>alert(1)</script> | [a](http://b) `c`"


@pytest.fixture
def card(home: Path) -> Card:
    """That of a run whose model takes one of four examples for another class."""
    store, kept = Store(), outcome(4, 0)
    metrics = (MetricValue(name="accuracy", value=0.75, low=0.3, high=0.95, n=4, better=Better.HIGHER),)
    result = kept.result.model_copy(update={"class_names": ("a", HOSTILE), "test_correct": 3, "metrics": metrics})
    said = replace(kept.predictions, probabilities=kept.predictions.probabilities[[0, 1, 0, 0]])
    keep_run(store, "a", State.DONE, QUICK, **artifacts.summary(result))
    store.folder("a").mkdir()
    artifacts.write_outcome(store.folder("a"), replace(kept, result=result, predictions=said))
    labels.rename(store, "a", HOSTILE)
    return card_of(evaluations.finished(store, "a"))


def test_it_knows_where_the_model_fails(card: Card) -> None:
    assert card.worst == (ClassRecall(HOSTILE, 2, 1), ClassRecall("a", 2, 2))
    assert card.mistakes == (Mistake(HOSTILE, "a", 1),)
    assert card.rarely_tested == 2


class Seen(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not {"src", "href"} & {name for name, _ in attrs}  # it needs no other file

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_head_alone_is_loaded_by_nobody_else(card: Card) -> None:
    assert "load_model" in card_text.markdown(card)
    alone = card_text.markdown(replace(card, head_alone=True))
    assert "load_model" not in alone
    assert f"predict {card.run.id} PICTURE" in alone.replace("\\", "")


def test_names_stand_in_it_as_they_are(card: Card) -> None:
    page = Seen(card_text.page(card))
    assert not page.tags & {"script", "a", "img"}
    assert page.text.count(HOSTILE) >= 4
    text = card_text.markdown(card)
    assert "<script>" not in text.replace("\\<", "")
    assert "\\<script\\>alert(1)\\</script\\> \\| \\[a\\](http://b) \\`c\\`" in text
    front = yaml.safe_load(text.split("---")[1])
    assert (front["library_name"], front["license"], front["metrics"]) == ("keras", "other", ["accuracy"])
    assert front["pipeline_tag"] == "image-classification"
    (tested,) = front["model-index"]
    assert tested["name"] == HOSTILE
    assert tested["results"][0]["metrics"] == [{"type": "accuracy", "value": 0.75}]
    for said in (
        "## Data",
        "## Backbone",
        "## Limits",
        "| Accuracy | 75 % (30\N{EN DASH}95) |",
        "1 of 2 | 50 % (9\N{EN DASH}91) |",
    ):
        assert said in text
    assert "2 of 2 classes have fewer than 30 test images." in page.text


def test_the_command_writes_either(card: Card, home: Path, tmp_path: Path) -> None:
    line = CommandLine(home)
    for name in ("card.md", "card.HTML"):
        assert line.call("card", "a", "--to", tmp_path / name).code == 0
    assert (tmp_path / "card.md").read_text() == card_text.markdown(card)
    done = line.call("card", "a", "--to", tmp_path / "card.pdf")
    assert (done.code, done.out) == (2, "")
    assert "A model card is Markdown or HTML. End the name with .md or .html." in done.err
    assert line.call("card", "a", "--to", tmp_path / "gone" / "card.md").code == 2
