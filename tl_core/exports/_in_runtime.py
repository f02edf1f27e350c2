"""What an export says in its own runtime. It is run as a script, without this package: the script of the export loads it.

Its arguments are the script, the file of the inputs, and the file that gets the outputs.
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


def main(script: str, given: str, said: str) -> None:
    """Let the export answer, and measure how long it takes for an example alone, and for one of a batch."""
    predict, inputs = runpy.run_path(script)["predict"], np.load(given)
    outputs = [predict(inputs[place : place + BATCH]) for place in range(0, len(inputs), BATCH)]
    seconds = [per_example(predict, np.resize(inputs, (size, *inputs.shape[1:]))) for size in (1, BATCH)]
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
