import time

import numpy as np


class DeepNeuralNetwork:
    def __init__(self, sizes, epochs=5, l_rate=0.01):
        self.sizes = sizes
        self.epochs = epochs
        self.l_rate = l_rate
        self.params = self.initialization()

    def sigmoid(self, x, derivative=False):
        if derivative:
            return np.exp(-x) / ((np.exp(-x) + 1) ** 2)
            #! wrong-derivative dZ1: return np.exp(-x) / (np.exp(-x) + 1)
            #! wrong-derivative|mask-missing dZ1: return np.ones_like(x)
            #! sign dZ1: return -np.exp(-x) / ((np.exp(-x) + 1) ** 2)
            #! wrong-derivative|wrong-operand dZ1: return x * (1 - x)
        return 1 / (1 + np.exp(-x))

    def softmax(self, x):
        exps = np.exp(x - x.max(axis=-1, keepdims=True))
        return exps / np.sum(exps, axis=-1, keepdims=True)
        #! softmax-axis A2: return exps / np.sum(exps, axis=0)

    def initialization(self):
        input_layer, hidden_1, output_layer = self.sizes
        #! seed-fixed: np.random.seed(2); input_layer, hidden_1, output_layer = self.sizes
        params = {
            "W1": np.random.randn(input_layer, hidden_1) * np.sqrt(1.0 / input_layer),
            #! fan-out: "W1": np.random.randn(input_layer, hidden_1) * np.sqrt(1.0 / hidden_1),
            "b1": np.zeros((1, hidden_1)),
            "W2": np.random.randn(hidden_1, output_layer) * np.sqrt(1.0 / hidden_1),
            "b2": np.zeros((1, output_layer)),
        }
        return params

    def forward_pass(self, x_train):
        params = self.params
        params["A0"] = x_train
        params["Z1"] = np.dot(params["A0"], params["W1"]) + params["b1"]
        #! bias-missing Z1: params["Z1"] = np.dot(params["A0"], params["W1"])
        params["A1"] = self.sigmoid(params["Z1"])
        params["Z2"] = np.dot(params["A1"], params["W2"]) + params["b2"]
        #! forward-activation Z2: params["Z2"] = np.dot(params["Z1"], params["W2"]) + params["b2"]
        params["A2"] = self.softmax(params["Z2"])
        return params["A2"]

    def backward_pass(self, y_train, output):
        params = self.params
        change_w = {}
        m = len(y_train)
        error = (output - y_train) / m
        #! sign dZ2: error = (y_train - output) / m
        #! missing-mean dZ2: error = output - y_train
        #! double-mean dZ2: error = (output - y_train) / m / m
        #! constant-factor dZ2: error = 2 * (output - y_train) / m
        #! constant-factor dZ2: error = 2 * (output - y_train) / output.size
        #! wrong-operand dZ2: error = (params["Z2"] - y_train) / m
        #! wrong-derivative dZ2: error = (output - y_train) / m * self.sigmoid(params["Z2"], derivative=True)
        change_w["W2"] = np.dot(params["A1"].T, error)
        #! wrong-operand dW2: change_w["W2"] = np.dot(params["Z1"].T, error)
        #! sign dW2: change_w["W2"] = -np.dot(params["A1"].T, error)
        #! transposed dW2: change_w["W2"] = np.dot(error.T, params["A1"])
        change_w["b2"] = np.sum(error, axis=0, keepdims=True)
        #! wrong-axis|summed-over-classes db2: change_w["b2"] = np.sum(error, axis=1, keepdims=True)
        #! collapsed-scalar db2: change_w["b2"] = np.sum(error)
        #! double-mean db2: change_w["b2"] = np.mean(error, axis=0, keepdims=True)
        error = np.dot(error, params["W2"].T) * self.sigmoid(params["Z1"], derivative=True)
        #! derivative-of-activation dZ1: error = np.dot(error, params["W2"].T) * self.sigmoid(params["A1"], derivative=True)
        #! mask-missing|wrong-derivative dZ1: error = np.dot(error, params["W2"].T)
        #! wrong-operand dZ1: error = np.dot(error, change_w["W2"].T) * self.sigmoid(params["Z1"], derivative=True)
        change_w["W1"] = np.dot(params["A0"].T, error)
        #! missing-mean dW1: change_w["W1"] = np.dot(params["A0"].T, error) * m
        #! transposed dW1: change_w["W1"] = np.dot(error.T, params["A0"])
        #! permuted-rows dW1: change_w["W1"] = np.dot(params["A0"].T, error)[::-1]
        change_w["b1"] = np.sum(error, axis=0, keepdims=True)
        #! collapsed-scalar db1: change_w["b1"] = np.sum(error)
        #! wrong-axis db1: change_w["b1"] = np.sum(error, axis=1, keepdims=True)
        #! sign db1: change_w["b1"] = -np.sum(error, axis=0, keepdims=True)
        return change_w

    def update_network_parameters(self, changes_to_w):
        for key, value in changes_to_w.items():
            self.params[key] = self.params[key] - self.l_rate * value
            #! ascends: self.params[key] = self.params[key] + self.l_rate * value

    def compute_cost(self, output, y):
        return -np.sum(y * np.log(output)) / len(y)
        #! other-loss loss: return -np.sum(y * np.log(output) + (1 - y) * np.log(1 - output)) / len(y)
        #! loss-scale loss: return -np.mean(y * np.log(output))
        #! loss-sign loss: return np.sum(y * np.log(output)) / len(y)

    def compute_accuracy(self, x_val, y_val):
        predictions = []
        for x, y in zip(x_val, y_val):
            output = self.forward_pass(x)
            predictions.append(np.argmax(output) == np.argmax(y))
        return np.mean(predictions)

    def train(self, x_train, y_train, x_val, y_val):
        start_time = time.time()
        train_loss, validation_loss = [], []
        for iteration in range(self.epochs):
            order = np.random.permutation(len(x_train))
            #! never-reshuffled: order = np.arange(len(x_train))
            total = 0
            for i in order:
                #! samples-dropped: for i in order[:-1]:
                x, y = x_train[i : i + 1], y_train[i : i + 1]
                output = self.forward_pass(x)
                total += self.compute_cost(output, y)
                self.update_network_parameters(self.backward_pass(y, output))
            train_loss.append(total / len(x_train))
            total = 0
            for i in range(len(x_val)):
                x, y = x_val[i : i + 1], y_val[i : i + 1]
                output = self.forward_pass(x)
                #! trains-on-validation: output = self.forward_pass(x); self.update_network_parameters(self.backward_pass(y, output))
                total += self.compute_cost(output, y)
            validation_loss.append(total / len(x_val))
            accuracy = self.compute_accuracy(x_val, y_val)
            print("Epoch: {0}, Time Spent: {1:.2f}s, Accuracy: {2:.2f}%".format(
                iteration + 1, time.time() - start_time, accuracy * 100))
        return train_loss, validation_loss
