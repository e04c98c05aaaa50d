"""What a page says in the place of what a run did not record."""

from chainrule.reports.document import Prose


def missing(id: str, title: str, sentence: str) -> Prose:
    """One sentence in place of a figure or a table."""
    return Prose([sentence], id=id, title=title)


def setting(name: str, value: object = True) -> str:
    """A setting as one gives it, in a file and as a flag."""
    section, _, key = name.rpartition(".")
    flag = "--" + key.replace("_", "-")
    in_file, as_flag = ("true", flag) if value is True else (str(value), f"{flag} {value}")
    return f"{key} = {in_file} under [{section}], or {as_flag},"
