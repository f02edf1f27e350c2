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
            network = nncf.quantize(
                openvino.Core().read_model(exact),
                nncf.Dataset([each[None] for each in contents.examples]),
                subset_size=len(contents.examples),
                # Else the first layers have 7 bits, for processors without VNNI.
                advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.DISABLE),
            )
            openvino.save_model(network, place, compress_to_fp16=False)
