import numpy as np


def affine_forward(x, w, b):
    out = x @ w + b
    #! bias-missing Z1: out = x @ w
    cache = (x, w, b)
    return out, cache


def affine_backward(dout, cache):
    x, w, b = cache
    dx = dout @ w.T
    #! sign dA1: dx = -dout @ w.T
    #! constant-factor dA1: dx = 0.5 * dout @ w.T
    dw = x.T @ dout
    #! missing-mean dW2: dw = len(x) * x.T @ dout
    #! double-mean dW2: dw = x.T @ dout / len(x)
    #! transposed dW2: dw = dout.T @ x
    #! sign dW2: dw = -x.T @ dout
    #! permuted-rows dW2: dw = (x.T @ dout)[::-1]
    db = dout.sum(axis=0)
    #! collapsed-scalar db2: db = dout.sum()
    #! double-mean db2: db = dout.mean(axis=0)
    #! wrong-axis|summed-over-classes db2: db = dout.sum(axis=1)
    #! missing-term db2: db = np.zeros_like(b)
    return dx, dw, db


def relu_forward(x):
    out = np.maximum(0, x)
    cache = x
    #! right: cache = out
    return out, cache


def relu_backward(dout, cache):
    x = cache
    return dout * (x > 0)
    #! right: return np.where(x > 0, dout, 0)
    #! mask-missing dZ1: return dout
    #! mask-of-gradient dZ1: return dout * (dout > 0)
    #! wrong-derivative dZ1: return dout * (x < 0)
    #! wrong-derivative dZ1: return dout * x
    #! wrong-derivative dZ1: return dout * np.maximum(0, x)


def softmax_loss(scores, y):
    shifted = scores - scores.max(axis=1, keepdims=True)
    probs = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    #! softmax-axis A2: probs = np.exp(shifted) / np.exp(shifted).sum(axis=0, keepdims=True)
    n = scores.shape[0]
    loss = -np.log(probs[np.arange(n), y]).mean()
    #! loss-sign loss: loss = np.log(probs[np.arange(n), y]).mean()
    #! loss-scale|double-mean loss: loss = -np.log(probs[np.arange(n), y]).sum()
    dscores = probs.copy()
    dscores[np.arange(n), y] -= 1
    #! sign dZ2: dscores[np.arange(n), y] -= 1; dscores *= -1
    #! sign|wrong-operand dZ2: dscores[np.arange(n), y] += 1
    dscores /= n
    #! missing-mean dZ2: pass
    #! double-mean dZ2: dscores /= n * n
    #! constant-factor dZ2: dscores /= dscores.size
    return loss, dscores


def forward(X, params):
    h, cache1 = affine_forward(X, params["W1"], params["b1"])
    a, cache2 = relu_forward(h)
    scores, cache3 = affine_forward(a, params["W2"], params["b2"])
    #! forward-activation Z2: scores, cache3 = affine_forward(h, params["W2"], params["b2"])
    return scores, (cache1, cache2, cache3)


def loss_and_gradients(X, y, params):
    scores, (cache1, cache2, cache3) = forward(X, params)
    loss, dscores = softmax_loss(scores, y)
    grads = {}
    da, grads["W2"], grads["b2"] = affine_backward(dscores, cache3)
    dh = relu_backward(da, cache2)
    _, grads["W1"], grads["b1"] = affine_backward(dh, cache1)
    #! mask-missing|wrong-operand dZ1: _, grads["W1"], grads["b1"] = affine_backward(da, cache1)
    return loss, grads
