"""OpenVINO without its telemetry."""

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
