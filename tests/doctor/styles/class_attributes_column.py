import numpy as np


class MLP:
    def __init__(self, n_input, n_hidden, n_output):
        self.W1 = np.random.uniform(-0.5, 0.5, (n_hidden, n_input))
        self.b1 = np.random.uniform(-0.5, 0.5, (n_hidden, 1))
        self.W2 = np.random.uniform(-0.5, 0.5, (n_output, n_hidden))
        self.b2 = np.random.uniform(-0.5, 0.5, (n_output, 1))

    @staticmethod
    def ReLU(Z):
        return np.maximum(Z, 0)

    @staticmethod
    def ReLU_deriv(Z):
        return Z > 0
        #! right: return (Z > 0).astype(float)
        #! right: return Z >= 0
        #! wrong-derivative dZ1: return Z < 0
        #! mask-missing dZ1: return np.ones_like(Z)
        #! wrong-derivative dZ1: return np.maximum(Z, 0)
        #! wrong-derivative dZ1: return 0.1 + 0.9 * (Z > 0)

    @staticmethod
    def softmax(Z):
        return np.exp(Z) / sum(np.exp(Z))
        #! right: return np.exp(Z) / np.exp(Z).sum(axis=0)
        #! softmax-axis A2: return np.exp(Z) / np.sum(np.exp(Z))
        #! softmax-axis A2: return np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)

    def forward_prop(self, X):
        self.Z1 = self.W1.dot(X) + self.b1
        #! bias-missing Z1: self.Z1 = self.W1.dot(X)
        self.A1 = self.ReLU(self.Z1)
        self.Z2 = self.W2.dot(self.A1) + self.b2
        self.A2 = self.softmax(self.Z2)
        return self.A2

    def one_hot(self, Y):
        one_hot_Y = np.zeros((Y.size, self.b2.shape[0]))
        one_hot_Y[np.arange(Y.size), Y] = 1
        return one_hot_Y.T

    def cross_entropy(self, Y):
        return -np.mean(np.log(self.A2[Y, np.arange(Y.size)]))
        #! loss-sign loss: return np.mean(np.log(self.A2[Y, np.arange(Y.size)]))
        #! loss-scale|double-mean loss: return -np.sum(np.log(self.A2[Y, np.arange(Y.size)]))

    def back_prop(self, X, Y):
        m = Y.size
        dZ2 = self.A2 - self.one_hot(Y)
        #! sign dZ2: dZ2 = self.one_hot(Y) - self.A2
        #! constant-factor dZ2: dZ2 = 2 * (self.A2 - self.one_hot(Y))
        #! softmax-diagonal dZ2: dZ2 = -self.one_hot(Y) * (1 - self.A2)
        #! wrong-operand dZ2: dZ2 = self.A2 - self.Z2
        dW2 = 1 / m * dZ2.dot(self.A1.T)
        #! missing-mean dW2: dW2 = dZ2.dot(self.A1.T)
        #! transposed dW2: dW2 = 1 / m * self.A1.dot(dZ2.T)
        #! wrong-operand dW2: dW2 = 1 / m * dZ2.dot(self.Z1.T)
        #! double-mean dW2: dW2 = 1 / m**2 * dZ2.dot(self.A1.T)
        db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)
        #! collapsed-scalar db2: db2 = 1 / m * np.sum(dZ2)
        #! missing-mean db2: db2 = np.sum(dZ2, axis=1, keepdims=True)
        #! wrong-axis|summed-over-classes db2: db2 = 1 / m * np.sum(dZ2, axis=0, keepdims=True)
        dZ1 = self.W2.T.dot(dZ2) * self.ReLU_deriv(self.Z1)
        #! mask-of-gradient dZ1: dZ1 = self.ReLU(self.W2.T.dot(dZ2))
        #! wrong-operand dZ1: dZ1 = dW2.T.dot(dZ2) * self.ReLU_deriv(self.Z1)
        #! sign dZ1: dZ1 = -self.W2.T.dot(dZ2) * self.ReLU_deriv(self.Z1)
        dW1 = 1 / m * dZ1.dot(X.T)
        #! missing-mean dW1: dW1 = dZ1.dot(X.T)
        #! permuted-rows dW1: dW1 = 1 / m * dZ1[::-1].dot(X.T)
        #! constant-factor dW1: dW1 = 0.5 / m * dZ1.dot(X.T)
        db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)
        #! collapsed-scalar db1: db1 = 1 / m * np.sum(dZ1)
        #! missing-mean db1: db1 = np.sum(dZ1, axis=1, keepdims=True)
        return dW1, db1, dW2, db2

    def update_params(self, dW1, db1, dW2, db2, alpha):
        self.W1 = self.W1 - alpha * dW1
        #! ascends: self.W1 = self.W1 + alpha * dW1
        self.b1 = self.b1 - alpha * db1
        self.W2 = self.W2 - alpha * dW2
        self.b2 = self.b2 - alpha * db2

    def gradient_descent(self, X, Y, alpha, iterations):
        for i in range(iterations):
            self.forward_prop(X)
            dW1, db1, dW2, db2 = self.back_prop(X, Y)
            self.update_params(dW1, db1, dW2, db2, alpha)
