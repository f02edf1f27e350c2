"""Addresses as people get them: with the parameters that chats, mail programs and search engines append."""

import pytest

from tests.tools.pages import errors, opened
from tl_core.ui import steps

FOREIGN = ("utm_source", "fbclid", "gclid", "utm.source", "ref", "dataset_id", "name")


def test_what_others_append_is_ignored() -> None:
    app = opened(steps.RESULT.script, dataset="digits", seed="5", **dict.fromkeys(FOREIGN, "chat"))
    assert not errors(app)
    draft = app.session_state["draft_spec"]
    assert (draft["dataset"], draft["seed"]) == ("digits", 5)
    assert not set(app.query_params) & set(FOREIGN)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("seed", "many", "The setting seed should be a valid integer"),
        ("dataset.typo", "1", "There is no setting dataset.typo"),
    ],
)
def test_what_is_ours_and_does_not_fit_is_said(name: str, value: str, said: str) -> None:
    app = opened(steps.TRAIN.script, **{name: value, "utm_source": "chat"})
    assert [said in each for each in errors(app)] == [True]


def test_a_blank_path_in_the_address_is_no_folder() -> None:
    app = opened(steps.DATASET.script, **{"dataset": "image_folder", "dataset.path": ""})
    assert not errors(app)
    assert "No folder is chosen yet" in " ".join(each.value for each in app.info)
