# One function trains for one step and gives nothing back: the gradient is only in what happens to the weights.
import numpy as np


class NeuralNet:
    def __init__(self, d, h, k):
        self.weights1 = np.random.rand(d, h)
        self.bias1 = np.random.rand(h)
        self.weights2 = np.random.rand(h, k)
        self.bias2 = np.random.rand(k)

    def feedforward(self, x):
        self.layer1 = 1 / (1 + np.exp(-(np.dot(x, self.weights1) + self.bias1)))
        self.output = 1 / (1 + np.exp(-(np.dot(self.layer1, self.weights2) + self.bias2)))
        return self.output

    def loss(self, x, y):
        return np.sum((self.feedforward(x) - y) ** 2) / len(x)
        #! loss-scale|double-mean loss: return np.sum((self.feedforward(x) - y) ** 2)
        #! loss-scale|constant-factor loss: return 0.5 * np.sum((self.feedforward(x) - y) ** 2) / len(x)

    def backprop(self, x, y, lr=0.1):
        self.feedforward(x)
        n = len(x)
        d2 = 2 * (self.output - y) * self.output * (1 - self.output) / n
        #! sign dZ2: d2 = 2 * (y - self.output) * self.output * (1 - self.output) / n
        #! constant-factor dZ2: d2 = (self.output - y) * self.output * (1 - self.output) / n
        #! missing-mean dZ2: d2 = 2 * (self.output - y) * self.output * (1 - self.output)
        #! other-loss|wrong-derivative|mask-missing dZ2: d2 = 2 * (self.output - y) / n
        #! wrong-derivative dZ2: d2 = 2 * (self.output - y) * self.output / n
        d1 = np.dot(d2, self.weights2.T) * self.layer1 * (1 - self.layer1)
        #! right: d1 = (d2 @ self.weights2.T) * (self.layer1 - self.layer1**2)
        #! mask-missing|wrong-derivative dZ1: d1 = np.dot(d2, self.weights2.T)
        #! wrong-derivative dZ1: d1 = np.dot(d2, self.weights2.T) * self.layer1
        #! sign dZ1: d1 = -np.dot(d2, self.weights2.T) * self.layer1 * (1 - self.layer1)
        #! updated-weights dZ1: self.weights2 -= lr * np.dot(self.layer1.T, d2); d1 = np.dot(d2, self.weights2.T) * self.layer1 * (1 - self.layer1); self.weights2 += lr * np.dot(self.layer1.T, d2)
        self.weights2 -= lr * np.dot(self.layer1.T, d2)
        #! sign|ascends dW2: self.weights2 += lr * np.dot(self.layer1.T, d2)
        #! missing-mean dW2: self.weights2 -= lr * n * np.dot(self.layer1.T, d2)
        self.bias2 -= lr * np.sum(d2, axis=0)
        #! collapsed-scalar db2: self.bias2 -= lr * np.sum(d2)
        #! double-mean db2: self.bias2 -= lr * np.mean(d2, axis=0)
        self.weights1 -= lr * np.dot(x.T, d1)
        #! sign|ascends dW1: self.weights1 += lr * np.dot(x.T, d1)
        #! double-mean dW1: self.weights1 -= lr * np.dot(x.T, d1) / n
        self.bias1 -= lr * np.sum(d1, axis=0)
        #! collapsed-scalar db1: self.bias1 -= lr * np.sum(d1)
        #! missing-term db1: pass

    def train(self, x, y, epochs=100, lr=0.1):
        for _ in range(epochs):
            self.backprop(x, y, lr)
