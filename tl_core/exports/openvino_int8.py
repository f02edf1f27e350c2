"""OpenVINO's own format in 8 bits, by NNCF."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from tl_core.exports import Contents, register
from tl_core.exports.openvino import OpenVINOFormat
from tl_core.networks.openvino import quiet_openvino


@register("openvino_int8")
class OpenVINOInt8(OpenVINOFormat):
    """OpenVINO that computes in 8 bits, a quarter of the size; inputs and outputs stay float32."""

    title: ClassVar[str] = "OpenVINO, int8"
    listing_order: ClassVar[int] = 31
    quantised: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = (*OpenVINOFormat.needs, "nncf")

    def write(self, contents: Contents, place: Path) -> None:
        openvino = quiet_openvino()
        import nncf  # after that, since it has the same telemetry

        with TemporaryDirectory(prefix="transfer_lab_") as folder:
            exact = Path(folder) / place.name
            super().write(contents, exact)
            examples = nncf.Dataset([each[None] for each in contents.examples])
            uneven = nncf.QuantizationPreset.MIXED  # for activations that are not even around 0, as those of most networks
            network = nncf.quantize(
                openvino.Core().read_model(exact), examples, preset=uneven, subset_size=len(contents.examples)
            )
            openvino.save_model(network, place, compress_to_fp16=False)
