"""The same checks where labels are numbers: copies and leaks whatever the number, no word of classes, and numbers far away."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter

from tests.helpers import CommandLine
from tl_core.checks.advice import advice
from tl_core.checks.projection import ImageMap, map_of
from tl_core.checks.report import CONFLICTS, COPIES, Report
from tl_core.checks.scan import examine
from tl_core.data.label_kinds import NUMBERS
from tl_core.datasets import Data, Dataset
from tl_core.datasets.csv_manifest import CsvManifest
from tl_core.datasets.csv_text import CsvText
from tl_core.ui.charts.image_map import image_map


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen different images, the numbers 0.5 to 15.5. Of the first there are a copy in the test, with the same number, and one
    saved as a JPEG, with nearly the same; of the second a copy with another number. One number is far away, one file broken."""
    folder, rng = tmp_path_factory.mktemp("numbers"), np.random.default_rng(0)
    rows = ["path,label,split"]
    for number in range(16):
        small = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        Image.fromarray(small).resize((48, 48), Image.Resampling.BICUBIC).save(folder / f"{number}.png")
        rows.append(f"{number}.png,{number + 0.5},{'test' if number % 4 == 3 else 'train'}")
    for name, source in (("copy", 0), ("other", 1)):
        (folder / f"{name}.png").write_bytes((folder / f"{source}.png").read_bytes())
    Image.open(folder / "0.png").save(folder / "again.jpg", quality=60)
    (folder / "broken.png").write_bytes(b"no image")
    rows += ["copy.png,0.5,test", "again.jpg,0.75,test", "other.png,3.25,train", "broken.png,9,train"]
    Image.fromarray(rng.integers(0, 256, (48, 48, 3), dtype=np.uint8)).save(folder / "far.png")
    (folder / "table.csv").write_text("\n".join([*rows, "far.png,-999,train"]))
    return folder / "table.csv"


def data_of(table: Path, kind: type[Dataset] = CsvManifest) -> Data:
    return kind.model_validate({"path": table, "validation_share": 0}).labelled(NUMBERS).read(0)


def test_copies_leaks_and_conflicts_are_found(table: Path) -> None:
    data = data_of(table)
    report = examine(data, lambda done, images: None)
    assert (report.of_numbers, report.counts["train"], report.counts["test"]) == (True, (15,), (6,))
    assert (report.leaked("test"), report.conflicting(), len(report.broken)) == (2, 2, 1)
    near, exact = sorted(report.groups, key=lambda group: group.exact)
    assert [(Path(each.name).name, report.class_of(each)) for each in near.members] == [
        ("0.png", "0.5"),
        ("copy.png", "0.5"),
        ("again.jpg", "0.75"),
    ]
    assert (near.conflicts, exact.conflicts) == (False, True)
    assert {report.class_of(each) for each in exact.members} == {"1.5", "3.25"}
    rest = {split: report.to_leave_out(COPIES, CONFLICTS).rest(split, examples) for split, examples in data.splits.items()}
    assert {split: len(examples) for split, examples in rest.items()} == {"train": 13, "validation": 0, "test": 4}
    reports = TypeAdapter(Report)
    assert reports.validate_json(reports.dump_json(report)) == report


def test_the_advice_is_on_numbers(table: Path) -> None:
    texts = [each.text for each in advice(examine(data_of(table), lambda done, images: None))]
    assert "asked again and the test flatters" in texts[0]
    assert "1 image has a number that is far from all others: numbers0/far.png (-999). Look whether" in " ".join(texts)
    assert not any("class" in text or "accuracy" in text for text in texts)


def test_texts_with_numbers_are_compared(tmp_path: Path) -> None:
    lines = [f"text {number},{number / 4},{'test' if number % 4 == 3 else 'train'}" for number in range(40)]
    (tmp_path / "texts.csv").write_text("\n".join(["text,label,split", *lines, "text 0,0,test", "text 1,7,train"]))
    report = examine(data_of(tmp_path / "texts.csv", CsvText), lambda done, texts: None, "texts")
    assert (report.leaked("test"), report.conflicting(), report.far) == (1, 2, 0)


def test_the_command_examines_numbers(table: Path, home: Path) -> None:
    given = ("--task", "regression", "--dataset", "csv_manifest", "--set", f"dataset.path={table}")
    told = json.loads(CommandLine(home).call("examine", *given, "--json").out)
    assert (told["far"], told["of_numbers"]) == (1, True)


def test_the_map_colours_by_number(table: Path) -> None:
    data = data_of(table)
    found = map_of(data, np.random.default_rng(0).normal(size=(21, 2)))
    assert (found.of_numbers, found.labels[0]) == (True, 0.5)
    drawn = image_map(found)
    assert [(points.name, len(points.x)) for points in drawn.data] == [("train", 15), ("test", 6)]
    assert list(drawn.data[0].marker.color) == list(found.labels[:15])
    assert drawn.layout.coloraxis.cmin > -999  # one far away does not take the colours of the others
    assert drawn.layout.coloraxis.colorbar.title.text == "label"
    assert list(drawn.data[0].customdata[0]) == [0, "numbers0/0.png", "train", "label 0.5"]
    maps = TypeAdapter(ImageMap)
    assert maps.validate_json(maps.dump_json(found)) == found
