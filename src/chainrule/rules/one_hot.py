"""Labels seen as the rows of zeros and a one that they stand for, without that matrix."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class OneHot:
    """Targets T (m, K) with t_k = 1 where k is the label of the sample; an index gives an array of these rows.

    labels: (m,) int64, 0 … K − 1.
    """

    def __init__(self, labels: NDArray[np.int64], width: int, dtype: DTypeLike) -> None:
        self.labels, self.shape = labels, (len(labels), width)
        self.dtype = np.dtype(dtype)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, samples: Any) -> NDArray[Any]:
        labels = self.labels[samples]
        rows = np.zeros((len(labels), self.shape[1]), self.dtype)
        rows[np.arange(len(labels)), labels] = 1
        return rows
