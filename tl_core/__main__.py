"""The command line: `python -m tl_core`."""

from tl_core.cli import what_if, cache, data, internal, parts, runs, train
from tl_core.cli.console import app

__all__ = ["app", "asking", "caching", "intake", "internal", "listing", "queueing", "training"]

if __name__ == "__main__":
    app()
