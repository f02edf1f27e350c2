"""A note is a kind with numbers and names; what it says in words is what earlier versions stored."""

import pytest
from pydantic import TypeAdapter

from tl_core.notes import LEFT_OUT, Note, NoteKind, StoredNote, sentence
from tl_core.notes.naming import NAMES
from tl_core.notes.wording import SENTENCES

K = NoteKind
TOLD = [
    (Note(K.LEFT_OUT_BY_CHOICE, (1200,)), "Left out by choice, since the examination found them: 1,200."),
    (Note.counting(K.CLASSES_WITHOUT_TRAINING, ["a", "b"], ["image"]), "Classes without a training image: a, b."),
    (
        Note.counting(K.CLASSES_WITHOUT_TEST, list("abcdefg"), ["row"]),
        "Classes without a test row: a, b, c, d, e and 2 more classes.",
    ),
    (Note.counting(K.LABELS_WITHOUT_TRAINING, ["a", "b"], ["image"]), "Labels that no training image has: a, b."),
    (
        Note.counting(K.LABELS_WITHOUT_TEST, list("abcdefg"), ["text"]),
        "Labels that no test text has, so nothing is known of them: a, b, c, d, e and 2 more labels.",
    ),
    (Note(K.CONSTANT_LABELS, (2,)), "Labels that all training examples have, or none has, so the head always says so: 2."),
    (
        Note(K.THRESHOLDS_OF_HALF),
        "There are no validation examples to fit thresholds to: a label is predicted from a probability of 1/2 on. Set aside "
        "validation examples to have a threshold for each label.",
    ),
    (
        Note(K.LABELS_OF_PARTS, (1200,)),
        "Rows whose class has | in its name: 1,200. If these are several labels, choose the task multi_label.",
    ),
    (Note.counting(K.LABELS_WITHOUT_ROWS, ["a"]), "Labels left out, since no row of theirs can be used: a."),
    (
        Note(K.LABELS_TIDIED, (1200,)),
        "Rows that name a label twice, or leave a place between two of them blank: 1,200. Each label counts once.",
    ),
    (Note(K.ROWS_OF_NO_LABEL, (3,)), "Rows without any label, taken for examples that have none of them: 3."),
    (Note(K.CLASSES_FURTHER_DOWN, about=("x/y",)), "The classes were found further down, in x/y."),
    (Note(K.SPLITS_AS_CLASSES, names=("test", "train")), "Folders named like splits are used as classes: test, train."),
    (
        Note(K.FOLDERS_RENAMED, (4,), ("a-1", "a.", "b-2", "b ", "c-3", "c'", "d-4", "d.")),
        "Folders whose names not every disk can hold have others: 4 (a-1 for 'a.', b-2 for 'b ', c-3 for \"c'\", and others).",
    ),
    (
        Note.counting(K.FOLDERS_JOINED, list("abcde")),
        "Folders whose names differ only in how Unicode writes them are one class: a; b; c, and 2 more.",
    ),
    (
        Note(K.FOLDERS_SPELLED_OTHERWISE, (1,), ("cats", "test", "Cats")),
        "Class folders that a split spells otherwise are one class: 'cats', in test 'Cats'.",
    ),
    (
        Note(K.SIMILAR_CLASSES, (2, 3), ("A", "a", "b c", "b_c", "B c")),
        "Classes with nearly the same name, used as different ones: A and a; b c and b_c and B c.",
    ),
    (Note(K.CLASSES_NUMBERED, names=("a (2)", "b (3)")), "Classes of one name, told apart by a number: a (2), b (3)."),
    (Note(K.UNLABELLED_IMAGES, (8,)), "Images without a label: 8 left out."),
    (Note(K.SPLITS_LEFT_OUT, names=("more", "other")), "Splits left out: more, other."),
    (
        Note.counting(K.SPLIT_OF_OTHER_CLASSES, ["raw"], ["source"]),
        "The source split has classes without training examples and is left out: raw.",
    ),
    (
        Note(K.NOT_USED_YET, (1200,), about=("unlabelled", "images")),
        "There are 1,200 images in the split unlabelled, which nothing uses yet.",
    ),
    (Note(K.SPLIT_WITHOUT_LABELS, about=("test",)), "The test split has no labels and is left out."),
    (Note(K.COLUMN_EMPTY, about=("fold", "splits")), "The column fold is not used for the splits: it is empty."),
    (
        Note(K.COLUMN_OF_ONE_VALUE, (1,), ("photo",), ("label", "labels")),
        "The column label is not used for the labels: it holds photo alone.",
    ),
    (
        Note(K.COLUMN_OF_ONE_VALUE, (0,), about=("label", "labels")),
        "The column label is not used for the labels: it holds nothing alone.",
    ),
    (
        Note(K.COLUMN_OF_DIFFERENT_VALUES, (4000,), about=("label", "labels")),
        "The column label is not used for the labels: its 4,000 values are all different.",
    ),
    (
        Note(K.COLUMN_WITHOUT_SPLITS, (5,), ("0", "1", "2", "3", "4"), ("fold", "splits")),
        "The column fold is not used for the splits: it holds 0, 1, 2 and others, and no split.",
    ),
    (
        Note(K.COLUMN_WITHOUT_NUMBERS, (4,), ("old", "young", "unknown", "new"), ("class", "labels")),
        "The column class is not used for the labels: it holds old, young, unknown and others, and no number.",
    ),
    (
        Note(K.COLUMN_WITHOUT_FILES, about=("path", "paths of the images")),
        "The column path is not used for the paths of the images: none of its files is there.",
    ),
    (
        Note(K.COLUMN_LEADING_OUT, about=("path", "paths of the images")),
        "The column path is not used for the paths of the images: its paths lead out of the folder of the images.",
    ),
    (Note(K.ROWS_WITHOUT_PATH_OR_LABEL, (3,)), "Rows without a path or a label: 3 left out."),
    (Note(K.ROWS_WITHOUT_TEXT_OR_LABEL, (3,)), "Rows without a text or a label: 3 left out."),
    (Note(K.BLANK_TEXTS, (2,)), "Blank lines: 2 left out."),
    (Note(K.ROWS_WITHOUT_TARGET, (3,)), "Rows without a target: 3 left out."),
    (Note(K.MISSING_VALUES, (1234,), about=("kind",)), "Values missing in kind: 1,234."),
    (Note(K.COLUMN_TYPES, (1, 2)), "1 of 2 columns are numbers, the others words."),
    (Note.counting(K.CLASSES_WITHOUT_ROWS, ["none"]), "Classes left out, since no row of theirs can be used: none."),
    (Note(K.LABELS_JOINED, (2,)), "Labels that differ only in how Unicode writes them are one class: 2."),
    (
        Note(K.GROUPS_ACROSS_SPLITS, (10,)),
        "10 groups are both in train and in another split of the table: what is learned of them is asked again.",
    ),
    (Note(K.GROUPS_JOINED, (10,)), "Groups that share a copy are kept on one side: 10 were joined with others."),
    (
        Note(K.NO_VALIDATION, about=("images",)),
        "No images could be set aside for validation: copies stay together, and so do groups.",
    ),
    (
        Note(K.SET_ASIDE, (1000,), about=("test", "images")),
        "There are no test images: 1,000 training images were set aside for it.",
    ),
    (
        Note(K.PIXELS_SCALED, (0.0, 1.0), about=("x", "float64")),
        "The pixels in x are float64 from 0 to 1, brought to 0 to 255.",
    ),
    (Note(K.ARRAY_TRANSPARENT, about=("x",)), "Images in x are transparent, and laid on white."),
    (
        Note(K.TEXTS_TRUNCATED, (38, 1000, 128)),
        "Of 1,000 training texts that were looked at, 38 are longer than the 128 tokens that the network reads. It does not see "
        "what comes after these.",
    ),
    (Note(K.IMAGES_TRANSPARENT, (2, 36)), "Transparent images are laid on white: 2 of 36 that were looked at."),
    (
        Note(K.NEARLY_BLACK, (15,), ("train", "validation", "test")),
        "The train, validation and test images are nearly black: 99.9 % of their values are at most 15 of 255. If they hold "
        "fewer bits than their files can, such as 12 of 16, scale them to the whole range.",
    ),
    (
        Note(K.NEARLY_CONSTANT, (90, 95), ("test",)),
        "The test images are nearly constant: nearly all of their values lie between 90 and 95 of 255. Look whether they are "
        "what they should be.",
    ),
    (Note(K.ONE_CLASS), "All training examples are of one class, so the head always gives that class."),
    (
        Note(K.NOT_CONVERGED, (1000,)),
        "Logistic regression had not settled after 1,000 steps; the head can be used, and a smaller C settles sooner.",
    ),
    (Note(K.APPROXIMATE_RANKING), "The group lasso had not settled, so the ranking of the features is approximate."),
    (
        Note(K.CHOSEN_ON_FEWER, (5000, 45_000)),
        "C was chosen by fits to about 5,000 of the 45,000 training examples; the head is fitted to all of them.",
    ),
    (
        Note(K.NO_THRESHOLDS),
        "There are no validation examples to fit a threshold to: the metric says what the best one for the test examples "
        "would reach. Set aside validation examples to get one.",
    ),
    (Note(K.NOTHING_IN_BLOCKS), "The blocks of this phase hold nothing of what it trains, so the head trained alone."),
    (Note(K.TAUGHT, (140, 160)), "The teacher gives 140 of the 160 training examples the class of their label."),
    (
        Note(K.TAUGHT_UNCHANGED, (140, 160)),
        "The teacher gives 140 of the 160 training examples the class of their label. It saw each image unchanged, and once; the "
        "network that learned from it saw them changed.",
    ),
    (
        Note(K.ENGINE_FAILED, about=("OpenVINO", "Keras", "RuntimeError: no {such} layer")),
        "OpenVINO could not compute this network (RuntimeError: no {such} layer), so Keras did, more slowly.",
    ),
    (
        Note(K.HELD_IN_MEMORY, about=("No space left on device",)),
        "Some of what was computed is held in memory, since it cannot be kept on disk (No space left on device).",
    ),
    (
        Note(K.TESTED_ON_TEST_SPLIT, (4000,), ("test",), ("images",)),
        "Tested on the test split of these data: 4,000 images.",
    ),
    (
        Note(K.TESTED_ON_ALL, (240,), ("train",), ("images",)),
        "Tested on all of these data, since they have no test split of their own: 240 images.",
    ),
    (
        Note(K.ALREADY_TRAINED_ON, (7, 1240), about=("images",)),
        "Left out of all numbers, since the run was trained or validated on the same ones: 7 of 1,240 images.",
    ),
    (
        Note(K.ALSO_IN_OWN_TEST, (8,), about=("images",)),
        "Also in the run's own test: 8 of these images. The interval of the difference, which is for independent samples, is too "
        "wide.",
    ),
    (
        Note(K.OWN_DATA_GONE, about=("This folder does not exist.",)),
        "The run's own data cannot be read, so nobody knows whether it was trained on some of these examples, or what differs "
        "from them: This folder does not exist.",
    ),
    (
        Note(K.OWN_DATA_CHANGED),
        "The run's own data have changed since: it may have been trained on some of these examples.",
    ),
    (
        Note(K.OUTSIDE_UNKNOWN),
        "The data of this run are not where they were: which training examples are the nearest, and whether any of this lies "
        "outside of what the run was trained on, is not known.",
    ),
    (
        Note(K.TOO_FEW_FOR_OUTSIDE, (12,)),
        "12 training examples are too few to say what lies outside of what the run was trained on.",
    ),
    (
        Note.counting(K.CLASSES_NOT_HERE, ["a", "b"]),
        "Classes that these data lack: a, b. The run's own test is compared without them, too.",
    ),
    (
        Note.counting(K.LABELS_NOT_HERE, ["sky", "sea"]),
        "Labels that none of these data has: sky, sea. They do not count here, nor in the run's own test.",
    ),
    (
        Note(K.CLASSES_SPELLED_OTHERWISE, (1,), ("cats", "CATS")),
        "Names that are spelled otherwise here: 'cats' is 'CATS'.",
    ),
    (
        Note(K.SHIFT_UNKNOWN),
        "Whether these examples differ from those of the run's own test cannot be told from so few: it takes ten of each, of the "
        "classes that both have.",
    ),
    (
        Note(K.SHIFT_TOO_FEW, (0.6, 0.4, 0.8, 30)),
        "There are too few examples to say whether these differ from those of the run's own test "
        "(area under the ROC curve 0.60 (0.40-0.80), 30 examples).",
    ),
    (
        Note(K.SHIFT_NONE, (0.52, 0.45, 0.6, 1500)),
        "A classifier cannot tell these examples from those of the run's own test "
        "(area under the ROC curve 0.52 (0.45-0.60), 1,500 examples).",
    ),
    (
        Note(K.SHIFT_LITTLE, (0.6, 0.55, 0.65, 900)),
        "These examples differ a little from those of the run's own test, as the network sees them "
        "(area under the ROC curve 0.60 (0.55-0.65), 900 examples).",
    ),
    (
        Note(K.SHIFT_CLEAR, (0.9, 0.85, 0.95, 900)),
        "These examples differ from those of the run's own test, as the network sees them: a classifier tells them apart "
        "(area under the ROC curve 0.90 (0.85-0.95), 900 examples).",
    ),
    (Note(K.OTHER_BRIGHTNESS, (55.2, 110)), "Brightness: 55 of 255 on average, against 110 in the run's own test."),
    (
        Note(K.OTHER_CONTRAST, (16, 31.4)),
        "Contrast: brightness varies by 16 within an image, against 31 in the run's own test.",
    ),
    (Note(K.OTHER_COLOUR, (4, 31)), "Colour: the channels of a pixel are 4 apart, against 31 in the run's own test."),
    (
        Note(K.OTHER_SIZES, (1024, 96)),
        "Size: the shorter side has 1,024 pixels (median), against 96 in the run's own test.",
    ),
    (
        Note(K.OTHER_CLASS_SHARES, (0.7, 0.25, 0.1, 0.4), ("cats", "dogs")),
        "Classes have other shares than in the run's own test, where they have those in brackets: cats 70 % (25 %), dogs 10 % "
        "(40 %).",
    ),
    (
        Note(K.OTHER_LABEL_SHARES, (0.7, 0.25), ("sky",)),
        "Labels are of other shares of the examples than in the run's own test, where they are of those in brackets: sky 70 % "
        "(25 %).",
    ),
    (
        Note(K.COLUMN_TELLS_CLASS, (0.985, 1024), about=("scanner",)),
        "The column scanner nearly tells the class by itself (balanced accuracy 0.98, cross-validated on 1,024 training rows): "
        "if it says where examples come from, such as a device or a day, keep each of its values on one side, with "
        "dataset.group_column=scanner; if columns are learned from, and nobody knows it before the label, take it out.",
    ),
    (
        Note(K.COLUMN_TELLS_NUMBER, (1.0, 20), ("euros", "cents"), ("price",)),
        "The column price nearly tells the number by itself (R\N{SUPERSCRIPT TWO} of the ranks 1.00, cross-validated on 20 "
        "training rows), and so do: euros, cents: if it says where examples come from, such as a device or a day, keep each of "
        "its values on one side, with dataset.group_column=price; if columns are learned from, and nobody knows it before the "
        "label, take it out.",
    ),
    (
        Note(K.NO_BETTER_THAN_MEAN, (0.1, -0.25, 0.375)),
        "Nothing shows that this run predicts better than one number for all, their mean, would: R\N{SUPERSCRIPT TWO} is 0.10 "
        "(-0.25 to 0.38) on the test examples, and the mean has 0. Try more labels, another network, or another strategy.",
    ),
    (
        Note(K.NUMBER_OF_ANOTHER_NAME, about=("years", "age")),
        "The number to be predicted is called years here, and age in the run's own data: look whether it is the same, in the "
        "same unit.",
    ),
    (
        Note(K.OTHER_NUMBERS, (20.0, 31.5, 1064.0, 3.0, 4.0, 5.0)),
        "The numbers are spread otherwise than in the run's own test: median 31.5, and nine of ten from 20 to 1,064, against 4, "
        "and from 3 to 5.",
    ),
    (
        Note(K.NUMBERS_NEVER_LEARNED, (12, 1024, 3.0, 5.0)),
        "Of 1,024 numbers, 12 are outside of what the run has learned from, 3 to 5.",
    ),
    (Note(K.OTHER, text="Somebody else's {dataset} says this."), "Somebody else's {dataset} says this."),
    *((Note(kind, (1,), ("a/b.txt",)), f"{what}: 1 left out (a/b.txt).") for kind, what in LEFT_OUT.items()),
]


@pytest.mark.parametrize(("note", "words"), TOLD, ids=lambda value: value.kind if isinstance(value, Note) else "")
def test_a_note_is_worded_and_stored(note: Note, words: str) -> None:
    assert sentence(note) == words
    stored: TypeAdapter[Note] = TypeAdapter(StoredNote)
    read = stored.validate_json(stored.dump_json(note))
    assert read == note
    assert list(map(type, read.numbers)) == list(map(type, note.numbers))


def test_every_kind_has_words() -> None:
    assert SENTENCES.keys() == {note.kind for note, _ in TOLD} == set(NoteKind)
    assert {kind for kind, words in SENTENCES.items() if "{names}" in words} >= NAMES.keys()


def test_the_first_three_of_what_was_left_out_are_named() -> None:
    three = Note.counting(K.HIDDEN_FILES, [".a", ".b", ".c"])
    assert sentence(three) == "Hidden files and folders: 3 left out (.a, .b, .c)."
    assert sentence(Note.counting(K.HIDDEN_FILES, [".a"] * 1200)).endswith(": 1,200 left out (.a, .a, .a, and others).")


def test_a_note_keeps_the_first_few_of_many_names() -> None:
    note = Note.counting(K.REPEATED_ROWS, [f"{number}.png" for number in range(100_000)])
    assert (note.numbers, len(note.names), note.names[0]) == ((100_000,), 5, "0.png")


def test_a_stored_sentence_is_a_note_in_its_own_words() -> None:
    stored: TypeAdapter[Note] = TypeAdapter(StoredNote)
    assert stored.validate_python("Splits left out: more.") == Note(K.OTHER, text="Splits left out: more.")
