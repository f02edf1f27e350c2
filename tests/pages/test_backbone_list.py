"""The list of networks: short, whatever there is to choose from."""

import pytest

from tests.tools.pages import errors, opened
from tl_core.backbones._keras_catalogue import NETWORKS
from tl_core.ui import steps

pytestmark = pytest.mark.usefixtures("nothing_cached", "known_profiles")


def test_networks_that_are_not_here_are_in_a_menu() -> None:
    app = opened(steps.BACKBONE.script)
    listed, menu = app.radio(key="network").options, app.selectbox(key="other_network")
    assert "EfficientNet-Lite0" in listed
    assert "Small CNN" in listed
    assert not set(listed) & set(NETWORKS)
    assert any(option.startswith("ConvNeXtTiny: 28 M parameters, 81.3 % on ImageNet") for option in menu.options)
    menu.set_value("DenseNet121").run()
    assert app.radio(key="network").value == "DenseNet121"
    assert app.selectbox(key="other_network").value is None
    assert any("weights of DenseNet121 are not on this machine" in text for text in errors(app))
    app.radio(key="network").set_value("EfficientNet-Lite0").run()
    assert not errors(app)
