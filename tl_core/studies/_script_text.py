"""The script of a run, rendered from its facts: the same as a notebook. Its sections are marked as Jupyter marks cells."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from tl_core.data.images import FileImages
from tl_core.heads import LogisticRegression, RidgeClassifier
from tl_core.phases.phase import Augmentation, BatchNorm, Learning, Moves, Phase
from tl_core.studies import _script_templates as pieces
from tl_core.studies._script_facts import PhaseFacts, ScriptFacts
from tl_core.training.augmentation import PADDING
from tl_core.training.optimizers import MOMENTUM

CELL = "# %% "
"""What the title of a section stands behind."""
BELONGS = {
    Moves.EVERYTHING: "True",
    Moves.NORMS: "isinstance(layer, NORMS)",
    Moves.BIASES: 'isinstance(layer, NORMS) or variable.name == "bias"',
}
"""Which variables of a trained block train."""
INSTALLED = ("keras", "numpy", "pillow")
"""What a script needs beside Keras' backend and scikit-learn, of those whose versions a run keeps."""


def script(facts: ScriptFacts) -> str:
    """Return the script of a run."""
    sections = [f"{CELL}{title}\n{code}" for title, code in _sections(facts)]
    return f'"""{_about(facts)}"""\n\n' + "\n\n".join(sections) + "\n"


def notebook(facts: ScriptFacts) -> str:
    """Return the script as a Jupyter notebook (nbformat 4.5): a cell a section."""
    sections = [("markdown", _about(facts))]
    for title, code in _sections(facts):
        sections += [("markdown", f"## {title}"), ("code", code.replace("Path(__file__).parent", "Path()"))]
    cells = [_cell(number, kind, source) for number, (kind, source) in enumerate(sections)]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def _cell(number: int, kind: str, source: str) -> dict[str, Any]:
    cell = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": source.splitlines(keepends=True)}
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _about(facts: ScriptFacts) -> str:
    """Return what stands above a script. A docstring and a notebook must be able to hold it."""
    titles = " | ".join(facts.recipe.titles()).replace("\\", "/").replace('"""', "'''")
    versions = facts.result.versions
    backend = versions["backend"]
    needed = " ".join(f"{name}=={versions[name]}" for name in (*INSTALLED, backend) if name in versions)
    return (
        f"{titles}: run {facts.found.run.id} of Transfer Lab, with Keras alone.\n\nIt needs: pip install {needed} scikit-learn\n"
    )


def _sections(facts: ScriptFacts) -> Iterator[tuple[str, str]]:
    """Yield the title and the code of each section."""
    data, result = facts.training.data, facts.result
    from_files = isinstance(data.train, FileImages)
    yield "What it needs, and the seed of the run", _imports(facts, from_files=from_files)
    read = pieces.FROM_FILES.format(size=facts.recipe.input_size) if from_files else pieces.FROM_ARRAYS
    yield "The images, in the very splits of the run", read
    yield "The network, from pixels (0 to 255) to features, as it was before training", pieces.LOADED
    if facts.solved and facts.solved.phase.solver:
        yield f"The head, computed: {facts.solved.phase.solver.title}", _solved(facts, facts.solved)
    else:
        yield "A new head", pieces.NEW_HEAD
    if facts.trained:
        yield "How it is trained", _training(facts)
    for each in facts.trained:
        yield f"Phase {each.number + 1}: {each.phase.name}", _phase(facts, each)
    told = {"correct": result.test_correct, "images": result.test_images, "own": result.accuracy}
    yield "The test", pieces.TEST.format(**told)


def _imports(facts: ScriptFacts, *, from_files: bool) -> str:
    solver = facts.phases[0].phase.solver
    fitted = "LogisticRegression" if isinstance(solver, LogisticRegression) else "Ridge"
    others = ["from PIL import Image, ImageOps"] * from_files
    others += [f"from sklearn.linear_model import {fitted}"] * isinstance(solver, (LogisticRegression, RidgeClassifier))
    return pieces.IMPORTS.format(
        csv="import csv\n" * from_files,
        others="".join(f"{line}\n" for line in others),
        backend=facts.result.versions["backend"],
        seed=facts.recipe.seed,
        classes=ascii(list(facts.training.data.class_names)),
    )


def _solved(facts: ScriptFacts, each: PhaseFacts) -> str:
    chosen, solver, classes = each.record.chosen, each.phase.solver, len(facts.training.data.class_names)
    normalises, weighted = facts.training.classifier.normalises, each.phase.learning.balanced
    code = pieces.FEATURES + pieces.NORMALISED * normalises + pieces.WEIGHTS * weighted
    settings = {"weighted": ", sample_weight=weights[train_labels]" if weighted else ""}
    if isinstance(solver, LogisticRegression):
        # Of two classes scikit-learn's model has one weight vector, and the penalty of two half as long ones is half of its own.
        code += pieces.LOGISTIC.format(strength=chosen["C"] * (2 if classes == 2 else 1), **settings)
        code += pieces.OF_TWO * (classes == 2)
    else:
        template = pieces.RIDGE if isinstance(solver, RidgeClassifier) else pieces.MEANS
        code += template.format(**chosen, **settings)
    below, normalised = ("unit", pieces.CENTRED) if normalises else ("backbone.output", "")
    return code + pieces.SOLVED_HEAD.format(below=below, normalised=normalised)


def _training(facts: ScriptFacts) -> str:
    learning = facts.trained[0].phase.learning
    smoothed = "np.eye(len(CLASSES), dtype=np.float32)[labels]" if learning.soft else "labels"
    weights = pieces.WEIGHTS if learning.balanced and not facts.solved else ""
    changes = _augmentation(learning, facts.recipe.input_size)
    weighted = ", sample_weight=weights[train_labels[part]]" if learning.balanced else ""
    return _helpers(facts) + pieces.FREEZING.format(targets=smoothed, weights=weights, augmentation=changes, weighted=weighted)


def _helpers(facts: ScriptFacts) -> str:
    """Return what makes schedules and optimizers, as far as the phases need it."""
    learning, several = facts.trained[0].phase.learning, any(each.phase.rates for each in facts.trained)
    parts = [(piece.until, piece.start, piece.end, str(piece.ease)) for piece in learning.schedule.pieces]
    schedule = "" if learning.schedule.is_constant else pieces.SCHEDULE.format(pieces=parts)
    return schedule + pieces.SPARING * bool(learning.weight_decay) + pieces.BY_RATE * several


def _augmentation(learning: Learning, size: int) -> str:
    flip, border = 'keras.layers.RandomFlip("horizontal")', size // PADDING
    crop = f"keras.layers.ZeroPadding2D({border}), keras.layers.RandomCrop({size}, {size})"
    return {
        Augmentation.NONE: "",
        Augmentation.FLIP: flip,
        Augmentation.FLIP_AND_CROP: f"{flip}, {crop}",
        Augmentation.RAND_AUGMENT: f"{flip}, keras.layers.RandAugment((0, 255), factor=0.3)",
    }[learning.augmentation]


def _phase(facts: ScriptFacts, each: PhaseFacts) -> str:
    phase, learning = each.phase, each.phase.learning
    blocks = phase.trained_blocks(facts.training.blocks)
    every = len(blocks) == len(facts.training.blocks)
    loss = f"keras.losses.CategoricalCrossentropy(label_smoothing={learning.label_smoothing})"
    return pieces.PHASE.format(
        blocks="BLOCKS" if every else json.dumps(blocks),
        trains=_trains(phase),
        statistics=phase.batch_norm is BatchNorm.ADAPTS,
        parameters=each.record.trainable_parameters,
        optimizer=_optimizer(facts, each, blocks),
        loss=loss if learning.soft else '"sparse_categorical_crossentropy"',
        number=each.number,
        epochs=phase.epochs,
        batch_size=phase.batch_size,
        best=_best(each),
        patience=learning.patience,
    )


def _trains(phase: Phase) -> str:
    """Return a function that says whether a variable of a trained block trains."""
    belongs = BELONGS[phase.moves]
    if phase.batch_norm is BatchNorm.FROZEN:
        still = "not isinstance(layer, keras.layers.BatchNormalization)"
        belongs = still if phase.moves is Moves.EVERYTHING else f"{still} and ({belongs})"
    return f"lambda layer, variable: {belongs}"


def _best(each: PhaseFacts) -> str:
    """Return with which validation loss the best epoch has to compete: that of what the phase begins with, where it was known."""
    learning = each.phase.learning
    if not learning.keeps_best:
        return "None"
    return "validation_loss()" if learning.restore_best and each.number else "math.inf"


def _optimizer(facts: ScriptFacts, each: PhaseFacts, blocks: Sequence[str]) -> str:
    """Return what makes the optimizer of a phase: one for all variables, or one for each learning rate."""
    phase, head = each.phase, each.phase.learning_rate
    steps = phase.epochs * phase.steps(len(facts.training.data.train))
    factors = phase.factors([block.name for block in facts.training.blocks])
    rates = {block: _rounded(head * factors[block]) for block in blocks}
    if set(rates.values()) <= {_rounded(head)}:
        return _one(phase.learning, repr(_rounded(head)), steps)
    return f"by_rate(lambda rate: {_one(phase.learning, 'rate', steps)}, {json.dumps(rates, indent=4)}, {_rounded(head)!r})"


def _one(learning: Learning, rate: str, steps: int) -> str:
    """Return what makes an optimizer of one learning rate."""
    name, options = ("SGD", {"momentum": MOMENTUM}) if learning.optimizer == "sgd" else ("Adam", {})
    options |= {"weight_decay": learning.weight_decay, "global_clipnorm": learning.clip_norm or 0.0}
    moving = rate if learning.schedule.is_constant else f"Schedule({rate}, {steps})"
    given = ", ".join([moving, *(f"{option}={value}" for option, value in options.items() if value)])
    made = f"keras.optimizers.{name}({given})"
    return f"sparing({made})" if learning.weight_decay else made


def _rounded(rate: float) -> float:
    return float(f"{rate:.12g}")
