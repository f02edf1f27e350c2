"""The main path: a spec goes in, events come out while it runs, an outcome stays."""

import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tl_core import __version__, costs
from tl_core.backbones import BlockOutline, Network
from tl_core.checkpoints import Checkpoints
from tl_core.datasets import Data, Images
from tl_core.events import Plan, Reporter, Resumed, Stage
from tl_core.features.forward import forward
from tl_core.features.pixels import SizedImages
from tl_core.fitting import Features, Source, fit
from tl_core.freezing import Freezer, Frozen, count_parameters, require_exact
from tl_core.recipe import Recipe
from tl_core.result import Outcome, PhaseRecord, Predictions, Result, Timing
from tl_core.resuming import Keeper, identity_of
from tl_core.spec import RunSpec
from tl_core.strategies import Phase

HARDEST = 24
"""How many of the hardest test images are kept with a run."""


def train(spec: RunSpec, report: Reporter, checkpoints: Checkpoints | None = None) -> Outcome:
    """Run `spec` from its dataset to its test accuracy, saying through `report` what happens.

    Where `checkpoints` hold one the run goes on from it, to the same result as if it had never been interrupted (bit for
    bit on a CPU). Raises a `TransferError` for what the user can mend, and whatever `report` raises (`Stopped`, and
    `Paused`, which leaves a checkpoint once training has begun).
    """
    keras.utils.set_random_seed(spec.seed)
    recipe = Recipe.of(spec)
    run = Training(recipe, report, checkpoints)
    with run.stage("Reading the dataset"):
        data = recipe.dataset.load(recipe.seed)
    with run.stage("Loading the backbone"):
        network = recipe.backbone.load(recipe.image_size, pretrained=recipe.strategy.pretrained)
        model = recipe.strategy.join(network, data.class_names)
    phases = run.plan(data, network, model)
    with run.keeper.kept_when_paused():
        for phase in run.left_of(phases):
            run.train_phase(phase)
        return run.test()


class Training:
    """One run in progress: its data, its model, and what has been done so far."""

    data: Data
    network: Network
    model: Any
    blocks: Sequence[BlockOutline]

    def __init__(self, recipe: Recipe, report: Reporter, checkpoints: Checkpoints | None = None) -> None:
        self.recipe = recipe
        self.report = report
        self.keeper = Keeper(checkpoints, report)
        self.account = self.keeper.account
        self.progress = self.account.progress
        self._lapped = time.perf_counter()
        self._features: tuple[Features, Features] | None = None

    @contextmanager
    def stage(self, title: str) -> Iterator[None]:
        """Say what is being done, and keep how long it took."""
        self.report(Stage(title, self.progress.done))
        self._lapped = time.perf_counter()
        try:
            yield
        finally:
            self._lap(title)

    def _lap(self, title: str) -> None:
        """Add the seconds since the last call to those of the stage `title`."""
        now = time.perf_counter()
        self.account.seconds[title] = self.account.seconds.get(title, 0.0) + now - self._lapped
        self._lapped = now

    def plan(self, data: Data, network: Network, model: Any) -> tuple[Phase, ...]:
        """Fix the phases, and what the whole run will cost, before the first of them starts."""
        self.data, self.network, self.model = data, network, model
        self.blocks = network.outline().blocks
        self.images = costs.Images(len(data.train), len(data.validation), len(data.test))
        self.train_images = SizedImages(data.train, self.recipe.image_size)
        self.validation_images = SizedImages(data.validation, self.recipe.image_size)
        self.freezer = Freezer(model, network)
        phases = tuple(self.recipe.strategy.phases(self.recipe.backbone, self.blocks))
        self.progress.total = costs.total_passes(phases, self.blocks, self.images)
        steps = [-(-len(data.train) // phase.batch_size) for phase in phases]
        described = [{"name": p.name, "epochs": p.epochs, "steps_per_epoch": n} for p, n in zip(phases, steps, strict=True)]
        self.report(Plan(tuple(described), self.images.train, self.images.validation, self.images.test))
        return phases

    def left_of(self, phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
        """The phases that are still to do: all of them, or those of an interrupted run, which then goes on where it was."""
        if self.keeper.put_back(self.model, identity_of(self.model, self.data, phases, self.blocks, self.recipe.seed)):
            self.report(Resumed(self.progress.steps, self.progress.done))
        return phases[self.progress.phase :]

    def train_phase(self, phase: Phase) -> None:
        """Train what `phase` trains, then prove that nothing else moved."""
        block_names = phase.trained_blocks(self.blocks)
        frozen = self.freezer.freeze(phase, block_names)
        train, validation, trained_part = self._inputs(block_names, frozen)
        trained_part.compile(
            optimizer=keras.optimizers.Adam(phase.learning_rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
        )
        require_exact(trained_part, frozen)
        frozen = self.keeper.enter(trained_part, frozen, train, phase.batch_size)
        seed = [self.recipe.seed, self.progress.phase]

        def order(epoch: int) -> NDArray[np.intp]:
            return np.random.default_rng([*seed, epoch]).permutation(len(train))

        passes = costs.epoch_passes(phase, self.blocks, self.images)
        steps = fit(
            trained_part, train, validation, phase, order=order, passes=passes, progress=self.progress, report=self.report
        )
        with self.stage(f"Training: {phase.name}"):
            for _ in steps:
                if self.keeper.due():
                    self._lap(f"Training: {phase.name}")
                    self.keeper.keep()
        self._record(phase, block_names, frozen)
        self.progress.end_phase()

    def _inputs(self, block_names: tuple[str, ...], frozen: Frozen) -> tuple[Source, Source, Any]:
        """Training and validation inputs and the model that takes them: where the whole backbone is frozen its
        features are computed once, and the head alone is trained on them."""
        if block_names:
            self._features, self.progress.has_features = None, False
            return self.train_images, self.validation_images, self.model
        if self._features is None:
            train, validation = self.keeper.features(frozen, self._compute_features)
            self._features = Features(train, self.train_images.labels), Features(validation, self.validation_images.labels)
            self._count_features()
        return *self._features, keras.Model(self.network.model.output, self.model.output, name="head_alone")

    def _compute_features(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        with self.stage("Computing features"):
            count, model = self._meter("Computing features"), self.network.model
            return forward(model, self.train_images, count), forward(model, self.validation_images, count)

    def _count_features(self) -> None:
        """Count their work, once: it may have been done, and counted, before an interruption."""
        if not self.progress.has_features:
            self.progress.passed += self.images.train + self.images.validation
            self.progress.has_features = True
            self.keeper.keep()

    def _meter(self, title: str) -> Callable[[int], None]:
        """A callback that reports the images of a pure forward pass and their rate. What is done counts when all of it is,
        since an interrupted pass begins anew."""
        started, seen = time.perf_counter(), 0

        def count(images: int) -> None:
            nonlocal seen
            seen += images
            self.report(Stage(title, self.progress.share(seen), seen / (time.perf_counter() - started)))

        return count

    def _record(self, phase: Phase, block_names: tuple[str, ...], frozen: Frozen) -> None:
        unchanged = frozen.unchanged(self.model)
        if unchanged != len(frozen.before):
            raise RuntimeError(f"{len(frozen.before) - unchanged} frozen tensors moved in the phase {phase.name}.")
        self.account.ever_trained |= set(frozen.trained)
        self.account.records.append(
            PhaseRecord(
                name=phase.name,
                epochs=phase.epochs,
                learning_rate=phase.learning_rate,
                batch_size=phase.batch_size,
                blocks=block_names,
                trained=frozen.trained,
                trainable_parameters=count_parameters(self.model, set(frozen.trained)),
                frozen_tensors=len(frozen.before),
                unchanged_tensors=unchanged,
            )
        )

    def test(self) -> Outcome:
        """Classify the test images, once, and gather everything that stays of the run."""
        images = SizedImages(self.data.test, self.recipe.image_size)
        with self.stage("Testing"):
            probabilities = forward(self.model, images, self._meter("Testing"))
        self.progress.passed += len(images)
        predictions = gather_predictions(self.data.test, images, probabilities)
        result = Result(
            class_names=self.data.class_names,
            train_images=self.images.train,
            validation_images=self.images.validation,
            test_images=self.images.test,
            test_correct=int((probabilities.argmax(axis=1) == images.labels).sum()),
            test_digest=self.data.test.digest(),
            validation_accuracy=self.progress.validation_accuracy,
            total_parameters=self.model.count_params(),
            trainable_parameters=count_parameters(self.model, self.account.ever_trained),
            phases=tuple(self.account.records),
            timings=tuple(Timing(name=name, seconds=seconds) for name, seconds in self.account.seconds.items()),
            provenance=self.network.provenance,
            notes=self.data.notes,
            versions=versions(),
            resumed=self.account.resumed,
        )
        return Outcome(result, predictions, self.model)


def gather_predictions(test: Images, images: SizedImages, probabilities: NDArray[np.float32]) -> Predictions:
    """The predictions with the `HARDEST` images: those whose true class got the least probability."""
    of_truth = probabilities[np.arange(len(images)), images.labels]
    hardest = np.argsort(of_truth, kind="stable")[:HARDEST]
    names = np.array([test.name(index) for index in hardest], dtype=np.str_)
    return Predictions(images.labels, probabilities, hardest, images.batch(hardest), names)


def versions() -> dict[str, str]:
    """Versions of what decides the numbers, the backend's name and the number of processor cores."""
    backend = keras.backend.backend()
    return {
        "python": platform.python_version(),
        "keras": keras.__version__,
        backend: metadata.version(backend),
        "backend": backend,
        "cores": str(os.cpu_count()),
        "transfer_lab": __version__,
    }
