"""The parts of a run together, checked before anything starts."""

import pytest

from tl_core.backbones import backbones
from tl_core.data.examples import Modality
from tl_core.errors import SettingError, WeightsError
from tl_core.recipe import Recipe, changed, shown_size_of
from tl_core.spec import RunSpec


def recipe(**settings: object) -> Recipe:
    return Recipe.of(RunSpec().with_settings({name.replace("__", "."): value for name, value in settings.items()}))


def test_the_spec_is_written_out_in_full_and_means_the_same() -> None:
    made = recipe(dataset="digits", strategy="lp_ft", strategy__blocks="last 2", seed=3)
    for part in (made.dataset, made.backbone, made.strategy):
        kind = {made.dataset: made.spec().dataset, made.backbone: made.spec().backbone}.get(part, made.spec().strategy)
        assert set(kind.settings) == set(type(part).model_fields)
    assert made.spec().strategy.settings["blocks"] == "last 2"
    assert Recipe.of(made.spec()).spec() == made.spec()
    assert Recipe.of(made.draft()) == made
    assert Recipe.of(RunSpec.parse(made.draft().model_dump(mode="json"))) == made


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {}),
        ({"seed": 4, "image_size": 64}, {"seed": 4, "image_size": 64}),
        ({"strategy": "fine_tuning"}, {"strategy": "fine_tuning"}),
        ({"strategy": "lp_ft", "strategy.blocks": "last 2"}, {"strategy": "lp_ft", "strategy.blocks": "last 2"}),
        ({"deterministic": "true"}, {"deterministic": True}),
        ({"dataset.labels_per_class": 10}, {}),
        ({"dataset.labels_per_class": 11}, {"dataset.labels_per_class": 11}),
    ],
)
def test_overrides_are_the_fewest_settings_that_say_it(settings: dict[str, object], expected: dict[str, object]) -> None:
    made = Recipe.of(RunSpec().with_settings(settings))
    assert made.overrides() == expected
    assert Recipe.of(RunSpec().with_settings(made.overrides())) == made


def test_what_can_run_may() -> None:
    recipe().require_runnable()
    recipe(backbone="article_mlp", strategy="from_scratch", image_size=28).require_runnable()


def test_too_small_an_image_is_told_before_the_start() -> None:
    with pytest.raises(SettingError, match=r"needs images of at least 32 px.*image_size=31"):
        recipe(image_size=31).require_runnable()


def test_there_is_nothing_to_transfer_from_a_network_that_was_never_pretrained() -> None:
    with pytest.raises(WeightsError, match=r"no pretrained weights.*from_scratch.*article_mlp with linear_probe"):
        recipe(backbone="article_mlp").require_runnable()


def test_missing_weights_are_told_before_the_start_but_not_where_none_are_needed() -> None:
    with pytest.raises(WeightsError, match=r"The weights of MobileNetV2 are not on this machine.*Set download"):
        recipe(backbone="keras_applications").require_runnable()
    recipe(backbone="keras_applications", strategy="from_scratch").require_runnable()


def test_a_dataset_brings_a_network_that_takes_it_unless_one_is_named() -> None:
    texts = changed(RunSpec(), {"dataset": "docstrings"})
    assert backbones.part(texts.backbone.name).accepts is Modality.TEXTS
    assert changed(texts, {"dataset": "digits"}).backbone.name == "efficientnet_lite0"
    assert changed(texts, {"dataset": "csv_text", "seed": 1}).backbone == texts.backbone
    assert changed(RunSpec(), {"dataset": "docstrings", "backbone": "small_cnn"}).backbone.name == "small_cnn"
    assert changed(RunSpec(), {"dataset": "csv_table"}).backbone == RunSpec().backbone
    with pytest.raises(SettingError, match=r"Small CNN takes images, and the dataset holds texts\. Choose a network for them"):
        Recipe.of(changed(RunSpec(), {"dataset": "docstrings", "backbone": "small_cnn"})).require_accepted()


def test_a_run_on_texts_is_stored_with_its_sequence_length() -> None:
    made = Recipe.of(changed(RunSpec(), {"dataset": "docstrings", "backbone": "text_cnn"}))
    assert made.draft().backbone.settings["sequence_length"] is None
    assert made.spec().backbone.settings["sequence_length"] == made.input_size == 80
    assert made.spec().image_size is None
    assert (made.shown_size, shown_size_of(made.spec())) == ("80 tokens", "80 tokens")
    assert Recipe.of(made.spec().with_settings({"backbone.sequence_length": 8})).input_size == 8
