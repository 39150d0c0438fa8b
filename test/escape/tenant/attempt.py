"""The table of attempts: what one is, and how one is run.

An attempt is a function that tries to get out of the box, beyond it or at what is somebody else's.  What it returns
is its evidence; it is stopped when it raises, or returns nothing.  The modules beside this one are uploaded with the
workers, where the functions run, and imported by the tests, for what they say of themselves:

    @attempt("landlock", "tree")
    def read_a_file_of_the_host(c):
        \"\"\"A file that everybody on the host may read.\"\"\"
        return read(c.host_file)

Layers are those of box/tier.h; any one of them stops it.  Beyond those: "always" (descriptors, rlimits, capabilities,
how processes are started: of every tier), "node" (the node refuses), "limits", "engine".

How it is known that an attempt is one (proof):
    ANYBODY   succeeds without the box, whoever runs the node
    ROOT      succeeds without the box where the node is root
    OWN       c.own is set: the same way succeeds at what the worker may have, and in the box
    NOT       is not shown; `because` says why
"""
import inspect

ANYBODY, ROOT, OWN, NOT = "anybody", "root", "own", "not"
INSTANCE, TEMPLATE = "instance", "template"

TABLE = {}


class Attempt:
    def __init__(self, run, layers, proof, because, deadly, where, setup):
        self.run, self.layers, self.proof, self.because = run, layers, proof, because
        self.deadly, self.setup = deadly, setup
        self.name, self.room = run.__name__, run.__module__
        self.title = " ".join(run.__doc__.split())
        self.is_async = inspect.iscoroutinefunction(run)
        # Top-level code has no event loop that runs, and no call may wait.
        self.where = tuple(w for w in where if w != TEMPLATE or not self.is_async)


def attempt(*layers, proof=ANYBODY, because="", deadly=False, where=(INSTANCE, TEMPLATE), setup=None):
    """deadly: when it is stopped, it may be by the end of the process.  where: the stages of a worker that try it."""
    assert layers and (proof != NOT or because)

    def keep(run):
        assert run.__doc__ and run.__name__ not in TABLE, run.__name__
        TABLE[run.__name__] = Attempt(run, layers, proof, because, deadly, where, setup)
        return run
    return keep


class Context:
    """What the tests tell: what a tenant could find out or guess, so that no attempt fails for want of a name."""

    def __init__(self, facts):
        self.__dict__.update(facts)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise KeyError("the tests did not say %s" % name)


def said(evidence):
    """Evidence as text that JSON can carry."""
    if isinstance(evidence, bytes):
        evidence = evidence.decode("latin-1")
    return repr(evidence)[:300]


def told(name, evidence=None, error=None):
    if error is not None:
        return {"name": name, "got": None, "stopped": ("%s: %s" % (type(error).__name__, error))[:300]}
    # Nothing and False are no evidence; 0 is a call that succeeded.
    if evidence is None or evidence is False or evidence == b"" or evidence == "" or evidence == [] or evidence == {}:
        return {"name": name, "got": None, "stopped": "it came to nothing"}
    return {"name": name, "got": said(evidence), "stopped": None}


def run(name, facts):
    """Run one that does not wait."""
    try:
        return told(name, TABLE[name].run(Context(facts)))
    except BaseException as e:
        return told(name, error=e)


async def run_any(name, facts):
    """Run one in an instance."""
    try:
        outcome = TABLE[name].run(Context(facts))
        return told(name, await outcome if TABLE[name].is_async else outcome)
    except BaseException as e:
        return told(name, error=e)
