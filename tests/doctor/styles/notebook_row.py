# %% [markdown]
# # Assignment 2: a two-layer network in NumPy
# %%
%matplotlib inline
import numpy as np
# %%
data = np.load("mnist.npz")
x_train, y_train = data["x"] / 255.0, data["y"]
x_train.shape
# %%
def relu(x):
    return np.maximum(0, x)

def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
    #! softmax-axis A2: return e / e.sum(axis=0)
# %% [markdown]
# ## Forward
# %%
def forward(x, params):
    z1 = np.dot(x, params["w1"]) + params["b1"]
    h = relu(z1)
    z2 = np.dot(h, params["w2"]) + params["b2"]
    #! bias-missing Z2: z2 = np.dot(h, params["w2"])
    probs = softmax(z2)
    return probs, {"x": x, "z1": z1, "h": h, "probs": probs}
# %%
def cross_entropy_loss(probs, labels):
    return -np.log(probs[np.arange(len(labels)), labels]).mean()
    #! loss-sign loss: return np.log(probs[np.arange(len(labels)), labels]).mean()
    #! loss-scale|double-mean loss: return -np.log(probs[np.arange(len(labels)), labels]).sum()
# %% [markdown]
# ## Backward
# %%
def backward(params, cache, labels):
    n = len(labels)
    one_hot = np.eye(cache["probs"].shape[1])[labels]
    dz2 = (cache["probs"] - one_hot) / n
    #! sign dZ2: dz2 = (one_hot - cache["probs"]) / n
    #! missing-mean dZ2: dz2 = cache["probs"] - one_hot
    #! double-mean dZ2: dz2 = (cache["probs"] - one_hot) / n / n
    #! constant-factor dZ2: dz2 = 2 * (cache["probs"] - one_hot) / n
    #! softmax-diagonal dZ2: dz2 = -one_hot * (1 - cache["probs"]) / n
    dw2 = np.dot(cache["h"].T, dz2)
    #! transposed dW2: dw2 = np.dot(dz2.T, cache["h"])
    #! wrong-operand dW2: dw2 = np.dot(cache["z1"].T, dz2)
    #! double-mean dW2: dw2 = np.dot(cache["h"].T, dz2) / n
    db2 = np.sum(dz2, axis=0)
    #! wrong-axis|summed-over-classes db2: db2 = np.sum(dz2, axis=1)
    #! collapsed-scalar db2: db2 = np.sum(dz2)
    dh = np.dot(dz2, params["w2"].T)
    #! wrong-operand dA1: dh = np.dot(dz2, dw2.T)
    #! sign dA1: dh = -np.dot(dz2, params["w2"].T)
    dz1 = dh.copy()
    dz1[cache["z1"] <= 0] = 0
    #! right: dz1[cache["h"] == 0] = 0
    #! mask-missing dZ1: pass
    #! mask-of-gradient dZ1: dz1[dh <= 0] = 0
    #! wrong-derivative dZ1: dz1[cache["z1"] > 0] = 0
    dw1 = np.dot(cache["x"].T, dz1)
    #! wrong-operand|mask-missing dW1: dw1 = np.dot(cache["x"].T, dh)
    #! permuted-rows dW1: dw1 = np.dot(cache["x"].T, dz1)[::-1]
    #! missing-mean dW1: dw1 = n * np.dot(cache["x"].T, dz1)
    db1 = np.sum(dz1, axis=0)
    #! collapsed-scalar db1: db1 = np.sum(dz1)
    #! double-mean db1: db1 = np.mean(dz1, axis=0)
    return {"w1": dw1, "b1": db1, "w2": dw2, "b2": db2}
# %%
def train(x, y, params, lr=0.1, epochs=20, batch_size=64):
    for epoch in range(epochs):
        order = np.random.permutation(len(x))
        for start in range(0, len(x), batch_size):
            rows = order[start:start + batch_size]
            probs, cache = forward(x[rows], params)
            grads = backward(params, cache, y[rows])
            for key in params:
                params[key] -= lr * grads[key]
                #! ascends: params[key] += lr * grads[key]
    return params
# %%
params = {
    "w1": np.random.randn(784, 100) * 0.01, "b1": np.zeros(100),
    "w2": np.random.randn(100, 10) * 0.01, "b2": np.zeros(10),
}
params = train(x_train, y_train, params)
# %%
!ls
