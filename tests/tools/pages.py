"""Pages opened without a browser, and fixtures for tests that do so. A page never waits for a network to be measured: profiles of
two are made once a session, and other networks have none."""

import contextlib
import functools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from tests.helpers import HANGS_SECONDS, ROOT, CommandLine, Finished
from tests.tools.once import made_once
from tl_core.backbones import Backbone
from tl_core.errors import StorageError
from tl_core.jobs import background
from tl_core.planning import backbone_profile
from tl_core.planning.backbone_profile import BackboneProfile
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.ui import steps

PAGES = [step.script for step in steps.pages()]
WITH_RECIPE_BAR = [step.script for step in (steps.DATASET, steps.BACKBONE, steps.STRATEGY, steps.TRAIN)]
OF_RUNS = [step.script for step in (steps.TRAIN, steps.RESULT, steps.COMPARE)]
"""Pages that show runs; the others show the sidebar's part of them."""
SMALL = {"backbone": "small_cnn", "backbone.width": "4", "strategy": "from_scratch", "image_size": "16"}
"""A draft whose network has a profile, as the default draft's has."""

# Each new AppTest looks for components in every installed distribution, which takes a second: once a process is enough.
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)


def opened(page: str, **address: str) -> AppTest:
    """The page at that address, its script run once without an exception."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=HANGS_SECONDS)
    for name, value in address.items():
        app.query_params[name] = value
    if page != PAGES[0]:  # the first page is there already
        app.switch_page(page)
    app.run()
    assert not app.exception, [element.message for element in app.exception]
    return app


def errors(app: AppTest) -> list[str]:
    """The texts of its errors, as they are read."""
    return [element.value.replace("\\", "") for element in app.error]


@pytest.fixture
def nothing_cached(home: Path) -> Iterator[None]:
    """What Streamlit keeps for all sessions is of this test alone."""
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def finished(default_run: Finished, home: Path) -> str:
    """The id of a finished run, in a copy of its store."""
    shutil.copytree(default_run.home, home, ignore=shutil.ignore_patterns("runner.*"))  # of which one is a pipe
    return str(default_run.json["run_id"])


def key_of(backbone: Backbone, image_size: int) -> str:
    """What decides a profile."""
    return f"{backbone.spec().model_dump_json()} {image_size}"


@pytest.fixture(scope="session")
def profiles(surroundings: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, BackboneProfile]:
    """The default network and the smallest one as measured on this machine, by `key_of`."""
    recipes = Recipe.of(RunSpec()), Recipe.of(RunSpec().with_settings(SMALL))

    def measure(place: Path) -> dict[str, BackboneProfile]:
        line, found = CommandLine(place / "home"), dict[str, BackboneProfile]()
        (line.home / "probes").mkdir(parents=True, exist_ok=True)  # a second try says why the first one failed
        for recipe in recipes:
            done = line.run("probe", recipe.backbone.spec().model_dump_json(), recipe.input_size)
            probe = BackboneProfile.read(line.home, recipe.backbone, recipe.input_size)
            assert probe, done.err
            found[key_of(recipe.backbone, recipe.input_size)] = probe
        return found

    return made_once(tmp_path_factory, "profiles", dict[str, BackboneProfile], measure)


@pytest.fixture
def known_profiles(profiles: dict[str, BackboneProfile], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever profile a page asks for is there at once, or never comes: no process measures anything."""

    def answer(home: Path, backbone: Backbone, image_size: int) -> None:
        found, file = profiles.get(key_of(backbone, image_size)), backbone_profile._file(home, backbone, image_size)
        with contextlib.suppress(OSError, StorageError):  # the disk may be full
            if found:
                file.parent.mkdir(parents=True, exist_ok=True)
                background.write(file, found)

    monkeypatch.setattr(backbone_profile, "request", answer)
