"""Training on images that are transformed anew for every epoch: what is fed, what is measured, what goes on."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.images.transforms import apply, draw, transform
from chainrule.training.augmentation import Augmented

TEXT = "crop(1)+flip"


@pytest.fixture(scope="module")
def images():
    """Two classes of small photographs of noise: the upper half is lighter, or the lower."""
    rng = np.random.default_rng(3)
    x = rng.integers(0, 100, (150, 6, 5, 3), np.uint8)
    y = np.arange(150) % 2
    x[y == 0, :3] += 80
    x[y == 1, 3:] += 80
    return cr.DataSet.from_arrays(x, y, validation=30, test=20, preprocessing="scale", seed=1)


def network(seed=0):
    return cr.Network([90, 7, 2], activation="tanh", seed=seed)


def trained(data, **settings):
    net = network()
    history = cr.train(net, data, **{"epochs": 3, "batch_size": 16, "learning_rate": 0.2, "seed": 4} | settings)
    return net, history


def same(a, b):
    return all(np.array_equal(a.parameters()[name], b.parameters()[name]) for name in a.parameters())


def by_hand(data, epochs, seed):
    """The loop of the README, on images that are drawn for each epoch."""
    net, order = network(), cr.generator(seed, "shuffle")
    optimizer, rule = cr.optimizers.SGD(0.2), transform(TEXT)
    for epoch in range(epochs):
        rows = draw(rule, (6, 5, 3), np.arange(100), seed=seed, epoch=epoch)
        x = data.spec.prepare(apply(rule, data.train.raw, rows))
        for batch in cr.batches(100, 16, order):
            trace = net.forward(x[batch], training=True)
            optimizer.step(net.parameters(), net.backward(trace, data.train.y[batch]))
    return net


def test_training_with_augmentation_is_the_plain_loop_on_images_drawn_for_each_epoch(images):
    net, _ = trained(images, augment=TEXT, engine="reference", curves=False)
    assert same(net, by_hand(images, 3, 4))


def test_the_kernels_are_fed_the_same_images(images):
    reference, _ = trained(images, augment=TEXT, engine="reference")
    compiled, history = trained(images, augment=TEXT, engine="compiled", curves=False)
    assert history.engine == "compiled"
    for name, P in reference.parameters().items():
        np.testing.assert_allclose(compiled.parameters()[name], P, rtol=1e-4, atol=1e-5)


def test_a_transform_that_changes_nothing_leaves_the_same_bits(images):
    assert same(trained(images, augment="crop(0)")[0], trained(images)[0])
    assert not same(trained(images, augment=TEXT)[0], trained(images)[0])


def test_epochs_differ_and_seeds_differ(images):
    augmented = Augmented(images, TEXT, 4)
    seen = []
    for epoch in (0, 1):
        augmented.fill(epoch)
        seen.append(np.asarray(augmented.x).copy())
    assert not np.array_equal(*seen)
    augmented.fill(0)
    assert np.array_equal(np.asarray(augmented.x), seen[0])
    other = Augmented(images, TEXT, 5)
    other.fill(0)
    assert not np.array_equal(np.asarray(other.x), seen[0])


def test_curves_are_measured_on_the_images_as_they_are(images):
    net, history = trained(images, augment=TEXT)
    last = history.rows[-1]
    assert last["train_loss"] == pytest.approx(net.loss(images.train.x, images.train.y), rel=1e-6)
    assert last["validation_loss"] == pytest.approx(net.loss(images.validation.x, images.validation.y), rel=1e-6)


def test_a_resumed_training_ends_with_the_same_bits(images):
    states = []
    settings = {"augment": TEXT, "epochs": 5}
    whole, _ = trained(images, **settings, checkpoint=states.append, checkpoint_seconds=0)
    net = network(seed=9)
    cr.train(net, images, batch_size=16, learning_rate=0.2, seed=4, state=states[1], **settings)
    assert states[1].epoch == 2
    assert same(net, whole)


def test_images_that_are_kept_as_they_were_read_train_to_the_same_weights(images):
    raw = np.concatenate([images.train.raw, images.validation.raw])
    y = np.concatenate([images.train.y, images.validation.y])
    arrays, lazily = (
        cr.DataSet.from_arrays(raw, y, validation=30, split="last", preprocessing="scale", as_read=as_read)
        for as_read in (False, True)
    )
    assert same(trained(arrays)[0], trained(lazily)[0])
    assert same(trained(arrays, augment=TEXT)[0], trained(lazily, augment=TEXT)[0])


def test_what_cannot_be_augmented_is_refused(images, refused):
    with refused("augment='flip' has no 8-bit images"):
        cr.train(network(), (images.train.x, images.train.y), augment="flip")
    circles = cr.load_data("circles")
    with refused("augment='flip' has no 8-bit images"):
        cr.train(cr.Network([2, 3, 2]), circles, augment="flip")
    features = images.with_features("pixels")
    with refused("transforms pixels, but the network is fed the features pixels"):
        cr.train(network(), features, augment="flip")
    with refused("unknown transform 'flop'", "Did you mean 'flip'?"):
        cr.train(network(), images, augment="flop")


def test_the_command_augments_and_names_it_in_the_run(command, tmp_path, images, undrawn):
    np.savez(tmp_path / "images.npz", x=images.train.raw, y=images.train.y)
    answer = command("train", "images.npz", "--epochs", 2, "--augment", TEXT, "--quiet")
    assert answer.code == 0, answer.text
    plain = command("train", "images.npz", "--epochs", 2, "--quiet")
    assert plain.code == 0, plain.text
    runs = sorted((tmp_path / "runs").iterdir())
    assert len(runs) == 2, "augmentation is part of a run's identity"
    assert any(f'"augment": "{TEXT}"' in (run / "config.json").read_text() for run in runs)
    refused = command("train", "digits", "--augment", "flip")
    assert refused.code == 2
    assert "no 8-bit images" in refused.words


def test_runs_from_before_there_was_augmentation_keep_their_identity():
    from chainrule.runs.config import RunConfig

    assert RunConfig().with_seeds().identity() == "ba0801e50c"
