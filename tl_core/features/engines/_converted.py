"""A network in OpenVINO's own format."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tl_core.networks.openvino import compiled, quiet_openvino

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
        """Return OpenVINO's compiled model for this processor, which takes inputs of that `dtype`."""
        openvino = quiet_openvino()
        from openvino.preprocess import PrePostProcessor

        preparing = PrePostProcessor(openvino.Core().read_model(self.graph, self.weights))
        preparing.input().tensor().set_element_type(openvino.Type(dtype))
        return compiled(preparing.build(), bfloat16=bfloat16)
