"""Random programs of the language, drawn by hypothesis: nested products, functions, reductions, shared lines."""

from hypothesis import strategies as st

INPUTS = {
    "A": ("M", "N"),
    "B": ("N", "K"),
    "C": ("M", "K"),
    "S": ("N", "N"),
    "u": ("M",),
    "v": ("N",),
    "w": ("K",),
    "c": (),
}
SYMBOLS = ("M", "N", "K")
FUNCTIONS = (
    "tanh", "sigmoid", "exp", "sin", "cos", "square", "abs", "relu", "gelu", "swish", "softplus", "elu", "leaky_relu",
)  # fmt: skip


@st.composite
def programs(draw):
    """A source that ends in a scalar E, of which every input of INPUTS may occur."""
    known = dict(INPUTS)
    lines = []
    for number in range(draw(st.integers(0, 3))):
        shape = draw(st.sampled_from([("M", "N"), ("N", "K"), ("K", "M"), ("N",), ("K",), ("M",), ()]))
        lines.append(f"t{number} = {expression(draw, shape, 2, known)}")
        known[f"t{number}"] = shape
    matrix, scalar = expression(draw, ("M", "K"), 3, known), expression(draw, (), 3, known)
    return "\n".join([*lines, f"E = sum({matrix}) + {scalar}"])


def expression(draw, shape, depth, known):
    """An expression of this shape."""
    fitting = [name for name, its in known.items() if its == shape]
    if fitting and (depth <= 0 or draw(st.integers(0, 9)) == 0):
        return draw(st.sampled_from(fitting))

    def part(shape):
        return expression(draw, shape, depth - 1, known)

    if depth <= 0:
        return f"outer({part(shape[:1])}, {part(shape[1:])})"
    f, s, r = draw(st.sampled_from(FUNCTIONS)), draw(st.sampled_from(SYMBOLS)), draw(st.sampled_from(SYMBOLS))
    forms = [
        lambda: f"({part(shape)} + {part(shape)})",
        lambda: f"({part(shape)} * {part(shape)})",
        lambda: f"{f}({part(shape)})",
        lambda: f"({part(shape)} / (1.5 + {part(shape)}**2))",
        lambda: f"(-0.5 * {part(shape)})",
    ]
    if len(shape) == 2:
        a, b = shape
        forms += [
            lambda: f"({part((a, s))} @ {part((s, b))})",
            lambda: f"({part((a, s))} @ {part((s, b))})",
            lambda: f"{part((b, a))}.T",
            lambda: f"({part(shape)} - {part((b,))})",
            lambda: f"({part(shape)} * {part((a,))}[:, None])",
            lambda: f"outer({part((a,))}, {part((b,))})",
            lambda: f"softmax({part(shape)}, axis={draw(st.integers(0, 1))})",
            lambda: f"({part(shape)} - mean({part(shape)}, axis=0))",
            lambda: f"({part(shape)} * sum({part(shape)}, axis=1, keepdims=True))",
        ]
        forms += [lambda: f"diag({part((a,))})"] if a == b else []
    elif len(shape) == 1:
        (a,) = shape
        forms += [
            lambda: f"({part((a, s))} @ {part((s,))})",
            lambda: f"({part((s,))} @ {part((s, a))})",
            lambda: f"sum({part((a, s))}, axis=1)",
            lambda: f"mean({part((s, a))}, axis=0)",
            lambda: f"softmax({part(shape)})",
            lambda: f"logsumexp({part((a, s))}, axis=1)",
            lambda: f"diag({part((a, a))})",
            lambda: f"linalg.norm({part((s, a))} + 0.1, axis=0)",
            lambda: f"concatenate(({part(shape)}[1:], {part(shape)}[:1]))",
            lambda: f"{part((a, s))}[:, 1]",
        ]
    else:
        forms += [
            lambda: f"sum({part((s, r))})",
            lambda: f"mean({part((s, r))})",
            lambda: f"({part((s,))} @ {part((s,))})",
            lambda: f"trace({part((s, s))})",
            lambda: f"linalg.norm({part((s, r))})",
            lambda: f"logsumexp({part((s,))})",
            lambda: f"{part((s,))}[0]",
        ]
    return forms[draw(st.integers(0, len(forms) - 1))]()
