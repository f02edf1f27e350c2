"""What trained in a run, that the rest did not move, and what the frozen part had to do."""

from collections.abc import Iterator

import streamlit as st

from tl_core.heads import ChosenBy
from tl_core.notes import sentences
from tl_core.result import FrozenPartRecord, PhaseRecord, Result
from tl_core.ui import formatting

CHOSEN = {
    ChosenBy.GIVEN: "given",
    ChosenBy.VALIDATION: "chosen by validation {things}",
    ChosenBy.CROSS_VALIDATION: "chosen by cross-validation",
    ChosenBy.LEAVE_ONE_OUT: "chosen by leave-one-out",
    ChosenBy.DEFAULT: "default",
}


def proof(result: Result, unit: str, things: str) -> None:
    """Draw what trained in each phase of a run on `things` ("images"), and that the rest did not change. Losses are in `unit`."""
    for phase in result.phases:
        st.markdown(
            f"**{formatting.plain(phase.name)}** · {_how(phase, things)}. "
            f"{len(phase.trained)} variables with {phase.trainable_parameters:,} parameters trained."
        )
        st.markdown(_still(phase))
        for line in (*remarks(phase, unit, things), *frozen_part(phase.frozen_part, things)):
            st.caption(formatting.plain(line))
        with st.expander("Variables that trained"):
            st.code("\n".join(phase.trained), language=None, wrap_lines=True)
    tested = list(frozen_part(result.frozen_part, things))
    if tested:
        st.markdown("**Test**")
    for line in tested:
        st.caption(formatting.plain(line))
    if not result.validation_images and any(phase.learning_rate is not None for phase in result.phases):
        st.caption(f"Without validation {things} no epoch is known to be the best: each phase kept its last one.")
    source = result.provenance
    st.caption(f"Weights: {formatting.plain(source.source)}, learned from {formatting.plain(source.history)}.")
    for step in reversed(source.steps):
        if step.sha256:
            st.caption(f"sha256 of the weights file of {formatting.plain(step.source)}: {step.sha256}")


def _still(phase: PhaseRecord) -> str:
    """Return what did not move in a phase. A network in a file has no tensor here that could."""
    if phase.frozen_tensors:
        still = f"{phase.unchanged_tensors} of {phase.frozen_tensors} frozen tensors unchanged"
        return f":material/verified: **{still}**, bit for bit, BatchNorm statistics included."
    has_part = phase.frozen_part.computed or phase.frozen_part.reused
    return "What is below the head has nothing here that could train." if has_part else "Nothing was frozen."


def _how(phase: PhaseRecord, things: str) -> str:
    """Return how a phase went, in its own numbers."""
    if phase.learning_rate is None:
        chosen = ", ".join(f"{name} = {value:g}" for name, value in phase.chosen.items())
        by = f" ({CHOSEN[phase.chosen_by].format(things=things)})" if phase.chosen_by else ""
        return "computed from the features" + (f", {formatting.plain(f'{chosen}{by}')}" if chosen else "")
    by_metric = phase.ended is not None and phase.ended.validation_metric is not None
    better = f"was better on the validation {things}" if by_metric else "had a lower validation loss"
    kept = {None: "", phase.epochs: "", 0: f", back to its initial weights, since no epoch {better}"}
    back = kept.get(phase.best_epoch, f", back to the best one, epoch {phase.best_epoch}")
    return f"{phase.epochs} epochs{back}, rate {phase.learning_rate:g}, batch size {phase.batch_size}"


def remarks(phase: PhaseRecord, unit: str = "nats", things: str = "images") -> Iterator[str]:
    """Yield what one should know of a phase: which trial was kept, what did not train, and how the fit of its head went. Losses
    are in `unit`, and the run is on `things`."""
    if best := phase.best_trial:
        yield (
            f"Every trial diverged: none ended with a validation loss. {best.name} is kept; try lower learning rates."
            if best.loss is None
            else f"Of all trials, {best.name} ended with the lowest validation loss, {best.loss:.3f} {unit}, and is kept."
            if best.value is None
            else f"Of all trials, {best.name} ended best on the validation {things}, by the metric that decides, and is kept."
        )
    yield from sentences(phase.remarks)


def frozen_part(record: FrozenPartRecord, things: str = "images") -> Iterator[str]:
    """Yield how many `things` the frozen part computed, what it found in the cache, and why it was not quicker."""
    for engine, count in record.computed.items():
        yield f"The frozen part computed {count:,} {things}, each once ({engine})."
    if record.reused:
        yield f"What the frozen part makes of {record.reused:,} {things} was in the cache already."
    yield from sentences(record.notes)
