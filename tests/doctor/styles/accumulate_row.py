# Gradients are added up sample by sample and applied once a batch.
import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Perceptron:
    def __init__(self, n_in, n_hidden, n_out):
        self.W1 = np.random.randn(n_in, n_hidden) * 0.5
        self.b1 = np.random.randn(n_hidden) * 0.5
        self.W2 = np.random.randn(n_hidden, n_out) * 0.5
        self.b2 = np.random.randn(n_out) * 0.5
        self.zero_grad()

    def zero_grad(self):
        self.dW1 = np.zeros_like(self.W1)
        self.db1 = np.zeros_like(self.b1)
        self.dW2 = np.zeros_like(self.W2)
        self.db2 = np.zeros_like(self.b2)

    def forward(self, x):
        self.x = x
        self.h = sigmoid(x @ self.W1 + self.b1)
        self.o = sigmoid(self.h @ self.W2 + self.b2)
        #! bias-missing Z2: self.o = sigmoid(self.h @ self.W2)
        return self.o

    def loss(self, y):
        return -np.sum(y * np.log(self.o) + (1 - y) * np.log(1 - self.o))
        #! loss-sign loss: return np.sum(y * np.log(self.o) + (1 - y) * np.log(1 - self.o))
        #! other-loss loss: return 0.5 * np.sum((y - self.o) ** 2)
        #! other-loss loss: return -np.sum(y * np.log(self.o))

    def backward(self, y):
        d_o = self.o - y
        #! sign dZ2: d_o = y - self.o
        #! constant-factor dZ2: d_o = 2 * (self.o - y)
        #! other-loss|wrong-derivative dZ2: d_o = (self.o - y) * self.o * (1 - self.o)
        self.dW2 += np.outer(self.h, d_o)
        #! sign dW2: self.dW2 -= np.outer(self.h, d_o)
        self.db2 += d_o
        #! collapsed-scalar db2: self.db2 += d_o.sum()
        #! missing-term db2: pass
        d_h = (self.W2 @ d_o) * self.h * (1 - self.h)
        #! wrong-operand dZ1: d_h = (self.dW2 @ d_o) * self.h * (1 - self.h)
        #! mask-missing|wrong-derivative dZ1: d_h = self.W2 @ d_o
        #! derivative-of-activation dZ1: d_h = (self.W2 @ d_o) * sigmoid(self.h) * (1 - sigmoid(self.h))
        #! wrong-derivative dZ1: d_h = (self.W2 @ d_o) * (1 - self.h**2)
        self.dW1 += np.outer(self.x, d_h)
        #! permuted-rows dW1: self.dW1 += np.outer(self.x[::-1], d_h)
        self.db1 += d_h
        #! collapsed-scalar db1: self.db1 += np.sum(d_h)
        #! sign db1: self.db1 -= d_h

    def step(self, lr, n):
        self.W1 -= lr * self.dW1 / n
        #! ascends: self.W1 += lr * self.dW1 / n
        self.b1 -= lr * self.db1 / n
        self.W2 -= lr * self.dW2 / n
        self.b2 -= lr * self.db2 / n

    def fit(self, X, Y, epochs=10, batch_size=5, lr=0.1):
        for epoch in range(epochs):
            order = np.random.permutation(len(X))
            for start in range(0, len(X), batch_size):
                batch = order[start : start + batch_size]
                self.zero_grad()
                #! accumulators-carry-over: pass
                for i in batch:
                    self.forward(X[i])
                    self.backward(Y[i])
                self.step(lr, len(batch))
