"""A network in OpenVINO's own format."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tl_core.features.engines._telemetry import quiet_openvino

LENGTH_BYTES = 8


@dataclass(frozen=True)
class Converted:
    """From float32 pixels (batch, size, size, 3), or int32 tokens (batch, length), to one tensor: a graph (XML), and the weights
    to which it refers by place."""

    graph: bytes
    weights: bytes

    def packed(self) -> bytes:
        """Return both in one."""
        return len(self.graph).to_bytes(LENGTH_BYTES, "big") + self.graph + self.weights

    @classmethod
    def unpacked(cls, content: bytes) -> "Converted":
        """Return the network that was `packed`."""
        end = LENGTH_BYTES + int.from_bytes(content[:LENGTH_BYTES], "big")
        return cls(content[LENGTH_BYTES:end], content[end:])

    def compiled(self, dtype: np.dtype[Any], *, bfloat16: bool) -> Any:
        """Return OpenVINO's compiled model for this processor, which takes inputs of that `dtype`.

        What OpenVINO would choose by itself is said: where a processor has bfloat16 it computes in that, and it ties its
        threads to cores, to which another process' may be tied as well.
        """
        openvino = quiet_openvino()
        from openvino.preprocess import PrePostProcessor

        core = openvino.Core()
        preparing = PrePostProcessor(core.read_model(self.graph, self.weights))
        preparing.input().tensor().set_element_type(openvino.Type(dtype))
        settings = {
            "PERFORMANCE_HINT": "THROUGHPUT",
            "EXECUTION_MODE_HINT": "ACCURACY",
            "INFERENCE_PRECISION_HINT": "bf16" if bfloat16 else "f32",
            "ENABLE_CPU_PINNING": False,
        }
        return core.compile_model(preparing.build(), "CPU", settings)
