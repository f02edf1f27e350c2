"""An ONNX file on the pages: it is brought to the list of networks, and strategies that need its layers are grey."""

from pathlib import Path

import pytest

from tests.tools.pages import errors, opened
from tl_core.backbones._onnx_example import onnx_bytes
from tl_core.strategies import Family
from tl_core.ui import steps


@pytest.mark.full
def test_a_network_is_brought_and_greys_what_it_cannot_do(tmp_path: Path) -> None:
    file = tmp_path / "carried.onnx"
    file.write_bytes(b"no network")
    app = opened(steps.BACKBONE.script)
    app.text_input(key="bring_name").set_value("mine")
    app.text_input(key="bring_file").set_value(str(file)).run()
    app.button(key="bring").click().run()
    assert any("carried.onnx cannot be computed by OpenVINO" in text for text in errors(app))
    assert "mine" not in app.radio(key="network").options
    file.write_bytes(onnx_bytes())
    app.button(key="bring").click().run()
    assert app.radio(key="network").value == "mine"
    assert not errors(app)
    app.switch_page(steps.STRATEGY.script).run()
    assert app.radio(key="strategy_name").options == ["Linear probe", ":gray[Head2Toe]", "Nearest class mean"]
    app.selectbox(key="strategy_family").set_value(Family.TUNED).run()
    assert all(option.startswith(":gray[") for option in app.radio(key="strategy_name").options)
    assert any("needs the layers of the network, and mine gives its features only" in text for text in errors(app))
