"""What docs/reports.md shows runs as it stands there."""

import re
from pathlib import Path

from chainrule.cli import COMMANDS
from chainrule.reports import items

PAGE = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")


def test_the_example_writes_the_page_that_it_announces(bare_run, tmp_path, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "digits-0123456789").symlink_to(bare_run.path)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "docs/reports.md", "exec"), {})
    assert (tmp_path / "page" / "report.html").is_file()
    assert (tmp_path / "page" / "figures" / "confusions.svg").is_file()


def test_the_recordings_that_it_names_are_settings_of_training():
    from chainrule.runs.config import TrainingSettings

    named = set(re.findall(r"\| `(\w+)`", PAGE)) | set(re.findall(r"with `(\w+)`", PAGE))
    assert named >= {"snapshots", "record_samples", "record_batches", "record_layers", "monitor_test"}
    assert named <= set(TrainingSettings.__dataclass_fields__)


def test_every_item_is_public_and_the_command_is_listed():
    assert "report" in COMMANDS
    assert all(callable(getattr(items, name)) for name in items.__all__ if name != "Runs")
