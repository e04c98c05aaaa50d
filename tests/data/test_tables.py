"""Tables: what is read, what is recognised, and what is said of a line that is wrong."""

import csv
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.data import DataSet, load_data, read_table
from chainrule.data.tables import read_labelled_table

FLOWERS = "height,width,kind\n1,2.5,rose\n3,4,lily\n5,6.25,rose\n"


@pytest.fixture
def table(tmp_path):
    def write(content, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def spec_of(table, content=FLOWERS, **options):
    return load_data(table(content, "trained.csv"), validation=0, test=0, preprocessing="none", **options).spec


def test_a_table_with_a_header(table):
    read = read_labelled_table(table(FLOWERS))
    np.testing.assert_array_equal(read.x, [[1, 2.5], [3, 4], [5, 6.25]])
    assert (read.y.tolist(), read.classes) == ([1, 0, 1], ("lily", "rose"))
    assert (read.columns, read.label) == (("height", "width"), "kind")


def test_a_table_without_a_header(table):
    read = read_labelled_table(table("1,2,0\n3,4,1\n"))
    assert (read.x.tolist(), read.y.tolist()) == ([[1, 2], [3, 4]], [0, 1])
    assert (read.columns, read.label) == ((), "2")


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("a,b,c\n1,2,0\n3,4,1\n", 2),
        ("1,2,x\n3,4,y\n", 2),  # words in the label column are no header
        ("0,1,label\n5,6,0\n7,8,1\n", 2),  # a word above a number is
        ("1,2,0\n3,4,1\n", 2),
    ],
)
def test_a_header_is_a_word_above_a_number(table, content, rows):
    assert len(read_labelled_table(table(content)).x) == rows


def test_whether_there_is_a_header_can_be_said(table):
    assert len(read_labelled_table(table("1,2,0\n3,4,1\n5,6,0\n"), header=True).x) == 2
    assert read_labelled_table(table("1,2,0\n3,4,1\n5,6,0\n"), header=True).columns == ("1", "2")


@pytest.mark.parametrize("label", ["height", 0, "0", -3, "-3"])
def test_the_label_column_goes_by_name_or_position(table, label):
    read = read_labelled_table(table("height,a,b\n1,2,3\n0,5,6\n"), label=label)
    assert (read.y.tolist(), read.columns, read.label) == ([1, 0], ("a", "b"), "height")


def test_several_targets_make_a_regression(table):
    read = read_labelled_table(table("a,b,c\n1,2,3\n4,5,6\n"), label="c,a")
    assert (read.x.tolist(), read.y.tolist(), read.label) == ([[2], [5]], [[3, 1], [6, 4]], "c,a")


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_the_delimiter_is_recognised(table, mark):
    assert read_labelled_table(table(FLOWERS.replace(",", mark))).x.tolist() == [[1, 2.5], [3, 4], [5, 6.25]]


def test_quotes_byte_order_marks_blank_lines_and_windows_ends(table):
    read = read_labelled_table(table(b'\xef\xbb\xbf"a, b","c""d",k\r\n\r\n "1", 2 ,"x, y"\r\n3,4,z\r\n\r\n'))
    assert read.columns == ("a, b", 'c"d')
    assert (read.x.tolist(), read.classes) == ([[1, 2], [3, 4]], ("x, y", "z"))


def test_whole_numbers_are_classes_by_value_however_they_are_written(table):
    read = read_labelled_table(table("a,k\n1,10\n2,9\n3,10.0\n4,09\n"))
    assert (read.classes, read.y.tolist()) == (("9", "10"), [1, 0, 1, 0])


def test_fractions_make_a_regression(table):
    read = read_labelled_table(table("a,k\n1,10\n2,9.5\n3,9.5\n"))
    assert (read.classes, read.y.tolist()) == ((), [10, 9.5, 9.5])
    whole = read_labelled_table(table("a,k\n1,10\n2,9\n"), task="regression")
    assert (whole.classes, whole.y.tolist(), whole.y.dtype) == ((), [10, 9], np.float64)


def test_very_many_different_numbers_make_a_regression(table):
    lines = "".join(f"{i},{i / 8}\n" for i in range(20_000))
    read = read_labelled_table(table("a,k\n" + lines))
    assert read.classes == ()
    np.testing.assert_array_equal(read.y, np.arange(20_000) / 8)


@settings(deadline=None)
@given(st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3), min_size=2))
def test_numbers_are_read_exactly(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([*row, i % 2] for i, row in enumerate(rows))
    np.testing.assert_array_equal(read_labelled_table(path, header=False).x, rows)


def test_numbers_take_four_bytes_where_that_is_exact_and_eight_where_not(table):
    assert read_labelled_table(table("1,0.5,0\n3,4,1\n")).x.dtype == np.float32
    assert read_labelled_table(table("1,0.1,0\n3,4,1\n")).x.dtype == np.float64


def test_memory_stays_within_the_allowance(table):
    path = table("1,2,3,4,5,6,7,8,0\n8,7,6,5,4,3,2,1,1\n" * 30_000)
    tracemalloc.start()
    try:
        read = read_labelled_table(path, header=False)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read.x.shape == (60_000, 8)
    assert peak < 5 * path.stat().st_size  # lists of texts would take thirty times the file


BAD = [
    ("", "is empty"),
    ("\n  \n", "holds nothing but blank lines"),
    ("a,b,c\n", "holds a header but no samples"),
    ("a\n1\n2\n", "has one column only"),
    ("a,b,c\n1,2,0\n3,4\n", "line 3 has 2 fields, line 1 has 3"),
    ("a,b,c\n\n1,2,0\n3,4,5,6\n", "line 4 has 4 fields, line 1 has 3"),
    ("a,b,c\n1,2,0\n3,red,1\n", "line 3, column 'b': 'red' is no number"),
    ("1,2,0\n3,red,1\n", "line 2, column 1: 'red' is no number"),
    ("a;b;c\n1;2;0\n1,5;2;1\n", "Write decimals with a point"),
    ("a,b,c\n1,2,0\n3,1_000,1\n", "line 3, column 'b': '1_000' is no number"),
    ("a,b,c\n1,2,0\n3,nan,1\n", "line 3, column 'b' is nan, which is no finite number"),
    ("a,b,c\n1,2,0\n3,-inf,1\n", "line 3, column 'b' is -inf"),
    ("a,b,c\n1,2,0\n3,1e999,1\n", "line 3, column 'b' is 1e999"),
    ("a,b,c\n1,2,0\n3,,1\n", "line 3, column 'b' is empty"),
    ("a,b,c\n1,2,0\n3,4,\n", "line 3: the label is empty"),
    ("a,b,c\n1,2,0\n3,4,NaN\n", "line 3: the label is NaN"),
    ("a,a,c\n1,2,0\n3,4,1\n", "two columns are called 'a'"),
    ('a,b,c\n1,2,0\n3,"4,1\n', "line 3 cannot be read"),
    ('a,b,c\n1,2,0\n3,"4\n",1\n', "line 3 cannot be read"),
    (b"a,b,c\n1,2,0\n3,4,caf\xe9\n", "line 3 is not UTF-8: byte e9 at position 8"),
    ("a,b,c\n1,2,0\n".encode("utf-16"), "line 1 is not UTF-8"),
    (b"a,b,c\n1,2,\x000\n", "line 2 contains a NUL byte"),
    ("a,b,c\n1,2,0\n" + "3" * (1 << 20) + ",4,0\n", "line 3 is longer than 1,048,576 bytes"),
    ("a,b,c\n1,2," + "x" * 5000 + "\n", "line 2: a label of 5,000 characters"),
    ("a,b,c\n1,2," + "x" * 200_000 + "\n", "field larger than field limit"),
    ("a,c\n" + "".join(f"1,word{i}\n" for i in range(10_001)), "line 10002: the label column holds more than 10,000"),
]


@pytest.mark.parametrize(("content", "words"), BAD)
def test_a_bad_line_is_named(table, refused, content, words):
    with refused(words, "table.csv"):
        read_labelled_table(table(content))


def test_a_missing_label_column_comes_with_the_nearest(table, refused):
    with refused("has no label column 'kinds'", "Did you mean 'kind'?", "height, width, kind"):
        read_labelled_table(table(FLOWERS), label="kinds")
    with refused("has no header", "'kind' cannot be found by name"):
        read_labelled_table(table("1,2,0\n3,4,1\n"), label="kind")
    with refused("has 3 columns, none at position 3"):
        read_labelled_table(table(FLOWERS), label=3)
    with refused("names a column twice"):
        read_labelled_table(table(FLOWERS), label="kind,kind")
    with refused("every column is a label"):
        read_labelled_table(table("a,b\n1,2\n"), label="a,b")


def test_one_class_only_is_refused(table, refused):
    with refused("training samples are of one class, 'rose'"):
        load_data(table(FLOWERS.replace("lily", "rose")), validation=0, test=0)


def test_fractions_as_classes_are_refused(table, refused):
    with refused("label column 'k' holds numbers that are not whole"):
        read_labelled_table(table("a,k\n1,0.5\n2,1.5\n"), task="classification")


def test_a_table_is_standardised_unless_said_otherwise(table):
    lines = "".join(f"{i},{i * i},{'ab'[i % 2]}\n" for i in range(100))
    data = load_data(table("u,v,k\n" + lines))
    np.testing.assert_allclose(data.train.x.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(data.train.x.std(axis=0), 1, rtol=1e-6)
    assert data.provenance["files"][0]["name"] == "table.csv"
    assert data.spec.columns == ("u", "v")


def test_columns_to_predict_are_found_by_name_in_any_order(table):
    raw, y = read_table(table("kind,width,extra,height\nrose,2,9,1\nlily,4,9,3\n"), spec_of(table))
    assert (raw.tolist(), y.tolist()) == ([[1, 2], [3, 4]], [1, 0])
    raw, y = read_table(table("width,height\n2,1\n"), spec_of(table))
    assert (raw.tolist(), y) == ([[1, 2]], None)


def test_without_a_header_columns_to_predict_stand_as_in_training(table):
    assert read_table(table("1,2\n3,4\n"), spec_of(table))[0].tolist() == [[1, 2], [3, 4]]
    spec = spec_of(table, "7,1,2\n8,3,4\n", label=0)
    raw, y = read_table(table("8,5,6\n7,5,6\n"), spec)
    assert (raw.tolist(), y.tolist()) == ([[5, 6], [5, 6]], [1, 0])
    assert read_table(table("5,6\n"), spec)[1] is None


def test_a_header_of_numbers_is_recognised_by_the_names_that_were_trained_on(table):
    spec = spec_of(table, "0,1,k\n5,6,a\n7,8,b\n", header=True)
    raw, _ = read_table(table("0,1\n5,6\n"), spec)
    assert raw.tolist() == [[5, 6]]


def test_targets_of_a_regression_are_read_to_predict(table):
    spec = spec_of(table, "a,k\n1,0.5\n2,1.5\n3,1\n")
    assert read_table(table("k,a\n7,1\n"), spec)[1].tolist() == [7]
    two = spec_of(table, "a,b,c\n1,2.5,3\n4,5,6\n", label="b,c")
    assert read_table(table("c,a,b\n1,2,3\n"), two)[1].tolist() == [[3, 1]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("height,width,kind\n1,2,tulip\n", "line 2: the label 'tulip' is none of the model's 2 classes"),
        ("height,wdth\n1,2\n", "has no column 'width'"),
        ("1,2,3\n4,5,6\n", "has 3 columns, but the model was trained on 2 features"),
        ("height,width\n1,red\n", "line 2, column 'width': 'red' is no number"),
        ("height,width,kind\n1,nan,rose\n", "line 2, column 'width' is nan"),
    ],
)
def test_tables_that_cannot_be_predicted_are_refused(table, refused, content, words):
    with refused(words):
        read_table(table(content), spec_of(table))


def test_numeric_labels_to_predict_may_be_written_differently(table):
    spec = spec_of(table, "a,k\n1,0\n2,1\n")
    assert read_table(table("a,k\n5,1.0\n6,00\n"), spec)[1].tolist() == [1, 0]


def test_prediction_starts_from_the_same_rows_as_training(table):
    path = table("u,v,k\n" + "".join(f"{i / 7},{i * i},{'ab'[i % 2]}\n" for i in range(50)))
    data = load_data(path, validation=0, test=0)
    assert isinstance(data, DataSet)
    raw, y = read_table(path, data.spec)
    np.testing.assert_array_equal(data.spec.prepare(raw), data.train.x)
    np.testing.assert_array_equal(y, data.train.y)
