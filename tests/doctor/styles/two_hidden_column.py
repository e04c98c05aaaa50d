import numpy as np


def tanh(z):
    return np.tanh(z)


def dtanh(z):
    return 1 - np.tanh(z) ** 2


class Net:
    # d inputs, two hidden layers with h units each, k outputs; x is (d, m), labels one-hot (k, m)
    def __init__(self, d, h, k):
        s = 0.3
        self.w1, self.b1 = s * np.random.randn(h, d), np.zeros((h, 1))
        self.w2, self.b2 = s * np.random.randn(h, h), np.zeros((h, 1))
        self.w3, self.b3 = s * np.random.randn(k, h), np.zeros((k, 1))

    def feed_forward(self, x):
        self.x = x
        self.z1 = self.w1 @ x + self.b1
        self.a1 = tanh(self.z1)
        self.z2 = self.w2 @ self.a1 + self.b2
        self.a2 = tanh(self.z2)
        self.z3 = self.w3 @ self.a2 + self.b3
        #! bias-missing Z3: self.z3 = self.w3 @ self.a2
        e = np.exp(self.z3)
        self.out = e / np.sum(e, axis=0, keepdims=True)
        return self.out

    def cost(self, y):
        return -np.sum(y * np.log(self.out)) / y.shape[1]
        #! loss-sign loss: return np.sum(y * np.log(self.out)) / y.shape[1]

    def back_propagate(self, y):
        m = y.shape[1]
        d3 = (self.out - y) / m
        #! sign dZ3: d3 = (y - self.out) / m
        #! missing-mean dZ3: d3 = self.out - y
        d2 = (self.w3.T @ d3) * dtanh(self.z2)
        #! mask-wrong-layer dZ2: d2 = (self.w3.T @ d3) * dtanh(self.z1)
        #! derivative-of-activation dZ2: d2 = (self.w3.T @ d3) * dtanh(self.a2)
        #! mask-missing dZ2: d2 = self.w3.T @ d3
        d1 = (self.w2.T @ d2) * dtanh(self.z1)
        #! transposed|wrong-operand dZ1: d1 = (self.w2 @ d2) * dtanh(self.z1)
        #! mask-wrong-layer dZ1: d1 = (self.w2.T @ d2) * dtanh(self.z2)
        #! derivative-of-activation dZ1: d1 = (self.w2.T @ d2) * dtanh(self.a1)
        self.dw3 = d3 @ self.a2.T
        #! wrong-operand|stale-cache dW3: self.dw3 = d3 @ self.a1.T
        self.db3 = d3.sum(axis=1, keepdims=True)
        #! summed-over-classes|wrong-axis db3: self.db3 = d3.sum(axis=0, keepdims=True)
        self.dw2 = d2 @ self.a1.T
        #! transposed dW2: self.dw2 = self.a1 @ d2.T
        #! wrong-operand dW2: self.dw2 = d1 @ self.a1.T
        #! permuted-rows dW2: self.dw2 = d2[::-1] @ self.a1.T
        self.db2 = d2.sum(axis=1, keepdims=True)
        #! wrong-operand db2: self.db2 = d1.sum(axis=1, keepdims=True)
        self.dw1 = d1 @ self.x.T
        #! double-mean dW1: self.dw1 = d1 @ self.x.T / m
        self.db1 = d1.sum(axis=1, keepdims=True)
        #! collapsed-scalar db1: self.db1 = d1.sum()

    def update(self, lr):
        for name in ("w1", "b1", "w2", "b2", "w3", "b3"):
            setattr(self, name, getattr(self, name) - lr * getattr(self, "d" + name))
            #! ascends: setattr(self, name, getattr(self, name) + lr * getattr(self, "d" + name))
