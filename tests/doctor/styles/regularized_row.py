import numpy as np


class TwoLayerNet(object):
    """affine - relu - affine - softmax with L2 regularization on the weights; y holds class labels."""

    def __init__(self, input_size, hidden_size, output_size, std=1e-1):
        self.params = {}
        self.params["W1"] = std * np.random.randn(input_size, hidden_size)
        self.params["b1"] = np.zeros(hidden_size)
        self.params["W2"] = std * np.random.randn(hidden_size, output_size)
        self.params["b2"] = np.zeros(output_size)

    def loss(self, X, y=None, reg=0.0):
        W1, b1 = self.params["W1"], self.params["b1"]
        W2, b2 = self.params["W2"], self.params["b2"]
        N, D = X.shape

        hidden = np.maximum(0, X.dot(W1) + b1)
        scores = hidden.dot(W2) + b2
        #! bias-missing Z2: scores = hidden.dot(W2)
        if y is None:
            return scores

        exp_scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        probs = exp_scores / exp_scores.sum(axis=1, keepdims=True)
        #! softmax-axis A2: probs = exp_scores / exp_scores.sum(axis=0, keepdims=True)
        data_loss = -np.log(probs[range(N), y]).sum() / N
        #! loss-scale|double-mean loss: data_loss = -np.log(probs[range(N), y]).sum()
        loss = data_loss + 0.5 * reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
        #! l2-factor|l2-divided|l2-missing loss: loss = data_loss + reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
        #! l2-not-in-loss loss: loss = data_loss
        #! loss-sign loss: loss = -(data_loss + 0.5 * reg * (np.sum(W1 * W1) + np.sum(W2 * W2)))

        grads = {}
        dscores = probs.copy()
        dscores[range(N), y] -= 1
        #! sign dZ2: dscores[range(N), y] -= 1; dscores = -dscores
        dscores /= N
        #! missing-mean dZ2: pass
        #! double-mean dZ2: dscores /= N**2
        #! constant-factor dZ2: dscores *= 2 / N
        grads["W2"] = hidden.T.dot(dscores) + reg * W2
        #! l2-missing dW2: grads["W2"] = hidden.T.dot(dscores)
        #! l2-doubled dW2: grads["W2"] = hidden.T.dot(dscores) + 2 * reg * W2
        #! l2-divided dW2: grads["W2"] = hidden.T.dot(dscores) + reg * W2 / N
        #! double-mean dW2: grads["W2"] = hidden.T.dot(dscores) / N + reg * W2
        #! sign dW2: grads["W2"] = -hidden.T.dot(dscores) + reg * W2
        #! sign|l2-factor dW2: grads["W2"] = hidden.T.dot(dscores) - reg * W2
        grads["b2"] = dscores.sum(axis=0)
        #! l2-on-biases db2: grads["b2"] = dscores.sum(axis=0) + reg * b2
        #! collapsed-scalar db2: grads["b2"] = dscores.sum()
        #! double-mean db2: grads["b2"] = dscores.mean(axis=0)
        dhidden = dscores.dot(W2.T)
        #! wrong-operand dA1: dhidden = dscores.dot(grads["W2"].T)
        dhidden[hidden <= 0] = 0
        #! mask-missing dZ1: pass
        #! mask-of-gradient dZ1: dhidden[dhidden <= 0] = 0
        #! wrong-derivative dZ1: dhidden[hidden > 0] = 0
        grads["W1"] = X.T.dot(dhidden) + reg * W1
        #! l2-missing dW1: grads["W1"] = X.T.dot(dhidden)
        #! l2-doubled dW1: grads["W1"] = X.T.dot(dhidden) + 2 * reg * W1
        #! l2-divided dW1: grads["W1"] = X.T.dot(dhidden) + reg / N * W1
        #! permuted-rows dW1: grads["W1"] = X[:, ::-1].T.dot(dhidden) + reg * W1
        grads["b1"] = dhidden.sum(axis=0)
        #! l2-on-biases db1: grads["b1"] = dhidden.sum(axis=0) + reg * b1
        #! collapsed-scalar db1: grads["b1"] = dhidden.sum()
        #! missing-term db1: grads["b1"] = np.zeros_like(b1)
        return loss, grads

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200):
        for it in range(num_iters):
            rows = np.random.choice(len(X), batch_size)
            loss, grads = self.loss(X[rows], y[rows], reg=reg)
            for p in self.params:
                self.params[p] -= learning_rate * grads[p]
                #! ascends: self.params[p] += learning_rate * grads[p]
        return self.predict(X_val)

    def predict(self, X):
        return np.argmax(self.loss(X), axis=1)
