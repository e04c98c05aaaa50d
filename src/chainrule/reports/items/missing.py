"""What a page says in the place of what a run did not record."""

from chainrule.reports.document import Prose


def missing(id: str, title: str, sentence: str) -> Prose:
    """One sentence in place of a figure or a table."""
    return Prose([sentence], id=id, title=title)


def setting(name: str, value: str = "true") -> str:
    """How a setting is given, in a file and as a flag."""
    section, _, key = name.rpartition(".")
    flag = "--" + key.replace("_", "-")
    given = f"{flag} {value.capitalize() if value in ('true', 'false') else value}"
    return f"`{key} = {value}` under [{section}], or {given} on the command line"
