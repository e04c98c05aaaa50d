"""Compare training on CIFAR-10 with training on it augmented by hand, and write docs/comparison.md.

python results/cifar10.py FOLDER     keeps in FOLDER what is finished, goes on there, and leaves result/ in it

Needs CIFAR-10 under CHAINRULE_DATA.
"""

import os
import shutil
import sys
import time
from pathlib import Path

os.environ.setdefault("NUMBA_NUM_THREADS", "2")

import numpy as np

from chainrule.data.cifar10 import read_cifar10
from chainrule.images.augmented import augmented_set
from chainrule.images.features import features_of, learned
from chainrule.studies import Comparison, compare

DOCS = Path(__file__).resolve().parent.parent / "docs"
EXTRACTOR = "patches-512"
FIGURES = ("curves", "classes", "differences")
LEARNED = f"Features: {EXTRACTOR}, learned on the original training images, without their labels."
JPEG = (
    "These are not the original files: their pixels went through JPEG, so that accuracies run a little lower. "
    "Published numbers of the same task are of other features (ImageNet ResNet-18)."
)


def main(folder: Path) -> int:
    data = read_cifar10(Path(os.environ["CHAINRULE_DATA"]) / "cifar-10-batches-py")
    extractor = learned(EXTRACTOR, data.x, cache=folder, progress=True)

    def features(images: np.ndarray) -> np.ndarray:
        return features_of(images, extractor, cache=folder, progress=True)

    began = time.perf_counter()
    augmented = augmented_set(data.x, data.y, seed=0, cache=folder, progress=True)
    moved = augmented_set(data.x_test, data.y_test, seed=1, cache=folder, progress=True)
    result = compare(
        {
            "original": (features(data.x), data.y),
            "augmented": (features(augmented.images), augmented.labels),
        },
        test={
            "original": (features(data.x_test), data.y_test),
            "transformed": (features(moved.images[len(data.y_test) :]), data.y_test),
        },
        classes=data.classes,
        notes=[LEARNED, *([JPEG] if data.other else [])],
        keep=folder / "kept",
        progress=True,
    )
    print(f"{result}\n\n{time.perf_counter() - began:.0f} s; every training by itself: {result.seconds}")
    result.save(folder / "result")
    for name in FIGURES:
        shutil.copyfile(folder / "result" / "figures" / f"{name}.svg", DOCS / f"comparison-{name}.svg")
    page = DOCS / "comparison.md"
    page.write_text(f"{page.read_text().split(MARK)[0]}{MARK}\n\n{measured(result)}")
    return 0


MARK = "<!-- What follows is written by results/cifar10.py. -->"


def measured(result: Comparison) -> str:
    """The page's second half: machine, times, tables, figures."""
    machine = result.found["environment"]
    networks = sum(seconds for name, seconds in result.seconds.items() if name.startswith("network"))
    others = ", ".join(f"{name} {s:.0f} s" for name, s in result.seconds.items() if not name.startswith("network"))
    svg = "\n\n".join(f"![{name} of the comparison](comparison-{name}.svg)" for name in FIGURES)
    return f"""## What was measured

{result.conclusion}

{svg}

Python {machine["python"]}, NumPy {machine["numpy"]}, scikit-learn {machine["scikit-learn"]}, {machine["processor"]},
{machine["cores"]} cores. The {2 * len(result.found["seeds"])} networks took {networks:.0f} s one after the other;
the other methods, two at a time: {others}.

```
{result}
```
"""


if __name__ == "__main__":
    if len(sys.argv) != 2 or "CHAINRULE_DATA" not in os.environ:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
