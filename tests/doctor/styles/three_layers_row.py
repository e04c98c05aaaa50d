# d - 64 - 32 - K: tanh, then ReLU, then softmax
import numpy as np


def softmax(x):
    exps = np.exp(x - np.max(x, axis=1, keepdims=True))
    return exps / np.sum(exps, axis=1, keepdims=True)
    #! softmax-axis A3: return exps / np.sum(exps, axis=0, keepdims=True)


def forward(X, weights):
    cache = {}
    cache["A0"] = X
    cache["Z1"] = X @ weights["W1"] + weights["b1"]
    cache["A1"] = np.tanh(cache["Z1"])
    #! forward-activation|wrong-derivative|constant-factor A1: cache["A1"] = np.tanh(2 * cache["Z1"])
    cache["Z2"] = cache["A1"] @ weights["W2"] + weights["b2"]
    #! bias-missing Z2: cache["Z2"] = cache["A1"] @ weights["W2"]
    cache["A2"] = np.maximum(cache["Z2"], 0)
    #! forward-activation|wrong-derivative|mask-missing A2: cache["A2"] = cache["Z2"]
    cache["Z3"] = cache["A2"] @ weights["W3"] + weights["b3"]
    cache["A3"] = softmax(cache["Z3"])
    return cache["A3"], cache


def categorical_crossentropy(y_pred, y_true):
    return -np.mean(np.sum(y_true * np.log(y_pred), axis=1))
    #! loss-scale loss: return -np.mean(y_true * np.log(y_pred))
    #! loss-scale|double-mean loss: return -np.sum(y_true * np.log(y_pred))
    #! loss-sign loss: return np.mean(np.sum(y_true * np.log(y_pred), axis=1))
    #! other-loss loss: return np.mean(np.sum((y_true - y_pred) ** 2, axis=1)) / 2


def backward(y_true, weights, cache):
    m = y_true.shape[0]
    grads = {}
    dZ3 = (cache["A3"] - y_true) / m
    #! sign dZ3: dZ3 = (y_true - cache["A3"]) / m
    #! missing-mean dZ3: dZ3 = cache["A3"] - y_true
    #! double-mean dZ3: dZ3 = (cache["A3"] - y_true) / m**2
    #! constant-factor dZ3: dZ3 = 2 * (cache["A3"] - y_true) / m
    #! wrong-operand dZ3: dZ3 = (cache["A3"] - cache["Z3"]) / m
    grads["W3"] = cache["A2"].T @ dZ3
    #! wrong-operand dW3: grads["W3"] = cache["Z2"].T @ dZ3
    #! transposed dW3: grads["W3"] = dZ3.T @ cache["A2"]
    #! sign dW3: grads["W3"] = -cache["A2"].T @ dZ3
    grads["b3"] = np.sum(dZ3, axis=0)
    #! wrong-axis|summed-over-classes db3: grads["b3"] = np.sum(dZ3, axis=1)
    #! collapsed-scalar db3: grads["b3"] = np.sum(dZ3)
    dZ2 = (dZ3 @ weights["W3"].T) * (cache["Z2"] > 0)
    #! mask-missing dZ2: dZ2 = dZ3 @ weights["W3"].T
    #! mask-of-gradient dZ2: dA2 = dZ3 @ weights["W3"].T; dZ2 = dA2 * (dA2 > 0)
    #! wrong-derivative dZ2: dZ2 = (dZ3 @ weights["W3"].T) * (1 - cache["A2"] ** 2)
    #! wrong-operand dZ2: dZ2 = (dZ3 @ grads["W3"].T) * (cache["Z2"] > 0)
    #! updated-weights dZ2: weights["W3"] = weights["W3"] - 0.1 * grads["W3"]; dZ2 = (dZ3 @ weights["W3"].T) * (cache["Z2"] > 0)
    grads["W2"] = cache["A1"].T @ dZ2
    #! elementwise-for-product dW2: grads["W2"] = np.outer(cache["A1"].mean(axis=0), dZ2.sum(axis=0))
    #! double-mean dW2: grads["W2"] = cache["A1"].T @ dZ2 / m
    #! wrong-operand dW2: grads["W2"] = cache["Z1"].T @ dZ2
    #! permuted-rows dW2: grads["W2"] = cache["A1"][:, ::-1].T @ dZ2
    grads["b2"] = np.sum(dZ2, axis=0)
    #! collapsed-scalar db2: grads["b2"] = np.sum(dZ2)
    #! double-mean db2: grads["b2"] = np.mean(dZ2, axis=0)
    dZ1 = (dZ2 @ weights["W2"].T) * (1 - cache["A1"] ** 2)
    #! derivative-of-activation dZ1: dZ1 = (dZ2 @ weights["W2"].T) * (1 - np.tanh(cache["A1"]) ** 2)
    #! wrong-derivative dZ1: dZ1 = (dZ2 @ weights["W2"].T) * (cache["Z1"] > 0)
    #! mask-missing|wrong-derivative dZ1: dZ1 = dZ2 @ weights["W2"].T
    #! wrong-operand|wrong-derivative dZ1: dZ1 = (dZ2 @ weights["W2"].T) * (1 - cache["Z1"] ** 2)
    #! wrong-derivative dZ1: dZ1 = (dZ2 @ weights["W2"].T) * (1 - cache["A1"])
    grads["W1"] = cache["A0"].T @ dZ1
    #! missing-mean dW1: grads["W1"] = m * cache["A0"].T @ dZ1
    #! transposed dW1: grads["W1"] = dZ1.T @ cache["A0"]
    #! sign dW1: grads["W1"] = -cache["A0"].T @ dZ1
    grads["b1"] = np.sum(dZ1, axis=0)
    #! collapsed-scalar db1: grads["b1"] = np.sum(dZ1)
    #! missing-term db1: grads["b1"] = np.zeros_like(weights["b1"])
    return grads
