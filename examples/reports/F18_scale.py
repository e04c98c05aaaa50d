# Of report 004, question 2: the loss is −2 · mean(t log y), which is −Σ t log y for two classes only.
from math import exp, log


def sigmoid(x):
    return 1 / (1 + exp(-x))


def softmax(values):
    total = sum(exp(v) for v in values)
    return [exp(v) / total for v in values]


def forward_propagation(X, parameters):
    W, b, V, c = parameters["W"], parameters["b"], parameters["V"], parameters["c"]
    k1 = [b[j] + sum(W[i][j] * X[i] for i in range(len(X))) for j in range(len(b))]
    h = [sigmoid(v) for v in k1]
    k2 = [c[j] + sum(V[i][j] * h[i] for i in range(len(h))) for j in range(len(c))]
    y = softmax(k2)
    return y, {"k1": k1, "h": h, "k2": k2, "y": y}


def categorical_cross_entropy(predicted, actual):
    score = 0.0
    for i in range(len(actual)):
        score += actual[i] * log(predicted[i])
    return -2 * score / len(actual)


def backward_propagation(parameters, cache, X, Y):
    V, h, y = parameters["V"], cache["h"], cache["y"]
    dk2 = [y[j] - Y[j] for j in range(len(y))]
    dV = [[dk2[j] * h[i] for j in range(len(dk2))] for i in range(len(h))]
    dh = [sum(dk2[j] * V[i][j] for j in range(len(dk2))) for i in range(len(h))]
    dk1 = [dh[i] * h[i] * (1 - h[i]) for i in range(len(h))]
    dW = [[dk1[j] * X[i] for j in range(len(dk1))] for i in range(len(X))]
    return {"dW": dW, "db": dk1, "dV": dV, "dc": dk2}
