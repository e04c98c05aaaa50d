import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
    #! softmax-axis A2: return e / e.sum(axis=0, keepdims=True)


def forward(X, W1, b1, W2, b2):
    z1 = X.dot(W1) + b1
    a1 = sigmoid(z1)
    #! right: a1 = 0.5 * (1 + np.tanh(z1 / 2))
    z2 = a1.dot(W2) + b2
    #! forward-activation Z2: z2 = z1.dot(W2) + b2
    a2 = softmax(z2)
    return z1, a1, z2, a2


def loss_fn(a2, y):
    n = y.shape[0]
    return -np.log(a2[np.arange(n), y]).sum() / n
    #! loss-scale|double-mean loss: return -np.log(a2[np.arange(n), y]).sum()
    #! loss-sign loss: return np.log(a2[np.arange(n), y]).mean()
    #! loss-scale loss: return -2 * np.log(a2[np.arange(n), y]).mean()


def backward(X, y, z1, a1, a2, W1, W2):
    n = X.shape[0]
    d2 = a2.copy()
    #! right: d2 = np.array(a2)
    #! overwritten-cache A2: d2 = a2
    d2[np.arange(n), y] -= 1
    #! sign dZ2: d2[np.arange(n), y] -= 1; d2 = -d2
    #! wrong-operand|missing-term dZ2: d2[:, y] -= 1
    #! sign|wrong-operand dZ2: d2[np.arange(n), y] += 1
    d2 /= n
    #! missing-mean dZ2: pass
    #! double-mean dZ2: d2 /= n**2
    #! constant-factor dZ2: d2 /= 2 * n
    dW2 = a1.T.dot(d2)
    #! transposed dW2: dW2 = d2.T.dot(a1)
    #! wrong-operand dW2: dW2 = z1.T.dot(d2)
    #! double-mean dW2: dW2 = a1.T.dot(d2) / n
    #! sign dW2: dW2 = -a1.T.dot(d2)
    db2 = d2.sum(axis=0)
    #! wrong-axis|summed-over-classes db2: db2 = d2.sum(axis=1)
    #! collapsed-scalar db2: db2 = d2.sum()
    #! double-mean db2: db2 = d2.mean(axis=0)
    da1 = d2.dot(W2.T)
    #! wrong-operand dA1: da1 = d2.dot(dW2.T)
    #! updated-weights dA1: W2 = W2 - 0.1 * dW2; da1 = d2.dot(W2.T)
    d1 = da1 * a1 * (1 - a1)
    #! right: d1 = da1 * sigmoid(z1) * sigmoid(-z1)
    #! derivative-of-activation dZ1: d1 = da1 * sigmoid(a1) * (1 - sigmoid(a1))
    #! mask-missing|wrong-derivative dZ1: d1 = da1
    #! wrong-derivative dZ1: d1 = da1 * a1
    #! wrong-derivative dZ1: d1 = da1 * (1 - a1)
    #! wrong-derivative dZ1: d1 = da1 * (1 - a1**2)
    #! wrong-derivative|wrong-operand dZ1: d1 = da1 * z1 * (1 - z1)
    #! wrong-derivative dZ1: d1 = da1 * (a1 > 0.5)
    #! sign dZ1: d1 = da1 * a1 * (a1 - 1)
    dW1 = X.T.dot(d1)
    #! missing-mean dW1: dW1 = n * X.T.dot(d1)
    #! transposed dW1: dW1 = d1.T.dot(X)
    #! wrong-operand|mask-missing dW1: dW1 = X.T.dot(da1)
    #! permuted-rows dW1: dW1 = X.T[::-1].dot(d1)
    db1 = d1.sum(axis=0)
    #! collapsed-scalar db1: db1 = d1.sum()
    #! wrong-axis db1: db1 = d1.sum(axis=1)
    #! wrong-operand|mask-missing db1: db1 = da1.sum(axis=0)
    #! missing-term db1: db1 = 0 * d1.sum(axis=0)
    return dW1, db1, dW2, db2


def train(X, y, hidden=20, epochs=100, lr=0.1):
    n, d = X.shape
    k = y.max() + 1
    W1, b1 = np.random.randn(d, hidden) * 0.1, np.zeros(hidden)
    W2, b2 = np.random.randn(hidden, k) * 0.1, np.zeros(k)
    for epoch in range(epochs):
        z1, a1, z2, a2 = forward(X, W1, b1, W2, b2)
        dW1, db1, dW2, db2 = backward(X, y, z1, a1, a2, W1, W2)
        W1 -= lr * dW1
        #! ascends: W1 += lr * dW1
        b1 -= lr * db1
        W2 -= lr * dW2
        b2 -= lr * db2
    return W1, b1, W2, b2
