"""Keras' backend, and what Keras holds for a whole process: both come from the user's own environment and keras.json."""

import importlib.util
import json
import os
import shlex
from typing import Annotated, Literal

from pydantic import BaseModel, Field, InstanceOf, ValidationError

from tl_core.errors import SettingError
from tl_core.precision import Precision
from tl_core.system import settings

BACKEND_VARIABLE = "KERAS_BACKEND"
REQUIREMENTS = {
    "tensorflow": "requirements.txt",
    "jax": "requirements-backends.txt",
    "torch": "requirements-backends.txt",
}
"""The backends that networks can be trained with, and what brings each."""
CPU, GPU = "cpu", "gpu"
"""What a backend can compute on."""
LIMITS = ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH")
"""Variables that Keras reads as numbers when it is imported."""
CUBLAS_IN_ORDER = "CUBLAS_WORKSPACE_CONFIG", ":4096:8"
"""The variable without which torch refuses to multiply matrices in a fixed order on a GPU."""
JAX_IN_ORDER = "--xla_gpu_deterministic_ops=true"
ANOTHER = f"Choose another one: export {BACKEND_VARIABLE}=tensorflow."


class KerasFile(BaseModel):
    """What Keras reads in keras.json, with its own defaults. Where one of them is anything else it cannot be imported."""

    floatx: Literal["float16", "float32", "float64"] = "float32"
    epsilon: InstanceOf[float] = 1e-7
    image_data_format: Literal["channels_last", "channels_first"] = "channels_last"
    backend: Annotated[str, Field(strict=True)] = "tensorflow"

    @classmethod
    def read(cls) -> "KerasFile":
        """Return the user's settings of Keras. Raises `SettingError` where Keras cannot be imported with them.

        Keras takes a file that is no JSON for one that is not there.
        """
        file = settings.keras_home() / "keras.json"
        try:
            return cls.model_validate(json.loads(file.read_bytes()) if file.exists() else {})
        except ValidationError as error:
            first = error.errors()[0]
            why = ": ".join([*map(str, first["loc"]), first["msg"]])
        except ValueError:
            return cls()
        except OSError as error:
            why = error.strerror or "it cannot be read"
        next_step = f"Correct it, or take it away: mv {shlex.quote(str(file))} {shlex.quote(f'{file}.old')}"
        raise SettingError(f"Keras cannot be imported with its settings file ({why}).", next_step, received=file)


def wanted() -> tuple[str, str]:
    """Return the name of the backend that Keras is to take, and what says so. Raises `SettingError` as `KerasFile.read` does."""
    kept = KerasFile.read()
    given = os.environ.get(BACKEND_VARIABLE)
    name = given or kept.backend
    return name, f"{BACKEND_VARIABLE}={given}" if given else f"{name} in {settings.keras_home() / 'keras.json'}"


def require_importable() -> None:
    """Raise the `SettingError` of an environment in which Keras cannot be imported, or cannot train; without importing it."""
    name, received = wanted()
    if name not in REQUIREMENTS:
        known = ", ".join(REQUIREMENTS)
        raise SettingError(f"Networks are trained with one of Keras' backends {known}.", ANOTHER, received=received)
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:  # a mere folder of that name has no origin
        next_step = f"{ANOTHER} Or install it: pip install -r {REQUIREMENTS[name]}"
        raise SettingError(f"Keras' backend {name} is not installed.", next_step, received=received)
    for variable in LIMITS:
        if variable in os.environ and not os.environ[variable].strip().isdecimal():
            raise SettingError(f"{variable} is no number.", f"Forget it: unset {variable}", received=os.environ[variable])


def is_importable() -> bool:
    """Return whether Keras can be imported, and can train."""
    try:
        require_importable()
    except SettingError:
        return False
    return True


def is_processor(device: object) -> bool:
    """Return whether `device`, as one of the backends names it, is the processor: ".../device:CPU:0", "TFRT_CPU_0", "cpu"."""
    return "cpu" in str(device).lower()


def device() -> str:
    """Return what Keras' backend computes on: "cpu" or "gpu"."""
    import keras

    return CPU if is_processor(keras.ops.zeros((1,)).device) else GPU


def unseen_gpu(backend: str) -> str:
    """Return the sentence that `backend` computes on the processor though a run holds a GPU, with the line that mends it."""
    return f"Keras' backend {backend} does not see the GPU that this run holds, so the processor computes. {gpu_line(backend)}"


def gpu_line(backend: str) -> str:
    """Return what makes `backend` see a GPU."""
    brought = "" if backend == "tensorflow" else f" (with the line for {backend} in it)"
    return f"Install CUDA's libraries for it: pip install -r requirements-gpu.txt{brought}"


def compute_in(precision: Precision, *, fixed_order: bool = False) -> None:
    """Make Keras compute in `precision`, and otherwise as all networks here expect, whatever keras.json says; from now on in a
    `fixed_order`, if asked (`compute_in_fixed_order`)."""
    import keras

    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_dtype_policy(precision.policy)
    if fixed_order:
        compute_in_fixed_order()


def compute_in_fixed_order() -> None:
    """Have Keras' backend compute each operation in one order, from now on in this process: a GPU adds up in another one each
    time. Raises `SettingError` where only the process's environment can say so."""
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow

        tensorflow.config.experimental.enable_op_determinism()
    elif backend == "torch":
        import torch

        os.environ.setdefault(*CUBLAS_IN_ORDER)
        torch.use_deterministic_algorithms(True)
    elif device() == GPU and JAX_IN_ORDER not in os.environ.get("XLA_FLAGS", ""):
        raise SettingError(
            "JAX computes in a fixed order on a GPU only in a process that began with that in its environment.",
            f"Start the dashboard or the command anew after: export XLA_FLAGS={JAX_IN_ORDER}",
            received="deterministic=true",
        )
