"""scikit-learn's `MLPClassifier` and `MLPRegressor` on this package's networks, by the same names and meanings.

    from chainrule.estimators import MLPClassifier
    MLPClassifier((64,), dropout=0.2, early_stopping=True).fit(X, y).validation_loss_curve_

This room alone needs scikit-learn when it is imported; `import chainrule` does not import it.
"""

from chainrule.estimators.classifier import MLPClassifier
from chainrule.estimators.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
