import numpy as np

SLOPE = 0.1


def leaky_relu(z):
    return np.where(z > 0, z, SLOPE * z)


def leaky_relu_grad(z):
    return np.where(z > 0, 1.0, SLOPE)
    #! wrong-derivative dZ2: return np.where(z > 0, 1.0, 0.0)
    #! wrong-derivative dZ2: return np.where(z > 0, SLOPE, 1.0)
    #! mask-missing dZ2: return np.ones_like(z)


class NeuralNet:
    def __init__(self, layer_dims):
        self.L = len(layer_dims) - 1
        self.layers = []
        for n_prev, n in zip(layer_dims[:-1], layer_dims[1:]):
            self.layers.append({"W": np.random.randn(n, n_prev) * np.sqrt(2 / n_prev), "b": np.zeros((n, 1))})

    def forward(self, A):
        self.A = [A]
        self.Z = []
        for i, layer in enumerate(self.layers):
            Z = layer["W"] @ self.A[-1] + layer["b"]
            #! bias-missing Z1: Z = layer["W"] @ self.A[-1]
            self.Z.append(Z)
            if i < self.L - 1:
                self.A.append(leaky_relu(Z))
            else:
                e = np.exp(Z - Z.max(axis=0, keepdims=True))
                self.A.append(e / e.sum(axis=0, keepdims=True))
                #! softmax-axis A3: self.A.append(e / e.sum())
        return self.A[-1]

    def cost(self, Y):
        return -np.mean(np.sum(Y * np.log(self.A[-1]), axis=0))
        #! loss-sign loss: return np.mean(np.sum(Y * np.log(self.A[-1]), axis=0))
        #! loss-scale loss: return -np.mean(Y * np.log(self.A[-1]))

    def backward(self, Y):
        m = Y.shape[1]
        dZ = self.A[-1] - Y
        #! sign dZ3: dZ = Y - self.A[-1]
        #! constant-factor dZ3: dZ = 2 * (self.A[-1] - Y)
        #! wrong-operand dZ3: dZ = self.Z[-1] - Y
        for i in reversed(range(self.L)):
            self.layers[i]["dW"] = dZ @ self.A[i].T / m
            #! missing-mean dW3: self.layers[i]["dW"] = dZ @ self.A[i].T
            #! transposed dW3: self.layers[i]["dW"] = self.A[i] @ dZ.T / m
            self.layers[i]["db"] = dZ.mean(axis=1, keepdims=True)
            #! missing-mean db3: self.layers[i]["db"] = dZ.sum(axis=1, keepdims=True)
            #! summed-over-classes|wrong-axis db3: self.layers[i]["db"] = dZ.mean(axis=0, keepdims=True)
            if i > 0:
                dZ = self.layers[i]["W"].T @ dZ * leaky_relu_grad(self.Z[i - 1])
                #! wrong-operand dZ2: dZ = self.layers[i]["dW"].T @ dZ * leaky_relu_grad(self.Z[i - 1])
                #! sign dZ2: dZ = -self.layers[i]["W"].T @ dZ * leaky_relu_grad(self.Z[i - 1])
                #! double-mean dZ2: dZ = self.layers[i]["W"].T @ dZ * leaky_relu_grad(self.Z[i - 1]) / m

    def update(self, lr):
        for layer in self.layers:
            layer["W"] -= lr * layer["dW"]
            #! ascends: layer["W"] += lr * layer["dW"]
            layer["b"] -= lr * layer["db"]
