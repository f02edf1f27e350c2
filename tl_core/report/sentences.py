"""What is said of compared runs, on the page Compare, in its report, and on the command line alike."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from tl_core.analysis.comparison import MINUS, gap, p_text
from tl_core.analysis.label_saving import Saving
from tl_core.analysis.power_law import FARTHEST, LEAST_EXPLAINED, Silence
from tl_core.analysis.statements import measured
from tl_core.analysis.transfer import NEARLY, Effect, Gain, Learning, Reached
from tl_core.metrics import Metric
from tl_core.recipe import things_of
from tl_core.runs import compared, seeds
from tl_core.runs.findings import Findings
from tl_core.runs.label_counts import NEXT_LABELS, LabelCurve, typical
from tl_core.runs.store import Run
from tl_core.runs.twins import Twins

Names = Callable[[Sequence[Run]], Mapping[str, str]]
"""From runs to what they are called among each other, by their ids."""
REASONS = {
    Silence.TOO_FEW: "a power law needs three numbers of labels and four runs",
    Silence.NO_ERROR: "some run makes no error, or this metric has none",
    Silence.FLAT: "the error is not shown to fall with the labels",
    Silence.POOR_FIT: f"a power law explains less than {LEAST_EXPLAINED:.0%} of the means, or misses them by more than seeds do",
    Silence.TOO_FAR: f"that is more than {FARTHEST:g} times the labels that were tried",
}
TWINS_TITLE = "Transfer against its twin from scratch"
DASH = "\N{EN DASH}"
VERDICTS = {Effect.HELPS: "Helps", Effect.NO_EVIDENCE: "No evidence", Effect.HARMS: "Harms"}
ABOUT = {
    "Jump-start": "How far the transfer is ahead on the validation examples after the first epoch, by the metric that decides it "
    "where its epochs tell that, or else by accuracy: in points of a share.",
    "Area": "The same in the mean over all epochs; a run that has ended keeps what it had.",
    "Asymptote": "The same at the end of training.",
    "Epochs": f"After how many epochs half of the seeds reach {NEARLY:.0%} of what the runs from scratch end with: the transfer, "
    "against its twin. What never comes so far is counted.",
}


def verdicts(found: Findings, names: Names) -> list[str]:
    """Return what is said of each match with the baseline."""
    sides = {side[0].id: side[0] for match in found.matches for side in (match.baseline, match.others)}
    texts = seeds.verdicts(found.matches, found.tests, names(list(sides.values())), found.values, found.metric)
    return [text + _unlike(match.baseline[0], match.others[0]) for match, text in zip(found.matches, texts, strict=True)]


def _unlike(one: Run, other: Run) -> str:
    """Return what else of two runs may decide between them, as a sentence that follows; nothing where nothing else does."""
    specs = one.spec, other.spec
    facts: dict[str, set[object]] = {
        "data": {(spec.dataset.name, things_of(spec)) for spec in specs},
        "task": {spec.task.name for spec in specs},
        "labels a class": {spec.dataset.settings.get("labels_per_class") for spec in specs},
        "image size": {spec.image_size for spec in specs if spec.image_size},  # texts have none
    }
    unlike = [what for what, found in facts.items() if len(found) > 1]
    return f" They differ in {' and '.join(unlike)}." if unlike else ""


def beside_twins(found: Findings, names: Names) -> list[dict[str, object]]:
    """Return a row for each transfer beside its twin from scratch, all with the same columns."""
    sides = {side[0].id: side[0] for each in found.twins for side in (each.match.baseline, each.match.others)}
    called = names(list(sides.values()))
    return [_row(each, called, found.metric) for each in found.twins]


def by_labels(found: Findings, names: Names) -> list[str]:
    """Return what transfers save of labels, and what the next ones would bring."""
    called = names([curve.runs[0] for curve in found.curves])
    told = [_saved(saving, called[one.runs[0].id], called[other.runs[0].id]) for one, other, saving in found.savings]
    return told + [_foretold(curve, called, found.metric) for curve in found.curves]


def _row(each: Twins, names: Mapping[str, str], metric: Metric) -> dict[str, object]:
    p_value = each.test.own_p if each.test.corrected is None else each.test.corrected
    sign = MINUS if each.gain < 0 else "+"
    by = f"{sign}{gap(each.gain, is_share=metric.percent, in_unit=metric.in_unit)}"
    return {
        "Transfer": names[each.match.others[0].id],
        "Twin": names[each.match.baseline[0].id],
        "Seeds": len(each.match.others),
        "Transfer pays": VERDICTS[each.effect],
        f"Test {metric.in_sentence}": f"{by}, {p_text(p_value)}" if p_value is not None else by,
    } | _learning(each.learning, each.learned_by)


def _learning(found: Learning | None, metric: Metric) -> dict[str, object]:
    if found is None:
        return dict.fromkeys(ABOUT, DASH)
    gains = [_gain(each, metric) for each in (found.jump_start, found.area, found.asymptote)]
    return dict(zip(ABOUT, [*gains, f"{_reached(found.transfer)} against {_reached(found.scratch)}"], strict=True))


def _gain(gain: Gain, metric: Metric) -> str:
    interval = gain.interval
    ends = f" ({_ahead(interval.low, metric)} to {_ahead(interval.high, metric)})" if interval else ""
    by = "" if metric == compared.ACCURACY else f" in {metric.in_sentence}"
    return f"{_ahead(gain.mean, metric)}{ends}{by}"


def _ahead(value: float, metric: Metric) -> str:
    """Return by how much one is ahead: in points of a share, or as it is, with its sign."""
    return (f"{100 * value:+.1f}" if metric.percent else f"{value:+.3g}").replace("-", MINUS)


def _reached(found: Reached) -> str:
    missed = f"not reached in {found.missed} of {found.seeds}"
    if found.epochs is None:
        return missed
    return f"{found.epochs:g}" + (f" ({missed})" if found.missed else "")


def _saved(found: Saving, transfer: str, twin: str) -> str:
    """Return what a transfer saves, in words."""
    missed = f", not reached in {found.missed} of {found.seeds} seeds" if found.missed else ""
    goal = f"what {twin} attains with {found.labels:,} labels a class"
    if found.factor is None:
        return f"{transfer} does not reach {goal}{missed}."
    least = "at least " if found.at_least else ""
    if found.factor < 1:
        return f"{transfer} needs {1 / found.factor:.1f} times more labels for {goal}{missed}."
    return f"{transfer} needs {least}{found.factor:.1f} times fewer labels for {goal} (median of {found.seeds} seeds{missed})."


def _foretold(curve: LabelCurve, names: Mapping[str, str], metric: Metric) -> str:
    """Return what the next labels would bring, in words, or why that is not foretold."""
    name, most = names[curve.runs[0].id], curve.points[-1].labels
    asked = f"{NEXT_LABELS} more labels ({curve.more:.0f} instead of {most:,} a class)"
    if isinstance(curve.law, Silence):
        return _silent(name, asked, curve.law)
    if isinstance(curve.foretold, Silence):
        return _silent(name, asked, curve.foretold)
    shown = partial(measured, is_share=metric.percent, in_unit=metric.in_unit)
    value, now = typical(curve.law, curve.more, metric), typical(curve.law, most, metric)
    floor = f" and a floor of {curve.law.floor:.3g}" if curve.law.floor else ""
    law = f"a power law with exponent {curve.law.exponent:.2f}{floor}, fitted to {len(curve.runs)} runs"
    return (
        f"{name}: {asked} would bring {metric.in_sentence} from {shown(now, None)} to {shown(value, curve.foretold)}, by {law}."
    )


def _silent(name: str, asked: str, why: Silence) -> str:
    return f"{name}: what {asked} would bring is not foretold, since {REASONS[why]}."
