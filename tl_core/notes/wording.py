"""Notes in words. No other module words a note: pages, the command line and errors ask this one."""

from collections.abc import Iterable

from tl_core.notes.naming import LEFT_OUT, named
from tl_core.notes.note import Note
from tl_core.notes.note_kind import NoteKind

AREA = "area under the ROC curve {0:.2f} ({1:.2f}-{2:.2f}), {3:,} examples)."
"""How far a classifier tells images apart, to its closing bracket."""

TEACHER = "The teacher gives {0:,} of the {1:,} training examples the class of their label"

ASK = (
    "if it says where examples come from, such as a device or a day, keep each of its values on one side, with "
    "dataset.group_column={about[0]}; if columns are learned from, and nobody knows it before the label, take it out."
)
"""What to do about a column that leaks the label."""

SENTENCES = {kind: f"{what}: {{0:,}} left out ({{names}})." for kind, what in LEFT_OUT.items()} | {
    NoteKind.LEFT_OUT_BY_CHOICE: "Left out by choice, since the examination found them: {0:,}.",
    NoteKind.CLASSES_WITHOUT_TRAINING: "Classes without a training {about[0]}: {names}.",
    NoteKind.CLASSES_WITHOUT_TEST: "Classes without a test {about[0]}: {names}.",
    NoteKind.CLASSES_FURTHER_DOWN: "The classes were found further down, in {about[0]}.",
    NoteKind.SPLITS_AS_CLASSES: "Folders named like splits are used as classes: {names}.",
    NoteKind.FOLDERS_RENAMED: "Folders whose names not every disk can hold have others: {0:,} ({names}).",
    NoteKind.FOLDERS_JOINED: "Folders whose names differ only in how Unicode writes them are one class: {names}.",
    NoteKind.FOLDERS_SPELLED_OTHERWISE: "Class folders that a split spells otherwise are one class: {names}.",
    NoteKind.SIMILAR_CLASSES: "Classes with nearly the same name, used as different ones: {names}.",
    NoteKind.CLASSES_NUMBERED: "Classes of one name, told apart by a number: {names}.",
    NoteKind.UNLABELLED_IMAGES: "Images without a label: {0:,} left out.",
    NoteKind.SPLITS_LEFT_OUT: "Splits left out: {names}.",
    NoteKind.SPLIT_OF_OTHER_CLASSES: "The {about[0]} split has classes without training examples and is left out: {names}.",
    NoteKind.NOT_USED_YET: "There are {0:,} {about[1]} in the split {about[0]}, which nothing uses yet.",
    NoteKind.SPLIT_WITHOUT_LABELS: "The {about[0]} split has no labels and is left out.",
    NoteKind.COLUMN_EMPTY: "The column {about[0]} is not used for the {about[1]}: it is empty.",
    NoteKind.COLUMN_OF_ONE_VALUE: "The column {about[0]} is not used for the {about[1]}: it holds {names} alone.",
    NoteKind.COLUMN_OF_DIFFERENT_VALUES: "The column {about[0]} is not used for the {about[1]}: "
    "its {0:,} values are all different.",
    NoteKind.COLUMN_WITHOUT_SPLITS: "The column {about[0]} is not used for the {about[1]}: it holds {names}, and no split.",
    NoteKind.COLUMN_WITHOUT_NUMBERS: "The column {about[0]} is not used for the {about[1]}: it holds {names}, and no number.",
    NoteKind.COLUMN_WITHOUT_FILES: "The column {about[0]} is not used for the {about[1]}: none of its files is there.",
    NoteKind.COLUMN_LEADING_OUT: "The column {about[0]} is not used for the {about[1]}: "
    "its paths lead out of the folder of the images.",
    NoteKind.COLUMN_TELLS_CLASS: "The column {about[0]} nearly tells the class by itself (balanced accuracy {0:.2f}, "
    "cross-validated on {1:,} training rows){names}: " + ASK,
    NoteKind.COLUMN_TELLS_NUMBER: "The column {about[0]} nearly tells the number by itself (R\N{SUPERSCRIPT TWO} of the ranks "
    "{0:.2f}, cross-validated on {1:,} training rows){names}: " + ASK,
    NoteKind.ROWS_WITHOUT_PATH_OR_LABEL: "Rows without a path or a label: {0:,} left out.",
    NoteKind.ROWS_WITHOUT_TEXT_OR_LABEL: "Rows without a text or a label: {0:,} left out.",
    NoteKind.BLANK_TEXTS: "Blank lines: {0:,} left out.",
    NoteKind.ROWS_WITHOUT_TARGET: "Rows without a target: {0:,} left out.",
    NoteKind.MISSING_VALUES: "Values missing in {about[0]}: {0:,}.",
    NoteKind.COLUMN_TYPES: "{0} of {1} columns are numbers, the others words.",
    NoteKind.CLASSES_WITHOUT_ROWS: "Classes left out, since no row of theirs can be used: {names}.",
    NoteKind.LABELS_WITHOUT_TRAINING: "Labels that no training {about[0]} has: {names}.",
    NoteKind.LABELS_WITHOUT_TEST: "Labels that no test {about[0]} has, so nothing is known of them: {names}.",
    NoteKind.LABELS_WITHOUT_ROWS: "Labels left out, since no row of theirs can be used: {names}.",
    NoteKind.LABELS_OF_PARTS: "Rows whose class has | in its name: {0:,}. If these are several labels, choose the "
    "task multi_label.",
    NoteKind.LABELS_TIDIED: "Rows that name a label twice, or leave a place between two of them blank: {0:,}. Each label counts "
    "once.",
    NoteKind.ROWS_OF_NO_LABEL: "Rows without any label, taken for examples that have none of them: {0:,}.",
    NoteKind.LABELS_JOINED: "Labels that differ only in how Unicode writes them are one class: {0:,}.",
    NoteKind.GROUPS_ACROSS_SPLITS: "{0:,} groups are both in train and in another split of the table: "
    "what is learned of them is asked again.",
    NoteKind.GROUPS_JOINED: "Groups that share a copy are kept on one side: {0:,} were joined with others.",
    NoteKind.NO_VALIDATION: "No {about[0]} could be set aside for validation: copies stay together, and so do groups.",
    NoteKind.SET_ASIDE: "There are no {about[0]} {about[1]}: {0:,} training {about[1]} were set aside for it.",
    NoteKind.PIXELS_SCALED: "The pixels in {about[0]} are {about[1]} from {0:g} to {1:g}, brought to 0 to 255.",
    NoteKind.ARRAY_TRANSPARENT: "Images in {about[0]} are transparent, and laid on white.",
    NoteKind.IMAGES_TRANSPARENT: "Transparent images are laid on white: {0:,} of {1:,} that were looked at.",
    NoteKind.NEARLY_BLACK: "The {names} images are nearly black: 99.9 % of their values are at most {0} of 255. If they hold "
    "fewer bits than their files can, such as 12 of 16, scale them to the whole range.",
    NoteKind.NEARLY_CONSTANT: "The {names} images are nearly constant: nearly all of their values lie between {0} and {1} of "
    "255. Look whether they are what they should be.",
    NoteKind.TEXTS_TRUNCATED: "Of {1:,} training texts that were looked at, {0:,} are longer than the {2:,} tokens that the "
    "network reads. It does not see what comes after these.",
    NoteKind.ONE_CLASS: "All training examples are of one class, so the head always gives that class.",
    NoteKind.CONSTANT_LABELS: "Labels that all training examples have, or none has, so the head always says so: {0:,}.",
    NoteKind.NOT_CONVERGED: "Logistic regression had not settled after {0:,} steps; the head can be used, and a smaller C "
    "settles sooner.",
    NoteKind.APPROXIMATE_RANKING: "The group lasso had not settled, so the ranking of the features is approximate.",
    NoteKind.CHOSEN_ON_FEWER: "C was chosen by fits to about {0:,} of the {1:,} training examples; the head is fitted to all "
    "of them.",
    NoteKind.NO_THRESHOLDS: "There are no validation examples to fit a threshold to: the metric says what the best one for the "
    "test examples would reach. Set aside validation examples to get one.",
    NoteKind.THRESHOLDS_OF_HALF: "There are no validation examples to fit thresholds to: a label is predicted from a "
    "probability of 1/2 on. Set aside validation examples to have a threshold for each label.",
    NoteKind.NO_BETTER_THAN_MEAN: "Nothing shows that this run predicts better than one number for all, their mean, would: "
    "R\N{SUPERSCRIPT TWO} is {0:.2f} ({1:.2f} to {2:.2f}) on the test examples, and the mean has 0. Try more labels, another "
    "network, or another strategy.",
    NoteKind.NOTHING_IN_BLOCKS: "The blocks of this phase hold nothing of what it trains, so the head trained alone.",
    NoteKind.TAUGHT: TEACHER + ".",
    NoteKind.TAUGHT_UNCHANGED: TEACHER + ". It saw each image unchanged, and once; the network that learned from it saw them "
    "changed.",
    NoteKind.ENGINE_FAILED: "{about[0]} could not compute this network ({about[2]}), so {about[1]} did, more slowly.",
    NoteKind.HELD_IN_MEMORY: "Some of what was computed is held in memory, since it cannot be kept on disk ({about[0]}).",
    NoteKind.TESTED_ON_TEST_SPLIT: "Tested on the test split of these data: {0:,} {about[0]}.",
    NoteKind.TESTED_ON_ALL: "Tested on all of these data, since they have no test split of their own: {0:,} {about[0]}.",
    NoteKind.ALREADY_TRAINED_ON: "Left out of all numbers, since the run was trained or validated on the same ones: {0:,} of "
    "{1:,} {about[0]}.",
    NoteKind.ALSO_IN_OWN_TEST: "Also in the run's own test: {0:,} of these {about[0]}. The interval of the difference, which is "
    "for independent samples, is too wide.",
    NoteKind.OWN_DATA_GONE: "The run's own data cannot be read, so nobody knows whether it was trained on some of these "
    "examples, or what differs from them: {about[0]}",
    NoteKind.OWN_DATA_CHANGED: "The run's own data have changed since: it may have been trained on some of these examples.",
    NoteKind.OUTSIDE_UNKNOWN: "The data of this run are not where they were: which training examples are the nearest, and "
    "whether any of this lies outside of what the run was trained on, is not known.",
    NoteKind.TOO_FEW_FOR_OUTSIDE: "{0:,} training examples are too few to say what lies outside of what the run was trained on.",
    NoteKind.CLASSES_NOT_HERE: "Classes that these data lack: {names}. The run's own test is compared without them, too.",
    NoteKind.LABELS_NOT_HERE: "Labels that none of these data has: {names}. They do not count here, nor in the run's own test.",
    NoteKind.CLASSES_SPELLED_OTHERWISE: "Names that are spelled otherwise here: {names}.",
    NoteKind.SHIFT_UNKNOWN: "Whether these examples differ from those of the run's own test cannot be told from so few: it takes "
    "ten of each, of the classes that both have.",
    NoteKind.SHIFT_TOO_FEW: "There are too few examples to say whether these differ from those of the run's own test (" + AREA,
    NoteKind.SHIFT_NONE: "A classifier cannot tell these examples from those of the run's own test (" + AREA,
    NoteKind.SHIFT_LITTLE: "These examples differ a little from those of the run's own test, as the network sees them (" + AREA,
    NoteKind.SHIFT_CLEAR: "These examples differ from those of the run's own test, as the network sees them: a classifier tells "
    "them apart (" + AREA,
    NoteKind.OTHER_BRIGHTNESS: "Brightness: {0:.0f} of 255 on average, against {1:.0f} in the run's own test.",
    NoteKind.OTHER_CONTRAST: "Contrast: brightness varies by {0:.0f} within an image, against {1:.0f} in the run's own test.",
    NoteKind.OTHER_COLOUR: "Colour: the channels of a pixel are {0:.0f} apart, against {1:.0f} in the run's own test.",
    NoteKind.OTHER_SIZES: "Size: the shorter side has {0:,.0f} pixels (median), against {1:,.0f} in the run's own test.",
    NoteKind.OTHER_CLASS_SHARES: "Classes have other shares than in the run's own test, where they have those in brackets: "
    "{names}.",
    NoteKind.OTHER_LABEL_SHARES: "Labels are of other shares of the examples than in the run's own test, where they are of those "
    "in brackets: {names}.",
    NoteKind.NUMBER_OF_ANOTHER_NAME: "The number to be predicted is called {about[0]} here, and {about[1]} in the run's own "
    "data: look whether it is the same, in the same unit.",
    NoteKind.OTHER_NUMBERS: "The numbers are spread otherwise than in the run's own test: median {1:,.4g}, and nine of ten from "
    "{0:,.4g} to {2:,.4g}, against {4:,.4g}, and from {3:,.4g} to {5:,.4g}.",
    NoteKind.NUMBERS_NEVER_LEARNED: "Of {1:,} numbers, {0:,} are outside of what the run has learned from, {2:,.4g} to {3:,.4g}.",
    NoteKind.OTHER: "{text}",
}


def sentence(note: Note) -> str:
    """Return a note in words."""
    names = named(note)
    return SENTENCES[note.kind].format(*note.numbers, names=names, about=note.about, text=note.text)


def sentences(notes: Iterable[Note]) -> tuple[str, ...]:
    """Return notes in words."""
    return tuple(map(sentence, notes))
