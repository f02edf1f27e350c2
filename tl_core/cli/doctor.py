"""The command that says what computes on this machine, and why a GPU that is there does not."""

from dataclasses import asdict

import typer
from rich.markup import escape

from tl_core.cli.console import AsJson, app, err, out, print_json, says_what_is_wrong
from tl_core.cli.format import USER_MISTAKE
from tl_core.machine import backends, telemetry
from tl_core.machine.doctor import Examination, Finding, examine
from tl_core.machine.gpus import VISIBLE_VARIABLE

FINE = {
    Finding.COMPUTES: "Networks are computed on a GPU.",
    Finding.NO_GPU: "There is no GPU of NVIDIA's in this machine, so the processor computes.",
}
PRECISION = "float32, unless a run sets another one or python -m tl_core study precision_benchmark has found one to be faster"


@app.command()
@says_what_is_wrong
def doctor(as_json: AsJson = False) -> None:
    """Say what networks are computed on, why a GPU that is there is not used, and the line that mends it."""
    found = examine()
    said = _said(found)
    if as_json:
        print_json(asdict(found) | {"finding": found.finding, "said": said})
    else:
        for name, fact in _facts(found).items():
            out.print(f"[bold]{name:<10}[/] {escape(fact)}", soft_wrap=True)
        (out if found.finding in FINE else err).print(escape(said), soft_wrap=True)
    if found.finding not in FINE:
        raise typer.Exit(USER_MISTAKE)


def _facts(found: Examination) -> dict[str, str]:
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


def _said(found: Examination) -> str:
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
