import numpy as np

lambd = 0.7


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - np.max(z, axis=0, keepdims=True))
    return e / np.sum(e, axis=0, keepdims=True)


def forward_propagation(X, parameters):
    W1, b1, W2, b2 = parameters["W1"], parameters["b1"], parameters["W2"], parameters["b2"]
    Z1 = np.dot(W1, X) + b1
    A1 = sigmoid(Z1)
    Z2 = np.dot(W2, A1) + b2
    #! bias-missing Z2: Z2 = np.dot(W2, A1)
    A2 = softmax(Z2)
    cache = (Z1, A1, W1, b1, Z2, A2, W2, b2)
    return A2, cache


def compute_cost_with_regularization(A2, Y, parameters):
    m = Y.shape[1]
    W1 = parameters["W1"]
    W2 = parameters["W2"]
    cross_entropy_cost = -np.sum(Y * np.log(A2)) / m
    #! loss-sign|other-loss loss: cross_entropy_cost = np.sum(Y * np.log(A2)) / m
    #! loss-scale|double-mean loss: cross_entropy_cost = -np.sum(Y * np.log(A2))
    L2_cost = lambd / (2 * m) * (np.sum(np.square(W1)) + np.sum(np.square(W2)))
    #! right: L2_cost = lambd * (np.linalg.norm(W1) ** 2 + np.linalg.norm(W2) ** 2) / 2 / m
    #! l2-factor|l2-divided loss: L2_cost = lambd / m * (np.sum(np.square(W1)) + np.sum(np.square(W2)))
    #! l2-divided loss: L2_cost = lambd / 2 * (np.sum(np.square(W1)) + np.sum(np.square(W2)))
    #! l2-not-in-loss dW1: L2_cost = lambd / (2 * m) * np.sum(np.square(W2))
    return cross_entropy_cost + L2_cost


def backward_propagation_with_regularization(X, Y, cache):
    m = X.shape[1]
    (Z1, A1, W1, b1, Z2, A2, W2, b2) = cache
    dZ2 = A2 - Y
    #! sign dZ2: dZ2 = Y - A2
    #! wrong-operand dZ2: dZ2 = A2 - Z2
    #! constant-factor dZ2: dZ2 = 2 * (A2 - Y)
    dW2 = 1.0 / m * np.dot(dZ2, A1.T) + lambd / m * W2
    #! l2-missing dW2: dW2 = 1.0 / m * np.dot(dZ2, A1.T)
    #! l2-doubled dW2: dW2 = 1.0 / m * np.dot(dZ2, A1.T) + 2 * lambd / m * W2
    #! l2-factor dW2: dW2 = 1.0 / m * np.dot(dZ2, A1.T) + lambd * W2
    #! l2-divided dW2: dW2 = 1.0 / m * np.dot(dZ2, A1.T) + lambd / m / m * W2
    #! missing-mean dW2: dW2 = np.dot(dZ2, A1.T) + lambd / m * W2
    #! l2-factor|wrong-operand dW2: dW2 = 1.0 / m * np.dot(dZ2, A1.T) + lambd / m * np.sign(W2)
    db2 = 1.0 / m * np.sum(dZ2, axis=1, keepdims=True)
    #! l2-on-biases db2: db2 = 1.0 / m * np.sum(dZ2, axis=1, keepdims=True) + lambd / m * b2
    #! missing-mean db2: db2 = np.sum(dZ2, axis=1, keepdims=True)
    #! collapsed-scalar db2: db2 = 1.0 / m * np.sum(dZ2)
    dA1 = np.dot(W2.T, dZ2)
    #! updated-weights dA1: W2 = W2 - 0.1 * dW2; dA1 = np.dot(W2.T, dZ2)
    #! wrong-operand dA1: dA1 = np.dot(dW2.T, dZ2)
    dZ1 = dA1 * A1 * (1 - A1)
    #! mask-missing|wrong-derivative dZ1: dZ1 = dA1
    #! derivative-of-activation dZ1: dZ1 = dA1 * sigmoid(A1) * (1 - sigmoid(A1))
    #! wrong-derivative dZ1: dZ1 = dA1 * (A1 > 0.5)
    dW1 = 1.0 / m * np.dot(dZ1, X.T) + lambd / m * W1
    #! l2-missing dW1: dW1 = 1.0 / m * np.dot(dZ1, X.T)
    #! l2-doubled dW1: dW1 = 1.0 / m * np.dot(dZ1, X.T) + 2 * lambd / m * W1
    #! transposed dW1: dW1 = (1.0 / m * np.dot(dZ1, X.T) + lambd / m * W1).T
    db1 = 1.0 / m * np.sum(dZ1, axis=1, keepdims=True)
    #! l2-on-biases db1: db1 = 1.0 / m * np.sum(dZ1, axis=1, keepdims=True) + lambd / m * b1
    #! missing-mean db1: db1 = np.sum(dZ1, axis=1, keepdims=True)
    #! collapsed-scalar db1: db1 = 1.0 / m * np.sum(dZ1)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
