"""A study of a few seconds as a process of its own that can be killed: `python small.py FOLDER`."""

import sys
import time
from pathlib import Path

from chainrule.reports import Prose, Report, Section, items
from chainrule.runs import RunConfig
from chainrule.runs.config import DataSettings, NetworkSettings, TrainingSettings
from chainrule.studies.lab import Lab, by_variant
from chainrule.studies.running import run_study
from chainrule.studies.study import Declared, Study
from chainrule.sweeps import Sweep


def run(lab: Lab) -> Report:
    """Something that is kept, and a sweep of eight points."""
    kept = lab.keep("slow", {"n": 3}, lambda: [time.sleep(0.2), 3][1])
    base = RunConfig(
        DataSettings(source="circles", samples=100, split_seed=0),
        NetworkSettings(hidden=(3,), output="sigmoid"),
        TrainingSettings(epochs=60, batch_size="full"),
    )
    result = lab.sweep(Sweep(base, {"training.learning_rate": (0.1, 0.5)}, seeds=4, name="rates"))
    runs = by_variant(result, ("low", "high"))
    table = items.results_table("results", runs)
    return Report("Small", f"kept {kept}", [Section("All", [table, Prose(["…"], id="words", title="Words")])])


STUDY = Study("small", "Small", "nowhere", "…", (Declared("results", "results"), Declared("words", "words")), run)

if __name__ == "__main__":
    run_study(STUDY, Lab(Path(sys.argv[1]), workers=1))
