"""Any tensor of an ONNX graph serves as features; graphs that cannot are refused in words. The graphs are made here."""

import hashlib
import sys

import numpy as np
import pytest

from chainrule.errors import DataError, InputError
from chainrule.images.features import backbones, fingerprint_of, from_state, recipe

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

PIXELS = np.random.default_rng(3).integers(0, 256, (21, 8, 8, 3), dtype=np.uint8)
WEIGHTS = np.random.default_rng(4).normal(size=(3, 2)).astype(np.float32)


def graph(path, shape=("N", 3, 8, 8), layout="nchw"):
    """x → pool (mean over the image) → flat (N, 3) → scores (N, 2), the only output."""
    pool = (
        helper.make_node("GlobalAveragePool", ["x"], ["pool"])
        if layout == "nchw"
        else helper.make_node("ReduceMean", ["x"], ["pool"], axes=[1, 2])
    )
    nodes = [
        pool,
        helper.make_node("Flatten", ["pool"], ["flat"]),
        helper.make_node("MatMul", ["flat", "W"], ["scores"]),
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    outputs = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, (shape[0] if shape else "N", 2))]
    made = helper.make_graph(nodes, "net", inputs, outputs, [numpy_helper.from_array(WEIGHTS, "W")])
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)
    return path


def means(pixels, mean=0.0, std=1.0):
    return ((pixels / 255 - mean) / std).mean(axis=(1, 2))


def test_an_inner_tensor_and_an_output_are_what_the_graph_computes(tmp_path):
    net = graph(tmp_path / "net.onnx")
    pool = recipe(f"onnx:{net}#pool").fit(PIXELS)
    scores = recipe(f"onnx:{net}#scores").fit(PIXELS)
    assert (pool.width, scores.width) == (3, 2)
    np.testing.assert_allclose(pool(PIXELS), means(PIXELS), rtol=1e-5)
    np.testing.assert_allclose(scores(PIXELS), means(PIXELS) @ WEIGHTS, rtol=1e-4, atol=1e-5)


def test_pixels_are_normalised_as_the_network_wants_them(tmp_path):
    net = graph(tmp_path / "net.onnx")
    text = f'onnx(file="{net}", output="pool", mean="0.485, 0.456, 0.406", std="0.229, 0.224, 0.225")'
    expected = means(PIXELS, np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225]))
    np.testing.assert_allclose(recipe(text).fit(PIXELS)(PIXELS), expected, rtol=1e-4, atol=1e-5)


def test_images_are_resized_to_the_input_by_bicubic_interpolation(tmp_path):
    from PIL import Image

    net = graph(tmp_path / "net.onnx", ("N", 3, 20, 14))
    resized = [np.asarray(Image.fromarray(image).resize((14, 20), Image.Resampling.BICUBIC)) for image in PIXELS]
    np.testing.assert_allclose(recipe(f"onnx:{net}#pool").fit(PIXELS)(PIXELS), means(np.array(resized)), rtol=1e-5)


@pytest.mark.parametrize("shape", [("N", 8, 8, 3), (4, 8, 8, 3)])
def test_channels_may_come_last(tmp_path, shape):
    net = graph(tmp_path / "net.onnx", shape, layout="nhwc")
    np.testing.assert_allclose(recipe(f"onnx:{net}#pool").fit(PIXELS)(PIXELS), means(PIXELS), rtol=1e-5)


@pytest.mark.parametrize("batch", [1, 5, "N"])
def test_every_image_has_the_same_bits_in_any_company(tmp_path, batch):
    fitted = recipe(f"onnx:{graph(tmp_path / 'net.onnx', (batch, 3, 8, 8))}#flat").fit(PIXELS)
    together = fitted(PIXELS)
    assert np.array_equal(np.concatenate([fitted(PIXELS[i : i + 1]) for i in range(len(PIXELS))]), together)


def test_grey_images_are_given_to_a_network_of_colours_three_times(tmp_path):
    fitted = recipe(f"onnx:{graph(tmp_path / 'net.onnx')}#pool").fit(PIXELS[..., 0])
    np.testing.assert_allclose(fitted(PIXELS[..., 0]), means(PIXELS[..., :1].repeat(3, axis=3)), rtol=1e-5)


def test_a_model_keeps_the_hash_of_the_file_and_finds_it_again(tmp_path, monkeypatch):
    net = graph(tmp_path / "net.onnx")
    fitted = recipe(f"onnx:{net}#pool").fit(PIXELS)
    again = from_state(*fitted.to_state())
    assert again.sha256 == hashlib.sha256(net.read_bytes()).hexdigest()
    assert np.array_equal(again(PIXELS), fitted(PIXELS))
    monkeypatch.setenv("CHAINRULE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache" / "backbones").mkdir(parents=True)
    net.rename(tmp_path / "cache" / "backbones" / "net.onnx")
    moved = from_state(*fitted.to_state())
    assert np.array_equal(moved(PIXELS), fitted(PIXELS))
    assert fingerprint_of(moved) == fingerprint_of(fitted)


def test_another_file_of_the_same_name_is_refused(tmp_path):
    net = graph(tmp_path / "net.onnx")
    state = recipe(f"onnx:{net}#pool").fit(PIXELS).to_state()
    graph(net, (4, 3, 8, 8))
    with pytest.raises(DataError, match="is not the file that the features were taken with"):
        from_state(*state)(PIXELS)


@pytest.mark.parametrize(
    ("shape", "output", "settings", "problem", "remedy"),
    [
        (("N", 3, 8, 8), "poll", "", "has no tensor 'poll'", "pool"),
        (("N", 3, 8), "pool", "", "takes 'x' of shape", "four axes"),
        (("N", 3, "h", "w"), "pool", "", "leaves the size of its images open", "size=224"),
        (("N", 3, 8, 8), "pool", "size=9", "takes images of 8 × 8, not 9", "size="),
        (("N", 5, 8, 8), "pool", "", "onnxruntime cannot run", "Export it"),
    ],
)
def test_a_graph_that_cannot_serve_is_refused_in_words(tmp_path, shape, output, settings, problem, remedy):
    net = graph(tmp_path / "net.onnx", shape)
    with pytest.raises(DataError) as caught:
        recipe(f'onnx(file="{net}", output="{output}"{", " + settings if settings else ""})').fit(PIXELS)
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("shape", "kind", "problem"),
    [
        (("N", 5, 8, 8), TensorProto.FLOAT, "images of 3 channels, but .* takes 5"),
        (("N", 3, 8, 8), TensorProto.INT32, r"of shape \['N', 3, 8, 8\] and type tensor\(int32\)"),
    ],
)
def test_a_graph_of_other_images_is_refused_in_words(tmp_path, shape, kind, problem):
    values = [helper.make_tensor_value_info(name, kind, shape) for name in ("x", "same")]
    made = helper.make_graph([helper.make_node("Identity", ["x"], ["same"])], "net", values[:1], values[1:])
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), tmp_path / "net.onnx")
    with pytest.raises(DataError, match=problem):
        recipe(f"onnx:{tmp_path / 'net.onnx'}#same").fit(PIXELS)


def test_weights_outside_the_file_are_refused(tmp_path):
    model = onnx.load(graph(tmp_path / "net.onnx"))
    onnx.save(model, tmp_path / "net.onnx", save_as_external_data=True, location="weights", size_threshold=0)
    with pytest.raises(DataError, match="keeps weights in other files"):
        recipe(f"onnx:{tmp_path / 'net.onnx'}#scores").fit(PIXELS)


def test_open_sizes_can_be_said(tmp_path):
    net = graph(tmp_path / "net.onnx", ("N", 3, "h", "w"))
    fitted = recipe(f'onnx(file="{net}", output="pool", size=8)').fit(PIXELS)
    np.testing.assert_allclose(fitted(PIXELS), means(PIXELS), rtol=1e-5)


def test_files_that_are_no_graph_or_missing_are_refused(tmp_path):
    (tmp_path / "text.onnx").write_text("not a graph")
    with pytest.raises(DataError, match="is no ONNX file"):
        recipe(f"onnx:{tmp_path / 'text.onnx'}#pool").fit(PIXELS)
    with pytest.raises(DataError, match=r"there is no ONNX file .*gone.onnx"):
        recipe(f"onnx:{tmp_path / 'gone.onnx'}#pool").fit(PIXELS)


@pytest.mark.parametrize("setting", ['mean="a, b, c"', 'std="0.5, 0, 0.5"', 'mean="1, 2"', "layout=hwc", "size=0"])
def test_settings_that_cannot_be_are_refused(setting):
    with pytest.raises(InputError, match="onnx: "):
        recipe(f'onnx(file="net.onnx", output="pool", {setting})')


def test_a_missing_library_is_named_with_the_way_to_install_it(tmp_path, monkeypatch):
    net = graph(tmp_path / "net.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(
        DataError, match=r"need onnxruntime, which is not installed\nInstall it: pip install 'chainrule\[o"
    ):
        recipe(f"onnx:{net}#pool").fit(PIXELS)


def test_resnet18_without_a_network_says_where_to_put_the_file(tmp_path, monkeypatch):
    import requests

    def unreachable(*args, **kwargs):
        raise requests.ConnectionError

    monkeypatch.setenv("CHAINRULE_CACHE", str(tmp_path))
    monkeypatch.setattr("pooch.retrieve", unreachable)
    with pytest.raises(DataError) as caught:
        recipe("resnet18").fit(PIXELS)
    assert "resnet18-v1-7.onnx is not on this machine" in caught.value.problem
    assert str(tmp_path / "backbones") in caught.value.remedy
    assert backbones.RESNET18.sha256 in caught.value.remedy


def test_a_file_that_is_not_the_published_resnet18_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("CHAINRULE_CACHE", str(tmp_path))
    (tmp_path / "backbones").mkdir()
    graph(tmp_path / "backbones" / "resnet18-v1-7.onnx")
    with pytest.raises(DataError, match="is not the file"):
        recipe("resnet18").fit(PIXELS)
