"""What is wrong with somebody's own back-propagation: it is run, watched, and compared with the right quantities."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chainrule.diagnosis.report import Diagnosis


def diagnose_file(path: Path | str, time_limit: float = 10.0) -> "Diagnosis":
    """Run a Python file or notebook in a process of its own and say what is wrong with its gradients.

    path         of the code; it is run, with a time limit of `time_limit` seconds (`chainrule.diagnosis.child`)

    Nothing that the code does is raised: the verdict is then "not run", with a sentence that says why.
    """
    from chainrule.diagnosis.child import take_in
    from chainrule.diagnosis.diagnosing import diagnose_intake

    return diagnose_intake(take_in(Path(path), time_limit))
