# Regression: sigmoid hidden layer, linear output, J = 1/(2m) * sum of squares
import numpy as np

sigmoid = lambda z: 1 / (1 + np.exp(-z))


def forward(x, theta):
    z1 = theta["W1"] @ x + theta["b1"]
    #! bias-missing Z1: z1 = theta["W1"] @ x
    a1 = sigmoid(z1)
    y_hat = theta["W2"] @ a1 + theta["b2"]
    #! forward-activation|wrong-operand Z2: y_hat = theta["W2"] @ z1 + theta["b2"]
    return y_hat, {"x": x, "z1": z1, "a1": a1, "y_hat": y_hat}


def J(y_hat, y):
    m = y.shape[1]
    return 1 / (2 * m) * np.sum((y_hat - y) ** 2)
    #! loss-scale|constant-factor loss: return 1 / m * np.sum((y_hat - y) ** 2)
    #! loss-scale|double-mean loss: return 0.5 * np.sum((y_hat - y) ** 2)
    #! loss-sign loss: return -1 / (2 * m) * np.sum((y_hat - y) ** 2)


def backward(theta, cache, y):
    m = y.shape[1]
    dy = (cache["y_hat"] - y) / m
    #! sign dZ2: dy = (y - cache["y_hat"]) / m
    #! missing-mean dZ2: dy = cache["y_hat"] - y
    #! double-mean dZ2: dy = (cache["y_hat"] - y) / m**2
    #! constant-factor dZ2: dy = 2 * (cache["y_hat"] - y) / m
    #! wrong-derivative|other-loss dZ2: dy = (cache["y_hat"] - y) * cache["y_hat"] * (1 - cache["y_hat"]) / m
    dW2 = dy @ cache["a1"].T
    #! transposed dW2: dW2 = cache["a1"] @ dy.T
    #! wrong-operand dW2: dW2 = dy @ cache["z1"].T
    #! sign dW2: dW2 = -dy @ cache["a1"].T
    db2 = dy.sum(axis=1, keepdims=True)
    #! collapsed-scalar db2: db2 = dy.sum()
    #! double-mean db2: db2 = dy.mean(axis=1, keepdims=True)
    da1 = theta["W2"].T @ dy
    #! wrong-operand dA1: da1 = dW2.T @ dy
    dz1 = da1 * cache["a1"] * (1 - cache["a1"])
    #! derivative-of-activation dZ1: dz1 = da1 * sigmoid(cache["a1"]) * (1 - sigmoid(cache["a1"]))
    #! mask-missing|wrong-derivative dZ1: dz1 = da1
    #! wrong-derivative dZ1: dz1 = da1 * (1 - cache["a1"] ** 2)
    #! wrong-derivative dZ1: dz1 = da1 * cache["a1"]
    #! sign dZ1: dz1 = -da1 * cache["a1"] * (1 - cache["a1"])
    dW1 = dz1 @ cache["x"].T
    #! wrong-operand|mask-missing dW1: dW1 = da1 @ cache["x"].T
    #! transposed dW1: dW1 = cache["x"] @ dz1.T
    #! missing-mean dW1: dW1 = m * dz1 @ cache["x"].T
    db1 = dz1.sum(axis=1, keepdims=True)
    #! collapsed-scalar db1: db1 = dz1.sum()
    #! missing-term db1: db1 = np.zeros_like(theta["b1"])
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
