"""The fixed vocabulary of mistakes: every kind with one sentence, and one mistake as a hypothesis states it."""

import re
from dataclasses import dataclass, field

KINDS: dict[str, str] = {
    "sign": "A quantity has the opposite sign, or one of its terms has.",
    "missing-mean": "A quantity is m times too large: the 1/m of the mean loss is missing.",
    "double-mean": "A quantity is m times too small: it is divided by the number of samples once more than the loss.",
    "constant-factor": "A quantity is off by a constant factor, such as 2 or the number of classes.",
    "transposed": "A gradient has the shape of the transposed parameter.",
    "wrong-axis": "The gradient of a bias is summed over the units of each sample, or not summed at all.",
    "summed-over-classes": "The gradient of the output layer's bias is summed over the classes instead of the samples.",
    "collapsed-scalar": "The gradient of a bias is a single number for all units.",
    "mask-missing": "The derivative of the activation is left out: dA stands where dZ belongs.",
    "mask-wrong-layer": "The derivative of the activation is taken at another layer.",
    "mask-of-gradient": "The derivative of the activation is taken of dA instead of Z.",
    "derivative-of-activation": "The derivative of the activation is taken at A instead of Z.",
    "wrong-derivative": "The derivative is that of another function.",
    "wrong-operand": "Another quantity stands where one of the factors or terms belongs.",
    "updated-weights": "The weights were updated before the gradient went through them.",
    "stale-cache": "A value of another forward pass is used.",
    "overwritten-cache": "A value of the forward pass was overwritten before it was used.",
    "softmax-diagonal": "Only the diagonal of softmax's Jacobian is used.",
    "softmax-axis": "Softmax is normalised over the wrong axis, over all axes, or not at all.",
    "other-loss": "The loss and the gradient belong to different functions.",
    "loss-scale": "The gradient is that of the mean loss, but the loss that is computed is another multiple of it.",
    "loss-sign": "The loss that is computed has the opposite sign of the one that the gradient belongs to.",
    "l2-missing": "The loss has a penalty λ/2 Σ‖W‖² whose derivative λW is missing.",
    "l2-doubled": "The derivative λW of the penalty is there twice.",
    "l2-divided": "The derivative λW of the penalty is divided by the number of samples once more than in the loss.",
    "l2-factor": "The derivative of the penalty is there with another factor than the loss has.",
    "l2-on-biases": "The biases are penalised as well, although the loss penalises weights only.",
    "l2-not-in-loss": "A gradient has a term λW although the loss has no penalty.",
    "elementwise-for-product": "Factors are multiplied elementwise, or summed first, where a matrix product belongs.",
    "permuted-rows": "The rows or columns of a quantity, or the samples, are in another order.",
    "missing-term": "A term, or samples of a sum, are left out.",
    "bias-missing": "The bias of a layer is not added in the forward pass.",
    "forward-activation": "The forward pass goes on without the activation whose derivative the backward pass takes.",
    "stale-state": "Something is kept from one pass to the next, so that a second pass gives other values.",
    "trains-on-validation": "The weights change while the validation data are evaluated.",
    "accumulators-carry-over": "Gradients are added up over batches without being reset.",
    "never-reshuffled": "The samples come in the same order in every epoch.",
    "samples-dropped": "Some samples are never used in training.",
    "seed-fixed": "A fixed seed inside a function makes every run the same.",
    "prior-entropy": "The loss stays at the entropy of the class prior: nothing is learnt.",
    "ascends": "The weights move along the gradient instead of against it.",
    "fan-out": "The first weights are scaled by the units out where the units in belong.",
}


@dataclass(frozen=True)
class Mistake:
    """One elementary mistake.

    kind       a key of KINDS
    quantity   where it is, in our names: "dW2", "db1", "dZ2", "dA1", "A2", "Z1", "loss"
    sentence   in words, with our names of quantities in braces: "{dW2} has the opposite sign"
    right      the right form, likewise; "" where it is that of the quantity
    parameter  numbers and names that belong to it
    """

    kind: str
    quantity: str
    sentence: str
    right: str = ""
    parameter: dict[str, object] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.kind, self.quantity, self.sentence))

    @property
    def role(self) -> str:
        """What it says without the numbers of layers: a mistake in a loop over layers is the same one in each."""
        return re.sub(r"\d", "", f"{self.kind} {self.sentence}")
