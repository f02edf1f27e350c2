"""A ranking that is kept, and finished runs on its data, without any training."""

from pathlib import Path

from tests.helpers import keep_run
from tests.tools.short_training import outcome
from tl_core.analysis.ranking import SAMPLES, Candidate, Scored
from tl_core.jobs import background
from tl_core.recipe import Recipe
from tl_core.runs import artifacts
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.studies.backbone_ranking import BackboneRanking, BackboneRankingResult

TESTED = 200
"""Test images of each run."""


def scored(title: str, backbone: str, value: float, cost: int, published: float) -> Candidate:
    """A network with this value of each score."""
    scores = {each.name: Scored(value, (value,) * SAMPLES) for each in BackboneRanking().asked}
    return Candidate(title, backbone, size="96 px", multiply_adds=cost, published=published, scores=scores)


RANKED = BackboneRankingResult(
    examples=160,
    expected=2,
    candidates=(
        scored("EfficientNet-Lite0", "efficientnet_lite0", 0.8, 70_000_000, 0.75),
        scored("EfficientNet-Lite1", "efficientnet_lite1", 0.9, 90_000_000, 0.77),
    ),
    finished=True,
    seconds=5.0,
    similarities=((), (0.93,)),
    test_digest="of the test images",
    data_digest="of all of them",
)


def keep_ranking(home: Path, recipe: Recipe, found: BackboneRankingResult = RANKED) -> None:
    """Keep a ranking as the answer for `recipe`."""
    file = BackboneRanking().file(home, recipe)
    file.parent.mkdir(parents=True, exist_ok=True)
    background.write(file, found)


def keep_trained(
    run_id: str, correct: int, *, data: str = RANKED.data_digest, test: str = RANKED.test_digest, **settings: object
) -> None:
    """A finished run at 96 pixels, which is right on so many of `TESTED` images; names of `settings` have __ for the dot."""
    dotted = {name.replace("__", "."): value for name, value in settings.items()}
    spec = Recipe.of(RunSpec().with_settings({"image_size": 96} | dotted)).spec()
    told = {"test_images": TESTED, "test_correct": correct, "test_digest": test, "data_digest": data}
    result, store = outcome(4, 0).result.model_copy(update=told), Store()
    keep_run(store, run_id, State.DONE, spec, **artifacts.summary(result))
    store.folder(run_id).mkdir()
    (store.folder(run_id) / artifacts.RESULT).write_text(result.model_dump_json(), encoding="utf-8")
