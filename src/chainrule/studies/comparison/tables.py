"""The tables of a comparison: as a text to read, and row by row for other programs."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np

from chainrule.statistics import Interval
from chainrule.studies.comparison.conclusion import points
from chainrule.studies.comparison.judging import HELD_EQUAL, TOP

Found = dict[str, Any]
Cells = Sequence[str]

ROLES = ("reference", *HELD_EQUAL)


def text(found: Found) -> str:
    """Everything in the order in which one asks: what was done, how good, how different, where; and the answer."""
    parts = [
        _what(found),
        _accuracies(found),
        _differences(found),
        _by_class(found),
        _reports(found),
        _confusions(found),
        *([_baselines(found)] if found["baselines"] else []),
        found["conclusion"],
    ]
    return "\n\n".join(parts)


def csv_tables(found: Found) -> dict[str, list[dict[str, Any]]]:
    """Rows by the name of their table."""
    return {
        "runs": list(_run_rows(found)),
        "differences": list(_difference_rows(found)),
        "classes": list(_class_rows(found)),
        "reports": list(_report_rows(found)),
        "confusion": list(_confusion_rows(found)),
        "curves": list(_curve_rows(found)),
        **({"baselines": list(_baseline_rows(found))} if found["baselines"] else {}),
    }


def laid_out(rows: Sequence[Cells], left: int = 1) -> str:
    """Columns as wide as their content, the first `left` flush left, the others right; the first row is a heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "─" * max(map(len, lines)), *lines[1:]])


def role_names(found: Found) -> dict[str, str]:
    """How the three networks are called: original, augmented at equal epochs, augmented at equal updates."""
    first, second = found["data"]["training"]
    return {
        "reference": first,
        "epochs": f"{second}, equal epochs",
        "updates": f"{second}, equal updates",
    }


def _decisive(found: Found) -> str:
    return str(next(iter(found["data"]["tests"])))


def _what(found: Found) -> str:
    data, settings = found["data"], found["settings"]
    first, second = data["training"]
    widths = "–".join(map(str, [data["features"], *settings["hidden"], len(data["classes"])]))
    sizes = ", ".join(f"{name} {rows:,}" for name, rows in data["training"].items())
    tests = ", ".join(f"{name} {rows:,}" for name, rows in data["tests"].items())
    opened = _times(data["test_labels_opened"])
    lines = [
        f"{widths}, ReLU, softmax; batch {settings['batch_size']}, rate {settings['learning_rate']:g}, "
        f"{settings['epochs']} epochs; {len(found['seeds'])} pairs of runs (start, order of the samples).",
        f"Rows to train on: {sizes}; development {data['development']:,}, left out of both with their copies.",
        f"Test: {tests}. Nothing was chosen by a test set; its labels were opened {opened}, for all models together.",
        f"Preprocessing of the features: {settings['scale']}, fitted on the {first} training rows.",
        f"The {second} set is one draw: how another draw would do is in no interval.",
        *(
            f"{count} of the {data['tests'][name]:,} rows of test set {name!r} are also in a training set."
            for name, count in data["shared_rows"].items()
            if count
        ),
        *found["notes"],
    ]
    return "\n".join(lines)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _accuracies(found: Found) -> str:
    """One column a network: what it was trained with, and what it reached."""
    first, names = next(iter(found["data"]["training"])), role_names(found)
    columns = [_column(found["networks"][role], first) for role in ROLES]
    rows: list[Cells] = [("%, mean ± standard deviation over the seeds", *(names[role] for role in ROLES))]
    rows += [(name, *(column[name] for column in columns)) for name in columns[0]]
    return "\n".join(
        [
            "ACCURACY",
            laid_out(rows),
            "Intervals: Student's t over the seeds, for these very images; and for other seeds and other test images.",
            f"Gap: training minus test accuracy, on all rows trained on and on the {first} rows among them.",
        ]
    )


def _column(net: Found, first: str) -> dict[str, str]:
    cells = {
        "epochs": str(net["epochs"]),
        "updates": f"{net['updates']:,}",
        "training accuracy": _mean(net["means"]["train_accuracy"]),
        "development accuracy": _mean(net["means"]["development_accuracy"]),
    }
    for place, (name, test) in enumerate(net["tests"].items()):
        cells |= {
            f"test accuracy, {name} images": _mean(test["accuracy"]),
            f"  95 %, seeds{' ' * place}": _limits(test["accuracy"]),
            f"  95 %, seeds and images{' ' * place}": _limits(test["accuracy_anywhere"]),
            f"  among the first {TOP}{' ' * place}": _mean(test["top5"]),
            f"  loss, nats{' ' * place}": f"{test['loss']['estimate']:.4f} ± {test['loss']['sd']:.4f}",
        }
    gaps = {"gap": "train", f"gap, {first} rows": "first"}
    return cells | {name: _mean(net["gaps"][part]) for name, part in gaps.items()}


def _differences(found: Found) -> str:
    first, second = found["data"]["training"]
    decisive = _decisive(found)
    heading = ("test set", "equal", "mean ± sd", "95 %, seeds", "95 %, and images", "loss (95 %, seeds)", "McNemar p")
    rows: list[Cells] = [heading]
    for held, by_test in found["differences"].items():
        for test, one in by_test.items():
            loss, seeds = one["loss"], one["seeds"]
            rows.append(
                (
                    test,
                    held,
                    f"{points(seeds['estimate'])} ± {100 * seeds['sd']:.2f}",
                    _point_limits(seeds),
                    _point_limits(one["anywhere"]),
                    f"{_signed(loss['estimate'])} ({_signed(loss['low'])} to {_signed(loss['high'])})",
                    p_value(one["mcnemar_combined"]),
                )
            )
    singles: list[Cells] = [("seeds", *(f"{held}: {what}" for held in HELD_EQUAL for what in (first, second, "p")))]
    for i, pair in enumerate(found["seeds"]):
        tables = [found["differences"][held][decisive]["mcnemar"][i] for held in HELD_EQUAL]
        cells = ((str(one["only_first"]), str(one["only_second"]), p_value(one["p"])) for one in tables)
        singles.append(("-".join(map(str, pair)), *chain.from_iterable(cells)))
    return "\n".join(
        [
            f"DIFFERENCE in test accuracy, {second} minus {first}, pair by pair, in percentage points",
            laid_out(rows, 2),
            "McNemar: the exact test on the same test images for each pair of networks; combined: twice the median p.",
            "It asks whether two trained networks err equally often; the intervals compare the training sets.",
            "",
            f"Test images ({decisive}) that one network of a pair alone has right, and the test's p:",
            laid_out(singles),
        ]
    )


def _by_class(found: Found) -> str:
    first, second = found["data"]["training"]
    decisive, names = _decisive(found), found["data"]["classes"]
    rows: list[Cells] = [("class", *(f"{cell}" for held in HELD_EQUAL for cell in (f"equal {held}", "95 %", "")))]
    for k, name in enumerate(names):
        cells: list[str] = []
        for held in HELD_EQUAL:
            one = found["differences"][held][decisive]["classes"].get(str(k))
            cells += [points(one["own"]["estimate"]), _point_limits(one["own"]), _verdict(one)] if one else [""] * 3
        rows.append((name, *cells))
    return "\n".join(
        [
            f"CLASSES: recall, {second} minus {first}, in percentage points, test {decisive}",
            laid_out(rows),
            "Each interval, for other seeds and images, holds by itself; a class gains or loses where the wider one",
            f"that holds for all {len(names)} together (Bonferroni) excludes 0.",
        ]
    )


def _verdict(one: Found) -> str:
    return {1: "gains", -1: "loses", 0: "–"}[Interval(**one["together"]).side]


def _reports(found: Found) -> str:
    names, decisive = role_names(found), _decisive(found)
    reports = [found["networks"][role]["tests"][decisive]["report"] for role in ROLES]
    kinds = ("precision", "recall", "f1")
    rows: list[Cells] = [("class", *kinds * len(ROLES), "support")]
    for k, name in enumerate(found["data"]["classes"]):
        figures = [f"{report[k][kind]:.3f}" for report in reports for kind in kinds]
        rows.append((name, *figures, str(reports[0][k]["support"])))
    means = [f"{np.mean([row[kind] for row in report]):.3f}" for report in reports for kind in kinds]
    rows.append(("mean of classes", *means, ""))
    order = "; ".join(names[role] for role in ROLES)
    return "\n".join([f"CLASSIFICATION REPORTS side by side, means over the seeds: {order}", laid_out(rows)])


def _confusions(found: Found) -> str:
    decisive, names, classes = _decisive(found), role_names(found), found["data"]["classes"]
    blocks = [
        "CONFUSION, % of the true class (rows) taken for each class (columns, in the same order), all seeds together"
    ]
    sheets = []
    for role in ROLES:
        counts = np.array(found["networks"][role]["tests"][decisive]["confusion"], dtype=float)
        shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        sheets.append([names[role], *(" ".join(f"{share:3.0f}" for share in row) for row in shares)])
    rows = [(label, *(sheet[i] for sheet in sheets)) for i, label in enumerate(["true class", *classes])]
    return "\n".join([*blocks, laid_out(rows)])


def _baselines(found: Found) -> str:
    first, second = found["data"]["training"]
    differences: list[Cells] = [("method", "test set", "difference", "95 %, images", "McNemar p")]
    for method, by_test in found["baseline_differences"].items():
        for test, one in by_test.items():
            limits = _point_limits(one["accuracy"])
            differences.append(
                (method, test, points(one["accuracy"]["estimate"]), limits, p_value(one["mcnemar"]["p"]))
            )
    tried: list[Cells] = [("method", "trained on", "setting: development accuracy", "")]
    for one in found["baselines"]:
        values = ", ".join(f"{value}: {_percent(share)}" for value, share in one["tried"].items())
        tried.append((one["method"], one["trained_on"], values, one["convergence"]))
    return "\n".join(
        [
            "OTHER METHODS on the same features, one fit each, accuracy in %",
            *chain.from_iterable((_methods(found, test), "") for test in found["data"]["tests"]),
            f"Training accuracy of these methods is that of at most {found['data']['baseline_train_rows']:,} rows. "
            "Intervals are for other test images (Wilson);",
            "those of the networks also for other seeds. Settings were chosen on the development images:",
            "",
            laid_out(tried, 3),
            "",
            f"{second} minus {first}, in percentage points",
            laid_out(differences, 2),
        ]
    )


def _methods(found: Found, test: str) -> str:
    """Networks and other methods on one test set."""
    heading = ("method", "trained on", "setting", "train", "dev.", f"test {test}", "95 %", "top 5")
    rows: list[Cells] = [heading]
    for role in ROLES:
        net = found["networks"][role]
        means, one = net["means"], net["tests"][test]
        rows.append(
            (
                f"network, mean of {len(net['runs'])}",
                net["trained_on"],
                f"{net['epochs']} epochs",
                *(_percent(means[f"{part}_accuracy"]["estimate"]) for part in ("train", "development")),
                _percent(one["accuracy"]["estimate"]),
                _limits(one["accuracy_anywhere"]),
                _percent(one["top5"]["estimate"]),
            )
        )
    for fit in found["baselines"]:
        one = fit["tests"][test]
        reached = (fit["train_accuracy"], fit["development_accuracy"], one["accuracy"]["estimate"])
        names = (fit["method"], fit["trained_on"], fit["setting"])
        rows.append((*names, *map(_percent, reached), _limits(one["accuracy"]), _percent(one["top5"])))
    return laid_out(rows, 3)


def _percent(share: float) -> str:
    return f"{100 * share:.2f}".replace("-", "−")


def _mean(stored: Found) -> str:
    return f"{_percent(stored['estimate'])} ± {_percent(stored['sd'])}"


def _limits(stored: Found) -> str:
    return f"{_percent(stored['low'])} to {_percent(stored['high'])}"


def _point_limits(stored: Found) -> str:
    return f"{points(stored['low'])} to {points(stored['high'])}"


def _signed(value: float) -> str:
    return f"{value:+.4f}".replace("-", "−")


def p_value(p: float) -> str:
    """As it is printed: never 0."""
    return f"{p:.3f}" if p >= 0.001 else f"{p:.1e}".replace("e-0", "e-") if p > 0 else "< 1e-300"


def _run_rows(found: Found) -> Iterator[dict[str, Any]]:
    for role in ROLES:
        for run in found["networks"][role]["runs"]:
            figures = {
                f"test_{test}_{kind}": value for test, one in run["tests"].items() for kind, value in one.items()
            }
            yield {"network": role, **{key: value for key, value in run.items() if key != "tests"}, **figures}


def _difference_rows(found: Found) -> Iterator[dict[str, Any]]:
    for held, by_test in found["differences"].items():
        for test, one in by_test.items():
            for (start, order), d, single in zip(found["seeds"], one["by_seed"], one["mcnemar"], strict=True):
                yield {"equal": held, "test": test, "start": start, "order": order, "difference": d, **single}


def _class_rows(found: Found) -> Iterator[dict[str, Any]]:
    names = found["data"]["classes"]
    for held, by_test in found["differences"].items():
        for test, one in by_test.items():
            for k, stored in one["classes"].items():
                limits = {f"{kind}_{end}": stored[kind][end] for kind in ("own", "together") for end in ("low", "high")}
                named = {"equal": held, "test": test, "class": names[int(k)], "difference": stored["own"]["estimate"]}
                yield {**named, **limits, "verdict": _verdict(stored)}


def _report_rows(found: Found) -> Iterator[dict[str, Any]]:
    for role in ROLES:
        for test, one in found["networks"][role]["tests"].items():
            for name, figures in zip(found["data"]["classes"], one["report"], strict=True):
                yield {"network": role, "test": test, "class": name, **figures}


def _confusion_rows(found: Found) -> Iterator[dict[str, Any]]:
    names = found["data"]["classes"]
    for role in ROLES:
        for test, one in found["networks"][role]["tests"].items():
            for name, counts in zip(names, one["confusion"], strict=True):
                yield {"network": role, "test": test, "true": name, **dict(zip(names, counts, strict=True))}


def _curve_rows(found: Found) -> Iterator[dict[str, Any]]:
    for name, histories in found["curves"].items():
        for (start, order), rows in zip(found["seeds"], histories, strict=True):
            yield from ({"trained_on": name, "start": start, "order": order, **row} for row in rows)


def _baseline_rows(found: Found) -> Iterator[dict[str, Any]]:
    for one in found["baselines"]:
        figures: dict[str, Any] = {}
        for test, reached in one["tests"].items():
            figures |= {f"test_{test}_{key}": reached["accuracy"][key] for key in ("estimate", "low", "high")}
            figures[f"test_{test}_top5"] = reached["top5"]
        yield {key: value for key, value in one.items() if key not in ("tests", "tried")} | figures
