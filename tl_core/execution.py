"""One run in progress: its data, its model, and what each phase does."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tl_core import costs
from tl_core.adapting import Adapter
from tl_core.arithmetic import Arithmetic
from tl_core.augmenting import Augmenter
from tl_core.backbones import BlockOutline, Network
from tl_core.checkpoints import Checkpoints
from tl_core.datasets import Data
from tl_core.evaluation import gather_predictions, versions
from tl_core.events import Epoch, Plan, Reporter, Resumed
from tl_core.features.forward import BATCH, forward
from tl_core.features.heads import Head
from tl_core.features.pixels import SizedImages
from tl_core.fitting import Features, Source, assess, fit
from tl_core.freezing import Frozen, count_parameters
from tl_core.recipe import Recipe
from tl_core.result import Outcome, PhaseRecord, Result, Timing
from tl_core.resuming import Keeper, identity_of
from tl_core.stages import Stages
from tl_core.strategies import Classifier, Phase

Decide = Callable[[Recipe, costs.Images], Arithmetic]
"""What a run computes in whose spec leaves it open."""


def in_float32(recipe: Recipe, images: costs.Images) -> Arithmetic:
    """Where nothing was measured."""
    return Arithmetic.FLOAT32


class Training:
    """One run in progress: its data, its model, and what has been done so far."""

    data: Data
    network: Network
    classifier: Classifier
    model: Any
    blocks: Sequence[BlockOutline]

    def __init__(self, recipe: Recipe, report: Reporter, checkpoints: Checkpoints | None = None) -> None:
        self.recipe = recipe
        self.report = report
        self.keeper = Keeper(checkpoints, report)
        self.account = self.keeper.account
        self.progress = self.account.progress
        self.stages = Stages(self.account, report)
        self.stage = self.stages.stage
        self._features: tuple[Features, Features] | None = None

    def begin_arithmetic(self, data: Data, decide: Decide) -> None:
        """Fix what the run computes in, before its network is made; an interrupted run goes on in what it began in."""
        self.images = costs.Images(len(data.train), len(data.validation), len(data.test))
        if self.account.arithmetic is Arithmetic.AUTO:
            wanted = self.recipe.arithmetic
            self.account.arithmetic = decide(self.recipe, self.images) if wanted is Arithmetic.AUTO else wanted
        keras.config.set_dtype_policy(self.account.arithmetic.policy)

    def plan(self, data: Data, network: Network, classifier: Classifier) -> tuple[Phase, ...]:
        """Fix the phases, and what the whole run will cost, before the first of them starts."""
        self.data, self.network, self.classifier, self.model = data, network, classifier, classifier.model
        self.blocks = network.outline().blocks
        self.train_images = SizedImages(data.train, self.recipe.image_size)
        self.validation_images = SizedImages(data.validation, self.recipe.image_size)
        self.adapter = Adapter(classifier, network, self.blocks, xla=self.account.arithmetic.xla)
        phases = tuple(self.recipe.strategy.phases(self.recipe.backbone, self.blocks, self.images.train))
        self.progress.total = costs.total_passes(phases, self.blocks, self.images)
        described = [{"name": p.name, "epochs": p.epochs, "steps_per_epoch": p.steps(self.images.train)} for p in phases]
        self.report(Plan(tuple(described), self.images.train, self.images.validation, self.images.test))
        return phases

    def left_of(self, phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
        """The phases that are still to do: all of them, or those of an interrupted run, which then goes on where it was."""
        if self.keeper.put_back(self.model, identity_of(self.model, self.data, phases, self.blocks, self.recipe.seed)):
            self.report(Resumed(self.progress.steps, self.progress.done))
        return phases[self.progress.phase :]

    def train_phase(self, phase: Phase) -> None:
        """Train what `phase` trains, or compute its head, then prove that nothing else moved."""
        frozen = self.adapter.freeze(phase)
        part, train, validation = self.stand(phase, frozen)
        if phase.solver:
            assert isinstance(train, Features)
            assert isinstance(validation, Features)
            self._solve(phase, frozen, train, validation, part)
        else:
            self._fit(phase, frozen, train, validation, part)

    def stand(self, phase: Phase, frozen: Frozen) -> tuple[Any, Source, Source]:
        """The model that `phase` trains, and its training and validation inputs: the whole classifier on images, or, where all
        of the backbone is frozen, the head alone on features that are computed once."""
        if phase.trained_blocks(self.blocks):
            self._features, self.progress.has_features = None, False
            return self.model, self.train_images, self.validation_images
        return self.classifier.head, *self._head_inputs(frozen)

    def _fit(self, phase: Phase, frozen: Frozen, train: Source, validation: Source, part: Any) -> None:
        order = self.order(len(train))
        if phase.measured_rates and not self.progress.within_phase:
            with self.stage(f"Measuring gradients: {phase.name}"):
                self.account.rates = dict(self.adapter.measured_rates(phase, part, train, order(0)))
        rates = self.account.rates or self.adapter.rates(phase, part)
        self.adapter.compile(part, phase, frozen, rates, phase.epochs * phase.steps(len(train)))
        frozen = self.keeper.enter(part, frozen, train, phase)
        passes = costs.epoch_passes(phase, self.blocks, self.images)
        fitting = fit(
            part,
            train,
            validation,
            phase,
            order=order,
            passes=passes,
            progress=self.progress,
            report=self.report,
            keep_best=self.keeper.keep_best,
            augment=self.augmenter(phase, train),
        )
        with self.stage(f"Training: {phase.name}"):
            for _ in fitting:
                if self.keeper.due():
                    self.stages.lap(f"Training: {phase.name}")
                    self.keeper.keep()
        self.progress.passed += passes * (phase.epochs - self.progress.epoch)  # those that patience spared
        self.keeper.leave()
        self._end(phase, frozen)

    def order(self, images: int) -> Callable[[int], NDArray[np.intp]]:
        """The order of so many training images in each epoch of the present phase."""
        return partial(shuffled, images, (self.recipe.seed, self.progress.phase))

    def augmenter(self, phase: Phase, train: Source) -> Augmenter | None:
        """What changes the images of `phase`, where it trains on images and wants them changed."""
        learning, seed = phase.learning, (self.recipe.seed, self.progress.phase, 1)
        wanted = learning.augments and train is self.train_images
        return Augmenter(learning, self.recipe.image_size, seed) if wanted else None

    def _solve(self, phase: Phase, frozen: Frozen, train: Features, validation: Features, head: Any) -> None:
        started, name, step = time.perf_counter(), phase.name, self.progress.steps + 1
        with self.stage(f"Training: {name}"):
            found = self.adapter.solve(phase, head, train, validation)
            (loss, accuracy), held_out = (assess(head, source, BATCH, phase.learning) for source in (train, validation))
        self.progress.steps = step
        self.progress.passed += costs.epoch_passes(phase, self.blocks, self.images)
        self.progress.end_epoch(*held_out)
        self._end(phase, frozen, found)  # before the report, which may end this attempt: a head is computed whole or not at all
        assert loss is not None and accuracy is not None  # there are training images
        self.report(Epoch(name, 1, step, loss, accuracy, *held_out, time.perf_counter() - started))

    def _head_inputs(self, frozen: Frozen) -> tuple[Features, Features]:
        """Training and validation features of the frozen backbone, computed once while it stays as it is."""
        if self._features is None:
            train, validation = self.keeper.features(frozen, self._compute_features)
            self._features = Features(train, self.train_images.labels), Features(validation, self.validation_images.labels)
            self._count_features()
        return self._features

    def _compute_features(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        with self.stage("Computing features"):
            count, model = self.stages.meter("Computing features"), self.adapter.featurizer()
            return forward(model, self.train_images, count), forward(model, self.validation_images, count)

    def _count_features(self) -> None:
        """Count their work, once: it may have been done, and counted, before an interruption."""
        if not self.progress.has_features:
            self.progress.passed += self.images.train + self.images.validation
            self.progress.has_features = True
            self.keeper.keep()

    def _end(self, phase: Phase, frozen: Frozen, head: Head | None = None) -> None:
        unchanged = frozen.unchanged(self.model)
        if unchanged != len(frozen.before):
            raise RuntimeError(f"{len(frozen.before) - unchanged} frozen tensors moved in the phase {phase.name}.")
        self.account.ever_trained |= set(frozen.trained)
        self.account.records.append(
            PhaseRecord(
                name=phase.name,
                epochs=self.progress.epoch,
                best_epoch=self.progress.best_epoch if phase.learning.patience else None,
                learning_rate=None if phase.solver else phase.learning_rate,
                batch_size=phase.batch_size,
                blocks=phase.trained_blocks(self.blocks),
                trained=frozen.trained,
                trainable_parameters=count_parameters(self.model, set(frozen.trained)),
                frozen_tensors=len(frozen.before),
                unchanged_tensors=unchanged,
                chosen=dict(head.chosen) if head else {},
                chosen_by=head.chosen_by if head else "",
                remarks=head.notes if head else (),
            )
        )
        self.account.rates = {}
        self.progress.end_phase()

    def test(self) -> Outcome:
        """Classify the test images, once, and gather everything that stays of the run."""
        model = self.adapter.finished()
        images = SizedImages(self.data.test, self.recipe.image_size)
        with self.stage("Testing"):
            probabilities = forward(model, images, self.stages.meter("Testing"))
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
            arithmetic=self.account.arithmetic,
            resumed=self.account.resumed,
        )
        return Outcome(result, predictions, model)


def shuffled(count: int, stream: tuple[int, int], epoch: int) -> NDArray[np.intp]:
    """The order of `count` images in an epoch: it depends on nothing but the run's seed, the phase's number and the epoch's."""
    return np.random.default_rng([*stream, epoch]).permutation(count)
