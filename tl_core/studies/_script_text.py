"""The script of a run, rendered from its facts: the same as a notebook. Its sections are marked as Jupyter marks cells."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tl_core.data.images import FileImages
from tl_core.heads import LogisticRegression, Solver
from tl_core.phases.penalty import Scripted
from tl_core.phases.phase import BatchNorm, Learning, Moves, Phase
from tl_core.studies import _script_images as images
from tl_core.studies import _script_templates as pieces
from tl_core.studies._script_facts import PhaseFacts, ScriptFacts
from tl_core.studies._script_tasks import OF_TWO, SOLVED
from tl_core.training.optimizers import MOMENTUM

CELL = "# %% "
"""What the title of a section stands behind."""
BELONGS = {
    Moves.EVERYTHING: "True",
    Moves.NORMS: "isinstance(layer, NORMS)",
    Moves.BIASES: 'isinstance(layer, NORMS) or variable.name == "bias"',
    Moves.ADAPTERS: '"lora_" in variable.name',
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
    thing, from_files = facts.recipe.dataset.thing, isinstance(facts.training.data.train, FileImages)
    yield "What it needs, and the seed of the run", _imports(facts, from_files=from_files)
    read = pieces.FROM_ARRAYS
    if from_files:
        read = pieces.FROM_FILES.format(size=facts.recipe.input_size, label=facts.task.read)
    yield f"The {thing}, in the very splits of the run", read + facts.task.known
    taken = "pixels (0 to 255)" if facts.recipe.has_images else f"{thing} as it takes them"
    yield f"The network, from {taken} to features, as it was before training", pieces.LOADED
    if any(each.phase.moves is Moves.ADAPTERS for each in facts.trained):
        yield "Its low-rank adapters, as the run drew them", pieces.ADAPTERS
    if facts.solved and facts.solved.phase.solver:
        yield f"The head, computed: {facts.solved.phase.solver.title}", _solved(facts, facts.solved, facts.solved.phase.solver)
    else:
        yield "A new head", pieces.NEW_HEAD.format(activation=facts.task.activation)
    if facts.trained:
        yield "How it is trained", _training(facts)
    for each in facts.trained:
        yield f"Phase {each.number + 1}: {each.phase.name}", _phase(facts, each)
    primary = facts.recipe.task.primary.name
    found = next(each for each in facts.result.metrics if each.name == primary)
    told = {"correct": facts.result.test_correct, "count": found.n, "value": found.value}
    yield "The test", facts.task.test.format(things=thing, **told)


def _imports(facts: ScriptFacts, *, from_files: bool) -> str:
    solver = facts.phases[0].phase.solver
    fitted = SOLVED[type(solver)][0] if solver else ""
    others = ["from PIL import Image, ImageOps"] * from_files
    others += [f"from sklearn.linear_model import {fitted}"] * bool(fitted)
    others += [facts.task.test_needs] * bool(facts.task.test_needs)
    backend = facts.result.versions["backend"]
    return pieces.IMPORTS.format(
        csv="import csv\n" * from_files,
        others="".join(f"{line}\n" for line in others),
        backend=backend,
        in_order=pieces.IN_ORDER[backend] if facts.recipe.deterministic else "",
        seed=facts.recipe.seed,
        names=ascii(list(facts.training.data.class_names)),
    )


def _solved(facts: ScriptFacts, each: PhaseFacts, solver: Solver) -> str:
    chosen, classes = each.record.chosen, len(facts.training.data.class_names)
    normalises, weighted = facts.training.classifier.normalises, each.phase.learning.balanced
    adjusted = each.phase.learning.adjusted
    code = pieces.FEATURES + pieces.NORMALISED * normalises + pieces.WEIGHTS * weighted + pieces.SHARES * adjusted
    code += SOLVED[type(solver)][1].format(
        weighted=", sample_weight=weights[train_labels]" if weighted else "",
        strengths=facts.strengths,
        **chosen,
    )
    code += OF_TWO * (classes == 2 and isinstance(solver, LogisticRegression)) + pieces.BIAS_ADJUSTED * adjusted
    below, normalised = ("unit", pieces.CENTRED) if normalises else ("backbone.output", "")
    return code + pieces.SOLVED_HEAD.format(below=below, normalised=normalised, activation=facts.task.activation)


def _training(facts: ScriptFacts) -> str:
    learning = facts.trained[0].phase.learning
    views = max(_views(facts, each.phase) for each in facts.trained)
    source = "(views[epoch % len(views)] if views else train)" if views else "train"
    change = images.BUT_FOR_VIEWS if views else images.IN_BATCHES
    return _helpers(facts) + pieces.FREEZING.format(
        views=", views=()" if views else "",
        inputs=f"{source}[part]" + ("" if facts.recipe.preprocessor().dtype == np.int32 else '.astype("float32")'),
        changed=change if learning.augments else "",
        images=images.images(learning, facts.recipe.input_size, views),
        order=pieces.IN_EVEN_DRAWS if learning.sampled else pieces.IN_ANY_ORDER,
        balance=_balance(learning, has_solved=facts.solved is not None),
        weighted=", sample_weight=weights[train_labels[part]]" if learning.balanced else "",
        **facts.task.of(learning),
    )


def _balance(learning: Learning, *, has_solved: bool) -> str:
    """Return what makes up for uneven classes; what a computed head has needed already is there."""
    counted = pieces.WEIGHTS * learning.balanced + pieces.SHARES * learning.adjusted
    before = f"\n\n{counted}" if counted and not has_solved else ""
    return before + pieces.DRAWN_EVENLY * learning.sampled + pieces.ADJUSTED * learning.adjusted


def _views(facts: ScriptFacts, phase: Phase) -> int:
    """Return in how many fixed ways images are changed in a phase; 0 where they are changed anew or not at all."""
    return phase.learning.fixed_views if phase.learning.augments and facts.training.cuts.cut(phase) else 0


def _helpers(facts: ScriptFacts) -> str:
    """Return what makes schedules and optimizers, as far as the phases need it."""
    learning, several = facts.trained[0].phase.learning, any(each.phase.rates for each in facts.trained)
    parts = [(piece.until, piece.start, piece.end, str(piece.ease)) for piece in learning.schedule.pieces]
    schedule = "" if learning.schedule.is_constant else pieces.SCHEDULE.format(pieces=parts)
    return schedule + pieces.SPARING * bool(learning.weight_decay) + pieces.BY_RATE * several


def _phase(facts: ScriptFacts, each: PhaseFacts) -> str:
    phase, learning = each.phase, each.phase.learning
    blocks = phase.trained_blocks(facts.training.blocks)
    every = len(blocks) == len(facts.training.blocks)
    return pieces.PHASE.format(
        blocks="BLOCKS" if every else json.dumps(blocks),
        trains=_trains(phase),
        statistics=phase.batch_norm is BatchNorm.ADAPTS,
        parameters=each.record.trainable_parameters,
        optimizer=_optimizer(facts, each, blocks),
        penalty=f"\n\n{phase.penalty.script}\n\n" if isinstance(phase.penalty, Scripted) else "",
        number=each.number,
        epochs=phase.epochs,
        batch_size=phase.batch_size,
        best=_best(each),
        patience=learning.patience,
        views=", views=WAYS" if _views(facts, phase) else "",
        **facts.task.of(learning),
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
