import numpy as np


def layer_sizes(X, Y):
    n_x = X.shape[0]
    n_h = 4
    n_y = Y.shape[0]
    return n_x, n_h, n_y


def initialize_parameters(n_x, n_h, n_y):
    W1 = np.random.randn(n_h, n_x) * 0.01
    b1 = np.zeros(shape=(n_h, 1))
    W2 = np.random.randn(n_y, n_h) * 0.01
    b2 = np.zeros(shape=(n_y, 1))
    parameters = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
    return parameters


def forward_propagation(X, parameters):
    W1 = parameters["W1"]
    b1 = parameters["b1"]
    W2 = parameters["W2"]
    b2 = parameters["b2"]
    Z1 = np.dot(W1, X) + b1
    A1 = np.tanh(Z1)
    #! right: A1 = 2 / (1 + np.exp(-2 * Z1)) - 1
    Z2 = np.dot(W2, A1) + b2
    #! forward-activation Z2: Z2 = np.dot(W2, Z1) + b2
    A2 = 1 / (1 + np.exp(-Z2))
    cache = {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
    return A2, cache


def compute_cost(A2, Y):
    m = Y.shape[1]
    logprobs = np.multiply(np.log(A2), Y) + np.multiply((1 - Y), np.log(1 - A2))
    #! other-loss loss: logprobs = np.multiply(np.log(A2), Y)
    cost = -(1 / m) * np.sum(logprobs)
    #! loss-sign loss: cost = (1 / m) * np.sum(logprobs)
    #! loss-scale loss: cost = -np.sum(logprobs)
    cost = float(np.squeeze(cost))
    return cost


def backward_propagation(parameters, cache, X, Y):
    m = X.shape[1]
    W1 = parameters["W1"]
    W2 = parameters["W2"]
    A1 = cache["A1"]
    A2 = cache["A2"]
    dZ2 = A2 - Y
    #! sign dZ2: dZ2 = Y - A2
    #! other-loss|wrong-derivative dZ2: dZ2 = (A2 - Y) * A2 * (1 - A2)
    dW2 = (1 / m) * np.dot(dZ2, A1.T)
    #! missing-mean dW2: dW2 = np.dot(dZ2, A1.T)
    #! wrong-operand dW2: dW2 = (1 / m) * np.dot(dZ2, cache["Z1"].T)
    db2 = (1 / m) * np.sum(dZ2, axis=1, keepdims=True)
    #! missing-mean db2: db2 = np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = np.multiply(np.dot(W2.T, dZ2), 1 - np.power(A1, 2))
    #! mask-missing dZ1: dZ1 = np.dot(W2.T, dZ2)
    #! derivative-of-activation dZ1: dZ1 = np.multiply(np.dot(W2.T, dZ2), 1 - np.power(np.tanh(A1), 2))
    #! wrong-derivative dZ1: dZ1 = np.multiply(np.dot(W2.T, dZ2), 1 - A1)
    #! wrong-operand dZ1: dZ1 = np.multiply(np.dot(dW2.T, dZ2), 1 - np.power(A1, 2))
    dW1 = (1 / m) * np.dot(dZ1, X.T)
    #! sign dW1: dW1 = -(1 / m) * np.dot(dZ1, X.T)
    #! transposed dW1: dW1 = (1 / m) * np.dot(X, dZ1.T)
    db1 = (1 / m) * np.sum(dZ1, axis=1, keepdims=True)
    #! collapsed-scalar db1: db1 = (1 / m) * np.sum(dZ1)
    grads = {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
    return grads
