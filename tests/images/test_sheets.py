"""`chainrule data show --transform`: originals above, below what is drawn for them; and the notes on the data."""

import numpy as np
import pytest
from PIL import Image

import chainrule.figures


@pytest.fixture
def photos(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (60, 32, 32, 3), np.uint8)
    np.savez(tmp_path / "photos.npz", x=x, y=np.arange(60) % 3)
    return "photos.npz"


def test_originals_stand_above_and_the_draws_of_epochs_below(command, photos, tmp_path, monkeypatch):
    drawn = {}
    real = chainrule.figures.sample_sheet
    monkeypatch.setattr(
        chainrule.figures,
        "sample_sheet",
        lambda rows, names, **words: (drawn.update(rows=rows), real(rows, names, **words))[1],
    )
    answer = command("data", "show", photos, "--transform", "rotation")
    assert answer.code == 0, answer.text
    assert "Picture: photos-rotation.png" in answer.out
    with Image.open(tmp_path / "photos-rotation.png") as picture:
        assert picture.width > 300
    rows = np.array(drawn["rows"])
    assert rows.shape == (5, 3, 32, 32, 3), "three classes; the originals and four epochs"
    assert len({row.tobytes() for row in rows}) == 5


def test_a_transform_needs_images_and_a_known_name(command, photos):
    refused = command("data", "show", "circles", "--transform", "flip")
    assert (refused.code, "circles holds no images" in refused.words) == (2, True)
    assert "Did you mean 'flip'?" in command("data", "show", photos, "--transform", "flipp").words


def test_notes_on_the_data_are_printed_where_numbers_are(command, tmp_path, undrawn):
    (tmp_path / "tiny.csv").write_text("a,b,c\n" + "".join(f"{i},{i % 3},{'xyz'[i % 3]}\n" for i in range(12)))
    for name in ("show", "train"):
        arguments = ("data", "show", "tiny.csv") if name == "show" else ("train", "tiny.csv", "--epochs", 1)
        answer = command(*arguments, "--split", "last", "--validation", 2, "--test", 2)
        assert "Note: the test part has no sample of class x" in answer.out, name
