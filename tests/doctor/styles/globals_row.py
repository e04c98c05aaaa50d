# Weights are global variables.
import numpy as np

np.random.seed(1)
n_inputs, n_hidden, n_outputs = 5, 8, 3
lr = 0.05

W1 = np.random.randn(n_inputs, n_hidden) * 0.3
b1 = np.zeros((1, n_hidden))
W2 = np.random.randn(n_hidden, n_outputs) * 0.3
b2 = np.zeros((1, n_outputs))


def relu(x):
    return x * (x > 0)


def forward(X):
    global z1, a1, z2, probs
    z1 = np.matmul(X, W1) + b1
    #! bias-missing Z1: z1 = np.matmul(X, W1)
    a1 = relu(z1)
    z2 = np.matmul(a1, W2) + b2
    exp_scores = np.exp(z2)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    #! softmax-axis A2: probs = exp_scores / np.sum(exp_scores, axis=0, keepdims=True)
    return probs


def compute_loss(y):
    return -np.mean(np.log(probs[range(len(y)), y]))
    #! loss-sign loss: return np.mean(np.log(probs[range(len(y)), y]))


def backward(X, y):
    num_examples = len(X)
    delta3 = np.array(probs)
    delta3[range(num_examples), y] -= 1
    delta3 /= num_examples
    #! missing-mean dZ2: pass
    #! double-mean dZ2: delta3 /= num_examples * num_examples
    dW2 = np.matmul(a1.T, delta3)
    #! transposed dW2: dW2 = np.matmul(delta3.T, a1)
    #! wrong-operand dW2: dW2 = np.matmul(z1.T, delta3)
    db2 = np.sum(delta3, axis=0, keepdims=True)
    #! summed-over-classes|wrong-axis db2: db2 = np.sum(delta3, axis=1, keepdims=True)
    #! collapsed-scalar db2: db2 = np.sum(delta3)
    delta2 = np.matmul(delta3, W2.T) * (a1 > 0)
    #! mask-missing dZ1: delta2 = np.matmul(delta3, W2.T)
    #! sign dZ1: delta2 = -np.matmul(delta3, W2.T) * (a1 > 0)
    #! wrong-derivative dZ1: delta2 = np.matmul(delta3, W2.T) * (1 - np.power(a1, 2))
    dW1 = np.matmul(X.T, delta2)
    #! constant-factor dW1: dW1 = 3 * np.matmul(X.T, delta2)
    db1 = np.sum(delta2, axis=0, keepdims=True)
    #! double-mean db1: db1 = np.mean(delta2, axis=0, keepdims=True)
    return dW1, db1, dW2, db2


def step(dW1, db1, dW2, db2):
    global W1, b1, W2, b2
    W1 = W1 - lr * dW1
    #! ascends: W1 = W1 + lr * dW1
    b1 = b1 - lr * db1
    W2 = W2 - lr * dW2
    b2 = b2 - lr * db2
