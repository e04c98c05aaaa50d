"""Carry out a study: its page, its findings as data, and nothing left out that it declared."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule import storage
from chainrule.studies.lab import Lab
from chainrule.studies.study import Study

if TYPE_CHECKING:
    from chainrule.reports.document import Report

QUICK = {True: "quick: not the settings of the report", False: "quick: nothing is left out here"}


def place(root: Path, name: str, *, quick: bool) -> Path:
    """The folder of a study; quick ones lie apart, so that they never replace a full one."""
    return root / "quick" / name if quick else root / name


def run_study(study: Study, lab: Lab) -> Path:
    """Run `study` in `lab.folder` and return its report.html; also writes findings.json, timings.json and figures/.

    The same results give the same bytes, timings.json apart.
    Raises StorageError where the folder cannot be written, and what the study itself raises.
    """
    from chainrule.reports.document import write

    began = time.perf_counter()
    storage.write_json(lab.folder / "study.json", {"study": study.name, "quick": lab.quick, "seeds": lab.seeds})
    report = study.run(lab)
    refuse_incomplete(study, report)
    report = replace(report, notes=(*_labels(lab), *report.notes, *lab.notes))
    page = write(report, lab.folder)
    storage.write_json(lab.folder / "findings.json", findings(study, lab, report))
    storage.write_json(lab.folder / "timings.json", {"seconds": time.perf_counter() - began})
    return page


def _labels(lab: Lab) -> list[str]:
    """What a reader must know of how much was done."""
    labels = [QUICK[lab.reduced]] if lab.quick else []
    if lab.seeds is not None:
        labels.append(f"asked for with {lab.seeds} seed{'s' * (lab.seeds > 1)}, in place of the study's own number")
    return labels


def refuse_incomplete(study: Study, report: "Report") -> None:
    """A page that lacks a declared item, or holds one that was not declared, is a mistake of the study."""
    held = item_ids(report)
    declared = [item.id for item in study.items]
    missing, extra = sorted(set(declared) - set(held)), sorted(set(held) - set(declared))
    if missing or extra:
        raise AssertionError(f"{study.name}: its page lacks {missing} and holds undeclared {extra}")


def item_ids(report: "Report") -> list[str]:
    """The anchors of all items, in their order."""
    return [item.id for item in report.items if item.id]


def findings(study: Study, lab: Lab, report: "Report") -> dict[str, Any]:
    """What the index page and other programs read of a finished study."""
    return {
        "study": study.name,
        "title": study.title,
        "source": study.source,
        "summary": report.summary,
        "quick": lab.quick,
        "seeds": lab.seeds,
        "items": [{"id": item.id, "title": item.title} for item in report.items if item.id],
        "published": [row.to_json() for row in lab.published],
        "notes": list(report.notes),
    }
