import numpy as np


class Network:
    """784 - 128 - 64 - 10 network: sigmoid hidden layers, softmax output. A column is an image."""

    def __init__(self, sizes, learning_rate=0.1):
        self.sizes = sizes
        self.lr = learning_rate
        self.params = {}
        for l in range(1, len(sizes)):
            self.params[f"W{l}"] = np.random.randn(sizes[l], sizes[l - 1]) / np.sqrt(sizes[l - 1])
            self.params[f"b{l}"] = np.zeros((sizes[l], 1))
        self.cache = {}

    def sigmoid(self, z):
        return 1 / (1 + np.exp(-z))

    def softmax(self, z):
        e = np.exp(z - z.max(axis=0))
        return e / e.sum(axis=0)
        #! softmax-axis A3: return e / e.sum()

    def forward(self, X):
        p, c = self.params, self.cache
        c["A0"] = X
        c["Z1"] = p["W1"] @ X + p["b1"]
        c["A1"] = self.sigmoid(c["Z1"])
        c["Z2"] = p["W2"] @ c["A1"] + p["b2"]
        #! bias-missing Z2: c["Z2"] = p["W2"] @ c["A1"]
        c["A2"] = self.sigmoid(c["Z2"])
        #! forward-activation|wrong-derivative A2: c["A2"] = np.tanh(c["Z2"])
        c["Z3"] = p["W3"] @ c["A2"] + p["b3"]
        c["A3"] = self.softmax(c["Z3"])
        return c["A3"]

    def loss(self, X, Y):
        return -np.sum(Y * np.log(self.forward(X))) / X.shape[1]
        #! loss-sign loss: return np.sum(Y * np.log(self.forward(X))) / X.shape[1]
        #! loss-scale loss: return -np.mean(Y * np.log(self.forward(X)))

    def backward(self, X, Y):
        self.forward(X)
        p, c = self.params, self.cache
        m = X.shape[1]
        grads = {}
        dZ3 = (c["A3"] - Y) / m
        #! sign dZ3: dZ3 = (Y - c["A3"]) / m
        #! missing-mean dZ3: dZ3 = c["A3"] - Y
        #! double-mean dZ3: dZ3 = (c["A3"] - Y) / m / m
        #! softmax-diagonal dZ3: dZ3 = -Y * (1 - c["A3"]) / m
        #! wrong-operand dZ3: dZ3 = (c["A3"] - c["Z3"]) / m
        grads["W3"] = dZ3 @ c["A2"].T
        #! wrong-operand dW3: grads["W3"] = dZ3 @ c["Z2"].T
        #! transposed dW3: grads["W3"] = c["A2"] @ dZ3.T
        grads["b3"] = dZ3.sum(axis=1, keepdims=True)
        #! collapsed-scalar db3: grads["b3"] = dZ3.sum()
        #! wrong-axis|summed-over-classes db3: grads["b3"] = dZ3.sum(axis=0, keepdims=True)
        dZ2 = (p["W3"].T @ dZ3) * c["A2"] * (1 - c["A2"])
        #! derivative-of-activation dZ2: dZ2 = (p["W3"].T @ dZ3) * self.sigmoid(c["A2"]) * (1 - self.sigmoid(c["A2"]))
        #! wrong-derivative dZ2: dZ2 = (p["W3"].T @ dZ3) * c["A2"]
        #! mask-missing|wrong-derivative dZ2: dZ2 = p["W3"].T @ dZ3
        #! wrong-operand dZ2: dZ2 = (grads["W3"].T @ dZ3) * c["A2"] * (1 - c["A2"])
        #! wrong-derivative dZ2: dZ2 = (p["W3"].T @ dZ3) * (1 - c["A2"] ** 2)
        grads["W2"] = dZ2 @ c["A1"].T
        #! sign dW2: grads["W2"] = -dZ2 @ c["A1"].T
        #! double-mean dW2: grads["W2"] = dZ2 @ c["A1"].T / m
        #! permuted-rows dW2: grads["W2"] = (dZ2 @ c["A1"].T)[:, ::-1]
        grads["b2"] = dZ2.sum(axis=1, keepdims=True)
        #! double-mean db2: grads["b2"] = dZ2.mean(axis=1, keepdims=True)
        dZ1 = (p["W2"].T @ dZ2) * c["A1"] * (1 - c["A1"])
        #! sign dZ1: dZ1 = (p["W2"].T @ dZ2) * c["A1"] * (c["A1"] - 1)
        #! wrong-derivative dZ1: dZ1 = (p["W2"].T @ dZ2) * (1 - c["A1"])
        #! updated-weights dZ1: p["W2"] = p["W2"] - self.lr * grads["W2"]; dZ1 = (p["W2"].T @ dZ2) * c["A1"] * (1 - c["A1"])
        grads["W1"] = dZ1 @ X.T
        #! missing-mean dW1: grads["W1"] = m * dZ1 @ X.T
        #! transposed dW1: grads["W1"] = X @ dZ1.T
        grads["b1"] = dZ1.sum(axis=1, keepdims=True)
        #! collapsed-scalar db1: grads["b1"] = dZ1.sum()
        #! missing-term db1: grads["b1"] = np.zeros_like(p["b1"])
        return grads

    def step(self, grads):
        for name in self.params:
            self.params[name] -= self.lr * grads[name]
            #! ascends: self.params[name] += self.lr * grads[name]
