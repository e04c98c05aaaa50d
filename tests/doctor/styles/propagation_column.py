import numpy as np


def relu(Z):
    return np.maximum(0, Z)


def softmax(Z):
    expZ = np.exp(Z - np.max(Z, axis=0, keepdims=True))
    return expZ / np.sum(expZ, axis=0, keepdims=True)
    #! softmax-axis A2: return expZ / np.sum(expZ, axis=1, keepdims=True)
    #! softmax-axis A2: return expZ / np.sum(expZ)


def initialize_parameters(n_x, n_h, n_y):
    W1 = np.random.randn(n_h, n_x) * np.sqrt(2.0 / n_x)
    b1 = np.zeros((n_h, 1))
    W2 = np.random.randn(n_y, n_h) * np.sqrt(2.0 / n_h)
    b2 = np.zeros((n_y, 1))
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}


def forward_propagation(X, param):
    """
    X -- input data of size (n_x, m)
    param -- python dictionary containing the parameters

    Returns the softmax output A2 and a cache with Z1, A1, Z2 and A2
    """
    W1 = param["W1"]
    b1 = param["b1"]
    W2 = param["W2"]
    b2 = param["b2"]

    Z1 = np.dot(W1, X) + b1
    #! bias-missing Z1: Z1 = np.dot(W1, X)
    A1 = relu(Z1)
    Z2 = np.dot(W2, A1) + b2
    #! bias-missing Z2: Z2 = np.dot(W2, A1)
    #! forward-activation Z2: Z2 = np.dot(W2, Z1) + b2
    A2 = softmax(Z2)

    cache = {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
    return A2, cache


def compute_cost(A2, Y):
    m = Y.shape[1]
    cost = -np.sum(Y * np.log(A2)) / m
    #! loss-sign loss: cost = np.sum(Y * np.log(A2)) / m
    #! loss-scale|double-mean loss: cost = -np.sum(Y * np.log(A2))
    #! loss-scale loss: cost = -np.mean(Y * np.log(A2))
    #! loss-scale loss: cost = -2 * np.mean(Y * np.log(A2))
    #! other-loss loss: cost = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    return cost


def backward_propagation(param, cache, X, Y):
    m = X.shape[1]
    W1 = param["W1"]
    W2 = param["W2"]
    Z1 = cache["Z1"]
    A1 = cache["A1"]
    #! stale-cache|wrong-operand dW2: A1 = cache["Z1"]
    #! overwritten-cache|wrong-operand dW2: A1 = cache["A1"]; mask = A1; mask[mask > 0] = 1
    A2 = cache["A2"]
    #! wrong-operand|stale-cache dZ2: A2 = cache["Z2"]

    dZ2 = (A2 - Y) / m
    #! right: dZ2 = -(Y - A2) / m
    #! sign dZ2: dZ2 = (Y - A2) / m
    #! missing-mean dZ2: dZ2 = A2 - Y
    #! double-mean dZ2: dZ2 = (A2 - Y) / m / m
    #! constant-factor dZ2: dZ2 = 2 * (A2 - Y) / m
    #! constant-factor dZ2: dZ2 = (A2 - Y) / m / Y.shape[0]
    #! wrong-operand dZ2: dZ2 = (A2 - cache["Z2"]) / m
    #! softmax-diagonal dZ2: dZ2 = -Y * (1 - A2) / m
    #! wrong-derivative|derivative-of-activation dZ2: dZ2 = (A2 - Y) * A2 * (1 - A2) / m
    dW2 = np.dot(dZ2, A1.T)
    #! elementwise-for-product dW2: dW2 = np.sum(dZ2, axis=1, keepdims=True) * np.sum(A1, axis=1)
    #! missing-term dW2: dW2 = np.dot(dZ2[:, :-1], A1[:, :-1].T)
    #! transposed dW2: dW2 = np.dot(dZ2, A1.T).T
    #! double-mean dW2: dW2 = np.dot(dZ2, A1.T) / m
    #! missing-mean dW2: dW2 = m * np.dot(dZ2, A1.T)
    #! sign dW2: dW2 = -np.dot(dZ2, A1.T)
    #! wrong-operand dW2: dW2 = np.dot(dZ2, Z1.T)
    #! l2-not-in-loss dW2: dW2 = np.dot(dZ2, A1.T) + 0.1 * W2
    db2 = np.sum(dZ2, axis=1, keepdims=True)
    #! wrong-axis|summed-over-classes db2: db2 = np.sum(dZ2, axis=0, keepdims=True)
    #! collapsed-scalar db2: db2 = np.sum(dZ2)
    #! double-mean|missing-mean db2: db2 = np.mean(dZ2, axis=1, keepdims=True)
    #! wrong-axis db2: db2 = dZ2
    dA1 = np.dot(W2.T, dZ2)
    #! wrong-operand dA1: dA1 = np.dot(dW2.T, dZ2)
    #! updated-weights dA1: W2 = W2 - 0.1 * dW2; dA1 = np.dot(W2.T, dZ2)
    #! sign dA1: dA1 = -np.dot(W2.T, dZ2)
    dZ1 = dA1 * (Z1 > 0)
    #! right: dZ1 = np.where(A1 > 0, dA1, 0)
    #! right: dZ1 = dA1 * (Z1 >= 0)
    #! mask-missing dZ1: dZ1 = dA1
    #! mask-of-gradient dZ1: dZ1 = dA1 * (dA1 > 0)
    #! wrong-derivative dZ1: dZ1 = dA1 * (Z1 <= 0)
    #! wrong-derivative dZ1: dZ1 = dA1 * A1
    #! wrong-derivative dZ1: dZ1 = dA1 * A1 * (1 - A1)
    dW1 = np.dot(dZ1, X.T)
    #! permuted-rows|wrong-operand dW1: dW1 = np.dot(dZ1, X.reshape(m, -1))
    #! transposed dW1: dW1 = np.dot(X, dZ1.T)
    #! missing-mean dW1: dW1 = m * np.dot(dZ1, X.T)
    #! wrong-operand|mask-missing dW1: dW1 = np.dot(dA1, X.T)
    #! permuted-rows dW1: dW1 = np.dot(dZ1, X.T)[::-1]
    db1 = np.sum(dZ1, axis=1, keepdims=True)
    #! collapsed-scalar db1: db1 = np.sum(dZ1)
    #! wrong-operand|mask-missing db1: db1 = np.sum(dA1, axis=1, keepdims=True)
    #! sign db1: db1 = -np.sum(dZ1, axis=1, keepdims=True)
    #! double-mean db1: db1 = np.sum(dZ1, axis=1, keepdims=True) / m

    grads = {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
    return grads


def update_parameters(param, grads, learning_rate=0.01):
    W1 = param["W1"] - learning_rate * grads["dW1"]
    #! ascends: W1 = param["W1"] + learning_rate * grads["dW1"]
    b1 = param["b1"] - learning_rate * grads["db1"]
    W2 = param["W2"] - learning_rate * grads["dW2"]
    b2 = param["b2"] - learning_rate * grads["db2"]
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}


def nn_model(X, Y, n_h, num_iterations=1000, learning_rate=0.01, print_cost=False):
    np.random.seed(3)
    param = initialize_parameters(X.shape[0], n_h, Y.shape[0])
    for i in range(num_iterations):
        A2, cache = forward_propagation(X, param)
        cost = compute_cost(A2, Y)
        grads = backward_propagation(param, cache, X, Y)
        param = update_parameters(param, grads, learning_rate)
        if print_cost and i % 100 == 0:
            print("Cost after iteration", i, cost)
    return param
