"""What either side of a WebSocket may send, and what comes of it: one table for both roles, in the spirit of Autobahn's.

A case: name, the bytes that are sent as a function of `f` (a frame: f(first byte, payload)), the messages that the worker's code hears,
the pongs that it answers, and how it ends: (code, reason or None) of the close that it hears, and the code that it sends back.
"""
import struct

FIN, TEXT, BINARY, CLOSE, PING, PONG = 0x80, 1, 2, 8, 9, 10
T, B, C, P, Q = FIN | TEXT, FIN | BINARY, FIN | CLOSE, FIN | PING, FIN | PONG
LAST = FIN      # of a message in fragments: a continuation that ends it
BIG = 33 * 1024 * 1024


def wire(first, payload=b"", mask=None, form=None, announced=None):
    """form: 0, 2 or 8 bytes of length, else the shortest; announced: the length that is said."""
    n = len(payload) if announced is None else announced
    form = form if form is not None else 0 if n < 126 else 2 if n < 65536 else 8
    bit = 0x80 if mask else 0
    head = bytes([first, bit | (n if form == 0 else 126 if form == 2 else 127)]) + (struct.pack(">H" if form == 2 else ">Q", n) if form else b"")
    if not mask:
        return head + payload
    key = (mask * (len(payload) // 4 + 1))[:len(payload)]
    return head + mask + bytes(a ^ b for a, b in zip(payload, key))


def close(code=None, reason=b""):
    return b"" if code is None else struct.pack(">H", code) + reason


def cases():
    bye = (1000, "bye"), 1000
    end = lambda f: f(C, close(1000, b"bye"))       # noqa: E731
    broken = (1002, None), 1002
    not_text = (1007, None), 1007
    some = []

    def add(name, sent, messages=(), pongs=(), how=bye):
        some.append((name, sent, list(messages), list(pongs), *how))

    # messages and their lengths
    for n in (0, 1, 125, 126, 127, 128, 65535, 65536, 65537, 300000):
        add("text of %d" % n, lambda f, n=n: f(T, b"*" * n) + end(f), ["t%d" % n])
        add("binary of %d" % n, lambda f, n=n: f(B, b"\xfe" * n) + end(f), ["b%d" % n])
    add("a hundred at once", lambda f: f(T, b"x") * 100 + end(f), ["t1"] * 100)
    # fragments
    add("two fragments", lambda f: f(TEXT, b"ab") + f(LAST, b"cd") + end(f), ["t4"])
    add("fragments of nothing", lambda f: f(TEXT) + f(0) + f(0) + f(LAST) + end(f), ["t0"])
    add("nothing, then a middle", lambda f: f(BINARY) + f(0, b"abc") + f(LAST) + end(f), ["b3"])
    add("a fragment for each byte", lambda f: f(TEXT, b"a") + f(0, b"b") * 500 + f(LAST, b"c") + end(f), ["t502"])
    add("pings between fragments", lambda f: f(TEXT, b"a") + f(P, b"1") + f(0, b"b") + f(P, b"2") + f(LAST, b"c") + end(f), ["t3"], ["1", "2"])
    add("a pong between fragments", lambda f: f(TEXT, b"a") + f(Q, b"?") + f(LAST, b"c") + end(f), ["t2"])
    add("a close between fragments", lambda f: f(TEXT, b"a") + end(f))
    add("a continuation of nothing", lambda f: f(LAST, b"x") + end(f), how=broken)
    add("an open continuation of nothing", lambda f: f(0, b"x") + end(f), how=broken)
    add("a continuation behind a whole message", lambda f: f(T, b"x") + f(0, b"y") + end(f), ["t1"], how=broken)
    add("text inside text", lambda f: f(TEXT, b"a") + f(T, b"b") + end(f), how=broken)
    add("binary inside text", lambda f: f(TEXT, b"a") + f(BINARY, b"b") + f(LAST) + end(f), how=broken)
    # control frames
    for n in (0, 1, 124, 125):
        add("a ping of %d" % n, lambda f, n=n: f(P, b"p" * n) + end(f), [], ["p" * n])
        add("a pong of %d" % n, lambda f, n=n: f(Q, b"p" * n) + end(f))
    add("ten pings", lambda f: b"".join(f(P, b"%d" % i) for i in range(10)) + end(f), [], [str(i) for i in range(10)])
    for kind, name in ((PING, "ping"), (PONG, "pong"), (CLOSE, "close")):
        add("a %s of 126" % name, lambda f, k=kind: f(FIN | k, b"x" * 126), how=broken)
        add("a %s in fragments" % name, lambda f, k=kind: f(k, b"\x03\xe8") + f(LAST, b"x"), how=broken)
        add("a %s of 5 in two bytes" % name, lambda f, k=kind: f(FIN | k, b"\x03\xe8abc", form=2), how=broken)
    # reserved bits and kinds
    for bit in (0x40, 0x20, 0x10, 0x70):
        for kind in (TEXT, BINARY, PING, CLOSE):
            add("reserved %x of %d" % (bit, kind), lambda f, x=bit | kind: f(FIN | x, b"\x03\xe8"), how=broken)
    for kind in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        add("kind %d" % kind, lambda f, k=kind: f(T, b"a") + f(FIN | k, b"x") + f(P, b"unheard"), ["t1"], how=broken)
        add("kind %d between fragments" % kind, lambda f, k=kind: f(TEXT, b"a") + f(FIN | k) + f(LAST, b"b"), how=broken)
    # lengths
    add("125 in two bytes", lambda f: f(T, b"x" * 125, form=2), how=broken)
    add("125 in eight bytes", lambda f: f(T, b"x" * 125, form=8), how=broken)
    add("65535 in eight bytes", lambda f: f(B, b"x" * 65535, form=8), how=broken)
    add("a length with its highest bit", lambda f: f(B, b"", form=8, announced=1 << 63), how=broken)
    add("a length of nearly all", lambda f: f(B, b"", form=8, announced=(1 << 63) - 1), how=((1009, None), 1009))
    add("33 MiB announced", lambda f: f(B, b"", form=8, announced=BIG), how=((1009, None), 1009))
    add("33 MiB in fragments", lambda f: f(BINARY, b"x") + f(LAST, b"", form=8, announced=BIG), how=((1009, None), 1009))
    # masks
    add("the wrong masking", lambda f: f(T, b"x", wrong=True), how=broken)
    add("the wrong masking behind a message", lambda f: f(T, b"x") + f(P, b"", wrong=True), ["t1"], how=broken)
    # UTF-8
    word = "\u03ba\u1f79\U0001f600".encode()
    add("UTF-8", lambda f: f(T, word) + end(f), ["t4"])        # UTF-16 units
    add("UTF-8 cut into bytes", lambda f: f(TEXT, word[:1]) + b"".join(f(0, word[i:i + 1]) for i in range(1, len(word))) + f(LAST) + end(f), ["t4"])
    for name, bytes_ in (("U+0000", b"\x00"), ("U+007F", b"\x7f"), ("U+0080", b"\xc2\x80"), ("U+07FF", b"\xdf\xbf"), ("U+0800", b"\xe0\xa0\x80"), ("U+D7FF", b"\xed\x9f\xbf"),
                         ("U+E000", b"\xee\x80\x80"), ("U+FFFD", b"\xef\xbf\xbd"), ("U+FFFE", b"\xef\xbf\xbe"), ("U+FFFF", b"\xef\xbf\xbf")):
        add(name, lambda f, b=bytes_: f(T, b) + end(f), ["t1"])
    for name, bytes_ in (("U+10000", b"\xf0\x90\x80\x80"), ("U+10FFFF", b"\xf4\x8f\xbf\xbf"), ("U+1FFFE", b"\xf0\x9f\xbf\xbe")):
        add(name, lambda f, b=bytes_: f(T, b) + end(f), ["t2"])
    for bytes_ in (b"\x80", b"\xbf", b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf", b"\xed\xa0\x80", b"\xed\xbf\xbf",
                   b"\xed\xa0\x80\xed\xb0\x80", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80", b"\xfe", b"\xff", b"\xc2", b"\xe2\x82",
                   b"\xf0\x9f\x98", b"\xc2\x41", b"\xe2\x28\xa1", b"\xf0\x28\x8c\xbc", b"ok\x80", b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"):
        add("not UTF-8: " + bytes_.hex(), lambda f, b=bytes_: f(T, b) + end(f), how=not_text)
        add("not UTF-8 in fragments: " + bytes_.hex(), lambda f, b=bytes_: f(TEXT, b[:1]) + f(LAST, b[1:]) + end(f), how=not_text)
    add("not UTF-8, and no end", lambda f: f(TEXT, b"ok \xff"), how=not_text)
    add("binary that is not UTF-8", lambda f: f(B, b"\xff\xfe\x80") + end(f), ["b3"])
    # closes
    add("a close without a code", lambda f: f(C), how=((1005, ""), None))
    add("a close with half a code", lambda f: f(C, b"\x03"), how=broken)
    add("a close and no reason", lambda f: f(C, close(1000)), how=((1000, ""), 1000))
    add("a long reason", lambda f: f(C, close(1000, b"r" * 123)), how=((1000, "r" * 123), 1000))
    add("a reason that is not UTF-8", lambda f: f(C, close(1000, b"\xce\xba\xff")), how=not_text)
    add("messages behind a close", lambda f: end(f) + f(T, b"late") + f(P, b"late"))
    add("two closes", lambda f: end(f) + f(C, close(1001)))
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999):
        add("code %d" % code, lambda f, c=code: f(C, close(c, b"why")), how=((code, "why"), code))
    for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
        add("code %d, which may not be sent" % code, lambda f, c=code: f(C, close(c, b"why")), how=broken)
    return some


CASES = cases()


def framer(mask):
    """`f` for who masks with these bytes, or not."""
    def f(first, payload=b"", form=None, announced=None, wrong=False):
        return wire(first, payload, mask if not wrong else None if mask else b"\x01\x02\x03\x04", form, announced)
    return f
