"""What the process of its own does: confines itself, loads the file, finds out how to call it, leaves the record."""

import builtins
import json
import os
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from chainrule.diagnosis import record
from chainrule.diagnosis.adapter import adapter
from chainrule.diagnosis.confinement import confine
from chainrule.diagnosis.homes import Subject
from chainrule.diagnosis.loading import InDouble, load
from chainrule.diagnosis.observation import Intake
from chainrule.diagnosis.observing import interface, observe
from chainrule.diagnosis.recognition import Inventory, inventory
from chainrule.diagnosis.source import Source, UnreadableError, read_source
from chainrule.diagnosis.standins import importing
from chainrule.diagnosis.start import start, step
from chainrule.diagnosis.training_watch import watch_training
from chainrule.diagnosis.trying import Attempt, understand
from chainrule.diagnosis.watching import assignments

OUT_OF_MEMORY, SPOILT = 97, 98  # the codes with which this process ends then


def main() -> None:
    """Reads its task from the arguments: the file, where to leave the record, and the time in seconds."""
    leave, code = os._exit, SPOILT
    try:
        code = _work(json.loads(sys.argv[1]))
    except BaseException:  # the code may have taken anything away that Python needs
        pass
    finally:
        leave(code)  # whatever threads the code has started, and whatever it has registered for the end


def _work(task: dict[str, Any]) -> int:
    printed = confine(task["seconds"])
    path, result = Path(task["path"]), Path(task["record"])
    sys.path.append(str(path.parent))
    sys.argv = [str(path)]
    started, last = time.monotonic(), Intake(path)
    try:
        for last in intakes(path):
            _leave(replace(last, output=printed.text()), result)
            if time.monotonic() - started > task["seconds"]:
                break
    except MemoryError:
        return OUT_OF_MEMORY
    except BaseException as error:  # NumPy itself may be spoilt
        if not last.observations:
            place = traceback.extract_tb(error.__traceback__)[-1]
            why = f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"
            _leave(Intake(path, failure=f"{path.name} could not be examined ({why}).", output=printed.text()), result)
    return 0


def _leave(intake: Intake, path: Path) -> None:
    part = path.with_suffix(".part")
    part.write_bytes(record.to_bytes(intake))
    os.replace(part, path)


def intakes(path: Path) -> Iterator[Intake]:
    """The record, first with the two points, then with the training as well, so that a crash there loses only that."""
    try:
        source = read_source(path)
        subject, remarks = subject_of(source)
    except UnreadableError as error:
        yield Intake(path, failure=str(error))
        return
    yield from understood(source, subject, remarks)


def understood(source: Source, subject: Subject, remarks: list[str]) -> Iterator[Intake]:
    blank = Intake(source.path, source=source.text, cells=source.cells)
    if not subject.found.functions and not subject.found.classes:
        yield replace(blank, failure=_nothing_found(subject.found, remarks, source))
        return
    best = understand(subject)
    failure = _failure(best, subject.found, remarks, source)
    seen = None if best is None else interface(best.trial, tuple(remarks))
    if best is None or failure is not None:
        yield replace(blank, interface=seen, failure=failure, adapter=adapter(source, subject.found, best))
        return
    observations = observe(best.trial)
    intake = replace(blank, interface=interface(best.trial, tuple(remarks)), observations=observations)
    yield intake
    intake = replace(intake, step=step(best.trial, observations[0].point), start=start(best.trial))
    yield intake
    loop = watch_training(best.trial)
    if loop is not None:
        seen = intake.interface
        assert seen is not None
        yield replace(intake, loop=loop, interface=replace(seen, functions=seen.functions | {"train": loop.function}))


def subject_of(source: Source) -> tuple[Subject, list[str]]:
    """The loaded file, and remarks on what of it did not run. Raises UnreadableError where it is no Python."""
    tree = InDouble().visit(source.tree())
    filename = str(source.path)
    builtins.__import__ = importing(filename)
    loaded = load(tree, filename)
    own = tuple(
        each
        for each in loaded.namespace.values()
        if isinstance(each, type) and each.__module__ == loaded.namespace["__name__"]
    )
    remarks = [each.removesuffix(".") for each in (*source.remarks, *loaded.remarks)]
    subject = Subject(loaded.namespace, inventory([(filename, tree)]), filename, {filename: assignments(tree)}, own)
    return subject, remarks


def _failure(best: Attempt | None, found: Inventory, remarks: list[str], source: Source) -> str | None:
    """Why there is nothing to judge, None where there is."""
    if best is None:
        return _nothing_found(found, remarks, source)
    run, plan = best.run, best.trial.plan
    if run.output is None:
        function = plan.forward or plan.backward
        reason = run.failed.get("forward") or run.failed.get("backward") or "it gave no output"
        return f"{function.qualified} (line {function.line}) could not be run: {reason}"
    if not run.gradients and "no way to call" in run.failed.get("backward", ""):
        return f"{plan.backward.qualified} (line {plan.backward.line}) has arguments that were not recognised."
    if not run.gradients and "backward" not in run.failed:
        return f"{plan.backward.qualified} (line {plan.backward.line}) ran, but gave no gradients that were recognised."
    return None


def _nothing_found(found: Inventory, remarks: list[str], source: Source) -> str:
    names = [function.qualified for function in found.all() if not function.name.startswith("__")]
    has = f"It has {', '.join(names[:8])}{' …' if len(names) > 8 else ''}." if names else "It defines no functions."
    first = f" {remarks[0]}" if remarks else ""
    return f"No forward and backward pass was recognised in {source.path.name}. {has}{first}"


if __name__ == "__main__":
    main()
