"""Backbone ranking: which of the networks on this machine suits a dataset best, before any is trained."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from time import perf_counter
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, field_validator

from tl_core.analysis import ranking, similarity
from tl_core.analysis.ranking import SAMPLES, Candidate, Scored
from tl_core.backbones import CatalogueEntry, backbones
from tl_core.datasets import Examples, Modality
from tl_core.errors import SettingError
from tl_core.events import Activity
from tl_core.features.cache import cache_of
from tl_core.jobs.background import ResultWriter
from tl_core.ranking import Labels, Matrix, TransferabilityScore, scores
from tl_core.recipe import Recipe
from tl_core.spec import PartSpec, RunSpec
from tl_core.studies import Study, StudyResult, register


@dataclass(frozen=True)
class BackboneRankingResult(StudyResult):
    """The networks scored so far, of so many in all, by the classes of so many training `examples`.

    `similarities` are the CKA of each of them with those before it, none in rankings of before they were computed. `test_digest`
    and `data_digest` are those of the data, as a run's `Result` has them, by which runs on them are found; both are empty until
    it is finished, and in rankings of before they were kept.
    """

    examples: int = 0
    expected: int = 0
    candidates: tuple[Candidate, ...] = ()
    similarities: tuple[tuple[float | None, ...], ...] = ()
    test_digest: str = ""
    data_digest: str = ""

    @property
    def share(self) -> float:
        """Return how much of it is done, 0..1."""
        return len(self.candidates) / self.expected if self.expected else 0.0


@register("backbone_ranking")
class BackboneRanking(Study[BackboneRankingResult]):
    """Rank the pretrained networks on this machine by how well their features tell the classes of training examples apart."""

    title: ClassVar[str] = "Which network suits this data?"
    folder: ClassVar[str] = "rankings"
    needs_classes: ClassVar[bool] = True

    examples: int = Field(
        1000, ge=20, le=20_000, title="Training examples", description="At most so many training examples are looked at."
    )
    scores: str = Field(
        "linear_probe,nearest_neighbours,logme",
        title="Scores",
        description="Transferability scores, with commas; the first decides.",
    )

    @field_validator("scores")
    @classmethod
    def _known(cls, text: str) -> str:
        names = [name.strip() for name in text.split(",")]
        for name in names:
            scores.part(name)
        if len(set(names)) < len(names):
            raise SettingError("A score is named twice.", "Name each once.", received=text)
        return ",".join(names)

    @property
    def asked(self) -> tuple[TransferabilityScore, ...]:
        """Return the scores that are asked for, the deciding one first."""
        return tuple(scores.part(name)() for name in self.scores.split(","))

    def first(self) -> BackboneRankingResult:
        return BackboneRankingResult()

    def decisive(self, recipe: Recipe) -> Sequence[Any]:
        draft = recipe.draft()
        # In an order of their own: to take another one of them changes no answer.
        networks = [each.backbone.spec() for each in sorted(candidates(recipe), key=_own_order)]
        return draft.dataset.content, draft.seed, draft.image_size, self.spec(), *networks

    def spec_for(self, recipe: Recipe) -> RunSpec:
        """Return the draft: a size that nobody set goes on following the examples, for each network its own."""
        return recipe.draft()

    def require_possible(self, recipe: Recipe) -> None:
        recipe.dataset.require_readable(recipe.seed)
        if not candidates(recipe):
            raise SettingError(
                f"No pretrained network for {recipe.dataset.modality} is on this machine.",
                "The page Backbone, and python -m tl_core parts backbone, have the lines that bring one.",
                received=recipe.dataset.name,
            )

    def run(self, recipe: Recipe, home: Path, writer: ResultWriter[BackboneRankingResult]) -> None:
        data = recipe.dataset.load(recipe.seed)
        probe = data.train.subsample(self.examples)
        networks = [(each, True) for each in candidates(recipe)]
        able = [each for each, _ in networks if not (each.backbone.is_control or each.backbone.features_only)]
        networks += [(each, False) for each in sorted(able, key=_own_order)[:1]]
        writer.update(examples=len(probe), expected=len(networks))
        seen = list[Matrix]()
        for each, pretrained in networks:
            scored, products = self._scored(each, probe, home, writer, pretrained=pretrained)
            alike = tuple(similarity.cka(products, other) for other in seen)
            seen.append(products)
            writer.update(candidates=(*writer.now.candidates, scored), similarities=(*writer.now.similarities, alike))
        writer.update(test_digest=data.test.digest(), data_digest=data.digest())

    def _scored(
        self, recipe: Recipe, probe: Examples, home: Path, writer: ResultWriter[BackboneRankingResult], *, pretrained: bool
    ) -> tuple[Candidate, Matrix]:
        """Return the network of a recipe with its scores, and by what it is held against others.

        Args:
            recipe: The network.
            probe: What it looks at.
            home: Where features are kept.
            writer: Is told what is done.
            pretrained: False gives it random weights.
        """
        from tl_core.studies._frozen_backbone import FrozenBackbone

        network = FrozenBackbone(recipe.adapted_to(probe), writer.report, cache_of(home), pretrained=pretrained)
        began = perf_counter()
        features = np.asarray(network.features(probe), np.float64)
        took = perf_counter() - began
        with network.stages.stage(Activity.COMPUTING_HEADS):
            found = self._values(features, np.asarray(probe.labels), _source(network.network.classifier, features))
            products = similarity.products(features)
        per_second = network.computed / took if network.computed == len(probe) else None
        facts = described(recipe, network.network.outline().multiply_adds)
        if not pretrained:
            facts = replace(facts, title=f"Random weights ({facts.title})", published=None, control=True, random=True)
        return replace(facts, per_second=per_second, scores=found), products

    def _values(self, features: Matrix, labels: Labels, source: Matrix | None) -> dict[str, Scored]:
        samples = halves(labels)
        found = {}
        for score in self.asked:
            if score.needs_classifier and source is None:
                continue
            value = score.value(features, labels, source)
            if isfinite(value):
                found[score.name] = Scored(value, tuple(map(float, score.values(features, labels, samples, source))))
        return found

    def conclusion(self, found: BackboneRankingResult) -> str:
        return ranking.verdict(found.candidates, self.asked[0].name, found.examples)

    def rows(self, found: BackboneRankingResult) -> Iterator[dict[str, Any]]:
        asked = self.asked
        placed = ranking.ranks(found.candidates, asked[0].name)
        for rank in placed:
            scored = rank.candidate.scores
            pair = (found.candidates.index(each.candidate) for each in (placed[0], rank))
            yield {
                "rank": str(rank),
                "network": rank.candidate.title,
                "size": rank.candidate.size,
                **{score.name: scored[score.name].value if score.name in scored else None for score in asked},
                "published": rank.candidate.published,
                "million_multiply_adds": round(rank.candidate.multiply_adds / 1e6),
                "examples_a_second": rank.candidate.per_second,
                "cka_with_first": similarity.between(found.similarities, *pair) if found.similarities else None,
            }


def candidates(recipe: Recipe) -> list[Recipe]:
    """Return the recipe with each network that takes its examples and whose weights are on this machine, its own first where that
    is one."""
    own = recipe.backbone.listing()
    specs = [recipe.backbone.spec()] if recipe.is_accepted and recipe.backbone.pretrained and own.here else []
    titles = {own.title} if specs else set()
    specs += [spec for entry, spec in here(recipe.dataset.modality) if entry.title not in titles]
    return [replace(recipe, backbone=backbones.build(spec)) for spec in specs]


def here(modality: Modality) -> Iterator[tuple[CatalogueEntry, PartSpec]]:
    """Yield the listed networks for such examples whose weights are on this machine, each with what names it."""
    for name, part in backbones.parts().items():
        if part.accepts is modality and part.pretrained:
            yield from ((entry, PartSpec(name=name, **entry.settings)) for entry in part.catalogue() if entry.here)


def _own_order(recipe: Recipe) -> str:
    """Return by what networks are sorted where the order must not change with the chosen one."""
    return recipe.backbone.spec().model_dump_json()


def described(recipe: Recipe, multiply_adds: int) -> Candidate:
    """Return the facts of the network of a recipe, without scores."""
    entry = recipe.backbone.listing()
    return Candidate(
        title=entry.title,
        backbone=recipe.backbone.name,
        settings=entry.settings,
        size=recipe.shown_size,
        multiply_adds=multiply_adds,
        published=entry.accuracy,
        control=recipe.backbone.is_control,
    )


def halves(labels: Labels) -> list[Labels]:
    """Return `SAMPLES` halves of the examples, each with half of each class, the same ones each time."""
    rng, found = np.random.default_rng(0), []
    for _ in range(SAMPLES):
        shuffled = rng.permutation(len(labels))
        ordered = shuffled[np.argsort(labels[shuffled], kind="stable")]
        found.append(np.sort(ordered[rng.integers(2) :: 2]))
    return found


def _source(classifier: tuple[Any, Any] | None, features: Matrix) -> Matrix | None:
    """Return the probabilities (n, classes) that a network's own classifier gives, if it has one."""
    if classifier is None:
        return None
    from scipy.special import softmax

    kernel, bias = classifier
    return np.asarray(softmax(features @ np.asarray(kernel, np.float64) + bias, axis=1))
