"""The same checks, and the map, where an example has several labels."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter

from tl_core.checks.advice import advice
from tl_core.checks.projection import ImageMap, map_of
from tl_core.checks.report import CONFLICTS, Report
from tl_core.checks.scan import examine
from tl_core.data.multi_labels import MULTI_LABELS
from tl_core.datasets import Data
from tl_core.datasets.csv_text import CsvText
from tl_core.ui.charts.image_map import image_map

SETS = ("sky|sea", "sea", "", "sky")


@pytest.fixture
def data(tmp_path: Path) -> Data:
    """Sixteen texts; one of the test is also trained on, with the same labels, and one of train stands twice, with others."""
    rows = [f"text {index},{SETS[index % 4]},{'test' if index > 11 else 'train'}" for index in range(16)]
    rows += ["text 0,sea|sky,test", "text 1,sky,train", "rare,sand,train"]
    (tmp_path / "table.csv").write_text("\n".join(["text,labels,split", *rows]))
    return CsvText(path=tmp_path / "table.csv", validation_share=0).labelled(MULTI_LABELS).read(0)


def test_copies_leaks_and_conflicts_are_found(data: Data) -> None:
    report = examine(data, lambda done, examples: None, "texts")
    assert report.counts == {"train": (14,), "validation": (0,), "test": (5,)}
    assert report.having == {"train": (1, 6, 7), "test": (0, 3, 3)}
    assert (report.examined, report.leaked("test"), report.conflicting()) == (19, 1, 2)
    (conflict,) = (group for group in report.groups if group.conflicts)
    assert {report.class_of(each) for each in conflict.members} == {"sea", "sky"}
    assert {report.class_of(each) for group in report.groups for each in group.members} >= {"sea, sky"}
    assert len(report.to_leave_out(CONFLICTS).rest("train", data.train)) == 12
    told = " ".join(each.text for each in advice(report))
    assert "Fewer than 5 training texts: sand. Such a label is learned by luck." in told
    assert "moves the recall of such a label" in told
    assert "that what was learned is asked again and the test flatters" in told
    assert "balanced" not in told
    assert TypeAdapter(Report).validate_json(TypeAdapter(Report).dump_json(report)) == report


def test_a_map_is_coloured_by_one_label(data: Data) -> None:
    found = map_of(data, np.random.default_rng(0).normal(size=(19, 2)))
    assert found.of_several
    assert TypeAdapter(ImageMap).validate_json(TypeAdapter(ImageMap).dump_json(found)) == found
    sky = found.class_names.index("sky")
    rest, having = image_map(found, sky).data
    assert (rest.name, len(rest.x), having.name, len(having.x)) == ("not sky", 9, "sky", 10)
    assert [each[3] for each in having.customdata[:2]] == ["sea, sky", "sky"]
    assert {each[3] for each in rest.customdata} == {"sea", "none", "sand"}
