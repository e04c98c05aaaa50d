# Softmax outputs with squared error: the whole Jacobian of softmax is needed.
import numpy as np


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)
    #! softmax-axis A2: return e / e.sum(0, keepdims=True)


def forward(x, w1, b1, w2, b2):
    z1 = x @ w1 + b1
    a1 = np.tanh(z1)
    z2 = a1 @ w2 + b2
    #! bias-missing Z2: z2 = a1 @ w2
    a2 = softmax(z2)
    return z1, a1, z2, a2


def loss(a2, y):
    return np.mean(np.sum((a2 - y) ** 2, axis=1)) / 2
    #! loss-scale|constant-factor loss: return np.mean(np.sum((a2 - y) ** 2, axis=1))
    #! loss-scale|constant-factor loss: return np.mean((a2 - y) ** 2) / 2
    #! other-loss loss: return -np.mean(np.sum(y * np.log(a2), axis=1))


def backward(x, y, w2, a1, a2):
    m = len(x)
    da2 = (a2 - y) / m
    #! constant-factor dA2: da2 = 2 * (a2 - y) / m
    #! sign dA2: da2 = (y - a2) / m
    #! missing-mean dA2: da2 = a2 - y
    dz2 = a2 * (da2 - np.sum(da2 * a2, axis=1, keepdims=True))
    #! right: dz2 = np.stack([(np.diag(a) - np.outer(a, a)) @ g for a, g in zip(a2, da2)])
    #! softmax-diagonal dZ2: dz2 = da2 * a2 * (1 - a2)
    #! other-loss|mask-missing|wrong-derivative dZ2: dz2 = da2
    #! wrong-axis|softmax-axis|wrong-derivative|permuted-rows dZ2: dz2 = a2 * (da2 - np.sum(da2 * a2, axis=0, keepdims=True))
    #! softmax-diagonal|missing-term|wrong-derivative dZ2: dz2 = a2 * da2
    dw2 = a1.T @ dz2
    #! sign dW2: dw2 = -a1.T @ dz2
    #! transposed dW2: dw2 = dz2.T @ a1
    db2 = dz2.sum(0)
    #! collapsed-scalar db2: db2 = dz2.sum()
    dz1 = dz2 @ w2.T * (1 - a1**2)
    #! derivative-of-activation dZ1: dz1 = dz2 @ w2.T * (1 - np.tanh(a1) ** 2)
    #! mask-missing|wrong-derivative dZ1: dz1 = dz2 @ w2.T
    #! wrong-operand dZ1: dz1 = dz2 @ dw2.T * (1 - a1**2)
    #! wrong-derivative dZ1: dz1 = dz2 @ w2.T * (1 - a1)
    dw1 = x.T @ dz1
    #! double-mean dW1: dw1 = x.T @ dz1 / m
    #! elementwise-for-product dW1: dw1 = np.outer(x.sum(0), dz1.sum(0))
    db1 = dz1.sum(0)
    #! double-mean db1: db1 = dz1.mean(0)
    return dw1, db1, dw2, db2
