"""Matrix expressions with shapes: read, differentiated step by step, proven, and printed."""

from chainrule.algebra.claims import Claim, check_claim, check_formula
from chainrule.algebra.deriving import Derivation, Gradient, derive
from chainrule.algebra.language import read
from chainrule.algebra.networks import derivation
from chainrule.algebra.points import NotDifferentiableError
from chainrule.algebra.program import Line, Program
from chainrule.algebra.sizes import Size
from chainrule.algebra.steps import Equation, Step
from chainrule.algebra.tree import ExpressionError, Node
from chainrule.algebra.verify import Check, UnverifiedError

__all__ = [
    "Check",
    "Claim",
    "Derivation",
    "Equation",
    "ExpressionError",
    "Gradient",
    "Line",
    "Node",
    "NotDifferentiableError",
    "Program",
    "Size",
    "Step",
    "UnverifiedError",
    "check_claim",
    "check_formula",
    "derivation",
    "derive",
    "read",
]
