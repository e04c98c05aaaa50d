# Plain Python with lists: 2 - 3 - 2 network, sigmoid, softmax, one sample at a time
from math import exp, log


def sigmoid(x):
    return 1.0 / (1.0 + exp(-x))


def softmax(k):
    total = sum(exp(v) for v in k)
    return [exp(v) / total for v in k]
    #! right: return [exp(v - max(k)) / sum(exp(u - max(k)) for u in k) for v in k]
    #! softmax-axis y: return [exp(v) / exp(v) for v in k]


def initialize_parameters():
    W = [[0.5, -1.2, 0.8], [-0.4, 0.3, 1.1]]
    b = [0.0, 0.0, 0.0]
    V = [[1.0, -0.7], [-0.3, 0.6], [0.2, -1.4]]
    c = [0.0, 0.0]
    return {"W": W, "b": b, "V": V, "c": c}


def forward_propagation(X, parameters):
    W = parameters["W"]
    b = parameters["b"]
    V = parameters["V"]
    c = parameters["c"]

    k1 = [0.0] * len(b)
    #! stale-state k1: k1 = parameters.setdefault("k1", [0.0] * len(b))
    for j in range(len(b)):
        for i in range(len(X)):
            k1[j] += W[i][j] * X[i]
        k1[j] += b[j]
        #! bias-missing Z1: pass

    h = [sigmoid(v) for v in k1]

    k2 = [0.0] * len(c)
    #! stale-state k2: k2 = parameters.setdefault("k2", [0.0] * len(c))
    for j in range(len(c)):
        for i in range(len(h)):
            k2[j] += V[i][j] * h[i]
            #! forward-activation|wrong-operand Z2: k2[j] += V[i][j] * k1[i]
        k2[j] += c[j]
        #! bias-missing Z2: pass

    y = softmax(k2)
    cache = {"k1": k1, "h": h, "k2": k2, "y": y}
    return y, cache


def cross_entropy(y, Y):
    loss = 0.0
    for i in range(len(Y)):
        loss += -Y[i] * log(y[i])
        #! loss-sign loss: loss += Y[i] * log(y[i])
        #! other-loss loss: loss += -(Y[i] * log(y[i]) + (1 - Y[i]) * log(1 - y[i]))
    return loss
    #! loss-scale loss: return loss / len(Y)
    #! loss-scale loss: return 3 * loss


def backward_propagation(parameters, cache, X, Y):
    W = parameters["W"]
    V = parameters["V"]
    k1 = cache["k1"]
    h = cache["h"]
    #! wrong-operand|stale-cache dV: h = cache["k1"]
    y = cache["y"]

    dk2 = [y[j] - Y[j] for j in range(len(y))]
    #! sign dZ2: dk2 = [Y[j] - y[j] for j in range(len(y))]
    #! constant-factor dZ2: dk2 = [2 * (y[j] - Y[j]) for j in range(len(y))]
    #! wrong-operand dZ2: dk2 = [y[j] - cache["k2"][j] for j in range(len(y))]
    #! wrong-derivative dZ2: dk2 = [(y[j] - Y[j]) * y[j] * (1 - y[j]) for j in range(len(y))]
    #! softmax-diagonal dZ2: dk2 = [-Y[j] * (1 - y[j]) for j in range(len(y))]
    #! constant-factor dZ2: dk2 = [(y[j] - Y[j]) / len(y) for j in range(len(y))]

    dV = [[0.0] * len(y) for _ in h]
    dh = [0.0] * len(h)
    for i in range(len(h)):
        for j in range(len(y)):
            dV[i][j] = dk2[j] * h[i]
            #! sign dW2: dV[i][j] = -dk2[j] * h[i]
            #! wrong-operand dW2: dV[i][j] = dk2[j] * k1[i]
            dh[i] += dk2[j] * V[i][j]
            #! missing-term|wrong-operand dA1: dh[i] = dk2[j] * V[i][j]
            #! wrong-operand dA1: dh[i] += dk2[j] * dV[i][j]
            #! updated-weights dA1: dh[i] += dk2[j] * (V[i][j] - 0.01 * dV[i][j])
    dc = dk2
    #! collapsed-scalar db2: dc = [sum(dk2)] * len(dk2)
    #! sign db2: dc = [-v for v in dk2]

    dk1 = [0.0] * len(h)
    for i in range(len(h)):
        dk1[i] = dh[i] * h[i] * (1 - h[i])
        #! mask-missing|wrong-derivative dZ1: dk1[i] = dh[i]
        #! wrong-derivative dZ1: dk1[i] = dh[i] * h[i]
        #! derivative-of-activation dZ1: dk1[i] = dh[i] * sigmoid(h[i]) * (1 - sigmoid(h[i]))
        #! wrong-derivative dZ1: dk1[i] = dh[i] * (1 - h[i] ** 2)
        #! wrong-derivative|wrong-operand dZ1: dk1[i] = dh[i] * k1[i] * (1 - k1[i])

    dW = [[0.0] * len(h) for _ in X]
    db = [0.0] * len(h)
    for j in range(len(h)):
        for i in range(len(X)):
            dW[i][j] = dk1[j] * X[i]
            #! sign dW1: dW[i][j] = -dk1[j] * X[i]
            #! permuted-rows dW1: dW[i][j] = dk1[j] * X[len(X) - 1 - i]
            #! wrong-operand|mask-missing dW1: dW[i][j] = dh[j] * X[i]
        db[j] = dk1[j]
        #! collapsed-scalar db1: db[j] = sum(dk1)
        #! wrong-operand|mask-missing db1: db[j] = dh[j]
        #! missing-term db1: pass

    return {"dW": dW, "db": db, "dV": dV, "dc": dc}


def update_parameters(parameters, grads, learning_rate=0.01):
    W, b, V, c = parameters["W"], parameters["b"], parameters["V"], parameters["c"]
    for i in range(len(W)):
        for j in range(len(b)):
            W[i][j] -= learning_rate * grads["dW"][i][j]
            #! ascends: W[i][j] += learning_rate * grads["dW"][i][j]
    for j in range(len(b)):
        b[j] -= learning_rate * grads["db"][j]
    for i in range(len(V)):
        for j in range(len(c)):
            V[i][j] -= learning_rate * grads["dV"][i][j]
    for j in range(len(c)):
        c[j] -= learning_rate * grads["dc"][j]
    return parameters


def nn_model(X, Y, epochs=5):
    parameters = initialize_parameters()
    losses = []
    for epoch in range(epochs):
        cost = 0
        for n in range(len(X)):
            y, cache = forward_propagation(X[n], parameters)
            cost += cross_entropy(y, Y[n])
            grads = backward_propagation(parameters, cache, X[n], Y[n])
            parameters = update_parameters(parameters, grads)
        losses.append(cost / len(X))
    return parameters, losses
