"""The linear probe against the recipe of Keras' guide on the same images, from nothing to a trained classifier."""

from collections.abc import Sequence
from functools import partial
from math import sqrt
from pathlib import Path

from benchmarks.what_if_parts.results import Bar, Part, Run, accuracy, against
from benchmarks.what_if_parts.setting import Setting, plain, process, say
from tl_core.datasets import FileImages
from tl_core.datasets.image_folder import ImageFolder

EPOCHS = 20
BARS = {"float32": (30, 4), "mixed bfloat16": (60, 8)}
"""For each precision: how many times faster than all epochs of the guide, and than those that it needs to be as accurate."""


def measure(setting: Setting) -> Part:
    """Measure both, with the network converted for OpenVINO already, as in every run on a machine but the first, and not."""
    precisions = [name for name in BARS if setting.bfloat16 or name == "float32"]
    folder = linked(setting)
    guide = partial(process, "job_guide.fitted", folder=str(folder), size=setting.size, epochs=EPOCHS)
    contenders = {"guide": lambda turn: guide(seed=turn)}
    for name in precisions:
        contenders[f"probe, {name}"] = partial(_probe, setting, name, True)
        contenders[f"first probe, {name}"] = partial(_probe, setting, name, False)
    runs = setting.in_turn(contenders)
    bars = [bar for name in precisions for bar in _bars(name, runs)]
    notes = [f"Test accuracy of {name}: {', '.join(map(accuracy, found))}." for name, found in runs.items()]
    return Part(bars=bars, notes=[*notes, *_described(runs, precisions)], runs=runs)


def linked(setting: Setting) -> Path:
    """Return a folder with a folder for each split and in each one a class, whose links lead to the very images of our splits."""
    data = ImageFolder(path=setting.folder, labels_per_class=setting.labels).load(0)
    folder = setting.space / "linked"
    for split in ("train", "validation", "test") if not folder.exists() else ():
        images = getattr(data, split)
        assert isinstance(images, FileImages)
        for number, (path, label) in enumerate(zip(images.paths, images.labels, strict=True)):
            link = folder / split / f"{label:04}" / f"{number:06}{path.suffix.lower()}"
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)
    return folder


def _probe(setting: Setting, precision: str, converted: bool, _turn: int) -> Run:
    spec = setting.spec(precision=precision)
    run = process("job_ours.trained", spec=plain(spec), cache=setting.fresh(spec if converted else None))
    if bool(run["converted"]) is converted:
        say(f"The network was {'' if run['converted'] else 'not '}converted, though it should be otherwise.")
    return run | run["trained"]


def _bars(name: str, runs: dict[str, list[Run]]) -> list[Bar]:
    whole, fair = BARS[name]
    guide, ours, first = runs["guide"], runs[f"probe, {name}"], runs[f"first probe, {name}"]
    enough = [_enough(one, other) for one, other in zip(ours, guide, strict=True)]
    return [
        against(f"Probe in {name}, against the guide's {EPOCHS} epochs", ours, guide, whole),
        against(f"Probe in {name}, against the guide's recipe until it is as accurate", ours, enough, fair),
        against(f"A machine's first probe in {name}, against the guide's {EPOCHS} epochs", first, guide, aside=True),
        against(
            f"A machine's first probe in {name}, against the guide's recipe until it is as accurate", first, enough, aside=True
        ),
    ]


def _enough(ours: Run, guide: Run) -> Run:
    """Return the guide's recipe at the end of the first epoch after which it is as accurate as ours, less one standard error; of
    the last one where it never is."""
    share = ours["correct"] / ours["tested"]
    least = share - sqrt(share * (1 - share) / ours["tested"])
    epochs: list[Run] = guide["epochs"]
    found = (index for index, epoch in enumerate(epochs) if epoch["correct"] / epoch["tested"] >= least)
    index = next(found, None)
    return epochs[-1 if index is None else index] | {"epoch": None if index is None else index + 1}


def _epochs(ours: Sequence[Run], guide: Sequence[Run]) -> str:
    needed = [_enough(*pair)["epoch"] for pair in zip(ours, guide, strict=True)]
    return ", ".join(f"more than {EPOCHS}" if epoch is None else str(epoch) for epoch in needed)


def _described(runs: dict[str, list[Run]], precisions: Sequence[str]) -> list[str]:
    images = runs[f"probe, {precisions[0]}"][0]
    return [
        *(
            f"Epochs until the guide's recipe is as accurate as the probe in {name}, less one standard error: "
            f"{_epochs(runs[f'probe, {name}'], runs['guide'])}."
            for name in precisions
        ),
        f"{images['train_images']:,} images to train on and {images['images'] - images['train_images'] - images['tested']:,} for "
        "validation, which the guide's recipe looks at after each epoch and ours to choose C.",
    ]
