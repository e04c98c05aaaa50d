"""t-SNE of a layer: the same places every time, neighbours that stay neighbours, and layers that tell nothing apart."""

import numpy as np

import chainrule as cr
from chainrule.reports.embedding import embed, hidden_outputs


def groups(seed=0):
    """Three groups of 20 in ten dimensions, and which group each belongs to."""
    rng = np.random.default_rng(seed)
    of = np.repeat([0, 1, 2], 20)
    return 20 * np.eye(10)[of] + rng.normal(size=(60, 10)), of


def test_the_places_are_the_same_every_time_whatever_numpys_own_generator_did():
    values, _ = groups()
    first = embed(values).places
    np.random.seed(7)  # noqa: NPY002
    assert (embed(values).places == first).all()


def test_groups_stay_together_and_apart():
    values, of = groups()
    found = embed(values)
    gaps = np.linalg.norm(found.places[:, None] - found.places[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    assert (of[gaps.argmin(axis=1)] == of).all()
    assert found.perplexity == 12  # a fifth of the rows


def test_neighbourhoods_are_kept_as_scikit_learn_measures_it():
    from sklearn.manifold import trustworthiness

    values = np.random.default_rng(1).normal(size=(80, 4))
    assert trustworthiness(values, embed(values).places) > 0.9 > trustworthiness(values, values[::-1, :2])


def test_a_layer_that_gives_the_same_for_every_sample_has_all_places_at_the_origin():
    found = embed(np.full((20, 5), 0.7))
    assert found.perplexity is None
    assert (found.places == 0).all()


def test_a_layer_of_one_unit_gets_places_in_the_plane():
    places = embed(np.linspace(0, 1, 40)[:, None]).places
    assert np.isfinite(places).all()
    assert (places.std(axis=0) > 0).all()


def test_what_cannot_be_embedded_is_refused(refused):
    for values in (np.zeros((9, 3)), np.zeros(20), np.full((20, 2), np.nan)):
        with refused("cannot be embedded"):
            embed(values)


def test_hidden_outputs_are_those_of_the_forward_pass_without_the_output_layer():
    net, X = cr.Network([4, 6, 5, 3], activation="tanh", seed=2), np.ones((2, 4))
    found = hidden_outputs(net, X)
    trace = net.forward(X)
    assert list(found) == ["A1", "A2"]
    assert all((found[name] == trace[name]).all() for name in found)
