"""What the cache of activations saves: a grid of what-ifs, fine-tuning above a cut, and a run that was there before."""

import statistics
from functools import partial
from typing import Any

from benchmarks.what_if_parts.results import Bar, Part, Run, accuracy, against, beside
from benchmarks.what_if_parts.setting import Setting, plain, process
from tl_core.spec import RunSpec

LABELS, STRENGTHS, SEEDS = (0.05, 0.1, 0.25, 0.5, 0.9), (1.0, 10.0, 100.0, 1000.0), 5
"""The grid: shares of the labels a class, inverse penalties, and how often the labels are drawn."""
EPOCHS, SIZE = 10, 160
TUNED = {"strategy": "last_blocks", "strategy__blocks": "block 6d and up", "strategy__epochs": EPOCHS, "image_size": SIZE}
"""The last two inverted residual blocks (6d and 7a) and what is above them."""
NOTHING = 1
"""Bytes of a cache that has room for nothing."""


def grid(setting: Setting) -> Part:
    """Measure a hundred what-ifs against one pass of the frozen network over the same images."""
    spec = setting.spec()
    labels = sorted({max(1, round(share * setting.labels)) for share in LABELS})
    asked: dict[str, Any] = {"labels": labels, "strengths": STRENGTHS, "seeds": SEEDS}
    runs = setting.in_turn(
        {
            "one pass": lambda _: process("job_ours.one_pass", spec=plain(spec), cache=setting.fresh(spec)),
            "what-ifs": lambda _: process("job_ours.grid", spec=plain(spec), cache=setting.fresh(spec), **asked),
        }
    )
    found = runs["what-ifs"][0]
    title = f"{found['answers']} what-ifs, beside one pass over {runs['one pass'][0]['images']:,} images"
    note = (
        f"{', '.join(map(str, labels))} labels a class, C of {', '.join(f'{each:g}' for each in STRENGTHS)}, {SEEDS} draws: "
        f"test accuracy from {100 * found['least']:.1f} to {100 * found['most']:.1f} %."
    )
    return Part(bars=[beside(title, runs["what-ifs"], runs["one pass"], 1.5)], notes=[note], runs=runs)


def suffix(setting: Setting) -> Part:
    """Measure fine-tuning of the last two blocks, with and without what the blocks below them make of the images."""
    spec = setting.spec(**TUNED)
    tune = partial(process, "job_ours.trained", spec=plain(spec))
    runs = setting.in_turn(
        {
            "cached": lambda _: tune(cache=setting.fresh(spec)),
            "not cached": lambda _: tune(cache=setting.fresh(), limit=NOTHING),
        }
    )
    expected = process("job_ours.predicted", spec=plain(spec))
    decoding = process("job_ours.decoding", spec=plain(spec))
    said = [f"{name} {', '.join(map(accuracy, found))}" for name, found in runs.items()]
    notes = [
        f"{100 * expected['share']:.0f} % of the multiply-adds are in what trains, so the cost model, in which a pass through an "
        f"engine costs what one through Keras does, expects {expected['ratio']:.2f}x.",
        f"Without a cache the images are decoded in each epoch, too: once takes {decoding['wall']:.2f} s (CPU "
        f"{decoding['cpu']:.2f} s).",
        f"Test accuracy: {'; '.join(said)}.",
    ]
    title = f"Last two blocks, {EPOCHS} epochs, {SIZE} px, against no cache"
    decoded = [run | {kind: run[kind] - (EPOCHS - 1) * decoding[kind] for kind in ("wall", "cpu")} for run in runs["not cached"]]
    bars = [
        against(title, runs["cached"], runs["not cached"], 2.5),
        against(f"{title}, had each image been decoded once", runs["cached"], decoded, aside=True),
    ]
    return Part(bars=bars, notes=notes, runs=runs | {"cost model": [expected], "decoding": [decoding]})


def warm(setting: Setting) -> Part:
    """Measure a probe, and the same again in the same cache."""
    spec = setting.spec()
    caches: dict[int, str] = {}

    def first(turn: int) -> dict[str, Any]:
        caches[turn] = setting.fresh(spec)
        return process("job_ours.trained", spec=plain(spec), cache=caches[turn])

    def second(turn: int) -> dict[str, Any]:
        return process("job_ours.trained_again", spec=plain(spec), cache=caches[turn])

    runs = setting.in_turn({"first": first, "again": second})
    equal = all(one["correct"] == other["correct"] for one, other in zip(*runs.values(), strict=True))
    notes = [
        "Decoding an image or running a frozen layer would have been an error in the second run, and there was none: "
        f"what the frozen part makes of {runs['again'][0]['reused']:,} images was in the cache.",
        f"The test accuracy was {'the same' if equal else 'ANOTHER'}.",
    ]
    return Part(bars=[against("The same probe on a warm cache", runs["again"], runs["first"])], notes=notes, runs=runs)


def limit(setting: Setting) -> Part:
    """Measure the share of the processor's peak at which the frozen network is computed."""
    names = ["float32", *(["mixed bfloat16"] if setting.bfloat16 else [])]
    runs = setting.in_turn({name: partial(_share, setting, setting.spec(precision=name)) for name in names})
    bars, notes = [], []
    for name, found in runs.items():
        share = 100 * statistics.median(run["reached"] / max(run["peaks"].values()) for run in found)
        bars.append(Bar(title=f"Share of the peak, {found[0]['engine']}", value=share, unit=" %"))
        notes += [f"{name}: {_described(run)}" for run in found]
    return Part(bars=bars, notes=notes, runs=runs)


def _share(setting: Setting, spec: RunSpec, _turn: int) -> Run:
    return process("job_limit.share", spec=plain(spec), cache=setting.fresh(spec), images=300)


def _described(run: Run) -> str:
    peaks = ", ".join(f"{most:.0f} ({what})" for what, most in run["peaks"].items())
    return f"{run['rate']:.0f} images a second are {run['reached']:.0f} GFLOP/s; large matrices are multiplied at {peaks}."
