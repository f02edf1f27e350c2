"""What one should know of data, of a fit and of how features were computed, as facts. `wording` puts them into words."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BeforeValidator

MOST_NAMED = 5
"""Names that a note keeps of those that it counts: a dataset may leave out any number of files."""


class NoteKind(StrEnum):
    """What a note tells, with what its `numbers`, its `names` and what it is `about` are."""

    LEFT_OUT_BY_CHOICE = "left_out_by_choice"
    """Somebody chose to leave out so many examples."""
    CLASSES_WITHOUT_TRAINING = "classes_without_training"
    """So many classes, the first of which are named, have no training example; `about` is what one example is called."""
    CLASSES_WITHOUT_TEST = "classes_without_test"
    """The same of the test."""

    LABELS_WITHOUT_TRAINING = "labels_without_training"
    """The same of labels, of which an example may have several."""
    LABELS_WITHOUT_TEST = "labels_without_test"

    # What was left out of a folder: how many, and the first names. Notes come in this order.
    EMPTY_CLASS_FOLDERS = "empty_class_folders"
    DEVICES = "devices"
    FILES_BESIDE_CLASSES = "files_beside_classes"
    FILES_WITHOUT_IMAGE_NAMES = "files_without_image_names"
    FOLDERS_BESIDE_SPLITS = "folders_beside_splits"
    FOLDERS_IN_CLASSES = "folders_in_classes"
    HIDDEN_FILES = "hidden_files"
    LINKS_OUT = "links_out"
    LINKED_FOLDERS = "linked_folders"
    LINKED_TWICE = "linked_twice"

    # The same of an archive.
    ARCHIVES_IN_ARCHIVE = "archives_in_archive"
    SAME_NAMES_IN_ARCHIVE = "same_names_in_archive"
    OTHER_FILES_IN_ARCHIVE = "other_files_in_archive"
    NAMELESS_IN_ARCHIVE = "nameless_in_archive"
    HIDDEN_IN_ARCHIVE = "hidden_in_archive"

    # The same of a table of images, and of an .npz file.
    MISSING_IMAGES = "missing_images"
    IMAGES_OF_SEVERAL_LABELS = "images_of_several_labels"
    REPEATED_ROWS = "repeated_rows"
    UNUSED_ARRAYS = "unused_arrays"

    CLASSES_FURTHER_DOWN = "classes_further_down"
    """The classes are in the folder that this is about."""
    SPLITS_AS_CLASSES = "splits_as_classes"
    """The named folders are classes, though they are called like splits."""
    FOLDERS_RENAMED = "folders_renamed"
    """So many folders were renamed; `names` has the new and the old name of each of the first."""
    FOLDERS_JOINED = "folders_joined"
    """So many classes, the first of which are named, have folders that differ in Unicode's normal form alone."""
    FOLDERS_SPELLED_OTHERWISE = "folders_spelled_otherwise"
    """A split spells so many classes otherwise; `names` has the class, the split and its spelling of each of the first."""
    SIMILAR_CLASSES = "similar_classes"
    """Classes have nearly the same name. Each number is how many of the `names` belong together."""
    CLASSES_NUMBERED = "classes_numbered"
    """The named classes have got a number, since others are called alike."""

    NO_THRESHOLDS = "no_thresholds"
    """There are no validation images to which the thresholds of the metric that decides could be fitted."""
    THRESHOLDS_OF_HALF = "thresholds_of_half"
    """There are no validation images to which the thresholds of labels could be fitted: they are 1/2."""

    NO_BETTER_THAN_MEAN = "no_better_than_mean"
    """R squared of the test examples and the ends of its interval, which does not lie above 0."""

    UNLABELLED_IMAGES = "unlabelled_images"
    """So many images have no label."""
    SPLITS_LEFT_OUT = "splits_left_out"
    """The named splits are not used."""
    SPLIT_OF_OTHER_CLASSES = "split_of_other_classes"
    """The split that this is about is not used, since so many classes of it, the first of which are named, have no training
    examples."""
    NOT_USED_YET = "not_used_yet"
    """So many examples are of a further split, which nothing uses yet; `about` is that split and what they are called."""
    SPLIT_WITHOUT_LABELS = "split_without_labels"
    """The split that this is about is not used, since it has no labels."""

    # A column of a table, which this is about, is not used for a purpose, which comes second in `about`.
    COLUMN_EMPTY = "column_empty"
    COLUMN_OF_ONE_VALUE = "column_of_one_value"
    """It holds the named value, or none, alone."""
    COLUMN_OF_DIFFERENT_VALUES = "column_of_different_values"
    """No two of its so many values are the same."""
    COLUMN_WITHOUT_SPLITS = "column_without_splits"
    """Of its so many different values, the first of which are named, none is the name of a split."""
    COLUMN_WITHOUT_NUMBERS = "column_without_numbers"
    """The same of numbers."""
    COLUMN_WITHOUT_FILES = "column_without_files"
    COLUMN_LEADING_OUT = "column_leading_out"

    COLUMN_TELLS_CLASS = "column_tells_class"
    """The column that this is about tells the class almost alone, with this balanced accuracy, on so many training rows; `names`
    are further columns that do."""
    COLUMN_TELLS_NUMBER = "column_tells_number"
    """The same of a number, with this R squared of the ranks."""

    ROWS_WITHOUT_PATH_OR_LABEL = "rows_without_path_or_label"
    """So many rows are left out."""
    ROWS_WITHOUT_TEXT_OR_LABEL = "rows_without_text_or_label"
    ROWS_WITHOUT_TARGET = "rows_without_target"
    MISSING_VALUES = "missing_values"
    """The column that this is about lacks so many values."""
    COLUMN_TYPES = "column_types"
    """So many columns, of so many, are numbers."""
    CLASSES_WITHOUT_ROWS = "classes_without_rows"
    """Of so many classes, the first of which are named, no row can be used."""
    LABELS_JOINED = "labels_joined"
    """So many labels differ from others in Unicode's normal form alone."""

    LABELS_OF_PARTS = "labels_of_parts"
    """So many rows have a class with | in its name, as if these were several labels."""
    LABELS_WITHOUT_ROWS = "labels_without_rows"
    """Of so many labels, the first of which are named, no row can be used."""
    LABELS_TIDIED = "labels_tidied"
    """So many rows name a label twice, or leave a place between two of them blank."""
    ROWS_OF_NO_LABEL = "rows_of_no_label"
    """So many rows have none of the labels."""

    GROUPS_ACROSS_SPLITS = "groups_across_splits"
    """The table puts so many groups into train and into another split."""
    GROUPS_JOINED = "groups_joined"
    """So many groups were joined with others, with which they share a copy."""
    NO_VALIDATION = "no_validation"
    """Nothing could be set aside for validation; `about` is what several examples are called."""
    SET_ASIDE = "set_aside"
    """So many training examples were set aside for a split; `about` is that split and what they are called."""

    PIXELS_SCALED = "pixels_scaled"
    """The pixels of an array were scaled from their lowest and highest value; `about` is its name and its type."""
    ARRAY_TRANSPARENT = "array_transparent"
    """Images of the array that this is about are laid on white."""
    IMAGES_TRANSPARENT = "images_transparent"
    """So many images of so many that were looked at are laid on white."""
    NEARLY_BLACK = "nearly_black"
    """No value but a few of the named splits is above this one, of 255."""
    NEARLY_CONSTANT = "nearly_constant"
    """Nearly all values of the named splits lie between these two, of 255."""

    TEXTS_TRUNCATED = "texts_truncated"
    """So many of so many training texts that were looked at are longer than the tokens, so many, that the network reads."""

    ONE_CLASS = "one_class"
    """All training images are of one class."""
    CONSTANT_LABELS = "constant_labels"
    """So many labels are on all training examples, or on none."""
    NOT_CONVERGED = "not_converged"
    """The fit had not settled, after so many steps."""
    APPROXIMATE_RANKING = "approximate_ranking"
    """The group lasso that ranks the features had not settled."""
    CHOSEN_ON_FEWER = "chosen_on_fewer"
    """The penalty was chosen on about so many of so many training images."""

    NOTHING_IN_BLOCKS = "nothing_in_blocks"
    TAUGHT = "taught"
    """A teacher classified so many of so many training examples as they are labelled."""
    TAUGHT_UNCHANGED = "taught_unchanged"
    """The same of images that are changed for the network that learns, and were not for the teacher."""
    """The blocks of a phase hold nothing of what it trains."""

    ENGINE_FAILED = "engine_failed"
    """An engine could not compute a network; `about` is its title, that of the one which did, and why."""
    HELD_IN_MEMORY = "held_in_memory"
    """The cache could not keep something; `about` is why."""

    # Of a test on other data than the run's own.
    TESTED_ON_TEST_SPLIT = "tested_on_test_split"
    """So many examples, the test split of the data; `about` is what several examples are called."""
    TESTED_ON_ALL = "tested_on_all"
    """So many examples, all that have labels, of the named splits; `about` is what they are called."""
    ALREADY_TRAINED_ON = "already_trained_on"
    """The run was trained or validated on so many of so many examples, which do not count; `about` is what they are called."""
    ALSO_IN_OWN_TEST = "also_in_own_test"
    """So many of the examples are in the run's own test, too; `about` is what they are called."""
    OWN_DATA_GONE = "own_data_gone"
    """The run's own data cannot be read; `about` is why."""
    OWN_DATA_CHANGED = "own_data_changed"
    """The run's own data are others than when it was trained."""
    OUTSIDE_UNKNOWN = "outside_unknown"
    """The training images are not there as they were, so nobody knows whether a picture lies outside of them."""
    TOO_FEW_FOR_OUTSIDE = "too_few_for_outside"
    """The same, since there are only so many of them, and too few validation images."""
    CLASSES_NOT_HERE = "classes_not_here"
    """So many of the run's classes, the first of which are named, have no example."""
    LABELS_NOT_HERE = "labels_not_here"
    """The same of labels, of which an example may have several."""
    CLASSES_SPELLED_OTHERWISE = "classes_spelled_otherwise"
    """So many classes are spelled otherwise; `names` has the run's name and the one here of each of the first."""

    NUMBER_OF_ANOTHER_NAME = "number_of_another_name"
    """The number that is predicted has another name in these data; `about` is that name, and the run's own."""

    # How the examples of such a test differ from those of the run's own. Shift: the area under the ROC curve of a classifier that
    # tells them apart, the ends of its interval, and of how many images.
    SHIFT_UNKNOWN = "shift_unknown"
    SHIFT_TOO_FEW = "shift_too_few"
    SHIFT_NONE = "shift_none"
    SHIFT_LITTLE = "shift_little"
    SHIFT_CLEAR = "shift_clear"
    OTHER_BRIGHTNESS = "other_brightness"
    """The mean brightness, 0..255, here and in the run's own test."""
    OTHER_CONTRAST = "other_contrast"
    """The same of the standard deviation of the brightness within an image."""
    OTHER_COLOUR = "other_colour"
    """The same of the distance between the highest and the lowest channel of a pixel."""
    OTHER_SIZES = "other_sizes"
    """The median of the shorter sides, in pixels, here and there."""
    OTHER_CLASS_SHARES = "other_class_shares"
    """The shares, 0..1, here and there, of each of the named classes, which differ most."""
    OTHER_LABEL_SHARES = "other_label_shares"
    """The same of labels, of which an example may have several."""

    OTHER_NUMBERS = "other_numbers"
    """The numbers below which 5, 50 and 95 % of those to be predicted are, here and there."""
    NUMBERS_NEVER_LEARNED = "numbers_never_learned"
    """So many numbers, of so many, are below the lowest or above the highest that the run has learned from, which come next."""

    OTHER = "other"
    """What this list does not have: a `text` says it."""


@dataclass(frozen=True)
class Note:
    """One thing to know. Its `kind` says what `numbers`, `names` and `about` are. All texts can be printed."""

    kind: NoteKind
    numbers: tuple[int | float, ...] = ()
    names: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    text: str = ""

    @classmethod
    def counting(cls, kind: NoteKind, names: Sequence[str], about: Sequence[str] = ()) -> Self:
        """Return a note on so many `names`, of which it keeps the first `MOST_NAMED`."""
        return cls(kind, (len(names),), tuple(names[:MOST_NAMED]), tuple(about))


def _told(value: Any) -> Any:
    return Note(NoteKind.OTHER, text=value) if isinstance(value, str) else value


StoredNote = Annotated[Note, BeforeValidator(_told)]
"""A note in a stored file, where it was a sentence before."""
