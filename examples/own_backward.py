"""Check a backward pass of one's own, and see what a mistake in it looks like: python examples/own_backward.py"""

from typing import Any

import numpy as np

import chainrule as cr

rng = np.random.default_rng(0)
X, T = rng.normal(size=(7, 3)), np.eye(4)[rng.integers(4, size=7)]
parameters = {"W1": rng.normal(size=(3, 5)), "b1": rng.normal(size=5), "W2": rng.normal(size=(5, 4)), "b2": np.zeros(4)}


def forward(P: dict[str, Any]) -> tuple[Any, Any]:
    A1 = np.tanh(X @ P["W1"] + P["b1"])
    e = np.exp(A1 @ P["W2"] + P["b2"])
    return A1, e / e.sum(axis=1, keepdims=True)


def loss(P: dict[str, Any]) -> float:
    return float(-(T * np.log(forward(P)[1])).sum() / len(X))


def gradient(P: dict[str, Any]) -> dict[str, Any]:
    A1, A2 = forward(P)
    dZ2 = (A2 - T) / len(X)
    dZ1 = dZ2 @ P["W2"].T * (1 - A1**2)
    return {"W1": X.T @ dZ1, "b1": dZ1.sum(axis=0), "W2": A1.T @ dZ2, "b2": dZ2.sum(axis=0)}


def wrong(P: dict[str, Any]) -> dict[str, Any]:
    """tanh′ taken of the activation: 1 − tanh(a)² in place of 1 − a²."""
    A1, A2 = forward(P)
    dZ2 = (A2 - T) / len(X)
    dZ1 = dZ2 @ P["W2"].T * (1 - np.tanh(A1) ** 2)
    return {"W1": X.T @ dZ1, "b1": dZ1.sum(axis=0), "W2": A1.T @ dZ2, "b2": dZ2.sum(axis=0)}


if __name__ == "__main__":
    for backward in (gradient, wrong):
        report = cr.check_function(loss, backward, parameters)
        print(report, end="\n\n")
