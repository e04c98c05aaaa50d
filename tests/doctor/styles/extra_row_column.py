import numpy as np


def sigmoid(z):
    g = 1 / (1 + np.exp(-z))
    return g


def sigmoidGradient(z):
    return sigmoid(z) * (1 - sigmoid(z))
    #! wrong-derivative dZ1: return sigmoid(z)
    #! wrong-derivative|wrong-operand dZ1: return z * (1 - z)
    #! derivative-of-activation dZ1: return sigmoid(sigmoid(z)) * (1 - sigmoid(sigmoid(z)))
    #! sign dZ1: return sigmoid(z) * (sigmoid(z) - 1)
    #! mask-missing|wrong-derivative dZ1: return np.ones_like(z)


def nnCostFunction(Theta1, Theta2, X, Y, lambda_):
    """Theta1 (hidden, n + 1), Theta2 (K, hidden + 1): the first column holds the biases; X (n, m), Y (K, m)."""
    m = X.shape[1]
    a1 = np.vstack([np.ones((1, m)), X])
    z2 = Theta1 @ a1
    a2 = np.vstack([np.ones((1, m)), sigmoid(z2)])
    z3 = Theta2 @ a2
    a3 = sigmoid(z3)

    J = np.sum(-Y * np.log(a3) - (1 - Y) * np.log(1 - a3)) / m
    #! loss-sign|other-loss loss: J = np.sum(Y * np.log(a3) + (1 - Y) * np.log(1 - a3)) / m
    #! other-loss|missing-term loss: J = np.sum(-Y * np.log(a3)) / m
    J += lambda_ / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    #! l2-factor|l2-divided loss: J += lambda_ / m * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))

    d3 = a3 - Y
    #! sign dZ2: d3 = Y - a3
    #! constant-factor dZ2: d3 = 2 * (a3 - Y)
    #! other-loss|wrong-derivative dZ2: d3 = (a3 - Y) * sigmoidGradient(z3)
    #! wrong-operand dZ2: d3 = z3 - Y
    d2 = (Theta2[:, 1:].T @ d3) * sigmoidGradient(z2)
    #! wrong-operand dZ1: d2 = (Theta2[:, :-1].T @ d3) * sigmoidGradient(z2)
    #! derivative-of-activation|wrong-operand dZ1: d2 = (Theta2[:, 1:].T @ d3) * sigmoidGradient(a2[1:])
    #! constant-factor dZ1: d2 = 0.5 * (Theta2[:, 1:].T @ d3) * sigmoidGradient(z2)

    Theta1_grad = d2 @ a1.T / m
    #! missing-mean dW1: Theta1_grad = d2 @ a1.T
    #! sign dW1: Theta1_grad = -d2 @ a1.T / m
    Theta2_grad = d3 @ a2.T / m
    #! missing-mean dW2: Theta2_grad = d3 @ a2.T
    #! double-mean dW2: Theta2_grad = d3 @ a2.T / m / m
    Theta1_grad[:, 1:] += lambda_ / m * Theta1[:, 1:]
    #! l2-missing dW1: pass
    #! l2-doubled dW1: Theta1_grad[:, 1:] += 2 * lambda_ / m * Theta1[:, 1:]
    #! l2-on-biases db1: Theta1_grad += lambda_ / m * Theta1
    Theta2_grad[:, 1:] += lambda_ / m * Theta2[:, 1:]
    #! l2-missing dW2: pass
    #! l2-factor dW2: Theta2_grad[:, 1:] += lambda_ * Theta2[:, 1:]
    #! l2-on-biases db2: Theta2_grad += lambda_ / m * Theta2
    return J, Theta1_grad, Theta2_grad
