import numpy as np


def relu(Z):
    return np.maximum(0, Z)


def softmax(Z):
    Z = Z - Z.max(axis=1, keepdims=True)
    return np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    #! softmax-axis A2: return np.exp(Z) / np.exp(Z).sum(axis=0)
    #! softmax-axis A2: return np.exp(Z) / np.exp(Z).sum()


def initialise(n_in, n_hidden, n_out):
    rng = np.random.default_rng()
    return {
        "W1": rng.normal(0, 0.1, (n_in, n_hidden)),
        "b1": np.zeros((1, n_hidden)),
        "W2": rng.normal(0, 0.1, (n_hidden, n_out)),
        "b2": np.zeros((1, n_out)),
    }


def forward_propagation(X, params):
    Z1 = X @ params["W1"] + params["b1"]
    #! bias-missing Z1: Z1 = X @ params["W1"]
    A1 = relu(Z1)
    Z2 = A1 @ params["W2"] + params["b2"]
    A2 = softmax(Z2)
    cache = {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
    return A2, cache


def cross_entropy(A2, Y):
    return -np.mean(np.sum(Y * np.log(A2), axis=1))
    #! right: return np.sum(-Y * np.log(A2)) / len(Y)
    #! loss-sign loss: return np.mean(np.sum(Y * np.log(A2), axis=1))
    #! loss-scale loss: return -np.mean(Y * np.log(A2))
    #! loss-scale|double-mean loss: return -np.sum(Y * np.log(A2))
    #! other-loss loss: return np.mean(np.sum((A2 - Y) ** 2, axis=1))


def backward_propagation(params, cache, X, Y):
    m = X.shape[0]
    A1, A2 = cache["A1"], cache["A2"]
    dZ2 = A2 - Y
    #! right: dZ2 = -Y + A2
    #! sign dZ2: dZ2 = Y - A2
    #! wrong-operand dZ2: dZ2 = cache["Z2"] - Y
    #! constant-factor dZ2: dZ2 = 2 * (A2 - Y)
    #! double-mean dZ2: dZ2 = (A2 - Y) / m
    #! softmax-diagonal dZ2: dZ2 = -Y * (1 - A2)
    #! wrong-derivative|derivative-of-activation dZ2: dZ2 = (A2 - Y) * A2 * (1 - A2)
    dW2 = A1.T @ dZ2 / m
    #! right: dW2 = 1 / m * (dZ2.T @ A1).T
    #! missing-mean dW2: dW2 = A1.T @ dZ2
    #! transposed dW2: dW2 = dZ2.T @ A1 / m
    #! wrong-operand dW2: dW2 = cache["Z1"].T @ dZ2 / m
    #! double-mean dW2: dW2 = A1.T @ dZ2 / m / m
    #! sign dW2: dW2 = -A1.T @ dZ2 / m
    db2 = np.sum(dZ2, axis=0, keepdims=True) / m
    #! right: db2 = dZ2.mean(axis=0, keepdims=True)
    #! missing-mean db2: db2 = np.sum(dZ2, axis=0, keepdims=True)
    #! wrong-axis|summed-over-classes db2: db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    #! collapsed-scalar db2: db2 = np.sum(dZ2) / m
    dA1 = dZ2 @ params["W2"].T
    #! wrong-operand dA1: dA1 = dZ2 @ dW2.T
    #! updated-weights dA1: params["W2"] = params["W2"] - 0.5 * dW2; dA1 = dZ2 @ params["W2"].T
    dZ1 = dA1 * (cache["Z1"] > 0)
    #! mask-missing dZ1: dZ1 = dA1
    #! mask-of-gradient dZ1: dZ1 = np.maximum(0, dA1)
    #! wrong-derivative dZ1: dZ1 = dA1 * (cache["Z1"] < 0)
    #! wrong-derivative dZ1: dZ1 = dA1 * relu(cache["Z1"])
    #! wrong-derivative dZ1: dZ1 = dA1 * (1 - A1**2)
    dW1 = X.T @ dZ1 / m
    #! missing-mean dW1: dW1 = X.T @ dZ1
    #! transposed dW1: dW1 = (X.T @ dZ1 / m).T
    #! wrong-operand|mask-missing dW1: dW1 = X.T @ dA1 / m
    #! permuted-rows dW1: dW1 = X[:, ::-1].T @ dZ1 / m
    #! sign dW1: dW1 = -X.T @ dZ1 / m
    db1 = np.sum(dZ1, axis=0, keepdims=True) / m
    #! missing-mean db1: db1 = np.sum(dZ1, axis=0, keepdims=True)
    #! collapsed-scalar db1: db1 = np.sum(dZ1) / m
    #! wrong-operand|mask-missing db1: db1 = np.sum(dA1, axis=0, keepdims=True) / m
    #! missing-term db1: db1 = np.zeros_like(params["b1"])
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def update(params, grads, lr):
    for key in params:
        params[key] = params[key] - lr * grads["d" + key]
        #! ascends: params[key] = params[key] + lr * grads["d" + key]
    return params
