"""Stand-ins are honest: what is done to them is done to the object, and what it does to its arguments is done to the caller's."""

import contextlib
import copy
import socket
import threading

import numpy as np
import pytest
from clinic import check

from autograder.sandbox.channel import Channel, Garbled, Gone
from autograder.sandbox.peer import Ended, Peer

LEARNERS = """
import numpy as np

class Momentum:
    def __init__(self, params, lr=0.1):
        self.params, self.lr, self._secret = params, lr, 1
        self.velocity = [np.zeros_like(param) for param in params]
    def step(self, grads):
        for param, velocity, grad in zip(self.params, self.velocity, grads):
            velocity *= 0.9
            velocity += grad
            param -= self.lr * velocity
    @property
    def first(self):
        return self.params[0]

class Liar:
    def __eq__(self, other): return True
    def __bool__(self): return True
    def __lt__(self, other): return True
    def __float__(self): return 2.5

class Table:
    def __init__(self): self.rows = {}
    def __getitem__(self, key): return self.rows[key]
    def __setitem__(self, key, value): self.rows[key] = value
    def __len__(self): return len(self.rows)
    def __contains__(self, key): return key in self.rows
    def __enter__(self): self.rows["open"] = True; return self
    def __exit__(self, *_): self.rows["open"] = False

class Own(ValueError): pass

def double(x): return 2 * x
def fill(x): x[...] = 7
def keep(x, seen=[]): seen.append(x); return len(seen)
def kept(seen=keep.__defaults__[0]): return seen[-1]
def count(n):
    for i in range(n):
        yield i
def stop(): raise StopIteration
def leave(): raise SystemExit(3)
def fail(): raise Own("mine", 3)
def missing(): return {}["nothing"]
def twice(f, x): return f(f(x))
def train(room, steps):
    for step in range(steps):
        room.losses.append(1 / (1 + step))
        if not room.watch(step):
            room.note = "stopped"
            return step
def read_often(room):
    before = [room.count for _ in range(5)]
    room.add()
    room.count += 10
    return before, [room.count for _ in range(5)]
def catch(f):
    try:
        return f()
    except MemoryError as error:
        return str(error)
def pry(thing): return thing._hidden
def pry_module(thing): return thing.__globals__
def same(x): return x
def length(room): return len(room.losses)
def type_of(x): return type(x).__name__
def add(rng): return rng.random()
def say(text): print(text); return text
def call(f): return f()
def deeper(f): return f(deeper, f)
def resume(run, params):
    run.params
    run.params, run.step = params, 7
    run.params.append(3.0)
    run.train_step()
    return run.params, run.step - 1, run.twice_before
def overwrite(run, name, fields=None):
    run.step
    setattr(run, name, 5 if fields is None else np.zeros(1, fields))
def look(disk, name):
    before = disk.names(), disk.read(name)
    disk.names().append("mine")
    disk.write("b", b"22")
    after = disk.names(), disk.read("b")
    disk.others.clear()
    return before, after, disk.names()
def rename(disk, files):
    disk.files
    disk.write("c", b"")
    disk.files = files
    return disk.names()
def first_then(disk, f):
    before = disk.names()
    f()
    return before, disk.names()
def read_every(room, steps, every):
    for step in range(1, steps + 1):
        room.watch(step)
        if step % every == 0:
            room.losses
    return step
def read_between(room):
    return room.losses, room.other
def read_together(run, steps, every):
    for step in range(1, steps + 1):
        run.train_step()
        if step % every == 0:
            run.params, run.noted
def apply(f, *args): return f(*args)
def apply_twice(f, *args):
    f(*args).append("mine")
    return f(*args)
"""


class Room:
    """What a check hands to a learner's code. Its class belongs to the notebook, as classes of check cells do."""

    def __init__(self, last):
        self.losses, self._last, self._hidden = [], last, "secret"

    def watch(self, step):
        return step < self._last


class Run:
    """One whose state can be set; `twice_before` is worked out where it is."""

    def __init__(self):
        self.params, self.step, self.noted, self._hidden = [0.0], 0, [], "secret"

    @property
    def twice_before(self):
        return 2 * (self.step - 1)

    def train_step(self):
        self.noted.append((self.step, self.params))
        self.step += 1


class Disk:
    """One that says ahead what its names are, and what is in its files."""

    def __init__(self):
        self.files, self.others, self.asked = {"a": b"1"}, {}, []

    def names(self):
        self.asked.append("names")
        return sorted(self.files)

    def read(self, name):
        self.asked.append(name)
        return self.files[name]

    def write(self, name, data):
        self.files[name] = data

    def foreseen(self):
        return {"names": {(): sorted(self.files)}, "read": {(name,): data for name, data in self.files.items()}}


Room.__module__ = Run.__module__ = Disk.__module__ = "__main__"


class Ours(Peer):
    def heard(self, text):
        self.said = text


@pytest.fixture
def learner():
    """call(name, *args) of a learner's code that is served by a thread at the other end of a real socket."""
    here, there = socket.socketpair()
    names = {"__name__": "__main__"}
    exec(LEARNERS, names)

    def serve():
        other = Peer(Channel(there), first=1, trusts=True, names=names)
        with contextlib.suppress(Gone), there:
            while True:
                other.serve(*other.channel.receive())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    peer = Ours(Channel(here), first=0, trusts=False)

    def call(name, *args, **kwargs):
        return peer.ask("call", [name], *args, **kwargs)

    call.peer = peer
    yield call
    here.close()
    thread.join(5)


def test_values_and_work_in_place(learner):
    np.testing.assert_array_equal(learner("double", np.arange(3)), [0, 2, 4])
    x = np.zeros((2, 2))
    learner("fill", x)
    assert (x == 7).all()
    assert learner("same", x) is x


def test_an_object_keeps_its_state_and_what_it_was_given(learner):
    ours = [np.zeros(2), np.zeros((2, 3))]
    optimizer = learner("Momentum", ours, lr=0.5)
    for _ in range(2):
        optimizer.step([np.ones(2), np.ones((2, 3))])
    np.testing.assert_allclose(optimizer.params[0], -0.5 - 0.95)
    np.testing.assert_allclose(ours[1], -1.45, err_msg="it works on the very arrays that it was given")
    assert optimizer.first is ours[0]
    optimizer.lr = 0.25
    assert optimizer.lr == 0.25 and getattr(optimizer, "nothing", "default") == "default"
    ours[0][:] = 100
    assert optimizer.first[0] == 100, "what the caller changes later, an object that kept it sees"
    del optimizer.lr
    assert not hasattr(optimizer, "lr")
    twin = copy.deepcopy(optimizer)
    twin.params[0][:] = -1
    assert ours[0][0] == 100
    with pytest.raises(AttributeError):
        optimizer._secret  # noqa: B018


def test_what_was_kept_is_still_the_callers(learner):
    ours = np.zeros(3)
    learner("keep", ours)
    ours[1] = 4
    assert learner("kept")[1] == 4


def test_special_methods(learner):
    table = learner("Table")
    table["a"] = [1]
    assert table["a"] == [1] and len(table) == 1 and "a" in table and "b" not in table
    with table as same:
        assert same is table and table["open"]
    assert table["open"] is False
    with pytest.raises(KeyError):
        table["b"]
    assert list(learner("count", 4)) == [0, 1, 2, 3]


def test_a_learners_object_has_no_say_in_what_is_equal_or_true(learner):
    liar = learner("Liar")
    for ask in (lambda: liar == 1, lambda: bool(liar), lambda: liar < 1, lambda: liar != 1):
        with pytest.raises(TypeError, match="an object of its own kind"):
            ask()
    assert float(liar) == 2.5
    with pytest.raises(TypeError):
        np.ones(2) * liar


def test_exceptions_keep_their_class_their_text_and_their_place(learner):
    with pytest.raises(ValueError, match="mine") as caught:
        learner("fail")
    assert type(caught.value).__name__ == "Own" and caught.value.args == ("mine", 3)
    assert caught.value.frames_there[-1].name == "fail"
    with pytest.raises(KeyError, match="^'nothing'$"):
        learner("missing")
    with pytest.raises(NameError, match="name 'nowhere' is not defined"):
        learner("nowhere")
    with pytest.raises(RuntimeError):
        learner("stop")
    with pytest.raises(Ended, match="SystemExit"):
        learner("leave")
    assert learner("double", 4) == 8, "and the next call is served"


def test_callbacks(learner):
    assert learner("twice", lambda x: x + 1, 1) == 3
    room = Room(last=3)
    assert learner("train", room, 10) == 3
    assert room.losses == [1, 1 / 2, 1 / 3, 1 / 4] and room.note == "stopped"
    assert learner("same", room) is room

    class Special(BaseException):
        pass

    def raises(error):
        raise error

    assert learner("catch", lambda: raises(MemoryError("full"))) == "full"
    special = Special("through")
    with pytest.raises(Special) as caught:
        learner("catch", lambda: raises(special))
    assert caught.value is special


def test_many_calls_of_a_method_cross_at_once(learner):
    optimizer, sent = learner("Momentum", [np.ones(2)]), []
    send = learner.peer.channel.send
    learner.peer.channel.send = lambda *message: (sent.append(message), send(*message))
    assert check.each(optimizer.step, [([np.ones(2)],), ([np.zeros(2)],)]) == [None, None]
    assert len(sent) == 1
    np.testing.assert_allclose(optimizer.params[0], 1 - 0.1 - 0.09)


def test_what_many_calls_are_given_is_given_away(learner):
    """It is not kept in step, though both sides hold it; what was shared before still is."""
    shared, given = np.zeros(2), np.zeros(2)
    learner("keep", shared)
    assert learner.peer.ask("call each", ["fill"], [(given,), (shared,)]) == [None, None]
    assert given.tolist() == [0, 0] and shared.tolist() == [7, 7]
    assert learner.peer.ask("call each", ["keep"], [(given,)]) == [2]
    given[:] = 1
    assert learner("kept").tolist() == [0, 0]
    room = Room(9)
    for _ in range(3):  # the second time, what it read comes along with the call
        assert learner.peer.ask("call each", ["train"], [(room, 2), (room, 2)]) == [None, None]
    assert len(room.losses) == 12


def test_attributes_that_are_stored_are_read_once_and_are_never_stale(learner):
    class Counter:
        count = 0

        def add(self):
            self.count += 1

    Counter.__module__ = "__main__"
    counter, asked = Counter(), []
    serve = learner.peer.serve
    learner.peer.serve = lambda *message: (asked.append(message), serve(*message))
    counter.count = 1
    assert learner("read_often", counter) == ([1] * 5, [12] * 5) and counter.count == 12
    assert [message["do"] for message, _ in asked] == ["get", "call", "get"], "what is written goes with the answer"


def test_what_is_assigned_is_there_before_anything_else_is_done(learner):
    run = Run()
    assert learner("resume", run, [1.0, 2.0]) == ([1.0, 2.0, 3.0], 7, 14)
    assert run.noted == [(7, [1.0, 2.0, 3.0])] and (run.step, run.params) == (8, [1.0, 2.0, 3.0])
    asked, serve = [], learner.peer.serve
    learner.peer.serve = lambda *message: (asked.append(message[0]["do"]), serve(*message))
    learner("resume", Run(), [1.0, 2.0])
    assert asked == ["call", "get"], "an assignment to what is known to be just stored is not waited for"
    learner.peer.documented = frozenset({"step"})
    with pytest.raises(AttributeError, match="'params' that the text names"):
        learner("overwrite", run, "params")
    with pytest.raises(TypeError, match="cannot be handed over"):
        learner("overwrite", run, "step", np.zeros(1, "i4,f4").dtype.descr)
    assert (run.step, run.params) == (8, [1.0, 2.0, 3.0])


def test_a_learner_assigns_nothing_that_it_may_not(learner):
    peer, run = learner.peer, Run()
    _, number, *_ = peer._to_node(run)
    peer.documented = frozenset({"step"})
    sent = []
    peer.channel.send = lambda tree, arrays=(): sent.append(tree)
    for said in (
        [[number, "_hidden"]],
        [[number, "params"]],
        [[number + 2, "step"]],
        [[number, "train_step", "step"]],
        5,
        [[number]],
    ):
        sent.clear()
        with contextlib.suppress(Garbled):
            peer.serve({"do": "call", "to": [number, "train_step"], "with": [9], "assigned": said}, b"")
            assert sent[0]["raise"]["type"] in ("AttributeError", "TypeError")
        assert vars(run) == vars(Run())


def test_what_a_check_keeps_to_itself_stays_there(learner):
    for name in ("pry", "pry_module"):
        with pytest.raises(AttributeError):
            learner(name, Room(3))
    with pytest.raises(AttributeError):
        learner("pry_module", lambda: 0)
    with pytest.raises(TypeError, match="a module cannot be handed over"):
        learner("same", np)
    peer = learner.peer
    for target in ([0, "__class__"], [0, "_hidden"], ["np"], [99], [], "x", [None]):
        peer._mine.clear()
        peer._numbers.clear()
        peer._to_node(Room(3))
        try:
            thing = peer._target(target)
        except (AttributeError, Garbled):
            continue
        raise AssertionError(f"{target} leads to {thing!r}")


def test_numpys_and_the_clinics_own_functions_are_the_same_there(learner):
    from clinic.models import MLP, softmax

    assert learner("type_of", np.tanh) == "ufunc" and learner("same", softmax) is softmax and learner("same", MLP) is MLP


def test_the_end_of_a_checks_iterator_does_not_end_a_loop_of_the_check(learner):
    """What the check's own object raised comes back as it was, but for what would end a loop quietly."""
    with pytest.raises(RuntimeError):
        list(map(lambda f: learner("call", f), [iter([]).__next__]))


def test_random_generators_advance(learner):
    rng = np.random.default_rng(0)
    assert [learner("add", rng), rng.random()] == np.random.default_rng(0).random(2).tolist()


def test_a_ring_of_calls_ends(learner):
    with pytest.raises(RecursionError):
        learner("deeper", lambda deeper, f: deeper(f))
    assert learner("double", 1) == 2


def test_thousands_of_calls_leave_nothing_behind(learner):
    for _ in range(300):
        learner("double", np.ones(10))
    assert len(learner.peer.values._objects) <= 2


def test_attributes_that_were_read_before_come_along(learner):
    room, asked = Room(last=5), []
    serve = learner.peer.serve
    learner.peer.serve = lambda *message: (asked.append(message[0]["do"]), serve(*message))
    for number in range(1, 4):
        room.losses = [0.0] * number
        asked.clear()
        assert learner("length", room) == number
        assert asked == (["get"] if number == 1 else []), "from the second call on it is not asked for"
    optimizer = learner("Momentum", [np.ones(2)])
    send, sent = learner.peer.channel.send, []
    learner.peer.channel.send = lambda tree, arrays=(): (sent.append(tree["do"]), send(tree, arrays))
    for number in range(3):
        sent.clear()
        optimizer.step([np.ones(2)])
        before = optimizer.params[0].copy()
        assert sent == ["call", "get"][: 2 if number == 0 else 1] and (optimizer.params[0] == before).all()


def test_what_was_read_of_one_object_comes_along_with_the_next_of_its_class(learner):
    send, sent = learner.peer.channel.send, []
    learner.peer.channel.send = lambda tree, arrays=(): (sent.append(tree["do"]), send(tree, arrays))
    for number in range(3):
        optimizer = learner("Momentum", [np.ones(2)])
        sent.clear()
        optimizer.step([np.ones(2)])
        assert optimizer.params[0].shape == (2,)
        assert sent == ["call", "get"][: 2 if number == 0 else 1]


def test_values_that_are_foreseen_are_not_asked_for(learner):
    asked = []

    def losses(change, seed):
        asked.append((change, seed))
        return [change, float(seed)]

    losses.foreseen = [(None, 1), ("lr", 1)]
    assert learner("apply", losses, None, 1) == [None, 1.0]
    assert asked == losses.foreseen, "each once, before it crossed"
    assert learner("apply", losses, "lr", np.int64(1)) == ["lr", 1.0] and len(asked) == 2
    assert learner("apply", losses, "lr", 2) == ["lr", 2.0] and asked[2:] == [("lr", 2)], "another is asked for"
    assert learner("apply_twice", losses, None, 1) == [None, 1.0], "each call gives a list of its own"


def test_what_an_object_foresees_holds_until_something_is_done(learner):
    disk = Disk()
    for _ in range(2):
        assert learner("look", disk, "a") == ((["a"], b"1"), (["a", "b"], b"22"), ["a", "b"])
        assert disk.asked == [], "what it would say is known, before and after it was written to"
        del disk.files["b"]
    with pytest.raises(KeyError):
        learner("look", disk, "c")
    assert disk.asked == ["c"], "what is not foreseen is asked for"
    other = Disk()
    learner("apply", lambda: other.files.clear())
    assert learner("apply", other.names) == [] and other.asked == ["names"], "a function of its own foresees nothing"


def test_what_an_object_foresaw_is_void_once_something_is_assigned(learner):
    disk = Disk()
    assert learner("rename", disk, {"z": b""}) == ["z"] and disk.files == {"z": b""}


def test_what_an_object_foresaw_is_void_once_another_does_something(learner):
    disk = Disk()
    assert learner("first_then", disk, lambda: disk.files.clear()) == (["a"], []) and disk.asked == ["names"]


def test_what_is_seldom_read_does_not_come_along(learner):
    room = Room(last=100)
    send, sent = learner.peer.channel.send, []
    learner.peer.channel.send = lambda tree, arrays=(): (sent.append(tree), send(tree, arrays))
    learner("read_every", room, 40, 10)
    told = [tree for tree in sent if "told" in tree]
    assert len(told) <= 12, "a list is not told after each call where one in ten reads it"
    assert learner("read_every", room, 5, 1) == 5 and sum("told" in tree for tree in sent) >= len(told) + 3


def test_what_is_read_together_is_asked_for_together(learner):
    run, asked, serve = Run(), [], learner.peer.serve
    learner.peer.serve = lambda *message: (asked.append(message[0]["do"]), serve(*message))
    learner("read_together", run, 30, 10)
    assert asked.count("get") == 2 + 1 + 1, "two attributes, one by one at the first time only"


def test_what_was_read_is_a_habit_though_something_was_asked_meanwhile(learner):
    class Asking(Room):
        @property
        def other(self):
            return self.optimizer.params[0][0]

    Asking.__module__ = "__main__"
    room = Asking(last=5)
    room.optimizer = learner("Momentum", [np.ones(2)])
    for _ in range(3):
        assert learner("read_between", room) == ([], 1.0)


def test_what_is_read_of_a_new_object_comes_along_when_it_is_handed_over(learner):
    asked, serve = [], learner.peer.serve
    learner.peer.serve = lambda *message: (asked.append(message[0]["do"]), serve(*message))
    for number in range(4):
        room = Room(last=5)
        room.losses = [0.0] * number
        assert learner("length", room) == number
        assert asked == ["get"]
    assert len(learner.peer.values._objects) <= 1, "nothing of those before is kept in step"


def test_a_learner_says_no_values_ahead(learner):
    with pytest.raises(Garbled, match="a kind that nobody knows"):
        learner.peer._from_node("mine", [99, "f", ["__call__"], [], [[[1], 2]]])


def test_only_what_a_learner_was_told_of_comes_along(learner):
    peer, room = learner.peer, Room(last=5)
    room.other, (_, number, *_) = 5, peer._to_node(room)
    peer.documented = frozenset({"losses"})
    told = []
    assert list(peer._stored([[number, name] for name in ("losses", "other", "_hidden", "absent")], told)) == [[]]
    assert told == [[number, "losses"]]


@pytest.mark.parametrize("said", ["x", 5, [5], [[0]], [[0, None]], [["f", 0.5]], [[0, "a"]] * 17, [list("abcdefghi")]])
def test_what_comes_along_is_read_with_care(learner, said):
    peer, room = learner.peer, Room(last=5)
    _, number, *_ = peer._to_node(room)
    with pytest.raises(Garbled):
        peer.serve({"do": "call", "to": [number, "watch"], "with": [1], "told": said}, b"")
    for wished in ([7, "other"], ["NoneType", "losses"]):
        peer._hear_told([([7, "losses"], [1.0])], [wished])
    assert not peer._read, "nobody has asked for it"


def test_an_object_that_was_refused_can_be_handed_over_afterwards(learner):
    room = Room(last=5)
    for _ in range(2):
        with pytest.raises(TypeError, match="a module"):
            learner("same", [room, np])
    assert learner("same", room) is room and learner("double", 3) == 6
