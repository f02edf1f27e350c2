"""One run in progress: its data, its model, and what each phase does."""

import time
from functools import partial
from typing import Any

from numpy.typing import NDArray

from tl_core.data.balance import drawn_evenly
from tl_core.datasets import Data
from tl_core.events import Activity, Epoch, Plan, Resumed
from tl_core.features.cache import ActivationCache
from tl_core.features.extractor import FeatureExtractor
from tl_core.features.inputs import Inputs
from tl_core.features.predict import predict
from tl_core.networks.outline import Network
from tl_core.notes import Note
from tl_core.phases.phase import require_images, require_validation
from tl_core.planning.cost_model import Costs
from tl_core.planning.cuts import CutPlan, SplitSizes
from tl_core.recipe import Recipe
from tl_core.result import Measured, PhaseRecord
from tl_core.strategies import Classifier, Phase
from tl_core.tasks import Outputs
from tl_core.training.checkpoints import TrainingState
from tl_core.training.freezing import count_parameters
from tl_core.training.inputs import InputPipeline
from tl_core.training.loop import Progress, evaluate_head, fit
from tl_core.training.prepare import LearningRates, PhasePreparer
from tl_core.training.prepared import Order, PreparedPhase, shuffled
from tl_core.training.resume import CheckpointManager, identity_of
from tl_core.training.scoring import Judge, judged_head
from tl_core.training.solve import solve_head
from tl_core.training.stages import Stages


class Training:
    """One run, ready for its first phase; `manager` knows what has been done so far.

    Args:
        recipe: What runs.
        data: Its images.
        network: Its backbone, loaded.
        classifier: The backbone with a head on it.
        outputs: What the classifier gives, and the loss that fits it to labels.
        manager: Brings back an interrupted run, and saves this one.
        stages: Says what is being done.
        cache: Where what a frozen network makes of the images is kept.

    Raises:
        SettingError: Where the strategy does not fit the network or the data.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: Data,
        network: Network,
        classifier: Classifier,
        outputs: Outputs,
        *,
        manager: CheckpointManager,
        stages: Stages,
        cache: ActivationCache,
    ) -> None:
        self.recipe, self.data, self.network = recipe, data, network
        self.classifier, self.model, self.outputs = classifier, classifier.model, outputs
        self.manager, self.stages = manager, stages
        self.blocks, self.images = network.outline().blocks, SplitSizes.of(data)
        precision, preprocessor = self.state.precision, recipe.preprocessor()
        self.cuts = CutPlan.of(recipe, self.blocks, self.images, cache.room)
        self.costs = Costs(self.cuts)
        require_validation(self.cuts.phases, self.images.validation)
        if not recipe.has_images:
            require_images(self.cuts.phases, recipe.dataset.modality)
        recipe.deciding_metric.require(len(data.class_names))
        self.progress.total = self.costs.total.passes
        self.preparer = PhasePreparer(classifier, network, self.blocks, self.cuts.phases, outputs, xla=precision.xla)
        waiting = partial(stages.say, Activity.WAITING_FOR_FEATURES)
        extractor = FeatureExtractor(cache, preprocessor, bfloat16=precision.in_bfloat16, wait=waiting, own=manager.place)
        self.inputs = InputPipeline(data, network, classifier, self.preparer, self.cuts, stages, extractor, recipe.seed)

    @property
    def state(self) -> TrainingState:
        """Return what the run has behind it."""
        return self.manager.state

    @property
    def progress(self) -> Progress:
        """Return how far it has come."""
        return self.manager.state.progress

    def plan(self) -> Plan:
        """Return what will happen, as it is told before the first phase starts."""
        images = self.images
        described = tuple(phase.planned(images.train) for phase in self.cuts.phases)
        return Plan(described, images.train, images.validation, images.test, classes=len(self.data.class_names))

    def remaining_phases(self) -> tuple[Phase, ...]:
        """Return the phases that are still to do: all, or those of an interrupted run, which then goes on where it was."""
        phases = self.cuts.phases
        if self.manager.put_back(self.model, identity_of(self.model, self.data, phases, self.blocks, self.recipe.seed)):
            self.stages.report(Resumed(self.progress.steps, self.progress.done))
        return phases[self.progress.phase :]

    def train_phase(self, phase: Phase) -> None:
        """Train what `phase` trains, or compute its head, then prove that nothing else moved."""
        if phase.trial and not self.progress.within_phase:
            self.preparer.reset_weights()
        ready = self.prepare_phase(phase)
        self._count_frozen()
        if ready.solver:
            self._solve(ready)
        else:
            self._fit(ready)

    def prepare_phase(self, phase: Phase, steps: int | None = None) -> PreparedPhase:
        """Set what trains in `phase`, the present one, bring its inputs, and compile its model. `steps` are those over which its
        schedule goes; None is all of its epochs."""
        index, frozen = self.progress.phase, self.preparer.freeze(phase)
        model, train, validation, taught = self.inputs.inputs_for(phase, index)
        views, stream = len(train.labels) // len(train), (self.recipe.seed, index)
        order: Order = partial(shuffled, len(train), views, stream)
        if phase.learning.sampled:
            order = partial(drawn_evenly, train.labels[: len(train)], views, stream)
        if not phase.solver:
            rates = self._rates(phase, model, train, order)
            self.preparer.compile(model, phase, frozen, rates, steps or phase.epochs * phase.steps(len(train)))
        return PreparedPhase(
            name=phase.name,
            model=model,
            train=train,
            validation=validation,
            taught=taught,
            frozen=frozen,
            learning=phase.learning,
            outputs=self.outputs,
            epochs=phase.epochs,
            batch_size=phase.batch_size,
            order=order,
            passes_per_epoch=self.costs.epoch(phase).passes,
            augment=self.inputs.augmenter(phase, (self.recipe.seed, index, 1)),
            solver=phase.solver,
            learning_rate=None if phase.solver else phase.learning_rate,
            blocks=phase.trained_blocks(self.blocks),
            trial=phase.trial,
            judge=Judge.of(self.recipe, self.outputs),
        )

    def _rates(self, phase: Phase, model: Any, train: Inputs, order: Order) -> LearningRates:
        if phase.measured_rates and not self.progress.within_phase:
            with self.stages.stage(Activity.MEASURING_GRADIENTS, phase.name):
                self.state.rates = dict(self.preparer.measured_rates(phase, model, train, order(0)))
        return self.state.rates or self.preparer.rates(phase, model)

    def _count_frozen(self) -> None:
        """Count the work of the part under the cut, once: it may have been done, and counted, before an interruption."""
        if self.progress.counted <= self.progress.phase:
            passes = self.costs.frozen(self.progress.phase).passes
            self.progress.passed += passes
            self.progress.counted = self.progress.phase + 1
            if passes:
                self.manager.save()

    def _fit(self, ready: PreparedPhase) -> None:
        ready = self.manager.restore_phase(ready)
        with self.stages.stage(Activity.TRAINING, ready.name):
            for _ in fit(ready, self.progress, self.stages.report, self.manager.keep_best):
                if self.manager.due():
                    self.stages.lap(Activity.TRAINING, ready.name)
                    self.manager.save()
        self.progress.passed += ready.passes_per_epoch * (ready.epochs - self.progress.epoch)  # those that patience spared
        best_epoch = self.manager.restore_best()
        if ready.trial:
            self._end_trial(ready, best_epoch)
        else:
            self._end(ready, best_epoch=best_epoch, ended=self._measured(ready))

    def _end_trial(self, ready: PreparedPhase, best_epoch: int | None) -> None:
        """End one of several trials. After the last one the model is the best of them, and measured as that."""
        last = not any(each.trial for each in self.cuts.phases[self.progress.phase + 1 :])
        best_trial = self.manager.select_trial(ready, last=last)
        self._end(ready, best_epoch=best_epoch, ended=self._measured(ready) if last else None, best_trial=best_trial)

    def _solve(self, ready: PreparedPhase) -> None:
        started, step = time.perf_counter(), self.progress.steps + 1
        with self.stages.stage(Activity.TRAINING, ready.name):
            found = solve_head(ready, self.classifier)
            (loss, accuracy), held_out = (
                evaluate_head(found, inputs, self.outputs) for inputs in (ready.train, ready.validation)
            )
        assert loss is not None  # there are training images
        self.progress.steps = step
        self.progress.now.add(len(ready.train), loss, accuracy, time.perf_counter() - started)
        self.progress.passed += ready.passes_per_epoch
        value, score = judged_head(found, ready.validation, ready.judge)
        self.progress.end_epoch(*held_out, score)
        chosen = {"chosen": dict(found.chosen), "chosen_by": found.chosen_by}
        # Before the report, which may end this attempt: a head is computed whole or not at all.
        self._end(ready, ended=self._measured(ready), remarks=found.remarks, **chosen)
        self.stages.report(Epoch(ready.name, 1, step, loss, accuracy, *held_out, time.perf_counter() - started, value))

    def _end(self, ready: PreparedPhase, *, remarks: tuple[Note, ...] = (), **facts: Any) -> None:
        """Prove that nothing frozen moved, and record the phase, with `remarks` on the fit of its head and `facts`, the fields
        of its record that only one kind has."""
        frozen = ready.frozen
        unchanged = frozen.unchanged(self.model)
        if unchanged != len(frozen.before):
            raise RuntimeError(f"{len(frozen.before) - unchanged} frozen tensors moved in the phase {ready.name}.")
        self.state.ever_trained |= set(frozen.trained)
        self.state.records.append(
            PhaseRecord(
                name=ready.name,
                epochs=self.progress.epoch,
                learning_rate=ready.learning_rate,
                batch_size=ready.batch_size,
                blocks=ready.blocks,
                trained=frozen.trained,
                trainable_parameters=count_parameters(self.model, set(frozen.trained)),
                frozen_tensors=len(frozen.before),
                unchanged_tensors=unchanged,
                frozen_part=self.inputs.take_record(),
                remarks=(*self.preparer.remarks(ready), *remarks),
                **facts,
            )
        )
        self.state.rates = {}
        self.progress.end_phase()

    def _measured(self, ready: PreparedPhase) -> Measured:
        now, score = self.progress, self.progress.validation_score
        loss, accuracy = (None, None) if ready.learning.augments else (now.loss, now.accuracy)
        return Measured(
            loss=loss,
            accuracy=accuracy,
            validation_loss=now.validation_loss,
            validation_accuracy=now.validation_accuracy,
            validation_metric=None if score is None else -self.recipe.deciding_metric.better.sign * score,
        )

    def test(self, model: Any) -> NDArray[Any]:
        """Return what `model`, the trained classifier, predicts for the test images: the probabilities (n, classes), or what the
        task has in their place."""
        upper, inputs = self.inputs.test(model)
        left = self.costs.test.trained
        self.progress.passed += self.costs.test.passes - left
        with self.stages.stage(Activity.TESTING):
            given = predict(upper, inputs, self.stages.meter(Activity.TESTING, left / len(self.data.test)))
        self.progress.passed += left
        return self.outputs.predicted(given)
