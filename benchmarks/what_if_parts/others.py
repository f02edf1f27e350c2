"""Other people's libraries at the same work, in the same turn."""

from functools import partial

from benchmarks.what_if_parts.probe import EPOCHS, linked
from benchmarks.what_if_parts.results import Part, Run, accuracy, against
from benchmarks.what_if_parts.setting import ChildError, Setting, plain, process, say


def measure(setting: Setting) -> Part:
    """Measure scikit-learn's heads on the same features, and timm's network on torch, where that is installed."""
    heads, networks = _heads(setting), _timm(setting)
    return Part(bars=heads.bars + networks.bars, notes=heads.notes + networks.notes, runs=heads.runs | networks.runs)


def _heads(setting: Setting) -> Part:
    spec, file = setting.spec(), setting.space / "features.npz"
    process("job_ours.one_pass", spec=plain(spec), cache=setting.fresh(spec), keep=str(file))
    jobs = {
        "our head": "ours",
        "scikit-learn's LogisticRegression": "default",
        "scikit-learn's LogisticRegressionCV": "cross_validated",
    }
    runs = setting.in_turn({name: partial(_head, job, str(file)) for name, job in jobs.items()})
    ours, *theirs = runs
    bars = [against(f"Head with its C chosen, against {name}", runs[ours], runs[name]) for name in theirs]
    return Part(bars=bars, notes=[f"Test accuracy of {name}: {accuracy(found[0])}." for name, found in runs.items()], runs=runs)


def _head(job: str, file: str, _turn: int) -> Run:
    return process(f"job_heads.{job}", file=file)


def _timm(setting: Setting) -> Part:
    try:
        versions = process("job_torch.versions", python=setting.torch_python)
    except ChildError as error:
        reason = str(error).strip().splitlines()[-1]
        return Part(bars=[], notes=[f"timm with torch: not installed ({reason})."], runs={})
    say(f"torch {versions['torch']}, timm {versions['timm']}")
    runs = setting.in_turn(
        {
            "our probe": partial(_probe, setting),
            "timm, forward once": partial(_torch, setting, "once"),
            "timm, one epoch": partial(_torch, setting, "epoch"),
        }
    )
    all_epochs = [_all_epochs(run) for run in runs["timm, one epoch"]]
    note = (
        f"timm {versions['timm']} on torch {versions['torch']}, on the processor, with random weights, which take the same time; "
        f"{EPOCHS} epochs are one that was measured, multiplied."
    )
    bars = [
        against("Linear probe, float32, against timm, forward once", runs["our probe"], runs["timm, forward once"]),
        against(f"Linear probe, float32, against timm, {EPOCHS} epochs", runs["our probe"], all_epochs),
    ]
    return Part(bars=bars, notes=[note], runs=runs)


def _probe(setting: Setting, _turn: int) -> Run:
    spec = setting.spec()
    return process("job_ours.trained", spec=plain(spec), cache=setting.fresh(spec))


def _torch(setting: Setting, job: str, _turn: int) -> Run:
    return process(f"job_torch.{job}", python=setting.torch_python, folder=str(linked(setting)), size=setting.size)


def _all_epochs(run: Run) -> Run:
    return {kind: run["begin"][kind] + EPOCHS * run["epoch"][kind] + run["test"][kind] for kind in ("wall", "cpu")}
