"""What the script of a run says of its task: the labels, how the head ends and is computed, the loss, and the test."""

from dataclasses import dataclass

from tl_core.heads import LogisticRegression, NearestCentroid, OneVsRest, RidgeClassifier, RidgeRegression, Solver
from tl_core.phases.phase import Learning
from tl_core.tasks import Outputs
from tl_core.tasks.classification import ClassOutputs
from tl_core.tasks.multi_label import LabelOutputs
from tl_core.tasks.regression import NumberOutputs

LOGISTIC = """
fitted = LogisticRegression(C={C!r}, max_iter=10_000, tol=1e-6).fit(points, train_labels{weighted})
kernel, bias = fitted.coef_.T, fitted.intercept_"""
OF_TWO = """
kernel, bias = np.hstack([-kernel, kernel]) / 2, np.concatenate([-bias, bias]) / 2  # one for each class"""
RIDGE = """
fitted = Ridge(alpha={penalty!r}).fit(points, 2.0 * np.eye(len(NAMES))[train_labels] - 1.0{weighted})
kernel, bias = fitted.coef_.T / {temperature!r}, fitted.intercept_ / {temperature!r}"""
MEANS = """
means = np.array([points[train_labels == label].mean(axis=0) for label in range(len(NAMES))])
kernel, bias = 2.0 * means.T / {temperature!r}, -(means**2).sum(axis=1) / {temperature!r}"""
OF_EACH_LABEL = """
fits = [
    LogisticRegression(C=strength, max_iter=10_000, tol=1e-6).fit(points, has)
    for strength, has in zip({strengths}, train_labels.T, strict=True)  # a label's own, chosen in the run
]
kernel = np.column_stack([fitted.coef_[0] for fitted in fits])
bias = np.array([fitted.intercept_[0] for fitted in fits])"""
OF_NUMBERS = """
fitted = Ridge(alpha={penalty!r}).fit(points, (train_labels - MEAN) / DEVIATION)
kernel, bias = fitted.coef_[:, None], np.array([fitted.intercept_])"""

SOLVED: dict[type[Solver], tuple[str, str]] = {
    LogisticRegression: ("LogisticRegression", LOGISTIC),
    RidgeClassifier: ("Ridge", RIDGE),
    NearestCentroid: ("", MEANS),
    OneVsRest: ("LogisticRegression", OF_EACH_LABEL),
    RidgeRegression: ("Ridge", OF_NUMBERS),
}
"""The heads that a script knows how to compute: what it takes of scikit-learn for that, and how."""

TEST_OF_CLASSES = """\
said = model.predict(test, batch_size=32, verbose=0)
count, right = len(test), int((said.argmax(axis=1) == test_labels).sum())
share, z = right / count, 1.959964
middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)  # Wilson's interval of 95 %
reach = z * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
print(f"{{right}} of {{count}} test {things} right: {{share:.2%}} ({{middle - reach:.2%}} to {{middle + reach:.2%}})")
print("The run had {correct} of {count}: {value:.2%}")"""
TEST_OF_LABELS = """\
said = model.predict(test, batch_size=32, verbose=0)
pairs = zip(test_labels.T, said.T, strict=True)
scores = [average_precision_score(has, share) for has, share in pairs if has.any()]  # of labels that an example has
print(f"Mean average precision on {{len(test)}} test {things}: {{np.mean(scores):.6g}}")
print("The run had {value:.6g}")"""
TEST_OF_NUMBERS = """\
said = model.predict(test, batch_size=32, verbose=0)[:, 0] * DEVIATION + MEAN
print(f"Mean absolute error on {{len(test)}} test {things}: {{np.abs(said - test_labels).mean():.6g}}")
print("The run had {value:.6g}")"""


@dataclass(frozen=True)
class TaskCode:
    """What a script says of a task, in Python.

    Args:
        read: What a row of the table of files has as its label.
        known: What is worked out of the training labels.
        activation: That of the head, by Keras' name.
        targets, soft_targets: What the loss takes of `labels`; the second where these are shares.
        loss, soft_loss: The loss in each case.
        measure, soft_measure: Keras' name of the same without smoothing and penalties, by which an epoch is the best.
        test: The test.
        test_needs: What has to be imported for it.
    """

    read: str
    known: str
    activation: str
    targets: str
    loss: str
    measure: str
    test: str
    test_needs: str = ""
    soft_targets: str = ""
    soft_loss: str = ""
    soft_measure: str = ""

    def of(self, learning: Learning) -> dict[str, str]:
        """Return the targets, the loss and the measure for this way of learning."""
        soft = "soft_" if learning.soft and self.soft_loss else ""
        names = {name: getattr(self, f"{soft}{name}") for name in ("targets", "loss", "measure")}
        loss = names["loss"].format(smoothing=learning.label_smoothing)
        return names | {"loss": f"Adjusted({loss})" if learning.adjusted else loss}


OF_OUTPUTS: dict[type[Outputs], TaskCode] = {
    ClassOutputs: TaskCode(
        read='int(row["label"])',
        known="",
        activation="softmax",
        targets="labels",
        loss="keras.losses.SparseCategoricalCrossentropy()",
        measure="sparse_categorical_crossentropy",
        soft_targets="np.eye(len(NAMES), dtype=np.float32)[labels]",
        soft_loss="keras.losses.CategoricalCrossentropy(label_smoothing={smoothing})",
        soft_measure="categorical_crossentropy",
        test=TEST_OF_CLASSES,
    ),
    LabelOutputs: TaskCode(
        read='[str(label) in row["label"].split("|") for label in range(len(NAMES))]',
        known="",
        activation="sigmoid",
        targets="labels.astype(np.float32)",
        loss="keras.losses.BinaryCrossentropy(label_smoothing={smoothing})",
        measure="binary_crossentropy",
        test=TEST_OF_LABELS,
        test_needs="from sklearn.metrics import average_precision_score",
    ),
    NumberOutputs: TaskCode(
        read='float(row["label"])',
        known="\nMEAN, DEVIATION = train_labels.mean(), train_labels.std() or 1.0  # it learns how many deviations from the mean",
        activation="linear",
        targets="((labels[:, None] - MEAN) / DEVIATION).astype(np.float32)",
        loss="keras.losses.MeanSquaredError()",
        measure="mean_squared_error",
        test=TEST_OF_NUMBERS,
    ),
}
"""What is said of each kind of outputs."""
