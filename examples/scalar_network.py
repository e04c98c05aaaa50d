"""The 2–3–2 network of a course's table, one number at a time: python examples/scalar_network.py [picture.svg]"""

import sys
from pathlib import Path

from chainrule.graphs import graph
from chainrule.scalar import MLP, Value

# A value that is used twice collects what comes along both ways.
a = Value(3.0, "a")
b = a + a
c = b + b
c.backward()
print(f"c = {c.number:g}, ∂c/∂a = {a.gradient:g}\n")

model = MLP({"W1": [[1, 1, 1], [-1, -1, -1]], "b1": [0, 0, 0], "W2": [[1, 1], [-1, -1], [-1, -1]], "b2": [0, 0]})
loss = model.loss([[1, -1]], [[1, 0]])
loss.backward()
print(loss.tape())
if len(sys.argv) > 1:
    Path(sys.argv[1]).write_text(graph(loss).svg(backward=True), encoding="utf-8")
