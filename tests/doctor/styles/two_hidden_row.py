import numpy as np


class MLP:
    """Two hidden layers of the same width."""

    def __init__(self, d, h, k):
        self.W1 = np.random.randn(d, h) / np.sqrt(d)
        #! fan-out: self.W1 = np.random.randn(d, h) / np.sqrt(h)
        self.b1 = np.zeros(h)
        self.W2 = np.random.randn(h, h) / np.sqrt(h)
        self.b2 = np.zeros(h)
        self.W3 = np.random.randn(h, k) / np.sqrt(h)
        self.b3 = np.zeros(k)

    def forward(self, X):
        self.X = X
        self.Z1 = X @ self.W1 + self.b1
        self.A1 = np.maximum(0, self.Z1)
        self.Z2 = self.A1 @ self.W2 + self.b2
        #! forward-activation|wrong-operand Z2: self.Z2 = self.Z1 @ self.W2 + self.b2
        self.A2 = np.maximum(0, self.Z2)
        self.Z3 = self.A2 @ self.W3 + self.b3
        #! forward-activation|wrong-operand Z3: self.Z3 = self.A1 @ self.W3 + self.b3
        E = np.exp(self.Z3 - self.Z3.max(axis=1, keepdims=True))
        self.P = E / E.sum(axis=1, keepdims=True)
        #! softmax-axis A3: self.P = E / E.sum(axis=0)
        return self.P

    def loss(self, y):
        return -np.mean(np.log(self.P[np.arange(len(y)), y]))

    def backward(self, y):
        m = len(y)
        dZ3 = self.P.copy()
        dZ3[np.arange(m), y] -= 1
        dZ3 /= m
        #! missing-mean dZ3: pass
        dW3 = self.A2.T @ dZ3
        #! wrong-operand|stale-cache dW3: dW3 = self.A1.T @ dZ3
        #! wrong-operand dW3: dW3 = self.Z2.T @ dZ3
        db3 = dZ3.sum(axis=0)
        #! collapsed-scalar db3: db3 = dZ3.sum()
        dA2 = dZ3 @ self.W3.T
        dZ2 = dA2 * (self.Z2 > 0)
        #! mask-wrong-layer dZ2: dZ2 = dA2 * (self.Z1 > 0)
        #! mask-missing dZ2: dZ2 = dA2
        #! mask-of-gradient dZ2: dZ2 = dA2 * (dA2 > 0)
        dW2 = self.A1.T @ dZ2
        #! transposed dW2: dW2 = dZ2.T @ self.A1
        #! wrong-operand|stale-cache dW2: dW2 = self.A2.T @ dZ2
        #! wrong-operand|mask-missing dW2: dW2 = self.A1.T @ dA2
        db2 = dZ2.sum(axis=0)
        #! double-mean db2: db2 = dZ2.mean(axis=0)
        dA1 = dZ2 @ self.W2.T
        #! transposed|wrong-operand dA1: dA1 = dZ2 @ self.W2
        #! wrong-operand dA1: dA1 = dZ2 @ dW2.T
        #! wrong-operand dA1: dA1 = dA2 @ self.W2.T
        #! updated-weights dA1: self.W2 = self.W2 - 0.1 * dW2; dA1 = dZ2 @ self.W2.T
        dZ1 = dA1 * (self.Z1 > 0)
        #! mask-wrong-layer dZ1: dZ1 = dA1 * (self.Z2 > 0)
        #! wrong-operand|missing-term dZ1: dZ1 = dA2 * (self.Z1 > 0)
        dW1 = self.X.T @ dZ1
        #! wrong-operand dW1: dW1 = self.X.T @ dZ2
        db1 = dZ1.sum(axis=0)
        #! wrong-operand db1: db1 = dZ2.sum(axis=0)
        return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "W3": dW3, "b3": db3}

    def train(self, X, y, epochs=20, batch=10, lr=0.1):
        losses = []
        for epoch in range(epochs):
            order = np.random.permutation(len(X))
            #! never-reshuffled: order = np.arange(len(X))
            for i in range(0, len(X), batch):
                #! samples-dropped: for i in range(0, len(X) - batch, batch):
                self.forward(X[order[i : i + batch]])
                grads = self.backward(y[order[i : i + batch]])
                for name, grad in grads.items():
                    setattr(self, name, getattr(self, name) - lr * grad)
                    #! ascends: setattr(self, name, getattr(self, name) + lr * grad)
            self.forward(X)
            losses.append(self.loss(y))
        return losses
