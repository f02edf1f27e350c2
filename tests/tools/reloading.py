"""A saved network in a process that has imported nothing of its maker."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.helpers import python
from tl_core.runs import artifacts

CODE = (
    "import sys, keras, numpy as np; model = keras.saving.load_model(sys.argv[1], safe_mode=True);"
    "print(np.asarray(model(np.load(sys.argv[2]))).tolist())"
)


def said_when_reloaded(model: Any, given: NDArray[Any], folder: Path) -> NDArray[np.float64]:
    """Save `model` into `folder`, and return what a new process, which has Keras alone, has it say of what is `given`."""
    model.save(folder / artifacts.MODEL)
    np.save(folder / "given.npy", given)
    return np.array(json.loads(python(CODE, folder / artifacts.MODEL, folder / "given.npy").out))
