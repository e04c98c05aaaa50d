from typing import Tuple

import numpy as np
from numpy import ndarray


def logistic(s: ndarray) -> ndarray:
    return 1.0 / (1.0 + np.exp(-s))


def model(inputs: ndarray, layer1: Tuple[ndarray, ndarray], layer2: Tuple[ndarray, ndarray]):
    (w1, c1), (w2, c2) = layer1, layer2
    s1 = inputs @ w1 + c1
    h1 = logistic(s1)
    s2 = h1 @ w2 + c2
    prediction = logistic(s2)
    return prediction, (inputs, s1, h1, s2, prediction)


def squared_error(prediction: ndarray, target: ndarray) -> float:
    return 0.5 * np.mean(np.sum(np.square(target - prediction), axis=1))
    #! loss-scale loss: return np.mean(np.square(target - prediction))
    #! loss-scale|constant-factor loss: return np.mean(np.sum(np.square(target - prediction), axis=1))


def gradients(target: ndarray, layer1, layer2, saved):
    inputs, s1, h1, s2, prediction = saved
    n = target.shape[0]
    g2 = (prediction - target) * prediction * (1 - prediction) / n
    #! sign dZ2: g2 = (target - prediction) * prediction * (1 - prediction) / n
    #! missing-mean dZ2: g2 = (prediction - target) * prediction * (1 - prediction)
    #! other-loss|mask-missing|wrong-derivative dZ2: g2 = (prediction - target) / n
    #! wrong-derivative dZ2: g2 = (prediction - target) * prediction / n
    #! derivative-of-activation dZ2: g2 = (prediction - target) * logistic(prediction) * (1 - logistic(prediction)) / n
    grad_w2 = h1.T @ g2
    #! wrong-operand dW2: grad_w2 = s1.T @ g2
    #! transposed dW2: grad_w2 = g2.T @ h1
    grad_c2 = np.ones(n) @ g2
    #! collapsed-scalar db2: grad_c2 = np.ones(n) @ g2 @ np.ones(g2.shape[1])
    g1 = (g2 @ layer2[0].T) * h1 * (1 - h1)
    #! mask-missing dZ1: g1 = g2 @ layer2[0].T
    #! sign dZ1: g1 = (g2 @ layer2[0].T) * h1 * (h1 - 1)
    #! wrong-operand dZ1: g1 = (g2 @ grad_w2.T) * h1 * (1 - h1)
    grad_w1 = inputs.T @ g1
    #! permuted-rows dW1: grad_w1 = inputs[:, ::-1].T @ g1
    #! double-mean dW1: grad_w1 = inputs.T @ g1 / n
    grad_c1 = np.ones(n) @ g1
    #! sign db1: grad_c1 = -np.ones(n) @ g1
    return (grad_w1, grad_c1), (grad_w2, grad_c2)
