"""Where runs are kept, and which folders the dashboard may read."""

from pathlib import Path

import pytest

from tl_core import settings
from tl_core.errors import SettingError


def test_home_is_the_variable_and_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(settings.HOME_VARIABLE, "below")
    assert settings.home() == tmp_path / "below"


@pytest.mark.parametrize("empty", [True, False])
def test_home_is_in_the_users_folder_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, empty: bool) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(settings.HOME_VARIABLE, "")
    if not empty:
        monkeypatch.delenv(settings.HOME_VARIABLE)
    assert settings.home() == tmp_path / ".transfer_lab"


def test_only_what_lies_below_a_root_is_allowed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    open_root, closed = tmp_path / "open", tmp_path / "closed"
    (open_root / "data").mkdir(parents=True)
    closed.mkdir()
    (open_root / "link").symlink_to(closed)
    monkeypatch.setenv(settings.DATA_ROOTS_VARIABLE, str(open_root))
    assert settings.data_roots() == (open_root.resolve(),)
    for allowed in (open_root, open_root / "data", open_root / "data" / ".." / "data"):
        settings.require_allowed(allowed)
    for outside in (closed, open_root / "..", open_root / "link", tmp_path / "open2", Path("/etc")):
        with pytest.raises(SettingError, match="outside the folders that the dashboard may read"):
            settings.require_allowed(outside)


def test_several_roots_are_separated_like_a_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(settings.DATA_ROOTS_VARIABLE, f"{tmp_path / 'a'}::{tmp_path / 'b'}")
    assert settings.data_roots() == ((tmp_path / "a").resolve(), (tmp_path / "b").resolve())


def test_the_system_is_outside_of_the_usual_roots(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(settings.DATA_ROOTS_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    settings.require_allowed(tmp_path)
    with pytest.raises(SettingError, match=settings.DATA_ROOTS_VARIABLE):
        settings.require_allowed(Path("/etc"))


def test_seconds_between_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(settings.CHECKPOINT_VARIABLE, raising=False)
    assert settings.checkpoint_seconds() == 30
    monkeypatch.setenv(settings.CHECKPOINT_VARIABLE, "0.5")
    assert settings.checkpoint_seconds() == 0.5
    monkeypatch.setenv(settings.CHECKPOINT_VARIABLE, "soon")
    with pytest.raises(SettingError, match=f"{settings.CHECKPOINT_VARIABLE} is no number.*Received: soon"):
        settings.checkpoint_seconds()
