"""What the doctor has found, in words: facts by their names, and what is the matter with the line that mends it."""

from tl_core.machine import backends, telemetry
from tl_core.machine.doctor import Examination, Finding
from tl_core.machine.gpus import VISIBLE_VARIABLE

FINE = {
    Finding.COMPUTES: "Networks are computed on a GPU.",
    Finding.NO_GPU: "There is no GPU of NVIDIA's in this machine, so the processor computes.",
}
PRECISION = "float32, unless a run sets another one or python -m tl_core study precision_benchmark has found one to be faster"


def facts(found: Examination) -> dict[str, str]:
    """Return what computes here, and with what."""
    chosen = found.versions.get(found.backend)
    others = [
        f"{name} {version}" if version else f"{name} is not installed (pip install -r {backends.REQUIREMENTS[name]})"
        for name, version in found.versions.items()
        if name != found.backend
    ]
    return {
        "Device": ", ".join(telemetry.described().values()),
        "Driver": found.driver or "none of NVIDIA's answers",
        "GPUs": ", ".join(found.gpus) or "none",
        "Backend": f"{found.backend} {chosen or ''} ({found.chosen_by})" if found.backend else "unknown",
        "Others": ", ".join(others),
        "Precision": PRECISION,
    }


def what_is_the_matter(found: Examination) -> str:
    """Return what is the matter, and the line that mends it."""
    match found.finding:
        case Finding.NO_DRIVER:
            return (
                "A GPU of NVIDIA's is in this machine, and no driver answers for it. Install NVIDIA's driver and start the "
                "machine anew, or start a container with: docker run --gpus all"
            )
        case Finding.HIDDEN:
            return f"{VISIBLE_VARIABLE} leaves no GPU to programs, so the processor computes. Forget it: unset {VISIBLE_VARIABLE}"
        case Finding.UNSEEN:
            line = backends.gpu_line(found.backend)
            return f"Keras' backend {found.backend} does not see the GPU, so the processor computes. {line}"
        case Finding.BROKEN:
            return found.problem
        case fine:
            return FINE[fine]
