"""Synthetic points: the published counts, and shapes that are what they are called."""

import numpy as np
import pytest

from chainrule.data import load_data


@pytest.mark.parametrize(
    ("edition", "train", "validation", "entropy"),
    [
        (2020, [32567, 27433], [5427, 4573], [0.68948, 0.68950]),
        (2021, [26506, 33494], [4378, 5622], [0.68635, 0.68539]),
    ],
)
def test_synth_has_the_published_class_counts(edition, train, validation, entropy):
    data = load_data("synth", edition=edition, seed=0)
    assert data.validation is not None
    assert data.test is None
    counts = [np.bincount(part.y) for part in (data.train, data.validation)]
    assert [c.tolist() for c in counts] == [train, validation]
    priors = [c / c.sum() for c in counts]
    np.testing.assert_allclose([-(p * np.log(p)).sum() for p in priors], entropy, atol=5e-6)


def test_synth_follows_the_seed():
    sets = [load_data("synth", seed=seed, samples=50, validation=0).train.x for seed in (1, 1, 2)]
    np.testing.assert_array_equal(sets[0], sets[1])
    assert not np.array_equal(sets[0], sets[2])


def test_synth_labels_are_the_quadratic_form():
    data = load_data("synth", edition=2021, seed=3)
    x1, x2 = data.train.x.astype(float).T
    value = x1**2 + 0.95 * x1 * x2 + 0.4 * x2**2
    clear = np.abs(value - 0.6) > 1e-5
    np.testing.assert_array_equal(data.train.y[clear], value[clear] > 0.6)


def test_a_test_part_of_synth_leaves_the_other_parts_alone():
    plain, tested = load_data("synth"), load_data("synth", test=500)
    np.testing.assert_array_equal(plain.train.x, tested.train.x)
    np.testing.assert_array_equal(plain.validation.x, tested.validation.x)
    assert len(tested.test) == 500


@pytest.mark.parametrize("name", ["circles", "moons", "blobs", "spirals", "xor"])
def test_points_follow_the_seed_and_are_split_70_15_15(name):
    data, again, other = load_data(name, seed=1), load_data(name, seed=1), load_data(name, seed=2)
    assert [len(part) for part in data.parts.values()] == [700, 150, 150]
    np.testing.assert_array_equal(data.train.x, again.train.x)
    assert not np.array_equal(data.train.x, other.train.x)
    assert data.train.x.dtype == np.float32
    assert data.spec.kind == "points"


def test_circles_are_the_assignments():
    from sklearn.datasets import make_circles

    x, y = make_circles(n_samples=1000, factor=0.4, noise=0.05, random_state=5)
    data = load_data("circles", seed=5)
    order = np.argsort(np.concatenate([part.x for part in data.parts.values()])[:, 0])
    mine = np.concatenate([part.y for part in data.parts.values()])[order]
    np.testing.assert_array_equal(mine, y[np.argsort(x.astype(np.float32)[:, 0])])


def test_without_noise_circles_have_radii_1_and_two_fifths():
    data = load_data("circles", noise=0)
    radius = np.hypot(*data.train.x.T)
    np.testing.assert_allclose(radius, np.where(data.train.y == 0, 1, 0.4), rtol=1e-5)


def test_without_noise_xor_is_the_exclusive_or_of_the_signs():
    data = load_data("xor", samples=200)
    x = data.train.x
    np.testing.assert_array_equal(data.train.y, (x[:, 0] > 0) != (x[:, 1] > 0))
    assert np.abs(x).max() <= 1


def test_without_noise_an_arm_of_the_spiral_is_its_angle_at_the_radius():
    data = load_data("spirals", noise=0, samples=300)
    radius, angle = np.hypot(*data.train.x.T), np.arctan2(data.train.x[:, 1], data.train.x[:, 0])
    turns = (angle / (2 * np.pi) - 1.25 * radius) % 1
    distance = np.abs(turns - data.train.y / 3)
    np.testing.assert_allclose(np.minimum(distance, 1 - distance), 0, atol=1e-5)


def test_samples_and_noise_are_settings():
    assert sum(map(len, load_data("moons", samples=60).parts.values())) == 60
    quiet, loud = load_data("blobs", noise=0.01), load_data("blobs", noise=3)
    assert quiet.train.x[quiet.train.y == 0].std(axis=0).max() < 0.02
    assert loud.train.x[loud.train.y == 0].std(axis=0).min() > 1


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("synth", {"edition": 2019}, "synth has no edition 2019"),
        ("synth", {"noise": 1.0}, "noise= does not apply to synth"),
        ("synth", {"validation": 0.1}, "validation=0.1 is no number of samples"),
        ("synth", {"split": "last"}, "split= does not apply to synth"),
        ("moons", {"noise": -1.0}, "noise=-1.0 is no spread"),
        ("moons", {"noise": float("nan")}, "noise=nan is no spread"),
        ("moons", {"samples": 0}, "samples=0 is no number of samples"),
        ("moons", {"samples": 2.5}, "samples=2.5 is no number of samples"),
        ("moons", {"edition": 2020}, "edition= does not apply to moons"),
    ],
)
def test_settings_that_make_no_sense_are_refused(refused, name, options, words):
    with refused(words):
        load_data(name, **options)
