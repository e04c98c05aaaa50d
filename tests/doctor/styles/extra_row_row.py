# The bias is the first row of each weight matrix; a one is put before every sample.
import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
    #! softmax-axis A2: return e / e.sum(axis=0)


def add_ones(A):
    return np.hstack([np.ones((A.shape[0], 1)), A])


def forward(X, W1, W2):
    A0 = add_ones(X)
    Z1 = A0 @ W1
    A1 = add_ones(sigmoid(Z1))
    Z2 = A1 @ W2
    A2 = softmax(Z2)
    return A2, (A0, Z1, A1, Z2)


def loss(A2, Y):
    return -(Y * np.log(A2)).sum() / len(Y)
    #! loss-sign loss: return (Y * np.log(A2)).sum() / len(Y)
    #! loss-scale|double-mean loss: return -(Y * np.log(A2)).sum()


def backward(A2, Y, W1, W2, cache):
    A0, Z1, A1, Z2 = cache
    m = len(Y)
    dZ2 = (A2 - Y) / m
    #! sign dZ2: dZ2 = (Y - A2) / m
    #! missing-mean dZ2: dZ2 = A2 - Y
    #! double-mean dZ2: dZ2 = (A2 - Y) / m / m
    #! constant-factor dZ2: dZ2 = (A2 - Y) / Y.size
    #! softmax-diagonal dZ2: dZ2 = -Y * (1 - A2) / m
    dW2 = A1.T @ dZ2
    #! sign dW2: dW2 = -A1.T @ dZ2
    #! double-mean dW2: dW2 = A1.T @ dZ2 / m
    #! wrong-operand dW2: dW2 = add_ones(Z1).T @ dZ2
    #! transposed dW2: dW2 = dZ2.T @ A1
    dA1 = dZ2 @ W2[1:].T
    #! wrong-operand dA1: dA1 = dZ2 @ W2[:-1].T
    #! wrong-operand dA1: dA1 = dZ2 @ dW2[1:].T
    #! updated-weights dA1: W2 = W2 - 0.1 * dW2; dA1 = dZ2 @ W2[1:].T
    dZ1 = dA1 * A1[:, 1:] * (1 - A1[:, 1:])
    #! right: dZ1 = dA1 * sigmoid(Z1) * (1 - sigmoid(Z1))
    #! mask-missing|wrong-derivative dZ1: dZ1 = dA1
    #! wrong-derivative dZ1: dZ1 = dA1 * A1[:, 1:]
    #! derivative-of-activation dZ1: dZ1 = dA1 * sigmoid(A1[:, 1:]) * (1 - sigmoid(A1[:, 1:]))
    #! wrong-derivative dZ1: dZ1 = dA1 * (1 - A1[:, 1:] ** 2)
    dW1 = A0.T @ dZ1
    #! missing-mean dW1: dW1 = m * A0.T @ dZ1
    #! sign dW1: dW1 = -A0.T @ dZ1
    #! wrong-operand|mask-missing dW1: dW1 = A0.T @ dA1
    #! transposed dW1: dW1 = dZ1.T @ A0
    return dW1, dW2
