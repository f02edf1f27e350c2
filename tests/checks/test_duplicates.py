"""The same checks on texts and on rows of tables."""

from pathlib import Path

import pandas as pd
import pytest
from pydantic import TypeAdapter

from tests.helpers import CommandLine
from tl_core.checks import duplicates
from tl_core.checks.advice import advice
from tl_core.checks.report import CONFLICTS, COPIES, Report
from tl_core.checks.scan import examine
from tl_core.datasets._table_data import TableSource
from tl_core.datasets.csv_table import CsvTable
from tl_core.datasets.csv_text import CsvText

KINDS = [CsvText, CsvTable]


def table(folder: Path, kind: type[TableSource]) -> TableSource:
    """Forty different examples of two classes, a quarter of them for the test; the first is in train twice and once in the test,
    and the second has the other label, too."""
    numbers = [*range(40), 0, 0, 1]
    splits = ["test" if number % 4 == 3 else "train" for number in range(40)] + ["train", "test", "train"]
    labels = [["a", "b"][number // 2 % 2] for number in range(40)] + ["a", "a", "b"]
    said = {"text": [f"number {number}" for number in numbers]} if kind is CsvText else {"x": numbers, "y": numbers}
    pd.DataFrame(said | {"label": labels, "split": splits}).to_csv(folder / "a.csv", index=False)
    return kind(path=folder / "a.csv", validation_share=0)


def report_of(dataset: TableSource) -> Report:
    told: list[tuple[int, int]] = []
    report = examine(dataset.read(0), lambda *done: told.append(done), dataset.thing)
    assert told[-1] == (report.examined, report.examined)
    return report


@pytest.mark.parametrize("kind", KINDS)
def test_copies_leakage_and_conflicts_are_found(kind: type[TableSource], tmp_path: Path) -> None:
    dataset = table(tmp_path, kind)
    report, thing = report_of(dataset), dataset.thing
    assert (report.examined, report.copies(), report.leaked("test"), report.conflicting()) == (43, 2, 1, 2)
    texts = [each.text for each in advice(report)]
    assert f"1 of the test {thing} (9.1 %) has a twin among the training {thing}" in texts[0]
    assert f"2 {thing} have an exact copy under another label" in texts[1]
    assert f"2 {thing} could go: copies count twice and teach nothing new." in " ".join(texts)
    group = next(group for group in report.groups if group.crosses)
    assert [member.split for member in group.members] == ["train", "train", "test"]
    assert group.members[0].name == ("text 0: number 0" if kind is CsvText else "row 0: x = 0, y = 0")
    data = dataset.read(0)
    rest = {split: report.to_leave_out(COPIES, CONFLICTS).rest(split, examples) for split, examples in data.splits.items()}
    assert {split: len(examples) for split, examples in rest.items()} == {"train": 29, "validation": 0, "test": 10}


@pytest.mark.parametrize("kind", KINDS)
def test_an_uneven_table_is_told(kind: type[TableSource], tmp_path: Path) -> None:
    dataset = table(tmp_path, kind)
    frame = pd.read_csv(tmp_path / "a.csv")
    frame = frame[(frame["label"] == "a") | (frame["split"] == "test")]
    few = frame.iloc[:3].assign(
        label="b", split="train", **({"text": list("xyz")} if kind is CsvText else {"x": [101, 102, 103]})
    )
    pd.concat([frame, few]).to_csv(tmp_path / "a.csv", index=False)
    texts = " ".join(each.text for each in advice(report_of(dataset)))
    assert f"The largest class has 7 times the training {dataset.thing} of the smallest (21 and 3)" in texts
    assert f"Fewer than 5 training {dataset.thing}: b." in texts
    assert f"One {dataset.thing[:-1]} moves the accuracy" in texts


def test_a_row_that_stands_there_often_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ["x,target,split", *["1,a,train"] * 500, *["1,a,test"] * 3, *["2,b,train"] * 2, "3,b,test"]
    (tmp_path / "a.csv").write_text("\n".join(rows))
    monkeypatch.setattr(duplicates, "NAMED", 2)
    dataset = CsvTable(path=tmp_path / "a.csv", validation_share=0)
    report, data = report_of(dataset), dataset.read(0)
    assert [[(member.split, member.place, member.copies) for member in group.members] for group in report.groups] == [
        [("train", 0, 0), ("train", 1, 498), ("test", 0, 0), ("test", 1, 1)],
        [("train", 500, 0), ("train", 501, 0)],
    ]
    assert (report.copies(), report.leaked("test")) == (503, 3)
    left = report.to_leave_out(COPIES)
    assert [len(left.rest(split, data.splits[split])) for split in ("train", "test")] == [2, 1]
    plain = TypeAdapter(Report)
    assert plain.validate_json(plain.dump_json(report)) == report


def test_a_report_of_before_is_read(tmp_path: Path) -> None:
    """It said nothing of what the examples are called, nor of how many more there are."""
    report = report_of(table(tmp_path, CsvTable))
    stored = TypeAdapter(Report).dump_python(report, mode="json")
    del stored["thing"]
    stored["groups"] = [group | {"members": [member[:5] for member in group["members"]]} for group in stored["groups"]]
    found = TypeAdapter(Report).validate_python(stored)
    assert found.groups == report.groups
    assert found.thing == "images"


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_line_examines_them(kind: type[TableSource], home: Path, tmp_path: Path) -> None:
    table(tmp_path, kind)
    done = CommandLine(home).run("examine", "--dataset", kind.name, "--set", f"dataset.path={tmp_path}/a.csv")
    assert done.code == 0, done.err
    assert f"Mend: 2 {kind.thing} have an exact copy under another label" in done.out
    assert done.out.endswith(f"43 {kind.thing}, 0 broken, 2 copies.\n")
