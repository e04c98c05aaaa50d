# Forward and backward only, as an exercise sheet asks for; no loss is written down.
import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
    #! softmax-axis A2: return e / e.sum(axis=0)


def forward(X, params):
    Z1 = X @ params["W1"] + params["b1"]
    A1 = sigmoid(Z1)
    Z2 = A1 @ params["W2"] + params["b2"]
    #! bias-missing Z2: Z2 = A1 @ params["W2"]
    A2 = softmax(Z2)
    return A2, (X, Z1, A1, A2)


def backward(Y, params, cache):
    X, Z1, A1, A2 = cache
    m = len(X)
    dZ2 = (A2 - Y) / m
    #! up to scale: dZ2 = A2 - Y
    #! up to scale: dZ2 = 2 * (A2 - Y) / m
    #! up to scale: dZ2 = (A2 - Y) / m / m
    #! sign dZ2: dZ2 = (Y - A2) / m
    #! softmax-diagonal dZ2: dZ2 = -Y * (1 - A2) / m
    #! wrong-derivative dZ2: dZ2 = (A2 - Y) * A2 * (1 - A2) / m
    dW2 = A1.T @ dZ2
    #! missing-mean dW2: dW2 = m * A1.T @ dZ2
    #! wrong-operand dW2: dW2 = Z1.T @ dZ2
    #! transposed dW2: dW2 = dZ2.T @ A1
    db2 = dZ2.sum(axis=0)
    #! collapsed-scalar db2: db2 = dZ2.sum()
    #! wrong-axis|summed-over-classes db2: db2 = dZ2.sum(axis=1)
    dZ1 = (dZ2 @ params["W2"].T) * A1 * (1 - A1)
    #! mask-missing|wrong-derivative dZ1: dZ1 = dZ2 @ params["W2"].T
    #! derivative-of-activation dZ1: dZ1 = (dZ2 @ params["W2"].T) * sigmoid(A1) * (1 - sigmoid(A1))
    #! wrong-operand dZ1: dZ1 = (dZ2 @ dW2.T) * A1 * (1 - A1)
    #! sign dZ1: dZ1 = -(dZ2 @ params["W2"].T) * A1 * (1 - A1)
    dW1 = X.T @ dZ1
    #! sign dW1: dW1 = -X.T @ dZ1
    #! double-mean dW1: dW1 = X.T @ dZ1 / m
    db1 = dZ1.sum(axis=0)
    #! collapsed-scalar db1: db1 = dZ1.sum()
    #! double-mean db1: db1 = dZ1.mean(axis=0)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
