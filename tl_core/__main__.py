"""The command line: `python -m tl_core`."""

from tl_core.cli import cache, data, internal, parts, runs, study, train, what_if
from tl_core.cli.console import app

__all__ = ["app", "cache", "data", "internal", "parts", "runs", "study", "train", "what_if"]

if __name__ == "__main__":
    app()
