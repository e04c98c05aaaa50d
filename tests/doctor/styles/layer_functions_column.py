import numpy as np


def sigmoid(Z):
    A = 1 / (1 + np.exp(-Z))
    cache = Z
    return A, cache


def relu(Z):
    A = np.maximum(0, Z)
    cache = Z
    return A, cache


def relu_backward(dA, cache):
    Z = cache
    dZ = np.array(dA, copy=True)
    dZ[Z <= 0] = 0
    #! mask-missing dZ2: pass
    #! mask-of-gradient dZ2: dZ[dA <= 0] = 0
    #! wrong-derivative dZ2: dZ[Z > 0] = 0
    #! wrong-derivative dZ2: dZ = dA * np.maximum(0, Z)
    return dZ


def sigmoid_backward(dA, cache):
    Z = cache
    s = 1 / (1 + np.exp(-Z))
    dZ = dA * s * (1 - s)
    #! wrong-derivative dZ3: dZ = dA * s
    #! wrong-derivative dZ3: dZ = dA * (1 - s)
    #! wrong-derivative|mask-missing dZ3: dZ = dA
    #! wrong-derivative dZ3: dZ = dA * s * (1 + s)
    #! derivative-of-activation dZ3: t = 1 / (1 + np.exp(-s)); dZ = dA * t * (1 - t)
    #! sign dZ3: dZ = -dA * s * (1 - s)
    return dZ


def initialize_parameters_deep(layer_dims):
    parameters = {}
    L = len(layer_dims)
    for l in range(1, L):
        parameters["W" + str(l)] = np.random.randn(layer_dims[l], layer_dims[l - 1]) * 0.1
        parameters["b" + str(l)] = np.zeros((layer_dims[l], 1))
    return parameters


def linear_forward(A, W, b):
    Z = np.dot(W, A) + b
    #! bias-missing Z1: Z = np.dot(W, A)
    cache = (A, W, b)
    #! stale-cache|wrong-operand: cache = (Z, W, b)
    return Z, cache


def linear_activation_forward(A_prev, W, b, activation):
    Z, linear_cache = linear_forward(A_prev, W, b)
    if activation == "sigmoid":
        A, activation_cache = sigmoid(Z)
    else:
        A, activation_cache = relu(Z)
    cache = (linear_cache, activation_cache)
    return A, cache


def L_model_forward(X, parameters):
    caches = []
    A = X
    L = len(parameters) // 2
    for l in range(1, L):
        A_prev = A
        A, cache = linear_activation_forward(A_prev, parameters["W" + str(l)], parameters["b" + str(l)], "relu")
        caches.append(cache)
    AL, cache = linear_activation_forward(A, parameters["W" + str(L)], parameters["b" + str(L)], "sigmoid")
    caches.append(cache)
    return AL, caches


def compute_cost(AL, Y):
    m = Y.shape[1]
    cost = -np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / m
    #! loss-sign loss: cost = np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / m
    #! loss-scale|double-mean loss: cost = -np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL))
    #! other-loss loss: cost = -np.sum(Y * np.log(AL)) / m
    return np.squeeze(cost)


def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = np.dot(dZ, A_prev.T) / m
    #! missing-mean dW3: dW = np.dot(dZ, A_prev.T)
    #! double-mean dW3: dW = np.dot(dZ, A_prev.T) / m / m
    #! transposed dW3: dW = np.dot(A_prev, dZ.T) / m
    #! sign dW3: dW = -np.dot(dZ, A_prev.T) / m
    #! constant-factor dW3: dW = np.dot(dZ, A_prev.T) / (2 * m)
    db = np.sum(dZ, axis=1, keepdims=True) / m
    #! missing-mean db3: db = np.sum(dZ, axis=1, keepdims=True)
    #! collapsed-scalar db3: db = np.sum(dZ) / m
    #! wrong-axis|summed-over-classes db3: db = np.sum(dZ, axis=0, keepdims=True) / m
    dA_prev = np.dot(W.T, dZ)
    #! double-mean dA2: dA_prev = np.dot(W.T, dZ) / m
    #! sign dA2: dA_prev = -np.dot(W.T, dZ)
    #! updated-weights dA2: W -= 0.1 * dW; dA_prev = np.dot(W.T, dZ)
    #! wrong-operand dA2: dA_prev = np.dot(dW.T, dZ)
    return dA_prev, dW, db


def L_model_backward(AL, Y, caches):
    grads = {}
    L = len(caches)
    dAL = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))
    #! right: dAL = (AL - Y) / (AL * (1 - AL))
    #! sign dA3: dAL = np.divide(Y, AL) - np.divide(1 - Y, 1 - AL)
    #! missing-term|other-loss dA3: dAL = -np.divide(Y, AL)
    #! sign|wrong-operand|missing-term|other-loss dA3: dAL = -(np.divide(Y, AL) + np.divide(1 - Y, 1 - AL))
    #! other-loss dA3: dAL = AL - Y
    linear_cache, activation_cache = caches[L - 1]
    dZ = sigmoid_backward(dAL, activation_cache)
    grads["dA" + str(L - 1)], grads["dW" + str(L)], grads["db" + str(L)] = linear_backward(dZ, linear_cache)
    for l in reversed(range(L - 1)):
        linear_cache, activation_cache = caches[l]
        dZ = relu_backward(grads["dA" + str(l + 1)], activation_cache)
        #! wrong-derivative dZ2: dZ = sigmoid_backward(grads["dA" + str(l + 1)], activation_cache)
        grads["dA" + str(l)], grads["dW" + str(l + 1)], grads["db" + str(l + 1)] = linear_backward(dZ, linear_cache)
    return grads


def update_parameters(parameters, grads, learning_rate):
    L = len(parameters) // 2
    for l in range(1, L + 1):
        parameters["W" + str(l)] = parameters["W" + str(l)] - learning_rate * grads["dW" + str(l)]
        parameters["b" + str(l)] = parameters["b" + str(l)] - learning_rate * grads["db" + str(l)]
    return parameters


def L_layer_model(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000):
    parameters = initialize_parameters_deep(layers_dims)
    costs = []
    for i in range(num_iterations):
        AL, caches = L_model_forward(X, parameters)
        costs.append(compute_cost(AL, Y))
        grads = L_model_backward(AL, Y, caches)
        parameters = update_parameters(parameters, grads, learning_rate)
        #! right: parameters = update_parameters(parameters, grads, learning_rate / 2)
    return parameters, costs
