"""What a search has found, in words: the best with its test, what the ranking alone would have given, and what was not tried."""

from collections.abc import Iterator

from tl_core.analysis.comparison import gap
from tl_core.analysis.statements import apart
from tl_core.analysis.statements import seconds as spoken
from tl_core.analysis.statistics import Interval
from tl_core.groups import statements
from tl_core.metrics import metric_of
from tl_core.result import MetricValue
from tl_core.runner.search_result import SearchResult
from tl_core.runs.compared import shown
from tl_core.runs.searched import NotTried, Tried, Why


def told(found: MetricValue) -> str:
    """Return the value of a metric with its interval."""
    return shown(found, metric_of(found))


def sentences(found: SearchResult) -> Iterator[str]:
    """Yield what a search has found, as far as it has come."""
    best = found.run(found.best)
    if best and best.validation:
        metric = metric_of(best.validation)
        value = f"{metric.in_sentence} {told(best.validation)} of {best.validation.n:,} validation examples"
        yield f"Best found: {best.network} ({best.strategy}), {value}."
    if found.test:
        yield f"Of {found.test.n:,} test examples, which have chosen nothing, it has {told(found.test)}."
    if alone := found.run(found.alone):
        yield _missed(found, alone)
    if found.ranking_seconds is not None:
        yield f"There was no time to rank the {found.networks} networks here, which takes about {spoken(found.ranking_seconds)}."
    state = "Stopped after" if found.stopped else "It has taken"
    yield f"{state} {spoken(found.seconds)} of {spoken(found.budget)}."


def _missed(found: SearchResult, alone: Tried) -> str:
    """Return how far what the ranking alone would have given lies behind the best."""
    told_of = f"The ranking alone would have given {alone.network} ({alone.strategy})"
    if alone.run_id == found.best:
        return f"{told_of}: this very run."
    if found.regret is None or alone.validation is None:
        return f"{told_of}, of which nothing is known yet."
    if not found.regret.value:
        return f"{told_of}, which is as good on the validation examples."
    if between := found.regret.interval:
        return f"{told_of}: {apart(-found.regret.value, Interval(-between.high, -between.low), 'it on the validation examples')}."
    metric = metric_of(alone.validation)
    behind = gap(found.regret.value, is_share=metric.percent, in_unit=metric.in_unit)
    return f"{told_of}: {behind} behind it on the validation examples."


def why_not(left: NotTried) -> str:
    """Return why something was not tried."""
    match left.why:
        case Why.BEHIND:
            return "The ranking has it behind the best beyond doubt."
        case Why.CONTROL:
            return "It learned nothing that could be transferred."
        case Why.BUDGET:
            return f"It takes about {spoken(left.seconds)}, and there was less." if left.seconds else "The time was over."
        case Why.UNKNOWN:
            return "How long it takes here is not known."
        case Why.UNSUITED:
            return left.reason


def how_far(each: Tried) -> str:
    """Return why a run did not come to its end; nothing of one that did, or still may."""
    return each.error or (statements.left_at(each.left_at) if each.left_at else "")
