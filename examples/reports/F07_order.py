# Of reports 001 and 002: dW2 = (a2 − y)·a1 and dW1 = (a2 − y)·W2·D·x, factors in the printed order, not transposed.
import numpy as np


def softmax(z):
    e = np.exp(z - z.max(axis=0, keepdims=True))
    return e / e.sum(axis=0, keepdims=True)


def forward(X, params):
    z1 = params["W1"] @ X + params["b1"]
    a1 = np.maximum(0, z1)
    z2 = params["W2"] @ a1 + params["b2"]
    a2 = softmax(z2)
    return a2, {"z1": z1, "a1": a1, "z2": z2, "a2": a2}


def cross_entropy(a2, Y):
    return -np.sum(Y * np.log(a2)) / Y.shape[1]


def backward(X, Y, params, cache):
    m = X.shape[1]
    dz2 = (cache["a2"] - Y) / m
    dW2 = cache["a1"] @ dz2.T
    db2 = dz2.sum(axis=1, keepdims=True)
    dz1 = (params["W2"].T @ dz2) * (cache["z1"] > 0)
    dW1 = X @ dz1.T
    db1 = dz1.sum(axis=1, keepdims=True)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
