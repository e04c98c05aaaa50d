"""A classifier in the manner of scikit-learn."""
import numpy as np


class MyMLP:
    def __init__(self, hidden=16, learning_rate=0.1, n_iter=50, alpha=1e-2):
        self.hidden = hidden
        self.learning_rate = learning_rate
        self.n_iter = n_iter
        self.alpha = alpha

    def _init_weights(self, n_features, n_classes):
        self.coefs_ = [np.random.randn(n_features, self.hidden) * 0.1, np.random.randn(self.hidden, n_classes) * 0.1]
        self.intercepts_ = [np.zeros(self.hidden), np.zeros(n_classes)]

    def _forward(self, X):
        activations = [X]
        hidden = np.tanh(X @ self.coefs_[0] + self.intercepts_[0])
        activations.append(hidden)
        scores = hidden @ self.coefs_[1] + self.intercepts_[1]
        #! bias-missing Z2: scores = hidden @ self.coefs_[1]
        scores = scores - scores.max(axis=1, keepdims=True)
        out = np.exp(scores)
        out /= out.sum(axis=1, keepdims=True)
        #! softmax-axis A2: out /= out.sum(axis=0, keepdims=True)
        activations.append(out)
        return activations

    def _loss(self, X, y_onehot):
        out = self._forward(X)[-1]
        data = -np.sum(y_onehot * np.log(out)) / len(X)
        #! loss-scale loss: data = -np.sum(y_onehot * np.log(out))
        penalty = 0.5 * self.alpha * sum(np.sum(W**2) for W in self.coefs_)
        #! l2-factor loss: penalty = self.alpha * sum(np.sum(W**2) for W in self.coefs_)
        return data + penalty

    def _backward(self, X, y_onehot):
        X, hidden, out = self._forward(X)
        n = len(X)
        delta = (out - y_onehot) / n
        #! sign dZ2: delta = (y_onehot - out) / n
        #! missing-mean dZ2: delta = out - y_onehot
        #! constant-factor dZ2: delta = (out - y_onehot) / n / out.shape[1]
        coef_grads = [None, hidden.T @ delta + self.alpha * self.coefs_[1]]
        #! l2-missing dW2: coef_grads = [None, hidden.T @ delta]
        #! l2-doubled dW2: coef_grads = [None, hidden.T @ delta + 2 * self.alpha * self.coefs_[1]]
        #! l2-divided dW2: coef_grads = [None, hidden.T @ delta + self.alpha * self.coefs_[1] / n]
        intercept_grads = [None, delta.sum(axis=0)]
        #! collapsed-scalar db2: intercept_grads = [None, delta.sum()]
        delta = (delta @ self.coefs_[1].T) * (1 - hidden**2)
        #! mask-missing dZ1: delta = delta @ self.coefs_[1].T
        #! derivative-of-activation dZ1: delta = (delta @ self.coefs_[1].T) * (1 - np.tanh(hidden) ** 2)
        #! wrong-derivative dZ1: delta = (delta @ self.coefs_[1].T) * hidden * (1 - hidden)
        coef_grads[0] = X.T @ delta + self.alpha * self.coefs_[0]
        #! l2-missing dW1: coef_grads[0] = X.T @ delta
        #! transposed dW1: coef_grads[0] = (X.T @ delta + self.alpha * self.coefs_[0]).T
        intercept_grads[0] = delta.sum(axis=0)
        #! l2-on-biases db1: intercept_grads[0] = delta.sum(axis=0) + self.alpha * self.intercepts_[0]
        return coef_grads, intercept_grads

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        Y = (y[:, None] == self.classes_).astype(float)
        self._init_weights(X.shape[1], len(self.classes_))
        for _ in range(self.n_iter):
            coef_grads, intercept_grads = self._backward(X, Y)
            for i in range(2):
                self.coefs_[i] -= self.learning_rate * coef_grads[i]
                #! ascends: self.coefs_[i] += self.learning_rate * coef_grads[i]
                self.intercepts_[i] -= self.learning_rate * intercept_grads[i]
        return self
