"""The command line: `python -m tl_core`, or `transfer-lab` where it is installed."""

from tl_core.cli import (
    audit,
    cache,
    card,
    compare,
    dashboard,
    data,
    doctor,
    evaluate,
    export,
    internal,
    labels,
    parts,
    predict,
    reproduce,
    rerun,
    runs,
    search,
    study,
    sweep,
    track,
    train,
    weights,
    what_if,
)
from tl_core.cli.console import app

__all__ = [
    "app",
    "audit",
    "cache",
    "card",
    "compare",
    "dashboard",
    "data",
    "doctor",
    "evaluate",
    "export",
    "internal",
    "labels",
    "parts",
    "predict",
    "reproduce",
    "rerun",
    "runs",
    "search",
    "study",
    "sweep",
    "track",
    "train",
    "weights",
    "what_if",
]

if __name__ == "__main__":
    app()
