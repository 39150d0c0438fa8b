"""solver.py - choose one value for each variable such that nothing forbidden is true: what resolution comes down to.

A variable (a key, any hashable) has values 0 .. n: 0 says that it is not needed, 1 .. n are its versions.  Sets of values are
integers, bit v for value v.  A *clause* forbids that all of its variables have a value of its sets at once.  This is the search
that SAT solvers make: decide, propagate what follows, and, when that leads to something forbidden, learn the clause that was
behind it and go back to where it could have been known.  So it ends, misses no solution, and knows at the end why there is none.
"""
import functools
import time

SECONDS_MAX = 10        # of the processor, for one search


class Unsolvable(Exception):
    """There is no solution.  causes: the clauses that were given and exclude each one."""

    def __init__(self, causes):
        super().__init__("there is no solution")
        self.causes = causes


def _timed(method):
    """Count what it takes; raise Unsolvable when that is too much."""
    @functools.wraps(method)
    def timed(self, *args):
        if self._spent > SECONDS_MAX:
            raise Unsolvable([])
        since = time.thread_time()
        try:
            return method(self, *args)
        finally:
            self._spent += time.thread_time() - since
    return timed


class Clause:
    """terms: {key: set of values}.  kind and the rest say where it comes from: "wish" (parent, bits, note, mask), "unfit", "learned"."""
    __slots__ = ("terms", "kind", "parent", "bits", "note", "mask", "sources")

    def __init__(self, terms, kind, sources=(), parent=None, bits=0, note=None, mask=0):
        self.terms, self.kind, self.sources = terms, kind, sources
        self.parent, self.bits, self.note, self.mask = parent, bits, note, mask


class Solver:
    def __init__(self):
        self._all = {}          # key -> all of its values
        self._now = {}          # key -> values that are left
        self._clauses = {}      # key -> [clauses that name it]
        self._trail = []        # (key, values before, clause or None for a decision, level)
        self._at = {}           # key -> [positions in the trail]
        self._level = 0
        self._wishes = {}       # key -> [(parent key or None, its bits, mask)]
        self._asked = set()     # (key, value) whose requirements are known
        self._queue = []        # keys whose clauses are to be looked at
        self._order = {}
        self._spent = 0.0

    # ---- what there is ----

    def add(self, key, count):
        """A variable of values 0 .. count; once more does nothing."""
        if key not in self._all:
            self._all[key] = self._now[key] = (1 << count + 1) - 1
            self._clauses[key], self._at[key], self._wishes[key] = [], [], []
            self._order[key] = len(self._order)

    def require(self, parent, bits, key, mask, count, note):
        """When `parent` has a value of `bits`, or always (None), `key`, of `count` versions, has one of `mask`."""
        self.add(key, count)
        self._wishes[key].append((parent, bits, mask))
        terms = {key: self._all[key] & ~mask} if mask else {}
        if parent == key:                   # requires itself
            terms = {key: bits & ~mask}
            if not terms[key]:
                return
        elif parent is not None:
            terms[parent] = bits
        self._add_clause(Clause(terms, "wish", (), parent, bits, note, mask))

    def forbid(self, terms, note):
        self._add_clause(Clause(dict(terms), "unfit", (), note=note))

    def is_new(self, key, value):
        """Are the requirements of this version still to be added?  True once."""
        if (key, value) in self._asked:
            return False
        self._asked.add((key, value))
        return True

    def _add_clause(self, clause):
        for key in clause.terms:
            self._clauses[key].append(clause)
        self._queue += clause.terms
        if not clause.terms:
            raise Unsolvable(_causes(clause))

    # ---- what is known now ----

    def allowed(self, key):
        return self._now[key]

    def order(self, key):
        return self._order[key]

    def wishes(self, key):
        return self._wishes[key]

    @_timed
    def undecided(self):
        """Keys that are needed, and of which no decision was made."""
        decided = {key for key, _, clause, _ in self._trail if clause is None}
        return [key for key, values in self._now.items() if not values & 1 and key not in decided]

    def decided(self):
        """{key: value} at the end."""
        return {key: values.bit_length() - 1 for key, values in self._now.items() if not values & 1}

    def required_by(self, name):
        """Names (the first of the pair that a key is) that the version of `name` that was decided requires."""
        return [key[0] for key, wishes in self._wishes.items() for parent, bits, _ in wishes
                if parent is not None and parent[0] == name and key[0] != name and self._now[parent] == bits]

    # ---- the search ----

    @_timed
    def decide(self, key, values):
        """Try these values, a single one."""
        self._level += 1
        self._set(key, values & self._now[key], None)

    def _set(self, key, values, clause):
        self._at[key].append(len(self._trail))
        self._trail.append((key, self._now[key], clause, self._level))
        self._now[key] = values
        self._queue.append(key)

    @_timed
    def propagate(self):
        """What follows.  False: something was forbidden, and it is to be called again.  Raises Unsolvable, without causes when time is up."""
        while self._queue:
            key = self._queue.pop()
            for clause in list(self._clauses[key]):
                if not self._look(clause):
                    self._conflict(clause)
                    return False
        return True

    def _look(self, clause):
        """False: it is violated.  When all but one of its terms hold, the last must not."""
        free = None
        for key, values in clause.terms.items():
            now = self._now[key]
            if not now & values:
                return True
            if now & ~values:
                if free is not None:
                    return True
                free = key
        if free is None:
            return False
        self._set(free, self._now[free] & ~clause.terms[free], clause)
        return True

    def _since(self, key, values):
        """Position in the trail from which on `key` has none but these values; -1: always."""
        for at in self._at[key]:
            after = self._after(key, at)
            if not after & ~values:
                return at
        return -1

    def _after(self, key, at):
        places = self._at[key]
        i = places.index(at)
        return self._trail[places[i + 1]][1] if i + 1 < len(places) else self._now[key]

    def _conflict(self, clause):
        """Learn from a clause that is violated, and go back."""
        while True:
            places = sorted(((self._since(key, values), key) for key, values in clause.terms.items()), reverse=True)
            if not places or self._trail[places[0][0]][3] == 0:
                raise Unsolvable(_causes(self._at_root(clause)))
            at, key = places[0]
            level = self._trail[at][3]
            below = max((self._trail[other][3] for other, _ in places[1:]), default=0)
            if below < level:
                break
            clause = self._merge(clause, self._trail[at][2], key)
        self._back(below)
        if clause.kind == "learned":
            self._add_clause(clause)

    def _merge(self, clause, cause, key):
        """What the two forbid together, without deciding on `key`."""
        terms = dict(clause.terms)
        for other, values in cause.terms.items():
            if other == key:
                terms[key] = clause.terms[key] | values
            else:
                terms[other] = terms.get(other, self._all[other]) & values
        if terms[key] == self._all[key]:
            del terms[key]
        return Clause(terms, "learned", (clause, cause))

    def _at_root(self, clause):
        """The same with all that led to it."""
        while clause.terms:
            places = sorted(((self._since(key, values), key) for key, values in clause.terms.items()), reverse=True)
            at, key = places[0]
            if at < 0:
                break
            clause = self._merge(clause, self._trail[at][2], key)
        return clause

    def _back(self, level):
        while self._trail and self._trail[-1][3] > level:
            key, before, _, _ = self._trail.pop()
            self._now[key] = before
            self._at[key].pop()
        self._level = level
        self._queue = list(self._now)       # clauses that came since then may have more to say on this level


def _causes(clause):
    """The clauses that it was learned from, in the order in which they were given, each once."""
    found, seen, stack = [], set(), [clause]
    while stack:
        one = stack.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if one.kind == "learned":
            stack += one.sources[::-1]
        else:
            found.append(one)
    return found
