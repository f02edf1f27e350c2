"""What is stored are facts. Sentences of earlier versions are read as what they told, and nothing goes by a wording."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.helpers import QUICK
from tl_core import backbones, former, strategies
from tl_core.analysis.stage_titles import TITLES, activity_title, stage_title
from tl_core.events import Activity, decoded, encoded
from tl_core.executors import executors
from tl_core.heads import ChosenBy
from tl_core.machine.gpus import Gpu
from tl_core.notes import Note, NoteKind
from tl_core.notes import sentence as worded
from tl_core.recipe import Recipe
from tl_core.result import BestTrial, FrozenPartRecord, PhaseRecord, Timing
from tl_core.runs import artifacts, file_link
from tl_core.runs.eta import eta
from tl_core.runs.file_link import Mailbox
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.ui import recipe_bar, steps
from tl_core.ui.controls import offered
from tl_core.ui.proof import CHOSEN, frozen_part, remarks

OF_A_PHASE = {
    "name": "head",
    "epochs": 1,
    "learning_rate": None,
    "batch_size": 32,
    "blocks": [],
    "trained": [],
    "trainable_parameters": 10,
    "frozen_tensors": 4,
    "unchanged_tensors": 4,
    "ended": None,
}
"""The fields of a phase that are told the same in every version."""


def stored(**fields: object) -> PhaseRecord:
    """A phase as it is read from a file that an earlier version has written."""
    return PhaseRecord.model_validate_json(json.dumps(OF_A_PHASE | fields))


def test_sentences_on_the_frozen_part_are_read_as_counts() -> None:
    sentences = [
        "The frozen part computed 1,234 images, each once (OpenVINO (CPU), bfloat16).",
        "What the frozen part makes of 45,000 images was in the cache already.",
        "OpenVINO cannot, so Keras did, more slowly.",
    ]
    record = stored(frozen_part=sentences).frozen_part
    assert record == FrozenPartRecord(
        computed={"OpenVINO (CPU), bfloat16": 1234}, reused=45_000, notes=(Note(NoteKind.OTHER, text=sentences[2]),)
    )
    assert list(frozen_part(record)) == sentences


SENTENCES = [
    ("All training images are of one class, so the head always gives that class.", Note(NoteKind.ONE_CLASS)),
    (
        "Logistic regression had not settled after 1000 steps; the head can be used, and a smaller C settles sooner.",
        Note(NoteKind.NOT_CONVERGED, (1000,)),
    ),
    (
        "The group lasso had not settled, so the ranking of the features is approximate.",
        Note(NoteKind.APPROXIMATE_RANKING),
    ),
    (
        "C was chosen by fits to about 5,000 of the 45,000 training images; the head is fitted to all of them.",
        Note(NoteKind.CHOSEN_ON_FEWER, (5000, 45_000)),
    ),
    ("Somebody else's solver says this.", Note(NoteKind.OTHER, text="Somebody else's solver says this.")),
]


@pytest.mark.parametrize(("sentence", "fact"), SENTENCES)
def test_a_remark_in_words_is_read_as_what_it_told(sentence: str, fact: Note) -> None:
    assert stored(remarks=[sentence], chosen_by="").remarks == (fact,)
    assert worded(fact).replace(",", "") == sentence.replace(",", "").replace("images", "examples")


TRIALS = [
    (
        "Of all trials, rate 0.01 ended with the lowest validation loss, 0.123 nats, and is kept.",
        BestTrial(name="rate 0.01", loss=0.123),
    ),
    (
        "Every trial diverged: none ended with a validation loss. rate 0.01 is kept; try lower learning rates.",
        BestTrial(name="rate 0.01", loss=None),
    ),
]


@pytest.mark.parametrize(("sentence", "best"), TRIALS)
def test_the_sentence_on_trials_is_read_as_the_one_that_was_kept(sentence: str, best: BestTrial) -> None:
    phase = stored(remarks=[sentence])
    assert (phase.best_trial, phase.remarks) == (best, ())
    assert list(remarks(phase)) == [sentence]


def test_a_record_of_today_is_read_as_it_was_written() -> None:
    phase = stored(
        chosen={"C": 10.0},
        chosen_by=ChosenBy.VALIDATION,
        remarks=[{"kind": "not_converged", "numbers": [3]}],
        best_trial={"name": "rate 0.1", "loss": 0.5},
        frozen_part={"computed": {"Keras, float32": 3}, "reused": 4, "notes": ["slow"]},
    )
    assert PhaseRecord.model_validate_json(phase.model_dump_json()) == phase
    assert phase.remarks == (Note(NoteKind.NOT_CONVERGED, (3,)),)
    assert phase.chosen_by is ChosenBy.VALIDATION


def test_what_chose_in_somebody_elses_words_hides_no_result() -> None:
    assert stored(chosen={"C": 1.0}, chosen_by="an oracle").chosen_by is None


def test_everything_has_words() -> None:
    assert TITLES.keys() == set(Activity) - {Activity.OTHER}
    assert CHOSEN.keys() == set(ChosenBy)


@pytest.mark.parametrize("activity", Activity)
@pytest.mark.parametrize("phase", ["", "rate 0.01: b"])
def test_a_stage_is_decoded_as_it_was_encoded(activity: Activity, phase: str) -> None:
    assert decoded(encoded(activity, phase)) == (activity, phase)
    assert former.stage(encoded(activity, phase)) == encoded(activity, phase)


def test_titles_of_stages_that_were_stored_are_read_as_activities() -> None:
    for title, activity in former.STAGES.items():
        assert Timing.model_validate({"name": title, "seconds": 2.0}) == Timing(activity=activity, seconds=2.0)
    trained = Timing.model_validate({"name": "Training: rate 0.01", "seconds": 2.0})
    assert trained == Timing(activity=Activity.TRAINING, phase="rate 0.01", seconds=2.0)
    assert former.stages({"Training: head": 1.0, "Testing": 2.0}) == {"training:head": 1.0, "testing": 2.0}
    unknown = Timing.model_validate({"name": "Counting: sheep", "seconds": 2.0})
    assert activity_title(unknown.activity, unknown.phase) == "Counting: sheep"


def test_a_run_is_timed_by_what_it_does_and_not_by_how_that_is_called() -> None:
    store = Store()
    store.create("a", QUICK)
    at_work = replace(store.run("a"), state=State.RUNNING, changed=90.0, done=0.25)
    for activity in Activity:
        left = eta(replace(at_work, stage=encoded(activity, "Fetching the dataset")), 100.0)
        assert (left is None) == (activity is Activity.FETCHING_DATASET)


def test_a_title_that_an_earlier_version_left_in_the_store_is_known() -> None:
    store = Store()
    store.create("a", QUICK)
    store.record("a", [], stage="Fetching the dataset: 25 %", done=0.25)
    found = store.run("a")
    assert decoded(found.stage) == (Activity.FETCHING_DATASET, "")
    assert stage_title(found.stage, found.done) == "Fetching the dataset: 25 %"
    store.record("a", [], stage="The Ray cluster does not answer: nobody is there.")
    assert stage_title(store.run("a").stage) == "The Ray cluster does not answer: nobody is there."
    assert stage_title("") == ""


@pytest.mark.parametrize("name", strategies.strategies.parts())
def test_a_strategy_says_what_can_be_set_of_it(name: str) -> None:
    """No field is looked for by its spelling, so none may be forgotten: all of ours are spelled alike."""
    part = strategies.strategies.part(name)
    for named, field in (
        (part.rate_setting, "learning_rate"),
        (part.batch_setting, "batch_size"),
        (part.epochs_setting, "epochs"),
    ):
        assert named == (field if field in part.model_fields else None)
    assert part().normalises
    if "normalise" in part.model_fields:
        assert not part.model_validate({"normalise": False}).normalises


def controls(spec: RunSpec) -> Iterator[str]:
    for recipe in map(Recipe.of, offered(spec)):
        assert recipe.backbone.is_control or not recipe.strategy.pretrained
        yield recipe.backbone.listing().title


def test_the_controls_are_those_that_the_backbones_offer() -> None:
    own = Recipe.of(RunSpec()).backbone.listing().title
    assert list(controls(RunSpec())) == [own, "Small CNN", "Small CNN with BatchNorm", "Small MLP"]
    declared = [settings for part in backbones.backbones.parts().values() for settings in part.controls]
    assert len(declared) == 4
    texts = RunSpec().with_settings({"dataset": "docstrings", "backbone": "minilm"})
    assert list(controls(texts)) == ["MiniLM", "Text CNN", "Bag of words"]


@pytest.mark.parametrize(("gpus", "own"), [(0, False), (0.5, False), (1, True), (2, True)])
def test_an_executor_says_whether_its_gpus_are_a_runs_own(
    gpus: float, own: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = RunSpec().with_settings({"executor": {"name": "ray", "gpus": gpus}})
    (tmp_path / artifacts.SPEC).write_text(spec.model_dump_json(), encoding="utf-8")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    seen = list[bool]()

    def of_machine() -> list[Gpu]:
        seen.append(True)
        return []

    monkeypatch.setattr(file_link.telemetry, "gpus", of_machine)
    Mailbox(tmp_path, 1).devices()
    assert bool(seen) is own
    assert not executors.part("local")().owns_gpus


def test_a_chip_leads_to_the_page_on_which_it_is_set() -> None:
    pages = dict(recipe_bar.chips(Recipe.of(RunSpec(seed=3, image_size=64).with_settings({"dataset.labels_per_class": 1}))))
    assert pages["seed 3"] is pages["1 label a class"] is steps.DATASET
    assert pages["64 px"] is steps.BACKBONE
    assert pages["Linear probe"] is steps.STRATEGY
