# Of report 004, question 4: db2 is the sum of dZ2 over the classes, which is always 0.
import numpy as np


class DeepNeuralNetwork:
    def __init__(self, sizes, epochs=5, l_rate=0.01):
        self.epochs = epochs
        self.l_rate = l_rate
        n_in, n_hidden, n_out = sizes
        self.params = {
            "W1": np.random.randn(n_in, n_hidden) * np.sqrt(1.0 / n_in),
            "b1": np.zeros((1, n_hidden)),
            "W2": np.random.randn(n_hidden, n_out) * np.sqrt(1.0 / n_hidden),
            "b2": np.zeros((1, n_out)),
        }

    def sigmoid(self, x):
        return 1 / (1 + np.exp(-x))

    def softmax(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return e / np.sum(e, axis=1, keepdims=True)

    def forward_pass(self, x):
        params = self.params
        params["A0"] = x
        params["Z1"] = np.dot(params["A0"], params["W1"]) + params["b1"]
        params["A1"] = self.sigmoid(params["Z1"])
        params["Z2"] = np.dot(params["A1"], params["W2"]) + params["b2"]
        params["A2"] = self.softmax(params["Z2"])
        return params["A2"]

    def backward_pass(self, y, output):
        params = self.params
        m = y.shape[0]
        dZ2 = (output - y) / m
        dW2 = np.dot(params["A1"].T, dZ2)
        db2 = np.sum(dZ2, axis=1, keepdims=True)
        dZ1 = np.dot(dZ2, params["W2"].T) * params["A1"] * (1 - params["A1"])
        dW1 = np.dot(params["A0"].T, dZ1)
        db1 = np.sum(dZ1, axis=0, keepdims=True)
        return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}

    def compute_cost(self, A2, Y):
        return -np.sum(Y * np.log(A2)) / Y.shape[0]
