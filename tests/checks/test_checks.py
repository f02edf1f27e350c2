"""The examination, on real photographs with real damage."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance
from pydantic import TypeAdapter
from sklearn.metrics import roc_auc_score

from tests.helpers import write_images
from tl_core.checks.advice import advice
from tl_core.checks.domain_shift import Shift, domain_auc, sentence
from tl_core.checks.image_checks import Repair
from tl_core.checks.near_duplicates import groups, near_pairs
from tl_core.checks.projection import COLUMNS, THUMBNAIL, map_of, project, sampled, sheet
from tl_core.checks.report import BROKEN, CONFLICTS, COPIES, Report
from tl_core.checks.scan import examine
from tl_core.datasets import ArrayImages, Data, Images
from tl_core.datasets.image_folder import ImageFolder
from tl_core.datasets.photo_patches import PhotoPatches

CROPS = PhotoPatches(labels_per_class=4, validation_per_class=1, test_per_class=4)


def photographs(folder: Path) -> Path:
    """Crops of two photographs as PNG files, in folders train and test."""
    data = CROPS.load(0)
    for split in ("train", "test"):
        images = data.splits[split]
        for index in np.flatnonzero(images.labels < 2):
            place = folder / split / "ab"[images.labels[index]]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(images.read(int(index))).save(place / f"{index:03}.png")
    return folder


def report_of(folder: Path) -> Report:
    return examine(ImageFolder(path=folder, validation_share=0).read(0), lambda done, images: None)


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    written = io.BytesIO()
    image.save(written, "JPEG", quality=quality)
    return Image.open(written)


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "saved again": lambda image: jpeg(image, 50),
    "halved": lambda image: image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.15),
}


@pytest.mark.parametrize("change", CHANGES)
def test_twins_across_splits_are_found_and_kept_in_train(change: str, tmp_path: Path) -> None:
    folder = photographs(tmp_path)
    first, second = sorted((folder / "train" / "a").iterdir(), key=lambda path: -Image.open(path).width)[:2]
    for number, source in enumerate((first, second)):
        CHANGES[change](Image.open(source)).convert("RGB").save(folder / "test" / "a" / f"twin{number}.png")
    report = report_of(folder)
    assert (report.leaked("test"), report.copies()) == (2, 2)
    assert [(group.exact, group.crosses, group.conflicts) for group in report.groups] == [(False, True, False)] * 2
    assert "2 of the test images (20.0 %) have a twin among the training images" in advice(report)[0].text
    left_out = report.to_leave_out(COPIES)
    data = ImageFolder(path=folder, validation_share=0).read(0)
    assert len(left_out.rest("test", data.test)) == 8
    assert left_out.rest("train", data.train) is data.train
    assert not report_of(photographs(tmp_path / "clean")).groups


def test_copies_in_one_split_stay_once_and_conflicts_go(tmp_path: Path) -> None:
    folder = photographs(tmp_path)
    one, other = (sorted((folder / "train" / name).iterdir())[0] for name in "ab")
    (folder / "train" / "a" / "copy.png").write_bytes(one.read_bytes())
    (folder / "train" / "a" / "wrong.png").write_bytes(other.read_bytes())
    report = report_of(folder)
    assert (report.copies(), report.conflicting(), report.leaked("test")) == (1, 2, 0)
    train = ImageFolder(path=folder, validation_share=0).read(0).train
    assert len(train) == 10
    assert len(report.to_leave_out(COPIES).rest("train", train)) == 9
    assert len(report.to_leave_out(CONFLICTS).rest("train", train)) == 8
    assert not report.to_leave_out(BROKEN)
    rest = report.to_leave_out(COPIES, CONFLICTS).rest("train", train)
    assert len(set(rest.ids)) == len(rest) == 7
    assert any("2 images have an exact copy under another label" in each.text and each.fix for each in advice(report))


def odd_images(folder: Path) -> None:
    """One of each kind that is repaired, and of each that cannot be."""
    rng = np.random.default_rng(0)
    pixels = Image.fromarray(rng.integers(0, 256, (40, 60, 3), dtype=np.uint8))
    turned = Image.Exif()
    turned[0x0112] = 6
    pixels.save(folder / "turned.jpg", exif=turned)
    pixels.convert("CMYK").save(folder / "cmyk.jpg")
    Image.fromarray(rng.integers(0, 65536, (40, 60), dtype=np.uint16)).save(folder / "deep.png")
    pixels.quantize(16).save(folder / "palette.png")
    pixels.convert("RGBA").save(folder / "opaque.png")
    clear = pixels.copy()
    clear.putalpha(100)
    clear.save(folder / "clear.png")
    pixels.convert("L").save(folder / "grey.png")
    pixels.save(folder / "moving.gif", save_all=True, append_images=[pixels.rotate(180)])
    pixels.save(folder / "cut.jpg")
    (folder / "cut.jpg").write_bytes((folder / "cut.jpg").read_bytes()[:900])
    (folder / "text.jpg").write_text("this is no image")
    (folder / "empty.png").touch()


def test_what_is_repaired_and_what_is_broken(tmp_path: Path) -> None:
    folder = photographs(tmp_path)
    odd_images(folder / "train" / "a")
    report = report_of(folder)
    repaired = {
        Repair.TURNED: 1,
        Repair.CMYK: 1,
        Repair.DEEP: 1,
        Repair.PALETTE: 2,
        Repair.CLEAR: 1,
        Repair.MOVING: 1,
    }
    assert {repair: report.repaired[repair] for repair in repaired} == repaired
    assert report.repaired[Repair.GREY] == 1
    assert report.examples[Repair.CMYK] == ("a/cmyk.jpg",)
    assert report.formats == {"PNG": 21, "JPEG": 2, "GIF": 1}
    reasons = {each.member.name: each.reason for each in report.broken}
    assert reasons.pop("a/cut.jpg").startswith("image file is truncated")
    assert reasons == dict.fromkeys(("a/text.jpg", "a/empty.png"), "its content is not an image")
    assert (60, 40) in report.sizes
    train = ImageFolder(path=folder, validation_share=0).read(0).train
    rest = report.to_leave_out(BROKEN).rest("train", train)
    assert len(rest) == len(train) - 3
    for index in range(len(rest)):
        rest.read(index)


def test_a_report_is_plain_and_the_same_again(tmp_path: Path) -> None:
    folder = photographs(tmp_path)
    odd_images(folder / "train" / "a")
    first, plain = report_of(folder), TypeAdapter(Report)
    assert plain.validate_json(plain.dump_json(first)) == first == report_of(folder)
    told: list[tuple[int, int]] = []
    examine(ImageFolder(path=folder, validation_share=0).read(0), lambda done, images: told.append((done, images)))
    assert told[-1] == (first.examined, first.examined)


def test_channels_are_those_of_the_images(tmp_path: Path) -> None:
    data = CROPS.load(0)
    report = examine(data, lambda done, images: None)
    means = np.mean(
        [images.read(index).mean(axis=(0, 1)) for images in data.splits.values() for index in range(len(images))], axis=0
    )
    assert np.abs(np.array(report.channel_means) - means).max() < 1
    assert (np.array(report.channel_deviations) > 20).all()
    assert report.formats == {}


def test_an_uneven_dataset_is_told(tmp_path: Path) -> None:
    write_images(tmp_path / "some", classes=2, each=40)
    folder = tmp_path / "some"
    for path in sorted(sorted(folder.iterdir())[0].iterdir())[4:]:
        path.unlink()
    texts = " ".join(each.text for each in advice(report_of(folder)))
    assert "The largest class has 10 times the training images of the smallest (30 and 3)" in texts
    assert "Fewer than 5 training images" in texts
    assert "Fewer than 10 test images" in texts


@given(st.integers(0, 2**32), st.integers(2, 12))
def test_pairs_connect_what_all_comparisons_connect(seed: int, count: int) -> None:
    """Within classes, and across them; and there is none too many."""
    rng = np.random.default_rng(seed)
    base = rng.integers(0, 256, (3, 4, 4, 3)).repeat(8, axis=1).repeat(8, axis=2)
    looks = np.clip(base[rng.integers(0, 3, count)] + rng.normal(0, 4, (count, 32, 32, 3)), 0, 255).astype(np.uint8)
    labels, places = rng.integers(0, 2, count), [(one, two) for one in range(count) for two in range(one + 1, count)]
    alone = [[one, two] for one, two in places if len(near_pairs(looks[[one, two]], labels[[one, two]]))]
    found, every = near_pairs(looks, labels), np.array(alone, np.intp).reshape(-1, 2)
    for differ in (False, True):
        few, many = (pairs[(labels[pairs[:, 0]] != labels[pairs[:, 1]]) == differ] for pairs in (found, every))
        assert groups(few, count) == groups(many, count)
        assert len(few) == sum(len(group) - 1 for group in groups(few, count))


def test_thousands_that_are_alike_are_one_group_of_few_pairs() -> None:
    """3,000 of them are 4.5 million pairs."""
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (4, 4, 3)).repeat(8, axis=0).repeat(8, axis=1)
    looks = np.clip(picture + rng.normal(0, 4, (3000, 32, 32, 3)), 0, 255).astype(np.uint8)
    labels = np.repeat([0, 1], [2990, 10])
    pairs = near_pairs(looks, labels)
    assert len(pairs) == 2989 + 9 + 2999
    assert groups(pairs, 3000) == [list(range(3000))]


def test_small_images_have_no_near_copies_and_the_page_says_so(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    for side, is_told in ((31, True), (32, False)):
        for split in ("train", "test"):
            for number in range(10):
                place = tmp_path / str(side) / split / "ab"[number % 2]
                place.mkdir(parents=True, exist_ok=True)
                shifted = np.roll(pixels, 4 * number + (split == "test"), axis=0)
                Image.fromarray(shifted).resize((side, 40)).save(place / f"{number}.png")
        report = report_of(tmp_path / str(side))
        expected = (
            "20 images have a side of fewer than 32 pixels, too few to tell who is alike: only exact copies are found there."
        )
        assert (expected in [each.text for each in advice(report)]) == is_told


def test_groups_are_what_pairs_connect() -> None:
    assert groups(np.array([[0, 3], [3, 5], [1, 2]]), 7) == [[0, 3, 5], [1, 2]]
    assert groups(np.empty((0, 2), np.intp), 7) == []


def test_flat_pictures_have_no_twins() -> None:
    assert len(near_pairs(np.full((5, 32, 32, 3), 200, np.uint8), np.zeros(5, np.int64))) == 0


def test_a_shift_is_measured() -> None:
    rng = np.random.default_rng(0)
    same = domain_auc(rng.normal(size=(300, 40)), rng.normal(size=(200, 40)))
    other = domain_auc(rng.normal(size=(300, 40)), rng.normal(0.4, 1, size=(200, 40)))
    assert same
    assert other
    assert same.low < 0.5 < same.high
    assert other.low > 0.8
    assert "cannot tell test images from training images" in sentence(same)
    assert "a classifier tells them apart" in sentence(other)
    assert domain_auc(rng.normal(size=(9, 4)), rng.normal(size=(200, 4))) is None


def test_a_patient_is_no_shift() -> None:
    """Images of a patient are alike, and a patient is on one side: that alone says nothing of test images."""
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(40), 10)
    features = rng.normal(size=(40, 40))[patients] + rng.normal(0, 0.3, (400, 40))
    names = [str(patient).encode() for patient in patients]
    whole = domain_auc(features[:240], features[240:])
    apart = domain_auc(features[:240], features[240:], (names[:240], names[240:]))
    assert whole
    assert whole.low > 0.8
    assert apart
    assert apart.low < 0.5 < apart.high
    assert apart.high - apart.low > 2 * (whole.high - whole.low)
    shifted = domain_auc(features[:240], features[240:] + 2, (names[:240], names[240:]))
    assert shifted
    assert shifted.low > 0.8
    assert domain_auc(features[:240], features[240:280], (names[:240], names[240:280])) is None  # four patients


def test_a_sentence_says_no_more_than_the_numbers() -> None:
    assert "they are of one kind" in sentence(Shift(0.52, 0.45, 0.6, 500))
    assert "There are too few images, or groups of them, to say whether" in sentence(Shift(0.6, 0.4, 0.8, 30))
    little = sentence(Shift(0.6, 0.55, 0.65, 900))
    assert "differ a little from training images (area under the ROC curve 0.60 (0.55-0.65), 900 images)" in little
    assert "harder" not in little
    assert "tells them apart" in sentence(Shift(0.75, 0.6, 0.9, 60))
    assert "cannot be told from so few" in sentence(None)


def test_texts_and_tests_are_called_so() -> None:
    for shift in (None, *(Shift(auc, auc - 0.05, auc + 0.05, 900) for auc in (0.5, 0.6, 0.8))):
        said = sentence(shift, "texts")
        assert "texts" in said
        assert not {"image", "accuracy"} & set(said.replace("images", "image").split())


def test_the_interval_is_that_of_many_draws() -> None:
    from tl_core.checks.domain_shift import _standard_error

    rng = np.random.default_rng(1)
    areas = [roc_auc_score(np.repeat([0, 1], [60, 40]), np.r_[rng.normal(0, 1, 60), rng.normal(0.8, 1, 40)]) for _ in range(400)]
    assert _standard_error(float(np.mean(areas)), 40, 60) == pytest.approx(np.std(areas), rel=0.15)


def test_a_map_has_every_image_and_its_picture() -> None:
    pixels = [np.full((50, 60, 3), shade, np.uint8) for shade in range(0, 250, 5)]
    images = ArrayImages(pixels, np.arange(50) % 2)
    data: Data[Images] = Data(("a", "b"), images, images.take([]), images.take([3]))
    drawn = map_of(data, project(np.random.default_rng(0).normal(size=(51, 8))))
    assert len(drawn.x) == len(drawn.y) == len(drawn.labels) == len(drawn.splits) == len(drawn.names) == 51
    assert drawn.splits[-1] == "test"
    pictures_of_all = sheet(data)
    assert pictures_of_all.shape == (2 * THUMBNAIL, COLUMNS * THUMBNAIL, 3)
    assert pictures_of_all[THUMBNAIL, THUMBNAIL * (50 - COLUMNS), 0] == 15
    assert len(sampled(Data(("a", "b"), images.take(np.arange(1000) % 50), images, images)).train) == 600


@pytest.mark.parametrize("shape", [(2, 5), (3, 1), (6, 1), (12, 3)])
def test_few_images_are_placed_too(shape: tuple[int, int]) -> None:
    places = project(np.random.default_rng(0).normal(size=shape))
    assert places.shape == (shape[0], 2)
    assert np.isfinite(places).all()
