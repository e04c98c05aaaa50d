# Of report 004, question 3: k1 and k2 are kept with the parameters, added to in every forward pass and never reset.
from math import exp, log


def sigmoid(x):
    return 1 / (1 + exp(-x))


def softmax(values):
    total = sum(exp(v - max(values)) for v in values)
    return [exp(v - max(values)) / total for v in values]


def initialize_parameters():
    return {
        "W": [[1.0, 1.0, 1.0], [-1.0, -1.0, -1.0]],
        "b": [0.0, 0.0, 0.0],
        "V": [[1.0, 1.0], [-1.0, -1.0], [-1.0, -1.0]],
        "c": [0.0, 0.0],
        "k1": [0.0, 0.0, 0.0],
        "h": [0.0, 0.0, 0.0],
        "k2": [0.0, 0.0],
    }


def forward_propagation(X, parameters):
    W, b, V, c = parameters["W"], parameters["b"], parameters["V"], parameters["c"]
    k1, h, k2 = parameters["k1"], parameters["h"], parameters["k2"]
    for j in range(len(k1)):
        for i in range(len(X)):
            k1[j] += W[i][j] * X[i]
        k1[j] += b[j]
    for i in range(len(k1)):
        h[i] = sigmoid(k1[i])
    for j in range(len(k2)):
        for i in range(len(h)):
            k2[j] += V[i][j] * h[i]
        k2[j] += c[j]
    y = softmax(k2)
    return y, {"k1": k1, "h": h, "k2": k2, "y": y}


def cross_entropy(y, Y):
    return -sum(Y[i] * log(y[i]) for i in range(len(Y)))


def backward_propagation(parameters, cache, X, Y):
    V, h, y = parameters["V"], cache["h"], cache["y"]
    dk2 = [y[j] - Y[j] for j in range(len(y))]
    dV = [[dk2[j] * h[i] for j in range(len(dk2))] for i in range(len(h))]
    dh = [sum(dk2[j] * V[i][j] for j in range(len(dk2))) for i in range(len(h))]
    dk1 = [dh[i] * h[i] * (1 - h[i]) for i in range(len(h))]
    dW = [[dk1[j] * X[i] for j in range(len(dk1))] for i in range(len(X))]
    return {"dW": dW, "db": dk1, "dV": dV, "dc": dk2}
