"""The page of derivations says what the program prints now."""

import importlib.util
import re
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "docs" / "derivations.py"


def test_the_page_is_what_the_program_prints():
    spec = importlib.util.spec_from_file_location("derivations", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def stable(text):
        """Without what rounding decides, which differs from machine to machine."""
        return re.sub(r"1e-\d+\.|is -?[\d.]+, but central differences give -?[\d.]+", "…", " ".join(text.split()))

    written = module.PAGE.read_text(encoding="utf-8")
    assert stable(written) == stable(module.page()), "run: python docs/derivations.py"
    assert [line for line in written.splitlines() if len(line) > 125] == []
