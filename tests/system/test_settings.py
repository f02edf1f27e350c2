"""Where runs are kept, and which folders the dashboard may read."""

import shutil
from pathlib import Path

import pytest

from tl_core.errors import SettingError
from tl_core.system import settings


def test_a_user_who_does_not_exist_is_a_name_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own way to follow a ~ raises there."""
    for name in (settings.HOME_VARIABLE, settings.RUNS_VARIABLE, settings.CACHE_VARIABLE, settings.DATA_ROOTS_VARIABLE):
        monkeypatch.setenv(name, "~nobody-of-that-name/lab")
    place = Path.cwd() / "~nobody-of-that-name" / "lab"
    assert settings.home() == settings.run_folders(place) == settings.cache_folder(place) == settings.data_roots()[0] == place


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


def test_only_what_lies_below_a_root_is_allowed(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    open_root, closed = tmp_path / "open", tmp_path / "closed"
    (open_root / "data").mkdir(parents=True)
    closed.mkdir()
    (open_root / "link").symlink_to(closed)
    monkeypatch.setenv(settings.DATA_ROOTS_VARIABLE, str(open_root))
    uploads = settings.uploads(home)
    assert settings.data_roots() == (open_root.resolve(), uploads.resolve())
    for allowed in (open_root, open_root / "data", open_root / "data" / ".." / "data", uploads / "any"):
        settings.require_allowed(allowed)
    for outside in (closed, open_root / "..", open_root / "link", tmp_path / "open2", Path("/etc")):
        with pytest.raises(SettingError, match="outside the folders that the dashboard may read"):
            settings.require_allowed(outside)


def test_several_roots_are_separated_like_a_path(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(settings.DATA_ROOTS_VARIABLE, f"{tmp_path / 'a'}::{tmp_path / 'b'}")
    assert settings.data_roots()[:-1] == ((tmp_path / "a").resolve(), (tmp_path / "b").resolve())


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


def test_the_cache_is_below_the_home_unless_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(settings.CACHE_VARIABLE, raising=False)
    assert settings.cache_folder(tmp_path / "home") == tmp_path / "home" / "cache"
    monkeypatch.setenv(settings.CACHE_VARIABLE, "elsewhere")
    assert settings.cache_folder(tmp_path / "home") == tmp_path / "elsewhere"


def test_the_cache_takes_20_gb_where_the_disk_has_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    monkeypatch.delenv(settings.CACHE_LIMIT_VARIABLE, raising=False)
    assert settings.cache_limit(tmp_path / "not" / "there") == pytest.approx(min(20e9, free / 2), rel=0.1)
    monkeypatch.setenv(settings.CACHE_LIMIT_VARIABLE, "0.25")
    assert settings.cache_limit(tmp_path) == 250_000_000


def test_the_cache_takes_half_of_what_is_free_and_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file with a hole as large as ten such disks counts as what the cache holds; other files do not count."""
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setenv(settings.CACHE_LIMIT_VARIABLE, "1e9")
    assert settings.cache_limit(tmp_path) == pytest.approx(usage.free / 2, rel=0.1)
    for name in ("large.part", "other"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(10 * usage.total)
    assert settings.cache_limit(tmp_path) == pytest.approx((usage.free + 10 * usage.total) / 2, rel=0.05)
    (tmp_path / "file").touch()
    assert settings.cache_limit(tmp_path / "file") == pytest.approx(usage.free / 2, rel=0.1)


@pytest.mark.parametrize("given", ["much", "0", "-1", "nan", "inf"])
def test_a_cache_takes_a_positive_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: str) -> None:
    monkeypatch.setenv(settings.CACHE_LIMIT_VARIABLE, given)
    with pytest.raises(SettingError, match=f"{settings.CACHE_LIMIT_VARIABLE} is no positive number.*Received: {given}"):
        settings.cache_limit(tmp_path)
