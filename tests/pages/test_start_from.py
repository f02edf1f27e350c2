"""The model of a finished run as the next one's backbone: from the page Result into the recipe."""

import pytest

from tests.helpers import keep_outcome
from tests.tools.pages import errors, opened
from tl_core.runs.store import Store
from tl_core.ui import steps


def test_a_button_puts_the_model_of_a_run_into_the_recipe(finished: str) -> None:
    app = opened(steps.RESULT.script, run=finished)
    app.button(key="start_from").click().run()
    assert not app.exception
    app.switch_page(steps.BACKBONE.script).run()
    assert app.radio(key="network").value == f"Run {finished[-6:]}"
    assert app.text_input(key="finished_run_backbone_run").value == finished
    assert not errors(app)
    facts = " ".join(element.value.replace("\\", "") for element in app.markdown)
    assert "ImageNet-1k, then Photo patches" in facts
    assert "Parameters with its classifier:" in facts


def test_a_button_makes_a_run_the_teacher_of_the_next_one(finished: str) -> None:
    app = opened(steps.RESULT.script, run=finished)
    app.button(key="let_teach").click().run()
    assert not app.exception
    app.switch_page(steps.STRATEGY.script).run()
    assert app.radio(key="strategy_name").value == "distillation"
    assert app.text_input(key="distillation_strategy_teacher").value == finished
    assert not errors(app)


def test_a_run_without_a_model_is_nothing_to_start_from(finished: str) -> None:
    (Store().folder(finished) / "model.keras").unlink()
    app = opened(steps.RESULT.script, run=finished)
    for key in ("start_from", "let_teach"):
        assert app.button(key=key).disabled
        assert "has left no model" in app.button(key=key).help


@pytest.mark.full
def test_a_taught_run_is_shown_beside_its_teacher(finished: str) -> None:
    store = Store()
    spec = store.run(finished).spec.with_settings({"strategy": "distillation", "strategy.teacher": finished})
    keep_outcome(store, "student", spec, store.folder(finished))
    app = opened(steps.RESULT.script, run="student")
    assert not app.exception
    (table,) = [each.value for each in app.dataframe if "Parameters" in each.value]
    assert list(table[""]) == ["Student", "Teacher"]
    assert table["Parameters"].nunique() == 1
    assert any("a dash stands where it is still measured" in each.value for each in app.caption)


def test_a_network_that_is_not_named_yet_says_how(home: None) -> None:
    app = opened(steps.BACKBONE.script)
    app.radio(key="network").set_value("A .keras file").run()
    assert any("Set “File” to a .keras file" in text for text in errors(app))
    assert any("when there is a network to measure" in caption.value for caption in app.caption)
