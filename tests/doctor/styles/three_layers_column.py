import numpy as np


def relu(z):
    return np.maximum(0, z)


def relu_prime(z):
    return 1.0 * (z > 0)
    #! right: return np.heaviside(z, 0)
    #! wrong-derivative dZ2: return 1.0 * (z < 0)
    #! mask-missing dZ2: return np.ones(z.shape)


def softmax(z):
    e = np.exp(z - np.max(z, axis=0))
    return e / np.sum(e, axis=0)
    #! softmax-axis A3: return e / np.sum(e)


def forward(X, W1, b1, W2, b2, W3, b3):
    Z1 = W1 @ X + b1
    A1 = relu(Z1)
    Z2 = W2 @ A1 + b2
    #! forward-activation|wrong-operand|mask-missing Z2: Z2 = W2 @ Z1 + b2
    A2 = relu(Z2)
    Z3 = W3 @ A2 + b3
    #! bias-missing Z3: Z3 = W3 @ A2
    A3 = softmax(Z3)
    return Z1, A1, Z2, A2, Z3, A3


def cost(A3, Y):
    m = Y.shape[1]
    return -1 / m * np.sum(Y * np.log(A3))
    #! loss-sign loss: return 1 / m * np.sum(Y * np.log(A3))
    #! loss-scale|double-mean loss: return -np.sum(Y * np.log(A3))


def backward(X, Y, W2, W3, Z1, A1, Z2, A2, A3):
    m = X.shape[1]
    dZ3 = A3 - Y
    #! sign dZ3: dZ3 = Y - A3
    #! double-mean dZ3: dZ3 = (A3 - Y) / m
    #! constant-factor dZ3: dZ3 = (A3 - Y) / len(Y)
    #! softmax-diagonal dZ3: dZ3 = -Y * (1 - A3)
    dW3 = 1 / m * dZ3 @ A2.T
    #! missing-mean dW3: dW3 = dZ3 @ A2.T
    #! wrong-operand dW3: dW3 = 1 / m * dZ3 @ Z2.T
    db3 = 1 / m * np.sum(dZ3, axis=1, keepdims=True)
    #! missing-mean db3: db3 = np.sum(dZ3, axis=1, keepdims=True)
    #! collapsed-scalar db3: db3 = 1 / m * np.sum(dZ3)
    #! wrong-axis|summed-over-classes db3: db3 = 1 / m * np.sum(dZ3, axis=0, keepdims=True)
    dA2 = W3.T @ dZ3
    #! sign dA2: dA2 = -W3.T @ dZ3
    #! wrong-operand dA2: dA2 = dW3.T @ dZ3
    dZ2 = dA2 * relu_prime(Z2)
    #! mask-missing dZ2: dZ2 = dA2
    #! mask-of-gradient dZ2: dZ2 = dA2 * relu_prime(dA2)
    #! wrong-derivative dZ2: dZ2 = dA2 * relu(Z2)
    dW2 = 1 / m * dZ2 @ A1.T
    #! transposed dW2: dW2 = 1 / m * A1 @ dZ2.T
    #! wrong-operand|mask-missing dW2: dW2 = 1 / m * dA2 @ A1.T
    #! double-mean dW2: dW2 = 1 / m**2 * dZ2 @ A1.T
    db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)
    #! collapsed-scalar db2: db2 = 1 / m * np.sum(dZ2)
    #! wrong-operand|mask-missing db2: db2 = 1 / m * np.sum(dA2, axis=1, keepdims=True)
    dA1 = W2.T @ dZ2
    #! updated-weights dA1: W2 = W2 - 0.1 * dW2; dA1 = W2.T @ dZ2
    #! constant-factor dA1: dA1 = 2 * W2.T @ dZ2
    dZ1 = dA1 * relu_prime(Z1)
    #! mask-missing dZ1: dZ1 = dA1
    #! mask-of-gradient dZ1: dZ1 = relu(dA1)
    dW1 = 1 / m * dZ1 @ X.T
    #! missing-mean dW1: dW1 = dZ1 @ X.T
    #! permuted-rows dW1: dW1 = 1 / m * np.flip(dZ1, axis=0) @ X.T
    db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)
    #! missing-mean db1: db1 = np.sum(dZ1, axis=1, keepdims=True)
    #! sign db1: db1 = -1 / m * np.sum(dZ1, axis=1, keepdims=True)
    return dW1, db1, dW2, db2, dW3, db3
