# One sample at a time, vectors of shape (n,)
import numpy as np


def softmax(z):
    e = np.exp(z - np.max(z))
    return e / np.sum(e)
    #! softmax-axis|constant-factor A2: return e / np.mean(e)


def forward(x, params):
    z1 = x @ params["W1"] + params["b1"]
    a1 = np.tanh(z1)
    z2 = a1 @ params["W2"] + params["b2"]
    #! bias-missing Z2: z2 = a1 @ params["W2"]
    a2 = softmax(z2)
    return a2, (z1, a1, z2)


def loss(a2, t):
    return -np.log(a2[t])
    #! loss-sign loss: return np.log(a2[t])
    #! loss-scale loss: return -2 * np.log(a2[t])


def backward(x, t, params, a2, cache):
    z1, a1, z2 = cache
    dz2 = a2.copy()
    dz2[t] -= 1
    #! sign dZ2: dz2[t] -= 1; dz2 = -dz2
    #! constant-factor dZ2: dz2[t] -= 1; dz2 /= len(dz2)
    #! wrong-operand|missing-term dZ2: pass
    #! sign|wrong-operand dZ2: dz2[t] += 1
    dW2 = np.outer(a1, dz2)
    #! wrong-operand dW2: dW2 = np.outer(z1, dz2)
    #! transposed dW2: dW2 = np.outer(dz2, a1)
    #! sign dW2: dW2 = -np.outer(a1, dz2)
    db2 = dz2
    #! collapsed-scalar db2: db2 = dz2.sum()
    da1 = params["W2"] @ dz2
    #! wrong-operand dA1: da1 = dW2 @ dz2
    #! updated-weights dA1: params["W2"] -= 0.1 * dW2; da1 = params["W2"] @ dz2
    dz1 = da1 * (1 - a1**2)
    #! derivative-of-activation dZ1: dz1 = da1 * (1 - np.tanh(a1) ** 2)
    #! wrong-derivative dZ1: dz1 = da1 * (1 - a1)
    #! mask-missing|wrong-derivative dZ1: dz1 = da1
    #! wrong-operand|wrong-derivative dZ1: dz1 = da1 * (1 - z1**2)
    #! wrong-derivative dZ1: dz1 = da1 * a1 * (1 - a1)
    dW1 = np.outer(x, dz1)
    #! transposed dW1: dW1 = np.outer(dz1, x)
    #! permuted-rows dW1: dW1 = np.outer(x[::-1], dz1)
    #! wrong-operand|mask-missing dW1: dW1 = np.outer(x, da1)
    db1 = dz1
    #! collapsed-scalar db1: db1 = np.sum(dz1)
    #! wrong-operand|mask-missing db1: db1 = da1
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


def sgd(xs, ts, params, epochs=5, lr=0.01):
    losses = []
    for epoch in range(epochs):
        total = 0
        for i in np.random.permutation(len(xs)):
            #! never-reshuffled: for i in range(len(xs)):
            a2, cache = forward(xs[i], params)
            total += loss(a2, ts[i])
            grads = backward(xs[i], ts[i], params, a2, cache)
            for name in params:
                params[name] -= lr * grads[name]
                #! ascends: params[name] += lr * grads[name]
        losses.append(total / len(xs))
    return losses
