"""No chart writes over its own text, on a telephone and on a screen, with two classes or runs and with hundreds."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import plotly
import plotly.graph_objects as go
import pytest
import streamlit
from playwright.sync_api import Browser, Page

from tests.ui.test_chart_sizes import LARGE
from tests.ui.test_charts import CHARTS, PICTURE, epochs, used
from tl_core.analysis.comparison import Cost, RunPoint
from tl_core.analysis.metrics import confusion_matrix, most_confused
from tl_core.analysis.ranking import Candidate, Scored
from tl_core.analysis.statistics import Interval
from tl_core.backbones import backbones
from tl_core.checks.projection import ImageMap
from tl_core.data.examples import Modality
from tl_core.runs.compared import ACCURACY
from tl_core.strategies import strategies
from tl_core.ui import confusion
from tl_core.ui.charts import choices, comparing, curves, data, image_map, machine, outcome, ranking, theme

pytestmark = pytest.mark.browser

WIDTHS = (360, 535)
"""Pixels of the narrowest charts on a screen of 390 and on one of 1280."""
COUNTS = (2, 20, 200)
SCRIPT = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
FONTS = Path(streamlit.__file__).parent / "static" / "static" / "media"
FREE = 2
"""Pixels that a line of text has free around its letters: boxes that share no more than this do not touch to the eye."""
DRAW = """
async ([figure, width]) => {
  const place = document.body.appendChild(document.createElement("div"));
  place.style.width = `${width}px`;
  figure.layout.font = { ...figure.layout.font, family: "Source Sans", size: 12 };
  await Plotly.newPlot(place, figure.data, figure.layout, { staticPlot: true });
  const texts = [...place.querySelectorAll("svg text")].filter((text) => text.textContent.trim());
  const box = (text) => { const { left, top, right, bottom } = text.getBoundingClientRect(); return [left, top, right, bottom]; };
  const found = texts.map((text) => [text.textContent, ...box(text)]).filter(([, left, , right]) => right > left);
  Plotly.purge(place);
  place.remove();
  return found;
}
"""


def names(count: int) -> list[str]:
    """Names of classes as long as people give them."""
    return [f"{('left', 'a', 'photograph_of_the')[n % 3]} class {n}" for n in range(count)]


def confused(count: int) -> go.Figure:
    """A third of the images is taken for another class."""
    labels = np.arange(3000) % count
    predicted = np.where(np.arange(3000) % 3, labels, np.random.default_rng(0).integers(0, count, 3000))
    drawn = most_confused(labels, predicted, count, count if count <= outcome.MOST_CLASSES else confusion.FEW)
    images = np.bincount(labels, minlength=count)[drawn]
    matrix = confusion_matrix(labels, predicted, drawn)
    return outcome.confusion(matrix, [names(count)[index] for index in drawn], images=images, classes=count)


def mapped(count: int) -> go.Figure:
    fields: dict[str, Any] = {
        "x": [float(n % 31) for n in range(600)],
        "y": [float(n % 17) for n in range(600)],
        "labels": [n % count for n in range(600)],
        "splits": ["train"] * 600,
        "names": ["a.png"] * 600,
        "class_names": names(count),
    }
    return image_map.image_map(ImageMap(**(dict.fromkeys(ImageMap.__dataclass_fields__) | fields)))  # type: ignore[arg-type]  # of no matter here


def of_runs(count: int) -> go.Figure:
    families = sorted(strategies.parts())
    accuracies = [0.5 + 0.4 * n / count for n in range(count)]
    return comparing.metric_against_cost(
        [
            RunPoint(
                f"{n}", f"EfficientNet-Lite0 · {names(count)[n]}", families[n % len(families)], a, a - 0.03, a + 0.03, 5.0 + n
            )
            for n, a in enumerate(accuracies)
        ],
        ACCURACY,
        Cost.SECONDS,
    )


def overlaid(count: int) -> go.Figure:
    labels = {f"{n}": f"EfficientNet-Lite0 · {name}" for n, name in enumerate(names(count))}
    return comparing.overlaid_curves(dict.fromkeys(labels, epochs(9)), labels, curves.ACCURACY, "1")


def ranked(count: int) -> go.Figure:
    """Networks that are as good as each other, at nearly the same cost."""
    found = [
        Candidate(f"EfficientNet-Lite{n}", "a", multiply_adds=70 + 7 * n, scores={"linear_probe": Scored(0.9 + 0.01 * (n % 3))})
        for n in range(count)
    ]
    return ranking.ranked_networks(found, "linear_probe", [Interval(0.8, 1.0)] * count, "EfficientNet-Lite1")


def catalogue(_: int) -> go.Figure:
    """All networks for images that there are."""
    parts = [(name, part) for name, part in backbones.parts().items() if part.accepts is Modality.IMAGES]
    listed = [(name, entry) for name, part in parts for entry in part.catalogue()]
    return choices.backbone_scatter(listed, "EfficientNet-Lite0")


BY_COUNT: dict[str, Callable[[int], go.Figure]] = {
    "sample_grid": lambda n: data.sample_grid([[PICTURE] * 8] * n, names(n)),
    "class_balance": lambda n: data.class_balance({split: dict.fromkeys(names(n), 3) for split in theme.SPLITS}),
    "confusion": confused,
    "image_map": mapped,
    "image_grid": lambda n: outcome.image_grid(np.stack([PICTURE] * 24), names(n) * 12, names(n) * 12, columns=4),
    "metric_against_cost": of_runs,
    "ranked_networks": ranked,
    "backbone_scatter": catalogue,
    "overlaid_curves": overlaid,
    "usage_bars": lambda n: machine.usage_bars([(f"EfficientNet-Lite0 · {name}", used(cpu_seconds=9.0)) for name in names(n)]),
}


@pytest.fixture(scope="module")
def sheet(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """An empty page with the Plotly and the letters of the real ones."""
    (letters,) = FONTS.glob("SourceSansVF-Upright*.woff2")
    face = f'@font-face {{ font-family: "Source Sans"; src: url("{letters.as_uri()}"); font-weight: 200 900; }}'
    text = f'<style>{face}</style><body style="font-family: Source Sans">x<script src="{SCRIPT.as_uri()}"></script>'
    file = tmp_path_factory.mktemp("sheet") / "sheet.html"
    file.write_text(text, encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(file.as_uri())
    page.evaluate("document.fonts.ready")
    yield page
    page.close()


def covered(texts: list[tuple[str, float, float, float, float]]) -> list[tuple[str, str]]:
    """Return the pairs of texts whose boxes share more than `FREE` pixels in both directions."""
    found = []
    for index, (text, left, top, right, bottom) in enumerate(texts):
        for other, left2, top2, right2, bottom2 in texts[index + 1 :]:
            if min(right, right2) - max(left, left2) > FREE and min(bottom, bottom2) - max(top, top2) > FREE:
                found.append((text, other))
    return found


def overlaps(sheet: Page, figure: go.Figure) -> dict[int, list[tuple[str, str]]]:
    """Return the covered texts of a figure by the width at which it is drawn."""
    plain = json.loads(figure.to_json())
    found = {width: covered(sheet.evaluate(DRAW, [plain, width])) for width in WIDTHS}
    return {width: pairs for width, pairs in found.items() if pairs}


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", sorted(BY_COUNT))
def test_no_text_lies_over_text(name: str, count: int, sheet: Page) -> None:
    assert not overlaps(sheet, BY_COUNT[name](count))


@pytest.mark.parametrize("name", sorted(CHARTS))
def test_no_text_of_a_chart_lies_over_text(name: str, sheet: Page) -> None:
    assert not overlaps(sheet, CHARTS[name]())


@pytest.mark.full
@pytest.mark.parametrize("name", sorted(LARGE))
def test_no_text_of_a_chart_of_thousands_lies_over_text(name: str, sheet: Page) -> None:
    assert not overlaps(sheet, LARGE[name]())
