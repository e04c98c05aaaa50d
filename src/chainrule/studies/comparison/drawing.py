"""The figures of a comparison, drawn from what it found."""

from typing import Any

from matplotlib.figure import Figure

from chainrule.figures import confusion_panels, interval_chart, seed_curves
from chainrule.figures.intervals import Limits
from chainrule.studies.comparison.tables import role_names

Found = dict[str, Any]


def figures(found: Found) -> dict[str, Figure]:
    """curves, confusion, classes and differences; the first test set is the one that is drawn."""
    first, second = found["data"]["training"]
    test = next(iter(found["data"]["tests"]))
    settings = found["settings"]
    difference = f"{second} − {first}, percentage points"
    seeds = f"{len(found['seeds'])} seeds, {found['data']['tests'][test]:,} test images ({test})"
    rows = settings["curve_samples"]
    held = {f"at equal {name}": name for name in found["differences"]}
    classes = found["data"]["classes"]
    return {
        "curves": seed_curves(
            found["curves"],
            title=f"The same network on {first} and on {second} features",
            note=f"training curves on at most {rows:,} rows · batch {settings['batch_size']}, "
            f"rate {settings['learning_rate']:g}",
            validation_name="development",
        ),
        "confusion": confusion_panels(
            {label: found["networks"][role]["tests"][test]["confusion"] for role, label in role_names(found).items()},
            classes,
            title=f"Which class is taken for which, {seeds}",
        ),
        "classes": interval_chart(
            classes,
            {
                label: [_together(found["differences"][name][test]["classes"].get(str(k))) for k in range(len(classes))]
                for label, name in held.items()
            },
            axis=f"recall: {difference}",
            title="Which classes gain and which lose",
            notes=[f"{seeds} · all intervals of one colour hold together with 95 %"],
        ),
        "differences": _differences(found, test, difference, seeds),
    }


def _differences(found: Found, test: str, axis: str, seeds: str) -> Figure:
    rows = {f"network, equal {held}": one[test]["anywhere"] for held, one in found["differences"].items()}
    rows |= {method: one[test]["accuracy"] for method, one in found["baseline_differences"].items()}
    notes = [
        seeds,
        "95 % intervals: of the network for other seeds and test images, of the others for other test images",
    ]
    return interval_chart(
        list(rows),
        {"difference": [_limits(stored) for stored in rows.values()]},
        axis=f"test accuracy: {axis}",
        title="What the other training set is worth, method by method",
        notes=notes,
    )


def _together(stored: Found | None) -> Limits:
    return None if stored is None else _limits(stored["together"])


def _limits(stored: Found) -> Limits:
    return 100 * stored["estimate"], 100 * stored["low"], 100 * stored["high"]
