"""Archives that people make, and archives made to do harm."""

import gzip
import io
import os
import shutil
import stat
import struct
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.helpers import python
from tests.tools.variants import variants
from tl_core.data.formats import archive_formats
from tl_core.data.formats.archives import Limits, unpack
from tl_core.errors import DataError, StorageError
from tl_core.notes import sentences

Write = Callable[[Path, dict[str, bytes]], Path]


def picture(seed: int = 0) -> bytes:
    written = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (9, 8, 3), dtype=np.uint8)).save(written, "PNG")
    return written.getvalue()


PETS = {f"{kind}/{number}.png": picture(number) for kind in ("cats", "dogs") for number in range(3)}


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)  # of no time: the same bytes each time
    return path


def tarred(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o4777
            archive.addfile(entry, io.BytesIO(content))
    return path


def gzipped(path: Path, files: dict[str, bytes]) -> Path:
    return tarred(path, files, "w:gz")


FORMATS = pytest.mark.parametrize("write", [zipped, tarred, gzipped])


@pytest.fixture(autouse=True)
def nothing_else_changes(tmp_path: Path) -> Iterator[None]:
    """Whatever is unpacked: no file appears elsewhere, and nothing half done stays."""
    (tmp_path / "inside" / "deeper").mkdir(parents=True)
    yield
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file() or path.is_symlink()}
    assert not {path for path in found if ".partial-" in path}
    assert not {path for path in found if not path.startswith(("archive", "inside/deeper/data/", "home"))}


def place(tmp_path: Path) -> Path:
    return tmp_path / "inside" / "deeper" / "data"


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def refused(tmp_path: Path, archive: Path, sentence: str, limits: Limits | None = None) -> None:
    with pytest.raises(DataError, match=sentence):
        unpack(archive, place(tmp_path), limits=limits or Limits())
    assert not place(tmp_path).exists()


@FORMATS
def test_images_and_tables_are_unpacked(write: Write, tmp_path: Path) -> None:
    shares: list[float] = []
    archive = write(tmp_path / "archive", PETS | {"labels.csv": b"path,label\n"})
    unpacked = unpack(archive, place(tmp_path), report=shares.append)
    assert names(place(tmp_path)) == {*PETS, "labels.csv"}
    assert (unpacked.files, unpacked.notes) == (7, ())
    assert unpacked.bytes == sum(map(len, PETS.values())) + 11
    assert shares == sorted(shares)
    assert 0 < shares[-1] <= 1
    file = place(tmp_path) / "cats" / "0.png"
    assert file.read_bytes() == PETS["cats/0.png"]
    assert not file.stat().st_mode & (stat.S_IXUSR | stat.S_ISUID)


@FORMATS
def test_what_is_left_out_is_told(write: Write, tmp_path: Path) -> None:
    hidden = {"cats/.DS_Store": b"", "__MACOSX/cats/0.png": b"x"}
    stray = hidden | {"more.zip": b"PK", "run.sh": b"#!", "cats/a.exe": b"", "LICENSE": b""}
    kept = {"CATS/0.PNG": b"a class of its own", "cats/e\u0301.png": b"decomposed"}
    same = {"cats/\u00e9.png": b"composed: no screen shows the difference"}
    unpacked = unpack(write(tmp_path / "archive", PETS | stray | kept | same), place(tmp_path))
    assert names(place(tmp_path)) == {*PETS, *kept}
    assert sentences(unpacked.notes) == (
        "Archives within in the archive: 1 left out (more.zip).",
        "Files of the same name in the archive: 1 left out (cats/\u00e9.png).",
        "Files that are neither images nor tables in the archive: 3 left out (run.sh, cats/a.exe, LICENSE).",
        "Hidden files in the archive: 2 left out (cats/.DS_Store, __MACOSX/cats/0.png).",
    )


@FORMATS
@pytest.mark.parametrize(
    "name", ["../out.png", "cats/../../out.png", "/tmp/out.png", "C:\\out.png", "\\\\host\\out.png", "..\\out.png"]
)
def test_nothing_lies_elsewhere(write: Write, name: str, tmp_path: Path) -> None:
    refused(
        tmp_path, write(tmp_path / "archive", PETS | {name: b"x"}), r"not unpacked, since a file in it wants to lie .*Received: "
    )


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar(kind: bytes, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "archive", "w") as archive:
        entry = tarfile.TarInfo("cats/0.png")
        entry.type, entry.linkname = kind, "/etc/passwd"
        archive.addfile(entry)
    refused(tmp_path, tmp_path / "archive", "a link or a device.*cats/0.png")


def test_links_in_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "archive", "w") as archive:
        entry = zipfile.ZipInfo("cats")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc")
        archive.writestr("cats/passwd.png", b"x")
    refused(tmp_path, tmp_path / "archive", "a link or a device.*cats")


@FORMATS
def test_a_file_where_a_folder_should_be(write: Write, tmp_path: Path) -> None:
    refused(tmp_path, write(tmp_path / "archive", {"cats.png": b"x", "cats.png/0.png": b"y"}), "a file and a folder of it")


@FORMATS
def test_bombs(write: Write, tmp_path: Path) -> None:
    archive = write(tmp_path / "archive", PETS | {"bomb.png": bytes(5_000_000)})
    refused(tmp_path, archive, "one file of it has more than 1,000,000 bytes.*bomb.png", Limits(member_bytes=1_000_000))
    refused(tmp_path, archive, "unpacks to more than 2,000,000 bytes", Limits(total_bytes=2_000_000))
    refused(tmp_path, archive, "more than 5 files", Limits(members=5))
    if write is not tarred:
        refused(tmp_path, archive, "swells to more than 10 times its size", Limits(ratio=10, ratio_from=1_000_000))
    assert unpack(archive, place(tmp_path)).bytes > 5_000_000


@FORMATS
def test_a_bomb_that_would_be_left_out_is_one(write: Write, tmp_path: Path) -> None:
    archive = write(tmp_path / "archive", {"bomb.bin": bytes(5_000_000)} | PETS)
    refused(tmp_path, archive, "one file of it has more than 1,000,000 bytes.*bomb.bin", Limits(member_bytes=1_000_000))


def test_a_zip_that_lies_about_its_sizes(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "archive", {"bomb.png": bytes(5_000_000)})
    content = archive.read_bytes().replace(struct.pack("<I", 5_000_000), struct.pack("<I", 900))
    archive.write_bytes(content)
    refused(tmp_path, archive, "damaged or cut off", Limits(member_bytes=1_000_000))


def test_files_of_a_zip_that_overlap(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "archive", {"one.png": bytes(1000), "two.png": bytes(1000)})
    content = bytearray(archive.read_bytes())
    second = content.rindex(archive_formats.ENTRY)
    content[second + 42 : second + 46] = struct.pack("<I", 0)  # where its content begins
    archive.write_bytes(content)
    refused(tmp_path, archive, "its files overlap")


@pytest.mark.parametrize(
    "end", [("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1), ("<4s4s2H2IH", b"PK\5\6", b"PK\5\6", 1, 1)], ids=["says one", "two ends"]
)
def test_a_million_files_in_a_zip_are_counted_before_they_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: tuple[Any, ...]
) -> None:
    """Whatever its last record says of how many there are, and where."""
    directory = b"".join(archive_formats.ENTRY + bytes(24) + struct.pack("<H", 1) + bytes(16) + b"a" for _ in range(1_000))
    (tmp_path / "archive").write_bytes(b"PK\3\4" + directory + struct.pack(*end, len(directory), 4, 0))
    monkeypatch.setattr(zipfile, "ZipFile", None)
    refused(tmp_path, tmp_path / "archive", "more than 999 files", Limits(members=999))


@pytest.mark.parametrize("way", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=["bzip2", "LZMA"])
def test_a_zip_that_can_only_be_unpacked_at_once(tmp_path: Path, way: int) -> None:
    """Of such a member a kilobyte would become a gigabyte in memory before the first block of it could be measured."""
    with zipfile.ZipFile(tmp_path / "archive", "w", way) as archive:
        archive.writestr("cats/0.png", bytes(1 << 22))
    refused(tmp_path, tmp_path / "archive", "cannot be measured while it is unpacked")


@pytest.mark.parametrize("ending", ["bz2", "xz"])
def test_a_tar_that_is_packed_in_another_way(tmp_path: Path, ending: str) -> None:
    with tarfile.open(tmp_path / "archive", f"w:{ending}") as archive:  # type: ignore[call-overload]
        archive.addfile(tarfile.TarInfo("cats"))
    refused(tmp_path, tmp_path / "archive", "no archive of a kind that can be read")


@pytest.mark.parametrize(
    "headers",
    [
        {"GNU.sparse.map": "0,1"},
        {"GNU.sparse.size": "1", "GNU.sparse.numblocks": "1"},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"},
        None,
    ],
    ids=["0.1", "0.0", "1.0", "GNU's own"],
)
def test_a_file_with_holes_in_a_tar(tmp_path: Path, headers: dict[str, str] | None) -> None:
    """Where they are is a list that has no end."""
    with tarfile.open(tmp_path / "archive", "w", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo("cats/0.png")
        entry.pax_headers = headers or {}
        entry.type = tarfile.REGTYPE if headers else tarfile.GNUTYPE_SPARSE
        archive.addfile(entry)
    refused(tmp_path, tmp_path / "archive", "a file in it has holes")


def test_what_a_tar_says_of_all_that_follow_is_forgotten(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "archive", "w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "a" * 1000}) as archive:
        archive.addfile(tarfile.TarInfo("cats/0.png"))
    with (tmp_path / "archive").open("rb") as file:
        assert [member.name for member in archive_formats.members(file, 9)] == ["cats/0.png"]


def test_a_long_name_in_a_tar_is_not_read(tmp_path: Path) -> None:
    content = tarfile.TarInfo("././@LongLink")
    content.type, content.size = tarfile.GNUTYPE_LONGNAME, 1 << 20
    (tmp_path / "archive").write_bytes(content.tobuf(tarfile.GNU_FORMAT) + b"a" * (1 << 20) + bytes(1024))
    refused(tmp_path, tmp_path / "archive", "a name in it is too long")


def test_a_locked_zip(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "archive", PETS)
    content = bytearray(archive.read_bytes())
    content[content.rindex(archive_formats.ENTRY) + 8] |= 1
    archive.write_bytes(content)
    refused(tmp_path, archive, "locked with a password")


@FORMATS
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_cut_off_archive(write: Write, share: float, tmp_path: Path) -> None:
    archive = write(tmp_path / "archive", {f"cats/{number}.png": os.urandom(5000) for number in range(20)})
    archive.write_bytes(archive.read_bytes()[: int(share * archive.stat().st_size)])
    refused(tmp_path, archive, "damaged or cut off")


@pytest.mark.parametrize("write", [tarred, gzipped])
@pytest.mark.parametrize("more", [0, 100])
def test_a_tar_that_breaks_off_between_two_files(write: Write, more: int, tmp_path: Path) -> None:
    whole = tarred(tmp_path / "archive", {"cats/0.png": bytes(512), "cats/1.png": bytes(512)}).read_bytes()[: 1024 + more]
    (tmp_path / "archive").write_bytes(whole if write is tarred else gzip.compress(whole))
    refused(tmp_path, tmp_path / "archive", "damaged or cut off .it breaks off")


@pytest.mark.parametrize("content", [b"", b"hello", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", picture()])
def test_what_is_no_archive(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(content)
    refused(tmp_path, tmp_path / "archive", "no archive of a kind that can be read. Give a zip, tar or tar.gz file")


@FORMATS
def test_nothing_of_use(write: Write, tmp_path: Path) -> None:
    refused(tmp_path, write(tmp_path / "archive", {"README.md": b"x"}), "no images and no tables")


@FORMATS
def test_names_that_no_screen_should_show(write: Write, tmp_path: Path) -> None:
    odd = [
        "a\nb.png",
        "<b>bold.png",
        "z\u202etxt.png",
        "ünïcode.png",
        "x" * 250 + ".png",
        "x" * 251 + ".png",
        "tab\t.png",
        "tab\n.png",
    ]
    unpacked = unpack(write(tmp_path / "archive", {f"cats/{name}": b"x" for name in odd}), place(tmp_path))
    found = names(place(tmp_path))
    assert unpacked.files == len(found) == len(odd)
    assert all(name.isprintable() and len(name.encode()) < 256 for name in found)
    assert {"cats/<b>bold.png", "cats/ünïcode.png"} <= found


@FORMATS
def test_who_gives_up_leaves_nothing(write: Write, tmp_path: Path) -> None:
    def leave(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        unpack(write(tmp_path / "archive", PETS), place(tmp_path), report=leave)
    assert not place(tmp_path).exists()


@FORMATS
def test_a_file_without_a_name_is_counted(write: Write, tmp_path: Path) -> None:
    """It is read, too, on the way to what comes after it."""
    archive = write(tmp_path / "archive", PETS | {".": bytes(2000)})
    refused(tmp_path, archive, "one file of it has more than 1,000 bytes", Limits(member_bytes=1000))
    refused(tmp_path, archive, "it unpacks to more than 2,000 bytes", Limits(total_bytes=2000))
    assert sentences(unpack(archive, place(tmp_path)).notes) == ("Files without a name in the archive: 1 left out (.).",)


FULL = """
import resource, sys
from pathlib import Path
from tl_core.data.formats.archives import unpack
from tl_core.errors import StorageError
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
try:
    unpack(Path(sys.argv[1]), Path(sys.argv[2]))
except StorageError as error:
    print(error)
"""


@FORMATS
def test_a_file_that_cannot_be_written_to_its_end(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a full disk, which not every machine lets one make."""
    archive = write(tmp_path / "archive", {f"cats/{number}.png": os.urandom(number * 20_000) for number in range(1, 4)})
    done = python(FULL, archive, place(tmp_path))
    assert "The archive cannot be unpacked (File too large). Free some space on that disk" in done.out, done.err
    assert not list(place(tmp_path).parent.iterdir())
    monkeypatch.setattr("tl_core.data.formats.archives.RESERVE_BYTES", 1 << 60)
    with pytest.raises(StorageError, match=r"only [\d,]+ MB are free on this disk.*Free some space"):
        unpack(archive, place(tmp_path))


@FORMATS
def test_a_full_disk(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Path(tempfile.mkdtemp(dir=tmp_path / "inside"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "none", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        archive = write(tmp_path / "archive", {f"cats/{number}.png": os.urandom(50_000) for number in range(20)})
        with pytest.raises(StorageError, match=r"only 0 MB are free on this disk.*Free some space"):
            unpack(archive, disk / "data")
        monkeypatch.setattr("tl_core.data.formats.archives.RESERVE_BYTES", 0)
        with pytest.raises(StorageError, match=r"No space left on device.*Free some space"):
            unpack(archive, disk / "data")
        assert not list(disk.iterdir())
    finally:
        subprocess.run(["umount", disk], check=True)
    shutil.rmtree(disk)


MEASURED = """
import resource, sys
from pathlib import Path
from tl_core.data.formats.archives import unpack
idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
unpack(Path(sys.argv[1]), Path(sys.argv[2]))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - idle) // 1024)
"""


@pytest.mark.process
@pytest.mark.parametrize("write", variants([zipped, tarred, gzipped], [zipped]))
def test_it_streams(write: Write, tmp_path: Path) -> None:
    block = os.urandom(40_000_000)
    archive = write(tmp_path / "archive", {f"cats/{number}.png": block for number in range(4)})
    done = python(MEASURED, str(archive), str(place(tmp_path)))
    assert int(done.out) < 30, done.err
