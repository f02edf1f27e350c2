"""What earlier versions stored as sentences, as the facts that they told. No other module knows a former wording."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tl_core.events import Activity, decoded, encoded

STAGES = {
    "Starting Python and Keras": Activity.STARTING,
    "Waiting for a machine of the cluster": Activity.WAITING_FOR_CLUSTER,
    "Reading the dataset": Activity.READING_DATASET,
    "Fetching the dataset": Activity.FETCHING_DATASET,
    "Loading the backbone": Activity.LOADING_BACKBONE,
    "Reading the images": Activity.READING_IMAGES,
    "Waiting for another run, which is computing the same features": Activity.WAITING_FOR_FEATURES,
    "Computing features": Activity.COMPUTING_FEATURES,
    "Measuring gradients": Activity.MEASURING_GRADIENTS,
    "Training": Activity.TRAINING,
    "Testing": Activity.TESTING,
    "Storing the result": Activity.STORING,
}
COMPUTED = re.compile(r"The frozen part computed ([\d,]+) images, each once \((.*)\)\.")
REUSED = re.compile(r"What the frozen part makes of ([\d,]+) images was in the cache already\.")
BEST_TRIAL = re.compile(r"Of all trials, (.*) ended with the lowest validation loss, (.*) nats, and is kept\.")
NO_TRIAL = re.compile(r"Every trial diverged: none ended with a validation loss\. (.*) is kept; try lower learning rates\.")
REMARKS = {
    "one_class": re.compile(r"All training images are of one class, so the head always gives that class\."),
    "not_converged": re.compile(r"Logistic regression had not settled after ([\d,]+) steps; .*"),
    "approximate_ranking": re.compile(r"The group lasso had not settled, so the ranking of the features is approximate\."),
    "chosen_on_fewer": re.compile(r"C was chosen by fits to about ([\d,]+) of the ([\d,]+) training images; .*"),
}


def stage(text: str) -> str:
    """Return a stored stage as `events.encoded` gives it: of a former title, with a percentage or the name of a phase after it,
    the activity. Any other text is returned as it is."""
    title, _, after = text.partition(": ")
    activity = STAGES.get(title)
    if activity is None:
        return text
    return encoded(activity, "" if activity is Activity.FETCHING_DATASET else after)


def stages(seconds: Mapping[str, float]) -> dict[str, float]:
    """Return the seconds of each stage under the names of today."""
    return {stage(text): value for text, value in seconds.items()}


def timing(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the seconds of a stage, which was told by its title under `name`."""
    if "name" not in stored:
        return stored
    activity, phase = decoded(stage(stored["name"]))
    return {"activity": activity, "phase": phase, "seconds": stored["seconds"]}


def frozen_part(sentences: Iterable[str]) -> dict[str, Any]:
    """Return what sentences on the frozen part told: images computed by engine and reused ones, and notes."""
    computed, reused, notes = dict[str, int](), 0, list[str]()
    for sentence in sentences:
        if made := COMPUTED.fullmatch(sentence):
            computed[made[2]] = _number(made[1])
        elif kept := REUSED.fullmatch(sentence):
            reused = _number(kept[1])
        else:
            notes.append(sentence)
    return {"computed": computed, "reused": reused, "notes": notes}


def phase(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the record of a phase, whose remarks were sentences. Before `ended` was stored, 0 meant that no epoch had been the
    best, and no phase went back to what it began with."""
    facts: dict[str, Any] = {} if "ended" in stored else {"best_epoch": stored.get("best_epoch") or None}
    remarks = stored.get("remarks", ())
    sentences = [each for each in remarks if isinstance(each, str)]
    trials = [match for each in sentences if (match := BEST_TRIAL.fullmatch(each) or NO_TRIAL.fullmatch(each))]
    if trials:
        name, *loss = trials[0].groups()
        facts["best_trial"] = {"name": name, "loss": float(loss[0]) if loss else None}
    others = [match.string for match in trials]
    facts["remarks"] = [_remark(each) if isinstance(each, str) else each for each in remarks if each not in others]
    return {**stored, **facts}


def _remark(sentence: str) -> Any:
    """Return what a sentence on a computed head told; one that is not known stays as it is."""
    for kind, pattern in REMARKS.items():
        if match := pattern.fullmatch(sentence):
            return {"kind": kind, "numbers": [_number(text) for text in match.groups()]}
    return sentence


def _number(text: str) -> int:
    return int(text.replace(",", ""))
