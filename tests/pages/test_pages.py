"""Every page opens, whatever the store holds and whatever the address says; checked without a browser."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.helpers import HANGS_SECONDS, write_images
from tests.tools.pages import OF_RUNS, PAGES, WITH_RECIPE_BAR, errors, opened
from tl_core import backbones, datasets, executors, strategies
from tl_core.backbones import Backbone
from tl_core.registry import Part, Registry, registries
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.system.settings import DATA_ROOTS_VARIABLE
from tl_core.ui import steps


@pytest.mark.parametrize("page", PAGES)
def test_page_opens_on_an_empty_store(page: str) -> None:
    app = opened(page)
    assert app.title[0].value == next(step.title for step in steps.pages() if step.script == page)
    assert not errors(app)


@pytest.mark.parametrize("page", PAGES)
def test_page_opens_on_a_finished_run(page: str, finished: str) -> None:
    assert not errors(opened(page, run=finished))


def test_result_says_the_accuracy_with_its_interval(finished: str) -> None:
    app = opened(steps.RESULT.script, run=finished)
    said = " ".join(element.value for element in app.markdown)
    assert "of 800 test images right" in said
    assert "245 of 245 frozen tensors unchanged" in said
    assert "so there is no curve to draw" in " ".join(element.value for element in app.caption)
    of_classes = next(frame.value for frame in app.dataframe if "recall" in frame.value)
    assert of_classes["recall"].str.fullmatch("\N{FIGURE SPACE}{0,2}[0-9.]+ % \\([0-9.]+\N{EN DASH}[0-9.]+\\)").all()
    assert of_classes["precision"].between(0, 100).all()
    assert of_classes["precision"].max() > 1


@pytest.mark.parametrize("page", OF_RUNS)
def test_a_failed_run_says_why(page: str, home: Path) -> None:
    store = Store()
    folder = store.new_folder()
    store.create(folder.name, RunSpec())
    (folder / "log.txt").write_text("the last words of the process")
    reason = "This image cannot be decoded. Received: /data/**cat**/[1].jpg"
    store.change_state(folder.name, [State.QUEUED], State.STARTING)
    store.change_state(folder.name, [State.STARTING], State.FAILED, error=reason, error_kind="DataError")
    app = opened(page, run=folder.name)
    if page == steps.TRAIN.script:
        assert errors(app) == [reason]
        assert [code.value for code in app.code] == ["the last words of the process"]
    elif page == steps.RESULT.script:
        assert "No run has finished yet" in app.info[-1].value
    else:
        assert app.dataframe[0].value["State"].tolist() == ["Failed"]


def test_a_run_that_is_not_there_is_said(finished: str) -> None:
    for page in (steps.TRAIN, steps.RESULT):
        (told,) = errors(opened(page.script, run="nothing"))
        assert told == "There is no run of that id here. Choose another one on this page. Received: nothing"


@pytest.mark.parametrize("page", WITH_RECIPE_BAR)
def test_an_address_with_a_wrong_setting_is_said_and_the_defaults_stand(page: str) -> None:
    app = opened(page, strategy="linear_prob")
    assert "Did you mean linear_probe?" in errors(app)[0]
    assert app.button(key="start")


def test_the_address_sets_the_draft() -> None:
    app = opened(steps.STRATEGY.script, **{"strategy": "lp_ft", "strategy.blocks": "last 3", "seed": "7"})
    assert app.radio(key="strategy_name").value == "lp_ft"
    assert app.text_input(key="lp_ft_strategy_blocks").value == "last 3"
    assert app.query_params["seed"] == "7"


def test_a_changed_setting_stays_when_its_page_is_left() -> None:
    app = opened(steps.DATASET.script)
    app.number_input(key="photo_patches_dataset_labels_per_class").set_value(5).run()
    app.switch_page(steps.STRATEGY.script).run()
    app.switch_page(steps.DATASET.script).run()
    assert app.number_input(key="photo_patches_dataset_labels_per_class").value == 5
    assert app.query_params["dataset.labels_per_class"] == "5"


@pytest.mark.parametrize(
    ("path", "said"),
    [("missing", "does not exist"), ("empty", "no images"), ("one", "at least two classes")],
)
def test_a_wrong_folder_is_one_sentence(path: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write_images(tmp_path / "one", classes=1, each=30)
    app = opened(steps.DATASET.script, **{"dataset": "image_folder", "dataset.path": str(tmp_path / path)})
    assert said in " ".join(errors(app))


def test_a_folder_that_is_still_to_be_given_is_no_mistake() -> None:
    app = opened(steps.DATASET.script, dataset="image_folder")
    assert not errors(app)
    assert "Give the folder of the images as \u201cFolder\u201d" in app.info[0].value.replace("\\", "")


def test_a_folder_outside_the_roots_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_images(tmp_path / "data", each=30)
    monkeypatch.setenv(DATA_ROOTS_VARIABLE, str(tmp_path / "elsewhere"))
    app = opened(steps.DATASET.script, **{"dataset": "image_folder", "dataset.path": str(tmp_path / "data")})
    app.button(key="start").click().run()
    assert all("outside the folders that the dashboard may read" in said for said in errors(app))
    assert len(errors(app)) == 2


def test_a_dataset_that_a_run_would_fetch_is_not_fetched_by_the_page() -> None:
    app = opened(steps.DATASET.script, **{"dataset": "mnist", "dataset.download": "true"})
    assert "fetched when the run starts" in " ".join(errors(app))
    assert app.toggle(key="keras_builtin_dataset_download").value is True


def test_names_of_folders_are_shown_as_text(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "data", classes=2, each=30)
    for named, hostile in zip(sorted(folder.iterdir()), ("<script>alert(1)<", "**bold** [x](javascript:1)"), strict=True):
        named.rename(folder / hostile)
    app = opened(steps.DATASET.script, **{"dataset": "image_folder", "dataset.path": str(tmp_path / "data")})
    assert not errors(app)
    assert "<script>" not in "".join(str(element) for element in app.get("plotly_chart"))


@pytest.mark.parametrize(("rate", "step"), [("0.0003", 1e-4), ("0.0001", 1e-5), ("0.01", 1e-3), ("0.5", 0.1)])
def test_a_press_on_minus_never_leads_to_nothing(rate: str, step: float) -> None:
    app = opened(steps.STRATEGY.script, **{"strategy": "lp_ft", "strategy.learning_rate": rate})
    widget = app.number_input(key="lp_ft_strategy_learning_rate")
    assert widget.step == pytest.approx(step)
    assert widget.value == float(rate)


def parts() -> list[Any]:
    kinds: list[tuple[steps.PageInfo, Registry[Any]]] = [
        (steps.DATASET, datasets.datasets),
        (steps.BACKBONE, backbones.backbones),
        (steps.STRATEGY, strategies.strategies),
        (steps.STRATEGY, executors.executors),
    ]
    return [
        pytest.param(page.script, registry.kind, part, id=f"{registry.kind}-{name}")
        for page, registry in kinds
        for name, part in registry.parts().items()
    ]


def forms_of(kind: str) -> None:
    """A page with the forms of all parts of a kind."""
    from tl_core.registry import registries
    from tl_core.ui import forms

    for part in registries()[kind].parts().values():
        forms.part_form(kind, part())


@pytest.mark.parametrize("kind", registries())
def test_every_setting_has_a_labelled_widget(kind: str) -> None:
    app = AppTest.from_function(forms_of, args=(kind,), default_timeout=HANGS_SECONDS).run()
    assert not app.exception
    widgets = [*app.number_input, *app.text_input, *app.selectbox, *app.toggle]
    labels = {widget.key: widget.label for widget in widgets}
    for name, part in registries()[kind].parts().items():
        for field, declared in part.model_fields.items():
            extra = declared.json_schema_extra
            if not isinstance(extra, dict) or not {"hidden", "widget"} & set(extra):
                assert labels[f"{name}_{kind}_{field}"] == declared.title


@pytest.mark.full
@pytest.mark.parametrize(("page", "kind", "part"), parts())
def test_every_setting_of_every_part_has_a_labelled_widget(page: str, kind: str, part: type[Part]) -> None:
    app = opened(page, **{kind: part.name})
    widgets = [*app.number_input, *app.text_input, *app.selectbox, *app.toggle, *app.radio]
    labels = {widget.label for widget in widgets if widget.label}
    chosen = part()
    chosen_elsewhere = set(chosen.listing().settings) if isinstance(chosen, Backbone) else set()
    extras = {name: field.json_schema_extra for name, field in part.model_fields.items()}
    chosen_elsewhere |= {name for name, extra in extras.items() if isinstance(extra, dict) and {"hidden", "widget"} & set(extra)}
    wanted = {field.title or f"{kind}.{name}" for name, field in part.model_fields.items() if name not in chosen_elsewhere}
    assert wanted <= labels


FIRST_OF_FAMILY = {part.family: name for name, part in reversed(strategies.strategies.parts().items())}


@pytest.mark.parametrize(
    "names",
    [tuple(FIRST_OF_FAMILY.values()), pytest.param(tuple(strategies.strategies.parts()), marks=pytest.mark.full)],
    ids=["families", "all"],
)
def test_switching_strategies_changes_the_draft(names: Sequence[str]) -> None:
    app = opened(steps.STRATEGY.script)
    for name in names:
        switch(app, name)


def switch(app: AppTest, name: str) -> None:
    app.selectbox(key="strategy_family").set_value(strategies.strategies.part(name).family).run()
    assert app.radio(key="strategy_name").value is not None
    app.radio(key="strategy_name").set_value(name).run()
    assert not app.exception
    assert strategies.strategies.part(name).when_to_use in " ".join(element.value for element in app.markdown)
