"""Transfer Lab's core: which pretrained model, how much of it to retrain, what that saves, and whether it is true.

Read `training.train` first: it is the product in ten lines. Then one module each of `datasets`, `backbones` and
`strategies`, and the base class in that package's `__init__`. Then `runs`, where a run gets a process and a
place to stay, and `analysis`, which turns stored arrays into statements. `ui` and the pages only show.

From Python: `import tl_core as tl`, then `tl.train(dataset="digits", strategy="lp_ft").accuracy` (`tl_core.api`).
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tl_core.api import StoredRun, load_run, parts, register, train
    from tl_core.backbones import Backbone, BlockOutline, CatalogueEntry, Network, Outline, Provenance
    from tl_core.datasets import ArrayImages, Data, Dataset, Examples, FileImages, Images, Modality
    from tl_core.datasets._user_data import UserDataset
    from tl_core.errors import DataError, ExecutorError, RunError, SettingError, StorageError, TransferError, WeightsError
    from tl_core.executors import Executor, Job
    from tl_core.exports import ExportFormat
    from tl_core.features.engines import Engine, PreparedNetwork
    from tl_core.metrics import Metric
    from tl_core.networks.blocks import Block, cut_into_blocks
    from tl_core.notes import Note, NoteKind
    from tl_core.registry import Part
    from tl_core.result import Better, MetricValue, Outcome, Result
    from tl_core.spec import PartSpec, RunSpec
    from tl_core.strategies import (
        BatchNorm,
        Classifier,
        Family,
        Learning,
        Moves,
        Phase,
        Schedule,
        Strategy,
        everything,
        last_blocks,
        nothing,
    )
    from tl_core.strategies._by_gradient import Tuned
    from tl_core.studies import Study, StudyResult
    from tl_core.tasks import Outputs, Panel, Task
    from tl_core.trackers import Tracker

__version__ = "0.1.0"

_PUBLIC = {
    "tl_core.api": "StoredRun load_run parts register train",
    "tl_core.backbones": "Backbone BlockOutline CatalogueEntry Network Outline Provenance",
    "tl_core.datasets": "ArrayImages Data Dataset Examples FileImages Images Modality",
    "tl_core.datasets._user_data": "UserDataset",
    "tl_core.errors": "DataError ExecutorError RunError SettingError StorageError TransferError WeightsError",
    "tl_core.executors": "Executor Job",
    "tl_core.exports": "ExportFormat",
    "tl_core.trackers": "Tracker",
    "tl_core.features.engines": "PreparedNetwork Engine",
    "tl_core.metrics": "Metric",
    "tl_core.networks.blocks": "Block cut_into_blocks",
    "tl_core.notes": "Note NoteKind",
    "tl_core.registry": "Part",
    "tl_core.result": "Better MetricValue Outcome Result",
    "tl_core.spec": "PartSpec RunSpec",
    "tl_core.strategies": "BatchNorm Classifier Family Learning Moves Phase Schedule Strategy everything last_blocks nothing",
    "tl_core.strategies._by_gradient": "Tuned",
    "tl_core.studies": "Study StudyResult",
    "tl_core.tasks": "Outputs Panel Task",
}
"""What the front door offers, by the module that it comes from: the same names as above, for when the program runs."""
_SOURCES = {name: module for module, names in _PUBLIC.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """Import what is asked for (PEP 562): `import tl_core` itself imports neither Keras nor anything else that takes long."""
    if name not in _SOURCES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_SOURCES[name]), name)


def __dir__() -> list[str]:
    return sorted(globals().keys() | _SOURCES)
