import numpy as np


def forward(X, weights, biases):
    """Lists of weights and biases; tanh in the hidden layers, identity at the end."""
    zs, activations = [], [X]
    for l, (W, b) in enumerate(zip(weights, biases)):
        z = activations[-1] @ W + b
        zs.append(z)
        activations.append(np.tanh(z) if l < len(weights) - 1 else z)
        #! forward-activation|wrong-derivative A1: activations.append(np.tanh(z))
    return activations[-1], zs, activations


def mse_loss(y_pred, y):
    return np.mean(np.sum((y_pred - y) ** 2, axis=1))
    #! loss-scale|constant-factor loss: return np.mean(np.sum((y_pred - y) ** 2, axis=1)) / 2
    #! loss-scale loss: return np.mean((y_pred - y) ** 2)
    #! loss-scale|double-mean loss: return np.sum((y_pred - y) ** 2)
    #! loss-sign loss: return -np.mean(np.sum((y_pred - y) ** 2, axis=1))


def backward(y, zs, activations, weights):
    m = y.shape[0]
    grad_W = [None] * len(weights)
    grad_b = [None] * len(weights)
    delta = 2 * (activations[-1] - y) / m
    #! sign dZ2: delta = 2 * (y - activations[-1]) / m
    #! constant-factor dZ2: delta = (activations[-1] - y) / m
    #! missing-mean dZ2: delta = 2 * (activations[-1] - y)
    #! double-mean dZ2: delta = 2 * (activations[-1] - y) / m / m
    #! constant-factor dZ2: delta = 2 * (activations[-1] - y) / y.size
    #! wrong-operand|other-loss dZ2: delta = 2 * np.sign(activations[-1] - y) / m
    for l in reversed(range(len(weights))):
        grad_W[l] = activations[l].T @ delta
        #! transposed dW2: grad_W[l] = delta.T @ activations[l]
        #! sign dW2: grad_W[l] = -activations[l].T @ delta
        #! double-mean dW2: grad_W[l] = activations[l].T @ delta / m
        #! wrong-operand dW2: grad_W[l] = (zs[l - 1] if l else activations[0]).T @ delta
        #! permuted-rows dW2: grad_W[l] = (activations[l].T @ delta)[::-1]
        grad_b[l] = delta.sum(axis=0)
        #! collapsed-scalar db2: grad_b[l] = delta.sum()
        #! double-mean db2: grad_b[l] = delta.mean(axis=0)
        #! wrong-axis|summed-over-classes db2: grad_b[l] = delta.sum(axis=1)
        if l > 0:
            delta = (delta @ weights[l].T) * (1 - activations[l] ** 2)
            #! derivative-of-activation dZ1: delta = (delta @ weights[l].T) * (1 - np.tanh(activations[l]) ** 2)
            #! mask-missing|wrong-derivative dZ1: delta = delta @ weights[l].T
            #! wrong-derivative dZ1: delta = (delta @ weights[l].T) * (1 - activations[l])
            #! wrong-operand dZ1: delta = (delta @ grad_W[l].T) * (1 - activations[l] ** 2)
            #! wrong-operand|wrong-derivative dZ1: delta = (delta @ weights[l].T) * (1 - zs[l - 1] ** 2)
            #! updated-weights dZ1: delta = (delta @ (weights[l] - 0.1 * grad_W[l]).T) * (1 - activations[l] ** 2)
            #! sign dZ1: delta = -(delta @ weights[l].T) * (1 - activations[l] ** 2)
    return grad_W, grad_b
