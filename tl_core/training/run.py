"""One run in progress: its data, its model, and what each phase does."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.backbones import BlockOutline
from tl_core.datasets import Data
from tl_core.events import Epoch, Plan, Reporter, Resumed
from tl_core.features.cache import ActivationCache
from tl_core.features.extractor import FeatureExtractor
from tl_core.features.inputs import CachedInputs, Inputs
from tl_core.features.predict import predict
from tl_core.machine import backends
from tl_core.networks.outline import Network
from tl_core.phases.phase import require_validation
from tl_core.planning import cost_model
from tl_core.planning.cost_model import SplitSizes
from tl_core.precision import Precision
from tl_core.recipe import Recipe
from tl_core.result import Measured, Outcome, PhaseRecord, Result, Timing
from tl_core.strategies import Classifier, Phase
from tl_core.training.augmentation import Augmenter
from tl_core.training.checkpoints import Checkpoints
from tl_core.training.evaluation import gather_predictions, versions
from tl_core.training.freezing import Frozen, count_parameters
from tl_core.training.inputs import WAITING, InputPipeline, PhaseInputs
from tl_core.training.loop import evaluate_head, fit
from tl_core.training.prepare import PhasePreparer
from tl_core.training.resume import CheckpointManager, identity_of
from tl_core.training.stages import Stages

Decide = Callable[[Recipe, SplitSizes], Precision]
"""What a run computes in whose spec leaves it open."""


def in_float32(recipe: Recipe, images: SplitSizes) -> Precision:
    """Where nothing was measured."""
    return Precision.FLOAT32


class Training:
    """One run in progress: its data, its model, and what has been done so far."""

    data: Data
    network: Network
    classifier: Classifier
    model: Any
    blocks: Sequence[BlockOutline]

    def __init__(self, recipe: Recipe, report: Reporter, checkpoints: Checkpoints | None, cache: ActivationCache) -> None:
        self.recipe = recipe
        self.report = report
        self.keeper = CheckpointManager(checkpoints, report)
        self.account = self.keeper.account
        self.progress = self.account.progress
        self.stages = Stages(self.account, report)
        self.stage = self.stages.stage
        self._cache = cache

    def choose_precision(self, data: Data, decide: Decide) -> None:
        """Fix what the run computes in, before its network is made; an interrupted run goes on in what it began in."""
        self.images = SplitSizes(len(data.train), len(data.validation), len(data.test))
        if self.account.precision is Precision.AUTO:
            wanted = self.recipe.precision
            self.account.precision = decide(self.recipe, self.images) if wanted is Precision.AUTO else wanted
        backends.compute_in(self.account.precision)

    def plan(self, data: Data, network: Network, classifier: Classifier) -> tuple[Phase, ...]:
        """Fix the phases, and what the whole run will cost, before the first of them starts."""
        self.data, self.network, self.classifier, self.model = data, network, classifier, classifier.model
        self.blocks = network.outline().blocks
        self.costs = cost_model.of(self.recipe, self.blocks, self.images, self._cache.room)
        phases = self.costs.phases
        self.adapter = PhasePreparer(classifier, network, self.blocks, phases, xla=self.account.precision.xla)
        require_validation(phases, len(data.validation))
        self.progress.total = self.costs.total.passes
        waiting = partial(self.stages.say, WAITING)
        supply = FeatureExtractor(
            self._cache, self.recipe.image_size, bfloat16=self.account.precision.in_bfloat16, wait=waiting, own=self.keeper.place
        )
        self.feeder = InputPipeline(data, network, classifier, self.adapter, self.costs, self.stages, supply, self.recipe.seed)
        described = [{"name": p.name, "epochs": p.epochs, "steps_per_epoch": p.steps(self.images.train)} for p in phases]
        splits = self.images.train, self.images.validation, self.images.test
        self.report(Plan(tuple(described), *splits, classes=len(data.class_names)))
        return phases

    def remaining_phases(self, phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
        """The phases that are still to do: all of them, or those of an interrupted run, which then goes on where it was."""
        if self.keeper.put_back(self.model, identity_of(self.model, self.data, phases, self.blocks, self.recipe.seed)):
            self.report(Resumed(self.progress.steps, self.progress.done))
        return phases[self.progress.phase :]

    def train_phase(self, phase: Phase) -> None:
        """Train what `phase` trains, or compute its head, then prove that nothing else moved."""
        if phase.trial and not self.progress.within_phase:
            self.adapter.reset_weights()
        frozen = self.adapter.freeze(phase)
        standing = self.feeder.inputs_for(phase, self.progress.phase)
        self._count_frozen()
        if phase.solver:
            self._solve(phase, frozen, standing)
        else:
            self._fit(phase, frozen, standing)

    def _count_frozen(self) -> None:
        """Count the work of the part under the cut, once: it may have been done, and counted, before an interruption."""
        if self.progress.counted <= self.progress.phase:
            passes = self.costs.frozen(self.progress.phase).passes
            self.progress.passed += passes
            self.progress.counted = self.progress.phase + 1
            if passes:
                self.keeper.keep()

    def _fit(self, phase: Phase, frozen: Frozen, standing: PhaseInputs) -> None:
        part, train, validation = standing
        order = self.order(train)
        if phase.measured_rates and not self.progress.within_phase:
            with self.stage(f"Measuring gradients: {phase.name}"):
                self.account.rates = dict(self.adapter.measured_rates(phase, part, train, order(0)))
        rates = self.account.rates or self.adapter.rates(phase, part)
        self.adapter.compile(part, phase, frozen, rates, phase.epochs * phase.steps(len(train)))
        frozen = self.keeper.restore_phase(part, frozen, train, phase)
        passes = self.costs.epoch(phase).passes
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
            augment=self.augmenter(phase),
        )
        with self.stage(f"Training: {phase.name}"):
            for _ in fitting:
                if self.keeper.due():
                    self.stages.lap(f"Training: {phase.name}")
                    self.keeper.keep()
        self.progress.passed += passes * (phase.epochs - self.progress.epoch)  # those that patience spared
        best_epoch = self.keeper.restore_best()
        more_trials = phase.trial and any(each.trial for each in self.costs.phases[self.progress.phase + 1 :])
        remarks = self.keeper.select_trial(phase, last=not more_trials) if phase.trial else ()
        ended = None if more_trials else self._measured(phase)
        self._end(phase, frozen, best_epoch=best_epoch, ended=ended, remarks=remarks)

    def order(self, train: Inputs) -> Callable[[int], NDArray[np.intp]]:
        """The order of the training inputs in each epoch of the present phase; where there are several views they take turns."""
        views = len(train.labels) // len(train)
        return partial(shuffled, len(train), views, (self.recipe.seed, self.progress.phase))

    def augmenter(self, phase: Phase) -> Augmenter | None:
        """What changes the images of the present phase anew in each epoch, if anything does."""
        return self.feeder.augmenter(phase, (self.recipe.seed, self.progress.phase, 1))

    def _solve(self, phase: Phase, frozen: Frozen, standing: PhaseInputs) -> None:
        started, name, step = time.perf_counter(), phase.name, self.progress.steps + 1
        head, train, validation = standing
        assert isinstance(train, CachedInputs)  # its cut is at the features
        assert isinstance(validation, CachedInputs)
        with self.stage(f"Training: {name}"):
            found = self.adapter.solve(phase, head, train, validation)
            (loss, accuracy), held_out = (evaluate_head(found, source) for source in (train, validation))
        assert loss is not None and accuracy is not None  # there are training images
        self.progress.steps = step
        self.progress.now.add(len(train), loss, accuracy, time.perf_counter() - started)
        self.progress.passed += self.costs.epoch(phase).passes
        self.progress.end_epoch(*held_out)
        told = {"chosen": dict(found.chosen), "chosen_by": found.chosen_by, "remarks": found.notes}
        # Before the report, which may end this attempt: a head is computed whole or not at all.
        self._end(phase, frozen, ended=self._measured(phase), **told)
        self.report(Epoch(name, 1, step, loss, accuracy, *held_out, time.perf_counter() - started))

    def _end(self, phase: Phase, frozen: Frozen, **facts: Any) -> None:
        """Prove that nothing frozen moved, and record the phase with `facts`, the fields of its record that only one kind has."""
        unchanged = frozen.unchanged(self.model)
        if unchanged != len(frozen.before):
            raise RuntimeError(f"{len(frozen.before) - unchanged} frozen tensors moved in the phase {phase.name}.")
        self.account.ever_trained |= set(frozen.trained)
        self.account.records.append(
            PhaseRecord(
                name=phase.name,
                epochs=self.progress.epoch,
                learning_rate=None if phase.solver else phase.learning_rate,
                batch_size=phase.batch_size,
                blocks=phase.trained_blocks(self.blocks),
                trained=frozen.trained,
                trainable_parameters=count_parameters(self.model, set(frozen.trained)),
                frozen_tensors=len(frozen.before),
                unchanged_tensors=unchanged,
                frozen_part=self.feeder.tell(),
                **facts,
            )
        )
        self.account.rates = {}
        self.progress.end_phase()

    def _measured(self, phase: Phase) -> Measured:
        now, changed = self.progress, phase.learning.augments
        return Measured(
            loss=None if changed else now.loss,
            accuracy=None if changed else now.accuracy,
            validation_loss=now.validation_loss,
            validation_accuracy=now.validation_accuracy,
        )

    def test(self) -> Outcome:
        """Classify the test images, once, and gather everything that stays of the run."""
        model, test = self.adapter.inference_model(), self.data.test
        part, inputs = self.feeder.test(model)
        left = self.costs.test.trained
        self.progress.passed += self.costs.test.passes - left
        with self.stage("Testing"):
            probabilities = predict(part, inputs, self.stages.meter("Testing", left / len(test)))
        self.progress.passed += left
        predictions = gather_predictions(test, probabilities, self.feeder.pictures)
        result = Result(
            class_names=self.data.class_names,
            train_images=self.images.train,
            validation_images=self.images.validation,
            test_images=self.images.test,
            test_correct=int((probabilities.argmax(axis=1) == test.labels).sum()),
            test_digest=test.digest(),
            data_digest=self.data.digest(),
            validation_accuracy=self.progress.validation_accuracy,
            total_parameters=self.model.count_params(),
            trainable_parameters=count_parameters(self.model, self.account.ever_trained),
            phases=tuple(self.account.records),
            timings=tuple(Timing(name=name, seconds=seconds) for name, seconds in self.account.seconds.items()),
            provenance=self.network.provenance,
            notes=self.data.notes,
            versions=versions(),
            precision=self.account.precision,
            device=backends.device(),
            resumed=self.account.resumed,
            frozen_part=self.feeder.tell(),
        )
        return Outcome(result, predictions, model)


def shuffled(count: int, views: int, stream: tuple[int, int], epoch: int) -> NDArray[np.intp]:
    """The order of `count` images in an epoch, of the view whose turn it is: it depends on nothing but the run's seed, the
    phase's number and the epoch's."""
    return np.random.default_rng([*stream, epoch]).permutation(count) + count * (epoch % views)
