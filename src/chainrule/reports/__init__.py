"""Reports: one self-contained HTML file from run folders alone, and its figures as files of their own."""

from chainrule.reports.document import Figure, Formula, Item, Link, Prose, Report, Section, Table, Text, page, write

__all__ = ["Figure", "Formula", "Item", "Link", "Prose", "Report", "Section", "Table", "Text", "page", "write"]
