import numpy as np


def sig(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    y = np.exp(x - np.max(x, 0))
    return y / np.sum(y, 0)
    #! softmax-axis A2: return y / np.sum(y)


def feedforward(x, weights, biases):
    a = sig(weights[0].dot(x) + biases[0])
    return softmax(weights[1].dot(a) + biases[1])
    #! bias-missing Z2: return softmax(weights[1].dot(a))


def cost_function(x, y, weights, biases):
    p = feedforward(x, weights, biases)
    return -(y * np.log(p)).sum() / x.shape[1]
    #! loss-scale loss: return -(y * np.log(p)).sum()
    #! loss-sign loss: return (y * np.log(p)).sum() / x.shape[1]


def backprop(x, y, weights, biases):
    # forward again, to have the values in between
    z1 = weights[0].dot(x) + biases[0]
    a1 = sig(z1)
    z2 = weights[1].dot(a1) + biases[1]
    a2 = softmax(z2)
    N = x.shape[1]
    error2 = (a2 - y) / N
    #! sign dZ2: error2 = (y - a2) / N
    #! missing-mean dZ2: error2 = a2 - y
    #! wrong-derivative dZ2: error2 = (a2 - y) * a2 * (1 - a2) / N
    error1 = weights[1].T.dot(error2) * a1 * (1 - a1)
    #! mask-missing dZ1: error1 = weights[1].T.dot(error2)
    #! derivative-of-activation dZ1: error1 = weights[1].T.dot(error2) * sig(a1) * (1 - sig(a1))
    #! wrong-derivative dZ1: error1 = weights[1].T.dot(error2) * a1
    grad_w = [error1.dot(x.T), error2.dot(a1.T)]
    #! transposed dW2: grad_w = [error1.dot(x.T), a1.dot(error2.T)]
    #! wrong-operand dW2: grad_w = [error1.dot(x.T), error2.dot(z1.T)]
    #! missing-mean dW1: grad_w = [N * error1.dot(x.T), error2.dot(a1.T)]
    #! sign dW1: grad_w = [-error1.dot(x.T), error2.dot(a1.T)]
    grad_b = [error1.sum(1, keepdims=True), error2.sum(1, keepdims=True)]
    #! collapsed-scalar db1: grad_b = [error1.sum(), error2.sum(1, keepdims=True)]
    #! summed-over-classes|wrong-axis db2: grad_b = [error1.sum(1, keepdims=True), error2.sum(0, keepdims=True)]
    #! double-mean db2: grad_b = [error1.sum(1, keepdims=True), error2.mean(1, keepdims=True)]
    return grad_w, grad_b
