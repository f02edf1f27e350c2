"""Small runs for tests, and waiting for what other processes do."""

import time
from collections.abc import Callable
from typing import TypeVar

from tl_core.spec import RunSpec

HANGS_SECONDS = 600.0
"""What takes so long hangs; on a busy machine a thing that takes a second may take a minute."""
FEW_CROPS = {"dataset.labels_per_class": 2, "dataset.validation_per_class": 1, "dataset.test_per_class": 2}
"""Settings of photo_patches: 32 training, 16 validation and 32 test images in 16 classes."""
SMALL_CNN = {"backbone": "small_cnn", "backbone.width": 4, "strategy": "from_scratch", "strategy.epochs": 1, "image_size": 16}
QUICK = RunSpec().with_settings(FEW_CROPS | SMALL_CNN)
"""A run that takes no longer than Keras takes to start."""
ENDLESS = QUICK.with_settings({"strategy.epochs": 10_000})
"""A run that has to be ended from outside."""

T = TypeVar("T")


def wait_until(condition: Callable[[], T | None], seconds: float = HANGS_SECONDS) -> T:
    """Return what `condition` gives once it is true. Raises `AssertionError` after `seconds`."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"not so within {seconds} s"
        time.sleep(0.02)
    return value
