# Two layer network, columns are samples. tanh in the hidden layer, sigmoid outputs.
import numpy as np


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def forward(W1, b1, W2, b2, X):
    Z1 = W1 @ X + b1
    A1 = np.tanh(Z1)
    Z2 = W2 @ A1 + b2
    #! bias-missing Z2: Z2 = W2 @ A1
    A2 = sigmoid(Z2)
    return A2, (Z1, A1, Z2, A2)


def loss(A2, Y):
    m = Y.shape[1]
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    #! loss-sign loss: return np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    #! other-loss loss: return -np.sum(Y * np.log(A2)) / m
    #! other-loss loss: return np.sum((A2 - Y) ** 2) / (2 * m)
    #! loss-scale loss: return -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))


def backward(W1, b1, W2, b2, X, Y, cache):
    Z1, A1, Z2, A2 = cache
    m = X.shape[1]
    dZ2 = (A2 - Y) / m
    #! right: dZ2 = ((1 - Y) / (1 - A2) - Y / A2) * A2 * (1 - A2) / m
    #! sign dZ2: dZ2 = (Y - A2) / m
    #! missing-mean dZ2: dZ2 = (A2 - Y)
    #! double-mean dZ2: dZ2 = (A2 - Y) / m**2
    #! constant-factor dZ2: dZ2 = 2 * (A2 - Y) / m
    #! other-loss|wrong-derivative dZ2: dZ2 = (A2 - Y) * A2 * (1 - A2) / m
    #! missing-term|other-loss dZ2: dZ2 = -Y * (1 - A2) / m
    #! wrong-operand dZ2: dZ2 = (A2 - Z2) / m
    dW2 = dZ2 @ A1.T
    #! transposed dW2: dW2 = A1 @ dZ2.T
    #! wrong-operand dW2: dW2 = dZ2 @ Z1.T
    #! double-mean dW2: dW2 = dZ2 @ A1.T / m
    db2 = dZ2.sum(axis=1).reshape(-1, 1)
    #! right: db2 = dZ2 @ np.ones((m, 1))
    #! collapsed-scalar db2: db2 = dZ2.sum()
    #! wrong-axis|summed-over-classes db2: db2 = dZ2.sum(axis=0, keepdims=True)
    dA1 = W2.T @ dZ2
    #! updated-weights dA1: W2 = W2 - 0.05 * dW2; dA1 = W2.T @ dZ2
    #! wrong-operand dA1: dA1 = dW2.T @ dZ2
    #! sign dA1: dA1 = -W2.T @ dZ2
    dZ1 = dA1 * (1 - A1**2)
    #! right: dZ1 = dA1 / np.cosh(Z1) ** 2
    #! derivative-of-activation dZ1: dZ1 = dA1 * (1 - np.tanh(A1) ** 2)
    #! wrong-operand|wrong-derivative dZ1: dZ1 = dA1 * (1 - Z1**2)
    #! wrong-derivative dZ1: dZ1 = dA1 * (1 - A1)
    #! wrong-derivative dZ1: dZ1 = dA1 * A1 * (1 - A1)
    #! wrong-derivative dZ1: dZ1 = dA1 * (Z1 > 0)
    #! wrong-derivative dZ1: dZ1 = dA1 * (1 + A1**2)
    #! mask-missing|wrong-derivative dZ1: dZ1 = dA1
    dW1 = dZ1 @ X.T
    #! transposed dW1: dW1 = X @ dZ1.T
    #! missing-mean dW1: dW1 = dZ1 @ X.T * m
    #! wrong-operand|mask-missing dW1: dW1 = dA1 @ X.T
    #! permuted-rows dW1: dW1 = np.roll(dZ1, 1, axis=0) @ X.T
    db1 = dZ1.sum(axis=1).reshape(-1, 1)
    #! collapsed-scalar db1: db1 = dZ1.sum()
    #! double-mean db1: db1 = dZ1.mean(axis=1).reshape(-1, 1)
    #! wrong-operand|mask-missing db1: db1 = dA1.sum(axis=1).reshape(-1, 1)
    #! sign db1: db1 = -dZ1.sum(axis=1).reshape(-1, 1)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
