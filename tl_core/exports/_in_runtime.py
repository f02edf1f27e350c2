"""What an export says in its own runtime. It is run as a script, without this package: the script of the export loads it.

Its arguments are the script, the file of the inputs, the file that gets the outputs, and of which type the model takes inputs: on
disk pixels take a quarter of that.
"""

import runpy
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

BATCH = 32
MOST_ROUNDS, MOST_SECONDS = 20, 1.0


def main(script: str, given: str, said: str, dtype: str) -> None:
    """Let the export answer, and measure how long it takes for an example alone, and for one of a batch."""
    predict, inputs = runpy.run_path(script)["predict"], np.load(given, mmap_mode="r")
    outputs = [predict(np.asarray(inputs[place : place + BATCH], dtype)) for place in range(0, len(inputs), BATCH)]
    first = np.asarray(inputs[:BATCH], dtype)
    seconds = [per_example(predict, np.resize(first, (size, *first.shape[1:]))) for size in (1, BATCH)]
    np.savez(said, outputs=np.concatenate(outputs), seconds=seconds)


def per_example(predict: Callable[[Any], Any], batch: Any) -> float:
    """Return the median wall seconds for one example of `batch`; the first time does not count."""
    predict(batch)
    end, taken = time.perf_counter() + MOST_SECONDS, list[float]()
    while not taken or (len(taken) < MOST_ROUNDS and time.perf_counter() < end):
        begin = time.perf_counter()
        predict(batch)
        taken.append((time.perf_counter() - begin) / len(batch))
    return median(taken)


if __name__ == "__main__":
    main(*sys.argv[1:])
