import numpy as np


class Layer:
    def __init__(self, inputs, outputs):
        self.weights = np.random.normal(0, 0.5, (outputs, inputs))
        self.bias = np.random.normal(0, 0.5, (outputs, 1))

    def forward(self, a):
        self.a = a
        return np.dot(self.weights, a) + self.bias
        #! bias-missing Z1: return np.dot(self.weights, a)

    def backward(self, delta):
        self.grad_weights = np.dot(delta, self.a.T)
        #! transposed dW2: self.grad_weights = np.dot(self.a, delta.T)
        #! sign dW2: self.grad_weights = -np.dot(delta, self.a.T)
        #! double-mean dW2: self.grad_weights = np.dot(delta, self.a.T) / delta.shape[1]
        #! missing-mean dW2: self.grad_weights = np.dot(delta, self.a.T) * delta.shape[1]
        self.grad_bias = np.sum(delta, axis=1, keepdims=True)
        #! collapsed-scalar db2: self.grad_bias = np.sum(delta)
        #! wrong-axis|summed-over-classes db2: self.grad_bias = np.sum(delta, axis=0, keepdims=True)
        #! double-mean db2: self.grad_bias = np.mean(delta, axis=1, keepdims=True)
        return np.dot(self.weights.T, delta)
        #! wrong-operand dA1: return np.dot(self.grad_weights.T, delta)
        #! sign dA1: return -np.dot(self.weights.T, delta)


class Tanh:
    def forward(self, z):
        self.out = np.tanh(z)
        return self.out

    def backward(self, delta):
        return delta * (1 - self.out**2)
        #! derivative-of-activation dZ1: return delta * (1 - np.tanh(self.out) ** 2)
        #! wrong-derivative dZ1: return delta * (1 - self.out)
        #! wrong-derivative dZ1: return delta * self.out * (1 - self.out)
        #! mask-missing|wrong-derivative dZ1: return delta
        #! sign dZ1: return -delta * (1 - self.out**2)


def mse(prediction, target):
    return 0.5 * np.sum((prediction - target) ** 2) / target.shape[1]
    #! loss-scale|constant-factor loss: return np.sum((prediction - target) ** 2) / target.shape[1]
    #! loss-scale|double-mean loss: return 0.5 * np.sum((prediction - target) ** 2)
    #! loss-scale loss: return np.mean((prediction - target) ** 2)
    #! other-loss loss: return np.sum(np.abs(prediction - target)) / target.shape[1]


def mse_prime(prediction, target):
    return (prediction - target) / target.shape[1]
    #! sign dZ2: return (target - prediction) / target.shape[1]
    #! missing-mean dZ2: return prediction - target
    #! double-mean dZ2: return (prediction - target) / target.shape[1] ** 2
    #! constant-factor dZ2: return 2 * (prediction - target) / target.shape[1]
    #! constant-factor dZ2: return (prediction - target) / target.size
    #! other-loss|wrong-operand|wrong-derivative dZ2: return np.sign(prediction - target) / target.shape[1]


class Network:
    def __init__(self, n_in, n_hidden, n_out):
        self.layers = [Layer(n_in, n_hidden), Tanh(), Layer(n_hidden, n_out)]

    def predict(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backprop(self, x, y):
        delta = mse_prime(self.predict(x), y)
        for layer in self.layers[::-1]:
            delta = layer.backward(delta)
        return delta

    def update(self, lr):
        for layer in self.layers:
            if hasattr(layer, "weights"):
                layer.weights -= lr * layer.grad_weights
                layer.bias -= lr * layer.grad_bias
