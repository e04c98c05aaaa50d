"""Steps on a page: plain text, Markdown, a LaTeX document and HTML with MathML; long formulas in several rows."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from textwrap import wrap

from chainrule.algebra.formulas import Formula, Glyph, broken, row, width_in_print
from chainrule.algebra.latex import latex
from chainrule.algebra.latex import text as latex_text
from chainrule.algebra.mathml import mathml
from chainrule.algebra.plain import plain
from chainrule.algebra.sizes import shape_text
from chainrule.algebra.steps import Step
from chainrule.graphs import Graph

TEXT_WIDTH = 96  # characters of a line of plain text
PAGE_WIDTH = 62  # characters of a formula that fits a printed page
LONGEST_TREE = 100  # lines of a graph in text
GRAPH = "Graph"  # the heading under which it is drawn


@dataclass(frozen=True)
class Section:
    """A heading, words, and blocks of equations."""

    heading: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Document:
    """A title, a paragraph that says how to read it, sections, and the graph that belongs to the one of that name."""

    title: str
    preface: str
    sections: tuple[Section, ...]
    graph: Graph


_HEADINGS = {
    "Forward": "Equations",
    "Graph": GRAPH,
    "Local derivatives": "Local derivatives",
    "Chain rule": "Chain rule",
    "Result": "Result",
    "Verified": "Verified",
}


def document(title: str, preface: str, steps: Sequence[Step], graph: Graph) -> Document:
    """The steps under their headings, in their order."""
    sections = [
        Section(_HEADINGS.get(heading, heading), tuple(group)) for heading, group in groupby(steps, lambda s: s.section)
    ]
    return Document(title, preface, tuple(sections), graph)


def _tree(graph: Graph) -> list[str]:
    """The graph for where there are no pictures."""
    lines = graph.tree(most_lines=LONGEST_TREE).split("\n")
    return [line if len(line) <= TEXT_WIDTH else line[: TEXT_WIDTH - 1] + "…" for line in lines]


def to_text(page: Document) -> str:
    """Plain Unicode, at most TEXT_WIDTH characters a line wherever a formula can be broken."""
    lines = [page.title, "=" * len(page.title), "", *_wrapped(page.preface)]
    for section in page.sections:
        lines += ["", section.heading, "-" * len(section.heading)]
        for block in _blocks(section.steps):
            lines += _text_block(block)
        if section.heading == GRAPH:
            lines += ["", *(f"  {line}" for line in _tree(page.graph))]
    return "\n".join(lines) + "\n"


def _text_block(steps: list[Step]) -> Iterator[str]:
    """Steps of one chain under each other: the left side is written once."""
    previous: Formula | None = None
    for step in steps:
        if not step.equations or step.rule == "no dependence":
            yield from _wrapped(step.words)
        for equation in step.equations:
            left = plain(equation.left)
            head = " " * len(left) if equation.left == previous else left
            yield from _text_equation(head, plain(equation.sign).strip(), equation.right, step)
            previous = equation.left


def _text_equation(head: str, sign: str, right: Formula, step: Step) -> Iterator[str]:
    rows = [plain(part) for part in broken(right, TEXT_WIDTH - len(head) - 6, _width_in_text)]
    comment = _comment(step)
    for number, text in enumerate(rows):
        if number == 0:
            line = f"  {head} {sign} {text.strip()}"
            aside = f"{' ' * max(2, 62 - len(line))}({comment})" if comment and len(rows) == 1 else ""
            yield line + (aside if len(line + aside) <= TEXT_WIDTH + 4 else "")
        else:
            yield f"  {' ' * len(head)}   {text.strip()}"


def _width_in_text(formula: Formula) -> int:
    return len(plain(formula))


def _comment(step: Step) -> str:
    return {
        "equation": _shape(step),
        "local derivative": _shape(step),
        "chain rule": "chain rule",
        "substitution": "local derivatives inserted",
        "contraction": "δ contracted",
        "probabilities": "probabilities sum to one",
        "condensed": step.words,
        "case": step.words,
        "update": _shape(step),
        "matrix form": "in matrices",
        "result": _shape(step),
    }.get(step.rule, "")


def _shape(step: Step) -> str:
    return shape_text(step.shape).strip("()").removesuffix(",") if step.shape else ""


def _wrapped(words: str) -> list[str]:
    return [line for paragraph in words.split("\n") for line in (wrap(paragraph, TEXT_WIDTH) or [""])]


def _blocks(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """Steps about one name in the chain rule and the result stand together, equations and local derivatives all."""

    def together(step: Step) -> tuple[bool, str]:
        return bool(step.equations), step.of if step.section in ("Chain rule", "Result") else step.section

    for _, group in groupby(steps, together):
        yield list(group)


def _aligned(steps: list[Step]) -> list[tuple[Formula | None, Formula, str]]:
    """Rows of (left side or None, right side with its sign, comment): what LaTeX and MathML align at the sign."""
    rows: list[tuple[Formula | None, Formula, str]] = []
    previous: Formula | None = None
    for step in steps:
        for equation in step.equations:
            left = None if equation.left == previous else equation.left
            beside = width_in_print(equation.left)
            parts = broken(equation.right, max(PAGE_WIDTH - beside, 20), width_in_print)
            fits = beside + width_in_print(parts[-1]) + len(_comment(step)) <= PAGE_WIDTH + 12
            for number, part in enumerate(parts):
                comment = _comment(step) if fits and number == len(parts) - 1 else ""
                sign = equation.sign if number == 0 else _INDENT
                rows.append((left if number == 0 else None, row(sign, part), comment))
            previous = equation.left
    return rows


_INDENT = Glyph("  ", r"\quad", kind="space")


def latex_rows(steps: list[Step]) -> str:
    """The rows of an `aligned` or `align*` block."""
    return " \\\\\n".join(
        f"{latex(left) + ' ' if left is not None else ''}&{latex(right)}"
        + (rf" && \text{{\small {latex_text(comment)}}}" if comment else "")
        for left, right, comment in _aligned(steps)
    )


def to_markdown(page: Document) -> str:
    """Markdown with formulas between double dollar signs, as GitHub and notebooks show them."""
    lines = [f"# {page.title}", "", page.preface.replace("\n", "\n\n")]
    for section in page.sections:
        lines += ["", f"## {section.heading}"]
        for block in _blocks(section.steps):
            words = _words(block)
            if words:
                lines += ["", words]
            if any(step.equations for step in block):
                lines += ["", "$$", "\\begin{aligned}", latex_rows(block), "\\end{aligned}", "$$"]
        if section.heading == GRAPH:
            lines += ["", "```", *_tree(page.graph), "```"]
    return "\n".join(lines) + "\n"


def _words(block: list[Step]) -> str:
    """What is said before a block: for a chain the sentence on its paths, else each step's own words."""
    if block[0].section == "Chain rule":
        return f"{block[0].words}." if block[0].rule == "chain rule" else ""
    if not block[0].equations or block[0].rule == "no dependence" or (block[0].shape and len(block[0].shape) > 2):
        said = [step.words for step in block if not step.equations or block[0].section == "Result"]
        return "\n".join(said)
    return ""


def to_latex(page: Document) -> str:
    """A document of its own for pdfLaTeX, with amsmath and nothing else."""
    body: list[str] = []
    for section in page.sections:
        body.append(rf"\section*{{{latex_text(section.heading)}}}")
        for block in _blocks(section.steps):
            words = _words(block)
            if words:
                body.append(rf"\noindent {latex_text(words)}\par")
            if any(step.equations for step in block):
                body.append("\\begin{align*}\n" + latex_rows(block) + "\n\\end{align*}")
    return _LATEX.format(title=latex_text(page.title), preface=latex_text(page.preface), body="\n".join(body))


_LATEX = r"""\documentclass[11pt]{{article}}
\usepackage{{amsmath}}
\setlength{{\textwidth}}{{165mm}}
\setlength{{\oddsidemargin}}{{-3mm}}
\setlength{{\topmargin}}{{-15mm}}
\setlength{{\textheight}}{{235mm}}
\setlength{{\parskip}}{{3pt}}
\allowdisplaybreaks
\title{{{title}}}
\author{{}}
\date{{}}
\begin{{document}}
\maketitle
\noindent {preface}
{body}
\end{{document}}
"""


def to_html(page: Document) -> str:
    """A page of its own."""
    return _HTML.format(title=escape(page.title), body=html_fragment(page))


def html_fragment(page: Document, *, heading: int = 1, graph: bool = True) -> str:
    """The page without its head, for a notebook or another page; `heading` is the level of its title."""
    title, below = f"h{heading}", f"h{heading + 1}"
    parts = [f"<{title}>{escape(page.title)}</{title}>", f"<p>{escape(page.preface)}</p>"]
    for section in page.sections:
        if section.heading == GRAPH and not graph:
            continue
        parts.append(f"<{below}>{escape(section.heading)}</{below}>")
        for block in _blocks(section.steps):
            words = _words(block)
            if words:
                parts.append(f"<p>{escape(words)}</p>")
            if any(step.equations for step in block):
                parts.append(_math(block))
        if section.heading == GRAPH:
            parts.append(f'<div class="graph">\n{page.graph._repr_html_()}</div>')
    return '<article class="derivation">\n' + "\n".join(parts) + "\n</article>"


def _math(block: list[Step]) -> str:
    rows = "".join(
        f'<mtr><mtd style="text-align: right">{mathml(left) if left is not None else ""}</mtd>'
        f'<mtd style="text-align: left">{mathml(right)}</mtd>'
        f'<mtd style="text-align: left" class="comment">{_remark(comment)}</mtd></mtr>'
        for left, right, comment in _aligned(block)
    )
    return f'<div class="formulas"><math display="block"><mtable displaystyle="true">{rows}</mtable></math></div>'


def _remark(comment: str) -> str:
    return f"<mtext>{escape(comment)}</mtext>" if comment else ""


_HTML = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font-family: Georgia, serif; line-height: 1.45; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.5rem; }}
h2 {{ font-size: 1.15rem; border-bottom: 1px solid #ccc; margin-top: 2rem; }}
.formulas {{ overflow-x: auto; overflow-y: hidden; margin: 0.6rem 0; }}
.graph svg {{ max-width: 100%; height: auto; }}
mtd {{ padding: 0.2rem 0.15rem; }}
.comment {{ color: #666; font-size: 0.85em; padding-left: 1.5rem; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""
