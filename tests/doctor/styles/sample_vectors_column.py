import numpy as np


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))
    #! wrong-derivative dZ2: return sigmoid(z)
    #! derivative-of-activation dZ2: return sigmoid(sigmoid(z)) * (1 - sigmoid(sigmoid(z)))
    #! wrong-derivative|wrong-operand dZ2: return z * (1 - z)
    #! wrong-derivative dZ2: return 1 - sigmoid(z)


class Network:
    """The sizes of the layers are given as a list; x and y are column vectors (n, 1)."""

    def __init__(self, sizes):
        self.num_layers = len(sizes)
        self.sizes = sizes
        self.biases = [np.random.randn(y, 1) for y in sizes[1:]]
        self.weights = [np.random.randn(y, x) for x, y in zip(sizes[:-1], sizes[1:])]

    def feedforward(self, a):
        for b, w in zip(self.biases, self.weights):
            a = sigmoid(np.dot(w, a) + b)
        return a

    def cost(self, a, y):
        return 0.5 * np.sum((a - y) ** 2)
        #! loss-scale|constant-factor loss: return np.sum((a - y) ** 2)
        #! loss-scale loss: return np.mean((a - y) ** 2)
        #! loss-sign loss: return -0.5 * np.sum((a - y) ** 2)
        #! other-loss loss: return -np.sum(y * np.log(a) + (1 - y) * np.log(1 - a))

    def backprop(self, x, y):
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        activation = x
        activations = [x]
        zs = []
        for b, w in zip(self.biases, self.weights):
            z = np.dot(w, activation) + b
            #! bias-missing Z1: z = np.dot(w, activation)
            zs.append(z)
            activation = sigmoid(z)
            activations.append(activation)
        delta = (activations[-1] - y) * sigmoid_prime(zs[-1])
        #! sign dZ2: delta = (y - activations[-1]) * sigmoid_prime(zs[-1])
        #! constant-factor dZ2: delta = 2 * (activations[-1] - y) * sigmoid_prime(zs[-1])
        #! other-loss|wrong-derivative|mask-missing dZ2: delta = activations[-1] - y
        #! derivative-of-activation dZ2: delta = (activations[-1] - y) * sigmoid_prime(activations[-1])
        #! wrong-operand dZ2: delta = (zs[-1] - y) * sigmoid_prime(zs[-1])
        nabla_b[-1] = delta
        #! collapsed-scalar db2: nabla_b[-1] = np.full(delta.shape, delta.sum())
        #! sign db2: nabla_b[-1] = -delta
        nabla_w[-1] = np.dot(delta, activations[-2].transpose())
        #! wrong-operand dW2: nabla_w[-1] = np.dot(delta, zs[-2].transpose())
        #! transposed dW2: nabla_w[-1] = np.dot(activations[-2], delta.transpose())
        #! sign dW2: nabla_w[-1] = -np.dot(delta, activations[-2].transpose())
        for l in range(2, self.num_layers):
            z = zs[-l]
            #! wrong-operand|derivative-of-activation dZ1: z = activations[-l]
            sp = sigmoid_prime(z)
            #! mask-missing|wrong-derivative dZ1: sp = 1
            delta = np.dot(self.weights[-l + 1].transpose(), delta) * sp
            #! wrong-operand dZ1: delta = np.dot(nabla_w[-l + 1].transpose(), delta) * sp
            #! sign dZ1: delta = -np.dot(self.weights[-l + 1].transpose(), delta) * sp
            nabla_b[-l] = delta
            #! collapsed-scalar db1: nabla_b[-l] = delta.sum() * np.ones_like(delta)
            #! missing-term db1: pass
            nabla_w[-l] = np.dot(delta, activations[-l - 1].transpose())
            #! transposed dW1: nabla_w[-l] = np.dot(activations[-l - 1], delta.transpose())
            #! permuted-rows dW1: nabla_w[-l] = np.dot(delta[::-1], activations[-l - 1].transpose())
            #! constant-factor dW1: nabla_w[-l] = 0.5 * np.dot(delta, activations[-l - 1].transpose())
        return nabla_b, nabla_w

    def update_mini_batch(self, mini_batch, eta):
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        for x, y in mini_batch:
            delta_nabla_b, delta_nabla_w = self.backprop(x, y)
            nabla_b = [nb + dnb for nb, dnb in zip(nabla_b, delta_nabla_b)]
            nabla_w = [nw + dnw for nw, dnw in zip(nabla_w, delta_nabla_w)]
        self.weights = [w - (eta / len(mini_batch)) * nw for w, nw in zip(self.weights, nabla_w)]
        #! ascends: self.weights = [w + (eta / len(mini_batch)) * nw for w, nw in zip(self.weights, nabla_w)]
        self.biases = [b - (eta / len(mini_batch)) * nb for b, nb in zip(self.biases, nabla_b)]
