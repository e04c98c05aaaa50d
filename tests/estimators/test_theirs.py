"""scikit-learn's own tests of its MLP, with one line of their file changed: the import of the two estimators."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

THEIR_IMPORT = "from sklearn.neural_network import MLPClassifier, MLPRegressor"
OUR_IMPORT = "from chainrule.estimators import MLPClassifier, MLPRegressor"
LEFT_OUT = {
    "test_gradient": "calls their private _unpack and _loss_grad_lbfgs",
    "test_predict_proba_multilabel": "asks for ties of log-probabilities where probabilities have rounded to 1",
}

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Got `batch_size` less than 1 or larger:UserWarning"),
]


def their_tests() -> dict[str, Any]:
    """The functions of their test file by name, compiled with the import replaced; none where it is not installed."""
    spec = importlib.util.find_spec("sklearn.neural_network")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "tests" / "test_mlp.py"
    source = path.read_text(encoding="utf-8") if path.exists() else ""
    if THEIR_IMPORT not in source:
        return {}
    module = ModuleType("their_test_mlp")
    exec(compile(source.replace(THEIR_IMPORT, OUR_IMPORT), str(path), "exec"), module.__dict__)
    return {name: test for name, test in vars(module).items() if name.startswith("test_") and name not in LEFT_OUT}


globals().update(their_tests())


@pytest.fixture
def global_random_seed() -> int:
    return 0


def test_their_tests_were_found_and_speak_of_our_estimators() -> None:
    tests = their_tests()
    if not tests:
        pytest.skip("scikit-learn is installed without its tests, or they import the estimators in another way")
    assert len(tests) > 30
    assert tests["test_alpha"].__globals__["MLPClassifier"].__module__ == "chainrule.estimators.classifier"
