import numpy as np


class NeuralNetwork:
    def __init__(self, input_size, hidden_size, output_size):
        self.W1 = np.random.randn(input_size, hidden_size) * 0.1
        self.b1 = np.zeros((1, hidden_size))
        self.W2 = np.random.randn(hidden_size, output_size) * 0.1
        self.b2 = np.zeros((1, output_size))

    def sigmoid(self, z):
        return 1 / (1 + np.exp(-z))

    def softmax(self, z):
        e = np.exp(z - np.max(z, axis=1, keepdims=True))
        return e / np.sum(e, axis=1, keepdims=True)
        #! softmax-axis A2: return e / np.sum(e, axis=0, keepdims=True)
        #! softmax-axis A2: return e / np.sum(e)

    def forward(self, X):
        self.z1 = np.dot(X, self.W1) + self.b1
        self.a1 = self.sigmoid(self.z1)
        self.z2 = np.dot(self.a1, self.W2) + self.b2
        #! bias-missing Z2: self.z2 = np.dot(self.a1, self.W2)
        self.a2 = self.softmax(self.z2)
        return self.a2

    def compute_loss(self, y_true, y_pred):
        return -np.sum(y_true * np.log(y_pred)) / y_true.shape[0]
        #! loss-sign loss: return np.sum(y_true * np.log(y_pred)) / y_true.shape[0]
        #! loss-scale|double-mean loss: return -np.sum(y_true * np.log(y_pred))
        #! other-loss loss: return 0.5 * np.sum((y_true - y_pred) ** 2) / y_true.shape[0]

    def backprop(self, X, y, learning_rate):
        m = X.shape[0]
        dz2 = self.a2 - y
        #! sign dZ2: dz2 = y - self.a2
        #! wrong-operand dZ2: dz2 = self.z2 - y
        #! constant-factor dZ2: dz2 = 2 * (self.a2 - y)
        #! wrong-derivative|derivative-of-activation dZ2: dz2 = (self.a2 - y) * self.a2 * (1 - self.a2)
        dW2 = np.dot(self.a1.T, dz2) / m
        #! right: dW2 = np.einsum("ij,ik->jk", self.a1, dz2) / m
        #! missing-mean dW2: dW2 = np.dot(self.a1.T, dz2)
        #! double-mean dW2: dW2 = np.dot(self.a1.T, dz2) / m**2
        #! wrong-operand dW2: dW2 = np.dot(self.z1.T, dz2) / m
        #! sign dW2: dW2 = -np.dot(self.a1.T, dz2) / m
        db2 = np.sum(dz2, axis=0, keepdims=True) / m
        #! missing-mean db2: db2 = np.sum(dz2, axis=0, keepdims=True)
        #! collapsed-scalar db2: db2 = np.sum(dz2) / m
        dz1 = np.dot(dz2, self.W2.T) * self.a1 * (1 - self.a1)
        #! derivative-of-activation dZ1: dz1 = np.dot(dz2, self.W2.T) * self.sigmoid(self.a1) * (1 - self.sigmoid(self.a1))
        #! mask-missing|wrong-derivative dZ1: dz1 = np.dot(dz2, self.W2.T)
        #! wrong-derivative dZ1: dz1 = np.dot(dz2, self.W2.T) * self.a1
        #! wrong-derivative dZ1: dz1 = np.dot(dz2, self.W2.T) * (1 - self.a1**2)
        #! wrong-operand dZ1: dz1 = np.dot(dz2, dW2.T) * self.a1 * (1 - self.a1)
        dW1 = np.dot(X.T, dz1) / m
        #! missing-mean dW1: dW1 = np.dot(X.T, dz1)
        #! permuted-rows dW1: dW1 = np.dot(X.T, dz1)[::-1] / m
        #! sign dW1: dW1 = -np.dot(X.T, dz1) / m
        db1 = np.sum(dz1, axis=0, keepdims=True) / m
        #! missing-mean db1: db1 = np.sum(dz1, axis=0, keepdims=True)
        #! collapsed-scalar db1: db1 = np.sum(dz1) / m
        #! double-mean db1: db1 = np.sum(dz1, axis=0, keepdims=True) / m / m

        self.W2 -= learning_rate * dW2
        #! sign|ascends dW2: self.W2 += learning_rate * dW2
        self.b2 -= learning_rate * db2
        self.W1 -= learning_rate * dW1
        #! sign|ascends dW1: self.W1 += learning_rate * dW1
        self.b1 -= learning_rate * db1
        #! missing-term db1: pass

    def fit(self, X, y, epochs=100, learning_rate=0.1):
        for epoch in range(epochs):
            output = self.forward(X)
            loss = self.compute_loss(y, output)
            self.backprop(X, y, learning_rate)
            if epoch % 10 == 0:
                print(f"Epoch {epoch}, loss {loss:.4f}")
