"""What computing a head takes, beside the pass of the frozen network over the same images.

    python -m benchmarks.heads FOLDER [--images 45000] [--size 96] [--turns 3]

FOLDER holds the four files of MNIST or of a dataset in its form. The features are those of EfficientNet-Lite0. Told are CPU
seconds, the median over the turns, as a share of the pass over so many images, and how right the head is on the test images.
Heads are computed on one thread, the pass on all cores: CPU seconds are what both can be compared in.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.what_if_parts import job_ours
from tl_core import heads
from tl_core.heads.head import Head, cross_entropy
from tl_core.spec import RunSpec

BAR = 0.25
"""A head with its strength chosen takes at most so much of the pass."""


def main() -> None:
    """Measure the heads, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=45_000)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--turns", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        kept, of_pass = passed(asked.folder, asked.size, asked.images, Path(scratch))
    labels = kept["train_labels"][: asked.images]
    train = kept["train_features"][: asked.images], labels, int(labels.max()) + 1
    held = kept["validation_features"], kept["validation_labels"]
    contenders: dict[str, Callable[[], Head]] = {
        "Logistic regression, C chosen": lambda: heads.logistic(*train, validation=held),
        "Logistic regression, C = 10": lambda: heads.logistic(*train, strength=10.0),
        "Ridge regression": lambda: heads.ridge(*train),
        "Nearest class mean": lambda: heads.class_means(*train),
    }
    table = Table("Head", "CPU seconds", f"Of the pass ({of_pass:.0f} s)", "Test accuracy", "Test loss (nats)")
    turns = [{name: timed(solve) for name, solve in contenders.items()} for _ in range(asked.turns)]
    for name in contenders:
        took = statistics.median(turn[name][0] for turn in turns)
        logits = turns[0][name][1].logits(kept["test_features"])
        right = float((logits.argmax(axis=1) == kept["test_labels"]).mean())
        loss = cross_entropy(logits, kept["test_labels"])
        table.add_row(name, f"{took:.1f}", f"{100 * took / of_pass:.0f} %", f"{100 * right:.2f} %", f"{loss:.4f}")
    Console().print(table, f"Bar: {BAR:.0%} for the first.")


def passed(folder: Path, size: int, images: int, scratch: Path) -> tuple[dict[str, Any], float]:
    """Return the features of all images, and the CPU seconds that a pass over so many `images` of them takes."""
    settings = {"dataset": "idx_folder", "dataset.path": str(folder), "image_size": size}
    spec = RunSpec().with_settings(settings).model_dump(mode="json")
    began = time.process_time()
    found = job_ours.one_pass(spec, str(scratch / "cache"), str(scratch / "features.npz"))
    took = time.process_time() - began
    with np.load(scratch / "features.npz") as kept:
        return dict(kept), took * images / found["images"]


def timed(solve: Callable[[], Head]) -> tuple[float, Head]:
    """Return the CPU seconds that `solve` takes, and its head."""
    began = time.process_time()
    head = solve()
    return time.process_time() - began, head


if __name__ == "__main__":
    main()
