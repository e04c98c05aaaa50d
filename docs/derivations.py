"""Writes docs/derivations.md: derivations as the program prints them; a test compares the page with the program.

python docs/derivations.py [--measure]
"""

import sys
import time
import timeit
from pathlib import Path

import chainrule as cr
from chainrule.algebra import check_claim

PAGE = Path(__file__).with_suffix(".md")

RESIDUAL = """\
z = W1 @ x + b1
h = sigmoid(z)
y = x + W2 @ h + b2
R = r @ h
S = sum((y - s)**2) / 2
E = R + S
"""
RESIDUAL_SHAPES = {"x": "N", "W1": "K,N", "b1": "K", "W2": "N,K", "b2": "N", "r": "K", "s": "N"}
PRINTED = "W1.T @ W2.T @ (y - s) * h * (1 - h) + (y - s) + W1.T @ r * h * (1 - h)"
SOFTMAX = "y = softmax(o)\nl = -log(y[2])\n"
NORMALISATION = """\
mu = mean(Z, axis=0)
v = var(Z, axis=0)
N = (Z - mu) / sqrt(v + 1e-05)
U = gamma * N + beta
E = sum(U * G)
"""
THREE_LAYERS = """\
A1 = tanh(X @ W1)
A2 = tanh(A1 @ W2)
A3 = tanh(A2 @ W3)
E = sum((A3 - T)**2) / (2 * m)
"""
RIDGE = "E = sum((X @ w - y)**2) / (2 * N) + lam / 2 * sum(w**2)\n"
LOGISTIC = "p = sigmoid(X @ w)\nE = -mean(y * log(p) + (1 - y) * log(1 - p))\n"


def page() -> str:
    """The whole page."""
    return "\n\n".join([_INTRODUCTION, *_sections(), _TIMES, _LIMITS]) + "\n"


def _sections() -> list[str]:
    residual = cr.derive(RESIDUAL, "x", RESIDUAL_SHAPES)
    everything = cr.derive(RESIDUAL, list(RESIDUAL_SHAPES), RESIDUAL_SHAPES)
    network = cr.Network([512, 64, 10], activation="relu")
    tanh_shapes = {"X": "d,m", "W1": "h,d", "W2": "K,h"}
    sympy = cr.derive("E = sum(tanh(W2 @ tanh(W1 @ X)))", ["W1", "W2"], tanh_shapes)
    three = cr.derive(
        THREE_LAYERS, ["W1", "W2", "W3"], {"X": "m,d", "W1": "d,h1", "W2": "h1,h2", "W3": "h2,K", "T": "m,K"}
    )
    ridge = cr.derive(RIDGE, "w", {"X": "N,D", "w": "D", "y": "N", "lam": ()})
    logistic = cr.derive(LOGISTIC, "w", {"X": "N,D", "w": "D", "y": "N"})
    product = cr.derive(logistic.source + "\nq = dw @ v", "w", {"v": "D"})
    normal = cr.derive(NORMALISATION, ["Z", "gamma", "beta"], {"Z": "m,h", "gamma": "h", "beta": "h", "G": "m,h"})
    return [
        _section("A residual block by its input", _RESIDUAL_WORDS, RESIDUAL, residual.text()),
        _section("The same by every name", "", "", _gradients(everything)),
        _rejected(),
        _section("Two layers, ReLU, softmax: rows are samples", _NETWORK_WORDS, "", cr.derivation(network).text()),
        _section(
            "The same network, columns are samples",
            '`cr.derivation(net, layout="column")`; the gradients alone:',
            "",
            _gradients(cr.derivation(network, layout="column")),
        ),
        _section("Softmax and the logarithm of one class", _SOFTMAX_WORDS, SOFTMAX, _softmax()),
        _section("Batch normalisation", _NORMALISATION_WORDS, NORMALISATION, _gradients(normal)),
        _section("Two tanh layers", _SYMPY_WORDS, "", _gradients(sympy)),
        _section("Three tanh layers", "", THREE_LAYERS, _gradients(three)),
        _section("Ridge regression", "", RIDGE, _gradients(ridge)),
        _section(
            "Logistic regression, and its Hessian times a vector", _LOGISTIC_WORDS, LOGISTIC, _gradients(logistic)
        ),
        _fenced(_gradients(product)),
        _errors(),
    ]


def _section(heading: str, words: str, source: str, printed: str) -> str:
    parts = [f"## {heading}"] + ([words] if words else []) + ([_fenced(source, "python")] if source else [])
    return "\n\n".join([*parts, _fenced(printed)])


def _fenced(text: str, language: str = "") -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def _gradients(d: cr.algebra.Derivation) -> str:
    """The equations of the gradients, in the order in which they are computed, as Python writes them."""
    from chainrule.algebra.source import source

    return "\n".join(f"{line.name} = {source(line.expression)}" for line in d.lines)


def _softmax() -> str:
    return cr.derive(SOFTMAX, "o", {"o": "K"}).text()


def _rejected() -> str:
    claim = check_claim(RESIDUAL, "x", PRINTED, RESIDUAL_SHAPES)
    return "\n\n".join(["## A printed formula, refused", _REJECTED_WORDS, _fenced(str(claim))])


def _errors() -> str:
    shapes = {"W": "K,N", "x": "N", "u": "M"}
    sources = ["E = sum(W @ u)", "E = sumn(x)", "x = x + 1", "E = __import__('os')", "E = sum(relu(diag(x)))"]
    messages = []
    for text in sources:
        try:
            cr.derive(text, "x", shapes)
        except cr.errors.InputError as error:
            lines = [line if len(line) <= 110 else line[:107] + "…" for line in str(error).splitlines()]
            messages.append("\n".join([f">>> {text}", *lines]))
    return "\n\n".join(["## What is refused", _ERROR_WORDS, _fenced("\n\n".join(messages))])


_INTRODUCTION = """\
# Derivations

This page is written by `python docs/derivations.py`, and a test compares it with what the program prints.

```python
import chainrule as cr

d = cr.derive("E = sum((W @ x - y)**2) / 2", wrt="x", shapes={"W": "K,N", "x": "N", "y": "K"})
print(d)                        # text; also d.markdown(), d.latex(), d.html()
d.result.source                 # "W.T @ q1"
d.evaluate({"W": W, "x": x, "y": y})
cr.derivation(net)              # of a whole network
```

**The language** is Python's syntax, read from its syntax tree and never evaluated. A line names a result, the last
line is what is differentiated, shapes are given beside the text or declared in it (`x: N`, `W: K,N`, `rate: ()`).
Functions bear NumPy's and SciPy's names, arguments and meaning:

| | |
|---|---|
| operators | `+ - * / ** @ .T`, comparisons as 0 or 1, slices and places `x[1:N-1]`, `X[:, None]` |
| sums | `sum mean var linalg.norm logsumexp softmax`, each with `axis` and `keepdims` where NumPy has them; `trace` |
| parts | `concatenate pad outer diag eye ones zeros broadcast_to where` |
| entry by entry | `exp log sqrt abs sin cos sinh cosh expm1 log1p square sign power maximum minimum`, activations |
| losses | `cross_entropy(A, T)`: −(1/m) Σ t ln a |

**How it works.** Every line is written in index notation, one entry as a sum of products over named indices. The
product rule gives local derivatives with Kronecker deltas; ∂E/∂V is the sum over all users Y of V of ∂E/∂Y ∂Y/∂V;
sums with a delta are carried out; what remains is put back into matrices.

**Nothing is printed that was not compared.** Each gradient, in index notation, in matrices and in full, and each
local derivative, is held against central differences in float64 at two random points with sizes of their own that
are pairwise different. What fails is refused with a report: which entry, what the formula says, what the
differences say.

**Deriving twice**: `d.source` is a text in the language, equations and gradients, to go on from;
`cr.derive(d, wrt="w")` differentiates the gradient.

**From the command line**

```
chainrule derive examples/derive/residual.txt --wrt x
chainrule derive examples/derive/residual.txt --wrt x W1 --output residual.html   # also .md .tex .json .svg .dot
chainrule derive "E = sum((W @ x - y)**2)" --shapes W:K,N x:N y:K --wrt W         # - is standard input
chainrule derive 784-300-10 --activation sigmoid --layout column                  # a network; a run's folder does, too
chainrule derive examples/derive/residual.txt --wrt x --claim "y - s"             # is this ∂E/∂x?
```

A file holds what a text holds, its shapes in lines of their own; every file of `examples/derive/` names its command in
the first line. The exit code is 1 where verification refuses, and 2 for bad input.

**The graph** of a derivation stands in all its pages, and is `d.graph()`: boxes for values with their shapes, circles
for operations, `d.graph().svg(backward=True)` with arrows back and the local derivatives beside them. At arrays for the
inputs, `d.graph(values)` has numbers and norms."""

_RESIDUAL_WORDS = "ITU Lahore's exercise: ∂E/∂x, with x used twice."
_REJECTED_WORDS = """\
What report 003 prints for this exercise has no meaning where N and K differ, and wrong numbers where they agree; only
N = K = 1 would hide it. With `--wrt x --claim examples/derive/residual_report.txt`, or `cr.algebra.check_claim`:"""
_NETWORK_WORDS = """\
`cr.derivation(cr.Network([512, 64, 10], activation="relu"))`: the network of the CIFAR-10 exercise, with the cases
of softmax and cross-entropy, and why a − t is what remains."""
_SOFTMAX_WORDS = "VU Amsterdam's first question: both local derivatives and their product, for the class with number 2."
_NORMALISATION_WORDS = """\
The batch's mean and variance depend on Z too. `cr.derivation` of a network also prints the condensed form,
(dN − mean(dN) − N ∘ mean(dN ∘ N)) / √(v + ε), and proves that it is the same."""
_SYMPY_WORDS = """\
`E = sum(tanh(W2 @ tanh(W1 @ X)))`, where SymPy's matrix derivatives go wrong: both elementwise factors keep their
place."""
_LOGISTIC_WORDS = """\
The fractions of the logarithms cancel: p − y. Appending `q = dw @ v` to `d.source` and deriving once more by w
gives the Hessian times v (below)."""
_ERROR_WORDS = "An error says where, what, with both shapes, and how to mend it."
_TIMES = """\
## How long it takes

| derivation, verification and text included | seconds of processor time |
|---|---|
| `cr.derivation` of a five-layer network, 20–19–18–17–16–10 with L2 | 0.3 |
| a source of 100 lines, `a = relu(A @ a * 0.5 + x)` one after the other | 2.2 |
| ∂E/∂x of the residual block | 0.02 |

`python docs/derivations.py --measure` on one core of an AMD EPYC; the best of three."""
_LIMITS = """\
## Limits

Numbers, vectors and matrices, of at most 5,000 entries where sizes are numbers (write symbols for large ones); a
derivative with more axes is given entry by entry and has no matrix form. A source has at most 20,000 characters and
an expression 60 levels. At a kink (ReLU at 0) the formula takes one side, and the derivation names the place. A
rule of one's own is differentiated once; its second derivative is not known."""


def measured() -> dict[str, float]:
    """Seconds of processor time of the derivations in the table, the best of three."""
    net = cr.Network([20, 19, 18, 17, 16, 10], activation=["tanh", "relu", "sigmoid", "gelu"])
    lines = [f"a{at} = relu(A @ a{at - 1} * 0.5 + x)" for at in range(1, 100)]
    text = "\n".join(["a0 = x", *lines, "E = sum(a99**2)"])
    cases = {
        "five layers": lambda: cr.derivation(net, l2=0.01).text(),
        "100 lines": lambda: cr.derive(text, "x", {"x": "N", "A": "N,N"}).text(),
        "residual block": lambda: cr.derive(RESIDUAL, "x", RESIDUAL_SHAPES).text(),
    }
    return {name: min(timeit.repeat(case, timer=time.process_time, number=1, repeat=3)) for name, case in cases.items()}


if __name__ == "__main__":
    if "--measure" in sys.argv:
        print("\n".join(f"{name}: {seconds:.2f} s" for name, seconds in measured().items()))
    else:
        PAGE.write_text(page(), encoding="utf-8")
        print(f"{PAGE}: {len(page().splitlines())} lines")
