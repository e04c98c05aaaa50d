"""Everything that the five reports show or state, and the item of a study that answers it.

Figures and tables that a report numbers keep their numbers; the others are counted in the order of the document.
tests/studies/test_checklist.py holds this list equal to what the items of the studies say that they answer.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One figure, table, number, claim or derivation of a report.

    key    "003 figure 12": report, kind, and its number where there are several
    what   what it shows, in a few words
    study, item   where it is answered: the item's anchor on the study's page
    """

    key: str
    what: str
    study: str
    item: str

    @property
    def report(self) -> str:
        return self.key.split()[0]


Rows = Iterable[tuple[str, str, str]]


def _entries(report: str, study: str, rows: Rows) -> Iterator[Entry]:
    """Of rows (kind and number, what it shows, item)."""
    return (Entry(f"{report} {kind}", what, study, item) for kind, what, item in rows)


_REPORT_000: Rows = (
    ("figure 1", "architecture 512–64–10, with epochs and rate", "network"),
    ("figure 2", "loss and accuracy of training and development set, both training sets", "curves-3000"),
    ("figure 3", "confusion matrix of 600 test images, trained on the augmented set", "confusion-600"),
    ("figure 4", "confusion matrix of 600 test images, trained on the original set", "confusion-600"),
    ("table 1", "classification report of 600 test images, augmented", "report-600-augmented"),
    ("table 2", "classification report of 600 test images, original", "report-600-original"),
    ("number 1", "test accuracy 0.62, augmented", "published"),
    ("number 2", "test accuracy 0.69, original", "published"),
    ("equations", "forward pass and derivation of the gradients", "derivation"),
    ("claim 1", "converges within 3,000 epochs at rate 0.01", "curves-3000"),
    ("claim 2", "the original set gives the better network", "difference"),
    ("claim 3", "both networks find the same classes hard", "classes"),
    ("notebook", "loads model, features and stored report, and infers again", "notebook"),
)

_REPORT_001: Rows = (
    ("architecture", "512–64–10, ReLU, softmax", "network"),
    ("equations", "derivation of the gradients and updates", "derivation"),
    ("table 1", "losses and accuracies of training and test, both training sets", "results"),
    ("number 1", "original: training loss 0.47", "published"),
    ("number 2", "original: training accuracy 84.9 %", "published"),
    ("number 3", "original: test loss 0.60", "published"),
    ("number 4", "original: test accuracy 79.8 %", "published"),
    ("number 5", "augmented: training loss 0.56", "published"),
    ("number 6", "augmented: training accuracy 79.78 %", "published"),
    ("number 7", "augmented: test loss 0.59", "published"),
    ("number 8", "augmented: test accuracy 80.2 %", "published"),
    ("plots", "plots of the two trainings, 120 epochs", "curves-120"),
    ("claim 1", "augmentation lessens overfitting", "results"),
)

_REPORT_002: Rows = (
    ("architecture", "512–64–10, rates 0.01 and 0.008, batch 500", "network"),
    ("equations", "derivation of the gradients", "derivation"),
    ("number 1", "test accuracy 79.6 %, augmented, rate 0.01, 400 or 800 epochs", "published"),
    ("number 2", "test accuracy 77.5 %, original, rate 0.008, 400 or 800 epochs", "published"),
    ("claim 1", "the augmented set gives the better network", "difference"),
)

_CIRCLES: Rows = (
    ("figure 3", "sigmoid: training and validation loss", "curves-sigmoid"),
    ("figure 4", "sigmoid: training and validation accuracy", "curves-sigmoid"),
    ("figure 5", "tanh: training and validation loss", "curves-tanh"),
    ("figure 6", "tanh: training and validation accuracy", "curves-tanh"),
    ("figure 7", "ReLU: training and validation loss", "curves-relu"),
    ("figure 8", "ReLU: training and validation accuracy", "curves-relu"),
    ("figure 9", "sigmoid: training against test accuracy", "bars"),
    ("figure 10", "tanh: training against test accuracy", "bars"),
    ("figure 11", "ReLU: training against test accuracy", "bars"),
    ("claim 1", "sigmoid reaches 100 % at about 10,000 epochs", "seeds"),
    ("claim 2", "tanh reaches 100 % at 4,000 epochs", "seeds"),
    ("claim 3", "ReLU stays below 100 % at 2,000 epochs", "seeds"),
    ("claim 4", "a small rate is slow and its curves are smooth", "rates"),
    ("claim 5", "the start of the weights decides much", "starts"),
)

_MEAN_SUBTRACTION: Rows = (
    ("figure 12", "loss with the mean image subtracted", "curves-uniform-0-001"),
    ("figure 13", "accuracy with the mean image subtracted", "curves-uniform-0-001"),
    ("figure 14", "loss without", "curves-uniform-0-001"),
    ("figure 15", "accuracy without", "curves-uniform-0-001"),
    ("figure 16", "training and test accuracy with the mean image subtracted", "bars"),
    ("figure 17", "training and test accuracy without", "bars"),
    ("claim 6", "without subtraction the loss falls a little and then stays constant", "saturation"),
)

_EMBEDDINGS: Rows = (
    ("figure 18", "confusion matrix of the training set", "confusions"),
    ("figure 19", "confusion matrix of the validation set", "confusions"),
    ("figure 20", "confusion matrix of the test set", "confusions"),
    ("figure 21", "two hidden layers: t-SNE of layer 1", "two-hidden"),
    ("figure 22", "two hidden layers: t-SNE of layer 2", "two-hidden"),
    ("figure 23", "three hidden layers: t-SNE of layer 1", "three-hidden"),
    ("figure 24", "three hidden layers: t-SNE of layer 2", "three-hidden"),
    ("figure 25", "three hidden layers: t-SNE of layer 3", "three-hidden"),
)

_SHOWN = (
    ("training and validation loss", "curves-{}"),
    ("training and validation accuracy", "curves-{}"),
    ("training against test accuracy", "bars"),
    ("t-SNE of hidden layer 2", "embeddings"),
)

_EPOCHS: Rows = (
    *(
        (f"figure {26 + 4 * i + k}", f"{epochs:,} epochs: {what}", item.format(epochs))
        for i, epochs in enumerate((100, 500, 1000, 2000))
        for k, (what, item) in enumerate(_SHOWN)
    ),
    ("claim 7", "more epochs lower the loss", "table"),
)

_LEARNING_RATES: Rows = (
    *(
        (f"figure {42 + 2 * i + k}", f"rate {rate}: training and validation {what}", "curves")
        for i, rate in enumerate(("0.1", "0.01", "0.001"))
        for k, what in enumerate(("loss", "accuracy"))
    ),
    ("claim 8", "where the rate is high, the loss can rise", "too-high"),
    ("claim 9", "a small rate converges slowly but more steadily", "steadiness"),
)

_ARCHITECTURES: Rows = (("claim 10", "deeper networks can do better but are harder to train", "depth"),)

_SYNTHETIC: Rows = (
    ("table 3", "the start of the weights", "start"),
    ("figure 2", "loss of training and test set by epoch", "loss"),
    ("figure 3", "loss of every instance", "instances"),
    ("number 2", "training loss 0.70169 at first", "published"),
    ("number 3", "test loss 0.71046 at first", "published"),
    ("number 4", "training loss 0.69044 after 50 epochs", "published"),
    ("number 5", "test loss 0.69043 after 50 epochs", "published"),
    ("claim 1", "training and test loss meet after epoch 30", "loss"),
    ("claim 2", "the loss is stable after 200 instances", "instances"),
    ("claim 3", "100 epochs may bring the loss below 0.690", "longer"),
    ("claim 4", "other starts and batch normalisation can be tried", "starts"),
)

_MNIST_SGD: Rows = (
    ("figure 4", "code of forward pass, backward pass and training", "program"),
    ("figure 5", "training against validation, rate 0.0001, 5 epochs", "training-validation"),
    ("figure 6", "mean and standard deviation of 3 runs, rate 0.001", "runs"),
    ("figure 7", "rates 0.05, 0.01, 0.001, 0.0001", "rates"),
    ("figure 8", "60,000 and 10,000 images, 20 epochs, rate 0.0001", "final"),
    ("number 6", "training accuracy 27.88 % after epoch 1", "published"),
    ("number 7", "training accuracy 83.25 % after epoch 20", "published"),
    ("number 8", "test accuracy 28.04 % after epoch 1", "published"),
    ("number 9", "test accuracy 84.61 % after epoch 20", "published"),
    ("claim 5", "at rate 0.0001 training was stopped too early", "training-validation"),
    ("claim 6", "the spread of the runs is that of the random start", "runs"),
    ("claim 7", "a lower rate is better", "rates"),
    ("claim 8", "other seeds and longer training can improve it", "longer"),
)

ENTRIES: tuple[Entry, ...] = (
    *_entries("000", "cifar10-augmentation", _REPORT_000),
    *_entries("001", "cifar10-augmentation", _REPORT_001),
    *_entries("002", "cifar10-augmentation", _REPORT_002),
    *_entries(
        "003",
        "graph-derivation",
        (("figure 1", "computation graph", "graph"), ("figure 2", "derivation of ∂E/∂x", "derivation")),
    ),
    *_entries("003", "circles-activations", _CIRCLES),
    *_entries("003", "mnist-mean-subtraction", _MEAN_SUBTRACTION),
    *_entries("003", "mnist-embeddings", _EMBEDDINGS),
    *_entries("003", "mnist-epochs", _EPOCHS),
    *_entries("003", "mnist-learning-rates", _LEARNING_RATES),
    *_entries("003", "mnist-architectures", _ARCHITECTURES),
    *_entries(
        "004",
        "scalar-pass",
        (
            ("equations", "derivatives of softmax and cross-entropy, equations 1.1 to 1.4", "derivation"),
            ("table 1", "one forward pass", "forward"),
            ("table 2", "one backward pass", "backward"),
            ("figure 1", "code of the two passes", "passes"),
            ("number 1", "loss 0.693", "published"),
        ),
    ),
    *_entries("004", "synthetic-sgd", _SYNTHETIC),
    *_entries("004", "mnist-sgd", _MNIST_SGD),
)


def answered_by(study: str) -> tuple[Entry, ...]:
    """The entries that a study answers, in the order of the reports."""
    return tuple(entry for entry in ENTRIES if entry.study == study)


def as_markdown() -> str:
    """The checklist as a table of docs/studies.md."""
    rows = (f"| {entry.key} | {entry.what} | `{entry.study}` | `{entry.item}` |" for entry in ENTRIES)
    return "\n".join(["| in the reports | what it shows | study | item |", "|---|---|---|---|", *rows])
