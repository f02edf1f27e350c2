"""What Python code asks of Transfer Lab: parts by kind, training in this process, and what stored runs left."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from tl_core.errors import RunError, SettingError
from tl_core.events import Event, Reporter
from tl_core.machine import backends
from tl_core.recipe import Recipe, changed
from tl_core.registry import KINDS, Part, registry
from tl_core.result import Outcome, Predictions, Result
from tl_core.runs import artifacts, evaluations
from tl_core.runs.evaluations import Evaluation
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.system.settings import home

P = TypeVar("P", bound=Part)


@dataclass(frozen=True)
class StoredRun:
    """A run of the store: its id, its spec, and the folder of what it left, which is read when it is asked for.

    `result`, `predictions` and `model` raise `RunError` where the run left none.
    """

    id: str
    spec: RunSpec
    folder: Path

    @property
    def accuracy(self) -> float:
        """Return the share of test images that were classified correctly, 0..1; NaN of a task that has no accuracy."""
        return self.result.accuracy

    @cached_property
    def result(self) -> Result:
        """Return the measured result. Raises `RunError` where there is none."""
        return artifacts.read_result(self.folder)

    @cached_property
    def predictions(self) -> Predictions:
        """Return the probabilities of each test image. Raises `RunError` where there are none."""
        return artifacts.read_predictions(self.folder)

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """Return its tests on other data than its own, the newest first."""
        return evaluations.read(self.folder)

    @cached_property
    def model(self) -> Any:
        """Return the trained Keras model, from pixels (batch, size, size, 3) in 0..255 to probabilities (batch, classes); its
        head on features, where only these are known of its network. Raises `RunError` where there is none."""
        file = self.folder / artifacts.MODEL
        if not file.is_file():
            raise RunError("This run has no model.", "Only finished runs have one; run it again.", received=self.id)
        backends.require_importable()
        import keras

        return keras.saving.load_model(file, safe_mode=True)


def train(spec: RunSpec | None = None, *, report: Reporter | None = None, **settings: Any) -> Outcome:
    """Train one model in this process and return its result, its predictions and the Keras model; nothing is stored as a run.

    Args:
        spec: What to start from; by default the run that the dashboard offers first.
        report: Takes the events of the training as they happen, such as `print`.
        **settings: What to change, by the names of the command line: `dataset="digits"`, `seed=1`,
            `**{"strategy.epochs": 5}`. A part may also be a dict with its name and its settings, or an instance of its class.

    Features of frozen networks are shared with all runs of this machine, by its cache. Raises a `TransferError` for a setting
    that does not fit, data that cannot be read or weights that are missing.
    """
    if executor := next((name for name in settings if name.partition(".")[0] == "executor"), None):
        raise SettingError(
            "Training from Python happens in this process, which needs no executor.",
            "Leave it out, or use the command line: python -m tl_core train",
            received=f"{executor}={settings[executor]}",
        )
    given = changed(_base(spec), {name: _plain(name, value) for name, value in settings.items()})
    backends.require_importable()
    Recipe.of(given).require_weights()
    from tl_core.features.cache import cache_of
    from tl_core.planning import precision_speeds
    from tl_core.training.train import train as carry_out

    return carry_out(given, report or _ignore, decide=precision_speeds.decide(home()), cache=cache_of(home()))


def load_run(run_id: str) -> StoredRun:
    """Return the stored run of that id, or the only one whose id ends with it. Raises `RunError` where there is none."""
    store = Store()
    run = store.run(store.named(run_id))
    return StoredRun(run.id, run.spec, store.folder(run.id))


def parts(kind: str) -> dict[str, type[Any]]:
    """Return the parts of `kind` (`registry.KINDS`) by name. Raises `SettingError` for another."""
    return registry(kind).parts()


def register(kind: str, name: str) -> Callable[[type[P]], type[P]]:
    """Return a class decorator that makes a part of `kind` known by `name`. Raises `SettingError` for a kind there is not."""
    return registry(kind).register(name)


def _base(spec: RunSpec | None) -> RunSpec:
    if spec is None:
        return RunSpec()
    if not isinstance(spec, RunSpec):
        raise SettingError("A run to start from is a RunSpec.", 'Name its parts: train(dataset="digits").', received=spec)
    return spec


def _plain(name: str, value: Any) -> Any:
    if not isinstance(value, Part):
        return value
    if type(value) not in (registry(name).parts().values() if name in KINDS else ()):
        raise SettingError(
            f"A {type(value).__name__} is no registered {name}.",
            f'Decorate its class: @register("{name}", "its name").',
            received=f"{name}={value!r}",
        )
    return value.spec().model_dump()


def _ignore(event: Event) -> None:
    return
