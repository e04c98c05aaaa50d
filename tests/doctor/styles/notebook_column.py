# %%
import numpy as np
import matplotlib.pyplot as plt
# %% [markdown]
# $Z^{[1]} = W^{[1]} X + b^{[1]}$, one sample a column
# %%
def init_params(n_x, n_h, n_y):
    W1 = np.random.rand(n_h, n_x) - 0.5
    b1 = np.random.rand(n_h, 1) - 0.5
    W2 = np.random.rand(n_y, n_h) - 0.5
    b2 = np.random.rand(n_y, 1) - 0.5
    return W1, b1, W2, b2
# %%
def tanh_deriv(A):
    return 1 - A**2
    #! derivative-of-activation dZ1: return 1 - np.tanh(A)**2
    #! wrong-derivative dZ1: return 1 - A
    #! wrong-derivative dZ1: return A * (1 - A)
    #! sign dZ1: return A**2 - 1
    #! mask-missing|wrong-derivative dZ1: return np.ones_like(A)
# %%
def forward_prop(W1, b1, W2, b2, X):
    Z1 = W1.dot(X) + b1
    A1 = np.tanh(Z1)
    Z2 = W2.dot(A1) + b2
    #! bias-missing Z2: Z2 = W2.dot(A1)
    E = np.exp(Z2 - Z2.max(axis=0))
    A2 = E / E.sum(axis=0)
    #! softmax-axis A2: A2 = E / E.sum()
    return Z1, A1, Z2, A2
# %%
def get_loss(A2, Y):
    m = Y.shape[1]
    return -np.sum(np.log(A2) * Y) / m
    #! loss-sign loss: return np.sum(np.log(A2) * Y) / m
    #! loss-scale|double-mean loss: return -np.sum(np.log(A2) * Y)
    #! other-loss loss: return -np.sum(np.log(A2) * Y + np.log(1 - A2) * (1 - Y)) / m
# %%
def backward_prop(Z1, A1, Z2, A2, W1, W2, X, Y):
    m = X.shape[1]
    dZ2 = A2 - Y
    #! sign dZ2: dZ2 = Y - A2
    #! double-mean dZ2: dZ2 = (A2 - Y) / m
    #! constant-factor dZ2: dZ2 = 2 * (A2 - Y)
    #! wrong-operand dZ2: dZ2 = Z2 - Y
    dW2 = 1 / m * dZ2.dot(A1.T)
    #! missing-mean dW2: dW2 = dZ2.dot(A1.T)
    #! transposed dW2: dW2 = 1 / m * A1.dot(dZ2.T)
    #! wrong-operand dW2: dW2 = 1 / m * dZ2.dot(Z1.T)
    db2 = 1 / m * np.sum(dZ2, 1, keepdims=True)
    #! collapsed-scalar db2: db2 = 1 / m * np.sum(dZ2)
    #! missing-mean db2: db2 = np.sum(dZ2, 1, keepdims=True)
    dZ1 = W2.T.dot(dZ2) * tanh_deriv(A1)
    #! wrong-operand dZ1: dZ1 = dW2.T.dot(dZ2) * tanh_deriv(A1)
    #! wrong-operand|wrong-derivative dZ1: dZ1 = W2.T.dot(dZ2) * tanh_deriv(Z1)
    dW1 = 1 / m * dZ1.dot(X.T)
    #! missing-mean dW1: dW1 = dZ1.dot(X.T)
    #! permuted-rows dW1: dW1 = 1 / m * dZ1[::-1].dot(X.T)
    #! sign dW1: dW1 = -1 / m * dZ1.dot(X.T)
    db1 = 1 / m * np.sum(dZ1, 1, keepdims=True)
    #! collapsed-scalar db1: db1 = 1 / m * np.sum(dZ1)
    #! missing-mean db1: db1 = np.sum(dZ1, 1, keepdims=True)
    return dW1, db1, dW2, db2
# %%
W1, b1, W2, b2 = init_params(4, 3, 2)
X = np.random.rand(4, 10)
Y = np.eye(2)[:, np.random.randint(2, size=10)]
costs = []
for i in range(20):
    Z1, A1, Z2, A2 = forward_prop(W1, b1, W2, b2, X)
    costs.append(get_loss(A2, Y))
    dW1, db1, dW2, db2 = backward_prop(Z1, A1, Z2, A2, W1, W2, X, Y)
    W1 = W1 - 0.1 * dW1
    b1 = b1 - 0.1 * db1
    W2 = W2 - 0.1 * dW2
    b2 = b2 - 0.1 * db2
plt.plot(costs)
plt.show()
