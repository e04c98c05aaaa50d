import numpy as np


class Dense:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out) * np.sqrt(2 / n_in)
        self.b = np.zeros(n_out)

    def forward(self, x):
        self.x = x
        #! stale-cache|stale-state dW2: self.x = getattr(self, "x", x)
        return x @ self.W + self.b
        #! bias-missing Z1: return x @ self.W

    def backward(self, grad):
        self.dW = self.x.T @ grad
        #! transposed dW2: self.dW = grad.T @ self.x
        #! double-mean dW2: self.dW = self.x.T @ grad / len(grad)
        #! missing-mean dW2: self.dW = len(grad) * self.x.T @ grad
        #! sign dW2: self.dW = -self.x.T @ grad
        #! permuted-rows dW2: self.dW = self.x.T[::-1] @ grad
        self.db = grad.sum(axis=0)
        #! collapsed-scalar db2: self.db = grad.sum()
        #! double-mean db2: self.db = grad.mean(axis=0)
        #! wrong-axis|summed-over-classes db2: self.db = grad.sum(axis=1)
        return grad @ self.W.T
        #! updated-weights dA1: return grad @ (self.W - 0.01 * self.dW).T
        #! wrong-operand dA1: return grad @ self.dW.T
        #! sign dA1: return -grad @ self.W.T
        #! constant-factor dA1: return 2 * grad @ self.W.T


class ReLU:
    def forward(self, x):
        self.mask = x > 0
        #! right: self.mask = x >= 0
        #! wrong-derivative dZ1: self.mask = x < 0
        #! right: self.mask = np.maximum(x, 0) > 0
        return np.maximum(x, 0)

    def backward(self, grad):
        return grad * self.mask
        #! mask-missing dZ1: return grad
        #! mask-of-gradient dZ1: return grad * (grad > 0)


class SoftmaxCrossEntropy:
    def forward(self, logits, y):
        shifted = logits - logits.max(axis=1, keepdims=True)
        exp = np.exp(shifted)
        self.probs = exp / exp.sum(axis=1, keepdims=True)
        #! softmax-axis A2: self.probs = exp / exp.sum(axis=0, keepdims=True)
        #! softmax-axis A2: self.probs = exp / exp.sum()
        self.y = y
        return -np.log(self.probs[np.arange(len(y)), y]).mean()
        #! loss-scale|double-mean loss: return -np.log(self.probs[np.arange(len(y)), y]).sum()
        #! loss-sign loss: return np.log(self.probs[np.arange(len(y)), y]).mean()

    def backward(self):
        grad = self.probs.copy()
        grad[np.arange(len(self.y)), self.y] -= 1
        #! sign dZ2: grad[np.arange(len(self.y)), self.y] -= 1; grad = -grad
        return grad / len(self.y)
        #! missing-mean dZ2: return grad
        #! double-mean dZ2: return grad / len(self.y) ** 2
        #! constant-factor dZ2: return grad / grad.size
        #! wrong-derivative dZ2: return grad * self.probs * (1 - self.probs) / len(self.y)


class Model:
    def __init__(self, n_in, n_hidden, n_out):
        self.layers = [Dense(n_in, n_hidden), ReLU(), Dense(n_hidden, n_out)]
        self.loss = SoftmaxCrossEntropy()

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self):
        grad = self.loss.backward()
        for layer in reversed(self.layers):
            grad = layer.backward(grad)

    def step(self, lr):
        for layer in self.layers:
            if isinstance(layer, Dense):
                layer.W -= lr * layer.dW
                layer.b -= lr * layer.db

    def train(self, x, y, epochs=10, lr=0.1, batch_size=4):
        for epoch in range(epochs):
            order = np.random.permutation(len(x))
            for start in range(0, len(x), batch_size):
                rows = order[start : start + batch_size]
                self.loss.forward(self.forward(x[rows]), y[rows])
                self.backward()
                self.step(lr)
