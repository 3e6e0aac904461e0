"""Values cross between processes whole, in step, and as data only; what is no message is refused."""

import collections
import math
import socket

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.sandbox.channel import Channel, Garbled, unpack
from autograder.sandbox.wire import Values


def refuse(*_):
    raise Garbled("no objects here")


def pair():
    return Values(0, refuse, refuse), Values(1, refuse, refuse)


def sent(one, other, *values):
    """What arrives of these values, by way of real bytes."""
    here, there = socket.socketpair()
    with here, there:
        here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
        nodes, changes, arrays = one.pack(*values)
        Channel(here).send([nodes, changes, one.unheld()], arrays)
        (nodes, changes, dropped), raw = Channel(there).receive()
    return other.unpack(nodes, changes, raw, dropped)


def same(a, b):
    """Equal in type, in shape and in every bit that counts."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return a == b or (isinstance(a, (float, np.floating)) and math.isnan(a) and math.isnan(b))


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=30)
dtypes = hnp.scalar_dtypes() | hnp.unicode_string_dtypes(max_len=9) | hnp.byte_string_dtypes(max_len=9)
arrays = hnp.arrays(dtypes.filter(lambda dtype: dtype.itemsize), hnp.array_shapes(min_dims=0, min_side=0, max_side=4))
trees = st.recursive(
    scalars | arrays | st.frozensets(st.integers()) | st.sets(st.text()),
    lambda inner: (
        st.lists(inner, max_size=12) | st.dictionaries(st.text() | st.integers(), inner, max_size=4) | st.tuples(inner, inner)
    ),
    max_leaves=20,
)


@given(trees)
def test_what_arrives_is_what_was_sent(value):
    one, other = pair()
    assert same(sent(one, other, value)[0], value)


@pytest.mark.parametrize(
    "value",
    [
        2**4000,
        1 + 2j,
        [1.5] * 100,
        [np.float64(0.1)] * 9,
        [3] * 9,
        [2**70] * 9,
        slice(1, None, 2),
        range(3, 30, 4),
        float,
        np.float32,
        np.dtype("<f4"),
        np.tanh,
        np.int8(-3),
        np.bool_(True),
        np.array(["a", None, 3.5], object).tolist(),
    ],
    ids=repr,
)
def test_other_values_too(value):
    one, other = pair()
    assert same(sent(one, other, value)[0], value)


def test_subclasses_arrive_as_what_they_are_made_of():
    one, other = pair()
    counted, ordered = collections.Counter("aab"), collections.OrderedDict(b=1)
    assert sent(one, other, counted, ordered, np.str_("x"), {"k": 1}.keys()) == [{"a": 2, "b": 1}, {"b": 1}, "x", ["k"]]
    point = collections.namedtuple("Point", "x y")(1, [2])
    (arrived,) = sent(one, other, point)
    assert arrived == point and arrived.y == [2] and isinstance(arrived, tuple)
    masked = np.ma.masked_array([1.0, 2.0], [False, True], fill_value=9.0)
    np.testing.assert_array_equal(sent(one, other, masked)[0], [1.0, 9.0])


def test_changes_in_place_cross_both_ways_also_in_nested_and_in_shared_parts():
    one, other = pair()
    inner = np.zeros(3)
    ours = {"a": [inner, inner], "b": inner}
    (theirs,) = sent(one, other, ours)
    assert theirs["a"][0] is theirs["a"][1] is theirs["b"]
    theirs["b"][1] = 5
    theirs["a"].append("new")
    theirs["c"] = {1}
    assert sent(other, one, theirs["b"])[0] is inner
    assert inner[1] == 5 and ours["a"] == [inner, inner, "new"] and ours["c"] == {1}
    inner[2], ours["c"] = 7, 0
    sent(one, other)
    assert theirs["b"][2] == 7 and theirs["c"] == 0


@pytest.mark.parametrize("shape", [(3,), (100, 300), (1001, 3)])
@pytest.mark.parametrize("dtype", ["<f8", "<f4", "<U3", "?"])
def test_one_changed_entry_of_an_array_of_any_size_crosses(shape, dtype):
    """Big ones are compared in another way than small ones, those of whole words of eight bytes and in order, that is."""
    for order in "CF":
        one, other = pair()
        ours = np.zeros(shape, dtype, order=order)
        (theirs,) = sent(one, other, ours)
        theirs.flat[-1] = 1
        sent(other, one)
        assert same(ours, theirs) and ours.flat[-1] == np.ones(1, dtype)[0]
        ours.flat[0] = 1
        sent(one, other)
        assert same(ours, theirs)
        assert one.pack(None)[1] == other.pack(None)[1] == [], "nothing is sent that has not changed"


def test_a_list_may_hold_itself():
    one, other = pair()
    ours = [1]
    ours.append(ours)
    (theirs,) = sent(one, other, ours)
    assert theirs[1] is theirs


def test_generators_go_on_where_they_were_and_share_what_they_share():
    one, other = pair()
    first = np.random.default_rng(3)
    twin = np.random.Generator(first.bit_generator)
    old = np.random.RandomState(4)
    here, its_twin, old_here = sent(one, other, first, twin, old)
    assert here.random(5).tolist() == np.random.default_rng(3).random(5).tolist()
    assert its_twin.bit_generator is here.bit_generator
    assert old_here.rand() == np.random.RandomState(4).rand()
    sent(other, one)
    expected = np.random.default_rng(3)
    expected.random(5)
    assert first.random() == expected.random()
    child = here.spawn(1)[0].random()
    assert child == np.random.default_rng(3).spawn(1)[0].random()
    sent(other, one)
    assert first.spawn(1)[0].random() == np.random.default_rng(3).spawn(2)[1].random()


@pytest.mark.parametrize("place", [-40, -1, 5, 625, 700])
@pytest.mark.parametrize("kind", [np.random.MT19937, np.random.Philox])
def test_a_state_that_leads_behind_its_numbers_is_refused(kind, place):
    """numpy would take what lies there in the memory of this process for random numbers."""
    bits = kind(1)
    state = bits.state
    if kind is np.random.MT19937:
        place += 620 * (place == 5)
        state["state"]["pos"] = place
    else:
        state["buffer_pos"] = place
    bits.state = state
    with pytest.raises(Garbled):
        sent(*pair(), bits)


@pytest.mark.parametrize(
    "node",
    [["new", 0, ["array", "<f8", [0, 1 << 62], [0, 0]]], ["scalar", "<U1", b"\xff" * 4], ["named", "P", ["x"] * 10**6, []]],
)
def test_sizes_and_letters_that_cannot_be_are_refused(node):
    with pytest.raises(Garbled):
        pair()[1].unpack([node], [], b"", [])


def test_what_neither_holds_is_forgotten():
    one, other = pair()
    (theirs,) = sent(one, other, [np.zeros(3)])
    del theirs
    sent(other, one)
    assert not one._objects and not other._objects and not one._numbers and not one._states
    kept = [np.zeros(3)]
    (theirs,) = sent(one, other, kept)
    (view,) = theirs
    del theirs
    sent(other, one)
    assert len(other._objects) == len(one._objects) == 1
    view[0] = 1
    sent(other, one)
    assert kept[0][0] == 1


def test_of_a_list_that_has_grown_only_the_end_goes():
    one, other = pair()
    kept = [0.5] * 1000
    (theirs,) = sent(one, other, kept)
    kept += [1.5, True, kept]
    _, changes, arrays = one.pack()
    assert sum(map(len, arrays)) < 100 and changes[0][1][0] == "more"
    other.unpack([], changes, b"".join(arrays), [])
    assert theirs[:-1] == kept[:-1] and theirs[1001] is True and theirs[-1] is theirs
    theirs.append(np.ones(2))
    sent(other, one)
    assert len(kept) == 1004 and same(kept[-1], np.ones(2))
    kept[0] = 7
    kept.append("end")
    sent(one, other)
    assert theirs[0] == 7 and theirs[-1] == "end" and len(theirs) == 1005
    with pytest.raises(Garbled):
        other.unpack([["new", 4, ["more", [1]]]], [], b"", [])


def test_what_cannot_be_handed_over_leaves_nothing_behind():
    one, other = pair()
    kept = [1]
    sent(one, other, kept)
    kept.append(2)
    with pytest.raises(Garbled, match="no objects here"):
        one.pack([np.zeros(2), object()])
    assert len(one._objects) == 1
    nest = []
    for _ in range(200):
        nest = [nest]
    with pytest.raises(Garbled, match="nested too deeply"):
        one.pack(nest)
    with pytest.raises(Garbled, match="too long"):
        one.pack("x" * (5 << 20))
    with pytest.raises(Garbled, match="too big"):
        one.pack(np.zeros(30 << 20))
    (theirs,) = sent(one, other, kept)
    assert theirs == [1, 2]


noise = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 5)
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats()
    | st.binary(max_size=20)
    | st.sampled_from(
        "new ref list dict set tuple array objects bits rng scalar int complex frozenset slice range dtype type ufunc named "
        "plain numbers deque bytearray many float float64 <f8 |O O PCG64 Generator np.ndarray tanh __class__".split()
    ),
    lambda inner: st.lists(inner, max_size=6),
    max_leaves=30,
)


@settings(max_examples=1500)
@given(st.lists(noise, max_size=3), st.lists(noise, max_size=2), st.binary(max_size=64))
def test_a_message_is_read_or_refused_and_nothing_else(nodes, changes, raw):
    values = Values(0, refuse, refuse)
    values.pack([np.zeros(2), {"a": [1]}], np.random.default_rng(1))
    try:
        values.unpack(nodes, changes, raw, [0, 7])
    except Garbled:
        pass


@given(st.binary(max_size=300))
def test_bytes_are_read_or_refused_and_nothing_else(raw):
    try:
        unpack(raw)
    except Garbled:
        pass


def test_a_small_message_that_unfolds_without_end_is_refused():
    laughs = [0.0]
    for _ in range(12):
        laughs = [laughs] * 10
    with pytest.raises(Garbled):
        sent(*pair(), laughs)


def test_a_nest_of_bytes_is_refused():
    with pytest.raises(Garbled):
        unpack(b"\x91" * 100_000)


@given(trees, st.data())
def test_a_real_message_with_a_wrong_part_is_read_or_refused(value, data):
    """Real messages with one part replaced reach deeper than noise does."""
    one, other = pair()
    nodes, changes, arrays = one.pack(value)
    places = [(nodes, 0)]
    for holder, key in places:
        if isinstance(holder[key], list):
            places += [(holder[key], place) for place in range(len(holder[key]))]
    holder, key = data.draw(st.sampled_from(places))
    holder[key] = data.draw(noise)
    try:
        other.unpack(nodes, changes, b"".join(arrays), one.unheld())
    except Garbled:
        pass
