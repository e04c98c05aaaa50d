# Of report 002: the loss is a mean over the batch, but all four gradients are sums, e.g. db2 = Σ (A2 − Y).
import numpy as np


def relu(Z):
    return np.maximum(0, Z)


def softmax(Z):
    E = np.exp(Z - np.max(Z, axis=0))
    return E / np.sum(E, axis=0)


def forward_propagation(X, param):
    Z1 = np.dot(param["W1"], X) + param["b1"]
    A1 = relu(Z1)
    Z2 = np.dot(param["W2"], A1) + param["b2"]
    A2 = softmax(Z2)
    return A2, {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}


def compute_loss(A2, Y):
    m = Y.shape[1]
    return -np.sum(Y * np.log(A2)) / m


def backward_propagation(X, Y, param, cache):
    dZ2 = cache["A2"] - Y
    dW2 = np.dot(dZ2, cache["A1"].T)
    db2 = np.sum(dZ2, axis=1, keepdims=True)
    d = np.where(cache["Z1"] >= 0, 1, 0)
    dZ1 = np.dot(param["W2"].T, dZ2) * d
    dW1 = np.dot(dZ1, X.T)
    db1 = np.sum(dZ1, axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
