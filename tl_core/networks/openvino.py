"""OpenVINO without its telemetry, and a network compiled by it for this processor."""

import sys
from typing import Any


def quiet_openvino() -> Any:
    """Return the module `openvino`. Raises `ImportError` where it is not installed.

    Left to itself, converting a network writes two files below ~/intel and forks this process to send events to
    google-analytics.com, unless the user has opted out in a third file there (package openvino_telemetry). A fork can
    hang where TensorFlow has threads. Where that package cannot be imported OpenVINO uses a stub of its own that does nothing,
    so from here on it cannot be imported. Import OpenVINO through this function alone.
    """
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # Python's way to say that there is no such module
    import openvino

    return openvino


def compiled(network: Any, *, bfloat16: bool) -> Any:
    """Return OpenVINO's compiled model of its `network` for this processor. Raises whatever OpenVINO raises.

    What OpenVINO would choose by itself is said: where a processor has bfloat16 it computes in that, and it ties its
    threads to cores, to which another process' may be tied as well.
    """
    settings = {
        "PERFORMANCE_HINT": "THROUGHPUT",
        "EXECUTION_MODE_HINT": "ACCURACY",
        "INFERENCE_PRECISION_HINT": "bf16" if bfloat16 else "f32",
        "ENABLE_CPU_PINNING": False,
    }
    return quiet_openvino().Core().compile_model(network, "CPU", settings)
