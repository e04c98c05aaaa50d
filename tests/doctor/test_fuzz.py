"""A thousand damaged or unrelated files: the doctor says in a sentence what is wrong, in time, and believes nobody.

CHAINRULE_FUZZ is the number of files, up to 1,000; `make fuzz` takes all. Every file is judged through the command, in
processes that go on from one file to the next.
"""

import contextlib
import io
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from chainrule.cli import main
from chainrule.diagnosis.many import Lost, side_by_side
from doctor.damaged import damaged
from doctor.test_corpus import truth

FILES = min(1000, int(os.environ.get("CHAINRULE_FUZZ", "24")))
SHARES = 8  # files are dealt out to so many tests, which run side by side
LIMIT = 3  # seconds for the code of one file
PATIENCE = 40  # seconds for all that the doctor does with one file, on a busy machine


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


def checked(path: Path) -> Answer:
    os.chdir(path.parent)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(["check", str(path), "--time-limit", str(LIMIT)])
        except SystemExit as leaving:
            code = -1 if leaving.code is None else int(leaving.code)
    return Answer(code, out.getvalue(), err.getvalue())


@pytest.mark.fuzz
@pytest.mark.parametrize("share", range(SHARES))
def test_damaged_files_end_in_a_sentence(share: int, tmp_path: Path) -> None:
    files = [damaged(number) for number in range(share, FILES, SHARES)]
    answers = side_by_side(checked, [file.write(tmp_path) for file in files], jobs=1, deadline=PATIENCE)
    for number, answer in answers:
        file = files[number]
        assert not isinstance(answer, Lost), f"{file.name}: {answer}"
        text = answer.out + answer.err
        assert answer.code in (0, 1, 2), f"{file.name}: exit {answer.code}\n{text}"
        assert len(text.split()) >= 3, f"{file.name}: nothing is said"
        assert "Traceback" not in text, f"{file.name}:\n{text}"
        if answer.code == 0:
            assert file.style is not None, f"{file.name} is called right:\n{text}"
            found = truth(file.style.name, file.code) if file.code else "fails"
            assert found != "wrong", f"{file.name} is called right, but is not:\n{text}"
