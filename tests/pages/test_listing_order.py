"""Parts are listed in the order in which people need them, everywhere the same, and a part says its own place."""

from pathlib import Path

from tests.helpers import CommandLine
from tests.tools.pages import opened
from tl_core import datasets
from tl_core.datasets import Dataset
from tl_core.registry import Part, Registry
from tl_core.ui import steps


def test_upload_and_folder_come_first_on_the_page_and_on_the_command_line(home: Path) -> None:
    listed = [line.split()[1] for line in CommandLine(home).call("parts").out.splitlines() if line.startswith("dataset ")]
    assert listed[:2] == ["zip_upload", "image_folder"]
    assert listed == list(datasets.datasets.parts())
    buttons = opened(steps.DATASET.script).button
    assert [button.key for button in buttons if str(button.key).startswith("choose_")] == [
        f"choose_{name}"
        for name in listed
        if name != "photo_patches"  # which is chosen
    ]


def test_a_part_that_says_nothing_stands_after_those_in_front_and_before_the_rare() -> None:
    registry: Registry[Part] = Registry("toy", "tests.tools")
    registry._discovered = True

    def made(order: int | None) -> type[Part]:
        return type("Made", (Part,), {} if order is None else {"listing_order": order})

    for name, order in (("a", 101), ("c", None), ("b", None), ("d", 10)):
        registry.register(name)(made(order))
    assert list(registry.parts()) == ["d", "b", "c", "a"]
    assert Dataset.listing_order == Part.listing_order
