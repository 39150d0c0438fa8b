"""What Python code does with files: CASES run in a worker, below /tmp, and by the system's own Python, on a disk.

Each is run in an empty folder, `base`, which is not the current one; `out` is what it has seen.
"""
import textwrap

RUN = '''
import errno, io, os, shutil, stat, sys

def run_cases(cases, root):
    answers = {}
    for name, code in cases.items():
        base = root + "/" + name
        os.mkdir(base)
        out = []
        def fails(function, *args, **kwargs):
            try:
                done = function(*args, **kwargs)
            except Exception as e:
                names = [getattr(e, "filename", None), getattr(e, "filename2", None)]
                out.append([type(e).__name__, getattr(e, "errno", None), str(e), [n for n in names if n is not None]])
            else:
                out.append(["no error", done])
        space = {"base": base, "out": out, "fails": fails, "os": os, "io": io, "shutil": shutil, "stat": stat, "errno": errno}
        try:
            exec(code, space)
        except Exception as e:
            import traceback
            out.append("raised " + traceback.format_exc())
        answers[name] = repr(out).replace(base, "BASE").replace(repr(base.encode())[2:-1], "BASE")
        os.chdir(root_folder)
        shutil.rmtree(base)
    return answers

root_folder = os.getcwd()
'''

CASES = {name: textwrap.dedent(code) for name, code in {
    "modes": r'''
        path = base + "/f"
        for mode in ("w", "wb", "a", "ab", "x", "xb", "r", "rb", "r+", "rb+", "w+", "wb+", "a+", "ab+", "x+", "xb+", "rt", "wt", "br", "+wb"):
            if "x" in mode:
                os.unlink(path)
            with open(path, mode) as f:
                raw = f.buffer.raw if hasattr(f, "buffer") else f.raw
                out.append([mode, f.mode, raw.mode, f.readable(), f.writable(), f.seekable(), f.tell(), f.closed, type(f).__name__, f.name == path, f.isatty()])
            out.append([f.closed, raw.closed, raw.closefd])
        for mode in ("", "q", "rw", "r+w", "rr", "wx", "b", "U", "rbt", "++r", "+"):
            fails(open, path, mode)
        fails(open, path, "rb", encoding="ascii")
        fails(open, path, "rb", errors="strict")
        fails(open, path, "rb", newline="")
        fails(open, path, "r", buffering=0)
        fails(open, path, "r", newline="x")
        fails(open, path, "r", encoding="no-such")
        fails(open, path, 3)
        fails(open, 3.5)
        fails(open, None)
        fails(open, path, "r", closefd=False)
        fails(open, path, "x")
        fails(open, path + "\0")
        fails(open, "")
        fails(open, base + "/none")
        fails(open, base)
        fails(open, base, "w")
        fails(open, path + "/x")
        fails(open, path + "/")
        fails(open, base + "/new/", "w")
        fails(open, base + "/no/f", "w")
        fails(open, base.encode() + b"/none")
    ''',
    "text": r'''
        path = base + "/t"
        with open(path, "w", encoding="utf-8") as f:
            out.append([f.write("a\nbé\n"), f.writelines(["x\r\n", "y"]), f.tell(), f.encoding, f.newlines, f.line_buffering])
        out.append(open(path, "rb").read())
        with open(path, encoding="utf-8") as f:
            out.append([f.readline(), f.tell(), f.read(2), f.read(), f.newlines, f.read()])
            f.seek(0)
            out.append(list(f))
        with open(path, newline="", encoding="utf-8") as f:
            out.append(f.readlines())
        with open(path, "w", newline="\r\n") as f:
            print("one", "two", sep="\n", file=f)
        out.append(open(path, "rb").read())
        with open(path, "r", encoding="latin-1", buffering=1) as f:
            out.append([f.line_buffering, f.encoding, next(f)])
        with open(path, "wb") as f:
            f.write(b"\xff")
        fails(open(path, encoding="utf-8").read)
        out.append(open(path, encoding="utf-8", errors="replace").read())
    ''',
    "seeking": r'''
        path = base + "/s"
        with open(path, "wb+") as f:
            out.append([f.write(b"0123456789"), f.seek(3), f.read(2), f.seek(-2, 2), f.read(), f.seek(2), f.write(b"xx"), f.tell(), f.seek(0), f.read()])
            out.append([f.seek(20), f.write(b"end"), f.seek(0), f.read(), f.truncate(4), f.seek(0), f.read(), f.seek(2), f.truncate(), f.tell()])
            fails(f.seek, -1)
            fails(f.seek, 0, 9)
            fails(f.truncate, -1)
            out.append([f.peek(1)[:1], os.fstat(f.fileno()).st_size])
        with open(path, "ab+") as f:
            out.append([f.tell(), f.write(b"more"), f.seek(0), f.read(), f.write(b"!"), f.seek(0), f.read()])
        with io.FileIO(path, "r+") as f:
            buffer = bytearray(4)
            out.append([f.readinto(buffer), bytes(buffer), f.readall(), f.read(1), f.tell(), f.seek(0), f.read(3), f.write(b"Z"), f.truncate(), f.seek(0), f.readall(), repr(f).replace(path, "P")])
            fails(f.seek, -5)
        out.append(repr(f))
        for method, args in (("read", ()), ("write", (b"",)), ("seek", (0,)), ("tell", ()), ("fileno", ()), ("readable", ()), ("isatty", ()), ("truncate", ()), ("__enter__", ())):
            fails(getattr(f, method), *args)
        with open(path, "rb", buffering=0) as f:
            fails(f.write, b"x")
            fails(f.truncate, 0)
        with open(path, "wb", buffering=0) as f:
            fails(f.read)
            fails(f.write, "text")
        out.append([isinstance(f, io.FileIO), isinstance(f, io.RawIOBase), type(f).__name__])
        with open(path, "wb") as f:
            f.write(memoryview(b"abcdef")[::1])
            import array
            f.write(array.array("H", [1, 2]))
        with open(path, "rb") as f:
            numbers = array.array("H", [0] * 5)
            out.append([f.readinto(numbers), numbers.tolist(), f.read1(), f.readinto1(bytearray(2))])
    ''',
    "stat": r'''
        path = base + "/f"
        open(path, "w").write("hello")
        os.mkdir(base + "/d")
        os.symlink("f", base + "/l")
        os.link(path, base + "/h")
        def shown(st):
            return [stat.filemode(st.st_mode), st.st_nlink, st.st_size if not stat.S_ISDIR(st.st_mode) else 0, st.st_uid == os.getuid(), st.st_blksize]
        out.append([shown(os.stat(path)), shown(os.stat(base + "/d")), shown(os.lstat(base + "/l")), shown(os.stat(base + "/l")), shown(os.stat(base + "/l", follow_symlinks=False))])
        out.append([os.path.samefile(path, base + "/h"), os.path.samefile(path, base + "/l"), os.path.samefile(path, base), os.stat(path).st_ino == os.stat(base + "/h").st_ino])
        out.append([os.path.exists(path), os.path.isfile(path), os.path.isdir(path), os.path.islink(base + "/l"), os.path.isdir(base), os.path.getsize(path), os.path.lexists(base + "/no"), os.path.ismount(base)])
        out.append([os.access(path, mode) for mode in (os.F_OK, os.R_OK, os.W_OK, os.X_OK)] + [os.access(base, os.X_OK), os.access(base + "/no", os.F_OK)])
        os.chmod(path, 0o750)
        os.utime(path, (1, 2))
        out.append([stat.filemode(os.stat(path).st_mode), os.stat(path).st_mtime, os.stat(path).st_atime, os.path.getmtime(path), os.access(path, os.X_OK)])
        os.utime(path, ns=(5, 1_000_000_007))
        out.append([os.stat(path).st_mtime_ns, os.stat(path).st_atime_ns, os.stat(path)[8]])
        before = os.stat(path).st_mtime_ns
        open(path, "a").close()
        out.append(os.stat(path).st_mtime_ns == before)
        open(path, "a").write("x")
        out.append([os.stat(path).st_mtime_ns == before, os.stat(base + "/h").st_size])
        os.truncate(path, 3)
        os.truncate(base + "/h", 5)
        out.append(open(path, "rb").read())
        for call in (os.stat, os.lstat, os.chmod, os.utime, os.truncate, os.readlink, os.listdir, os.scandir):
            more = (0,) if call in (os.chmod, os.truncate) else ()
            fails(call, base + "/none", *more)
        fails(os.stat, path + "/")
        fails(os.stat, path + "/x")
        fails(os.stat, base + "/" + "x" * 256)
        fails(os.stat, base + "/x" * 2100)
        fails(os.stat, "")
        fails(os.stat, base + "/\0")
        fails(os.stat, 3.5)
        fails(os.readlink, path)
        fails(os.truncate, base, 0)
        fails(os.truncate, path, -1)
        fails(os.utime, path, (1, 2), ns=(1, 2))
        fails(os.utime, path, 5)
        fails(os.listdir, path)
    ''',
    "folders": r'''
        os.makedirs(base + "/a/b/c")
        os.makedirs(base + "/a/b", exist_ok=True)
        fails(os.makedirs, base + "/a/b")
        fails(os.mkdir, base + "/a")
        fails(os.mkdir, base + "/x/y")
        open(base + "/a/f", "w").close()
        fails(os.mkdir, base + "/a/f")
        fails(os.mkdir, base + "/a/f/g")
        fails(os.makedirs, base + "/a/f/g")
        fails(os.rmdir, base + "/a")
        fails(os.rmdir, base + "/a/f")
        fails(os.rmdir, base + "/none")
        fails(os.rmdir, base + "/a/b/c/.")
        fails(os.unlink, base + "/a/b")
        fails(os.unlink, base + "/none")
        fails(os.remove, base + "/a/f/g")
        fails(os.mkdir, "")
        fails(os.mkdir, base + "/" + "é" * 128)
        os.mkdir(base + "/" + "é" * 127)
        os.rmdir(base + "/" + "é" * 127 + "/")
        out.append(sorted(os.listdir(base + "/a")))
        out.append([os.stat(base).st_nlink, os.stat(base + "/a").st_nlink])
        out.append(sorted((r[len(base):], sorted(d), sorted(f)) for r, d, f in os.walk(base)))
        out.append(sorted((r[len(base):], sorted(d), sorted(f)) for r, d, f in os.walk(base, topdown=False)))
        out.append(sorted((r[len(base):], sorted(d), sorted(f)) for r, d, f, fd in os.fwalk(base)))
        with os.scandir(base + "/a") as entries:
            out.append(sorted((e.name, e.path, e.is_dir(), e.is_file(), e.is_symlink(), e.inode() == os.stat(e.path).st_ino, os.fspath(e), repr(e), e.stat().st_nlink) for e in entries))
        out.append(sorted(e.path for e in os.scandir((base + "/a").encode())))
        out.append(sorted(os.listdir((base + "/a").encode())))
        os.removedirs(base + "/a/b/c")
        out.append(os.listdir(base))
        os.mkdir(base + "/m", 0o700)
        out.append(stat.filemode(os.stat(base + "/m").st_mode))
        old = os.umask(0o077)
        os.mkdir(base + "/n")
        open(base + "/n/f", "w").close()
        os.umask(old)
        out.append([stat.filemode(os.stat(base + "/n").st_mode), stat.filemode(os.stat(base + "/n/f").st_mode)])
    ''',
    "renaming": r'''
        def put(name, text=""):
            with open(base + "/" + name, "w") as f:
                f.write(text)
        put("a", "A")
        put("b", "B")
        os.mkdir(base + "/d")
        os.mkdir(base + "/e")
        put("e/f")
        p = lambda name: base + "/" + name
        os.rename(p("a"), p("c"))
        os.replace(p("c"), p("b"))
        out.append([sorted(os.listdir(base)), open(p("b")).read()])
        os.rename(p("b"), p("b"))
        for old, new in (("none", "x"), ("b", "d"), ("d", "b"), ("d", "e"), ("b", "no/x"), ("d", "d/x"), ("b", "b/x"), ("b", "x/"), ("b/", "y"), ("e", "e/f/g"), ("", "x"), ("d/.", "x")):
            fails(os.rename, p(old) if old else old, p(new))
        fails(os.replace, p("none"), p("x"))
        os.rename(p("e"), p("d"))
        os.rename(p("d/"), p("e2/"))
        out.append([sorted(os.listdir(base)), os.listdir(p("e2"))])
        os.renames(p("e2/f"), p("q/r/f"))
        out.append(sorted(os.listdir(base)))
        os.link(p("b"), p("hard"))
        os.rename(p("b"), p("hard"))
        out.append(sorted(os.listdir(base)))
        fails(os.link, p("none"), p("z"))
        fails(os.link, p("b"), p("hard"))
        fails(os.link, p("q"), p("z"))
        os.unlink(p("b"))
        out.append([open(p("hard")).read(), os.stat(p("hard")).st_nlink])
        with open(p("hard"), "r+") as f:
            os.unlink(p("hard"))
            out.append([f.read(), os.fstat(f.fileno()).st_nlink, os.path.exists(p("hard"))])
            f.write("still")
            f.seek(0)
            out.append(f.read())
    ''',
    "links": r'''
        p = lambda name: base + "/" + name
        os.mkdir(p("d"))
        open(p("d/f"), "w").write("F")
        os.symlink("d", p("to_d"))
        os.symlink(p("d/f"), p("to_f"))
        os.symlink("missing", p("broken"))
        os.symlink("loop2", p("loop1"))
        os.symlink("loop1", p("loop2"))
        os.symlink("../d/f", p("d/up"))
        os.symlink("/usr/lib/python3.11/os.py", p("outside"))
        out.append([os.readlink(p("to_d")), os.readlink(p("broken").encode()), open(p("to_f")).read(), open(p("to_d/f")).read(), open(p("d/up")).read(), os.listdir(p("to_d")) == os.listdir(p("d"))])
        out.append([os.path.exists(p("broken")), os.path.lexists(p("broken")), os.path.isdir(p("to_d")), os.path.realpath(p("to_f")), os.path.realpath(p("broken")), open(p("outside")).read() == open("/usr/lib/python3.11/os.py").read()])
        fails(open, p("broken"))
        fails(open, p("loop1"))
        fails(os.stat, p("loop1"))
        fails(os.listdir, p("loop1"))
        fails(os.open, p("to_f"), os.O_RDONLY | os.O_NOFOLLOW)
        fails(open, p("broken"), "x")
        open(p("broken"), "w").write("made")
        out.append([open(p("missing")).read(), sorted(os.listdir(base))])
        fails(os.symlink, "x", p("to_d"))
        fails(os.symlink, "", p("y"))
        fails(os.rmdir, p("to_d"))
        os.unlink(p("to_d"))
        os.rename(p("to_f"), p("moved"))
        out.append([os.path.islink(p("moved")), sorted(os.listdir(base)), os.lstat(p("moved")).st_size == len(base) + 4])
        out.append(sorted((e.name, e.is_symlink(), e.is_dir(), e.is_file(), e.is_file(follow_symlinks=False)) for e in os.scandir(base) if e.name[:4] != "loop"))
        fails(os.chmod, p("moved"), 0o600, follow_symlinks=False)
    ''',
    "relative": r'''
        os.makedirs(base + "/a/b")
        os.chdir(base)
        open("f", "w").write("here")
        out.append([os.getcwd() == base, sorted(os.listdir()), sorted(os.listdir(".")), open("./f").read(), open("a/../f").read(), os.path.abspath("f"), os.path.exists("f"), os.path.exists("../none")])
        os.chdir("a/b")
        out.append([os.getcwd() == base + "/a/b", os.path.exists("../../f"), os.path.exists(b"../../f"), os.getcwdb() == base.encode() + b"/a/b", [e.path for e in os.scandir("..")]])
        open("g", "w").close()
        out.append(os.listdir(base + "/a//b/./"))
        fails(os.rmdir, ".")
        fails(os.rmdir, "..")
        fails(os.mkdir, ".")
        fails(os.chdir, "none")
        fails(os.chdir, "g")
        fails(open, "g/x")
        fails(open, "none")
        fails(os.unlink, "none")
        os.chdir("/usr")
        out.append([os.path.exists("lib"), os.path.exists(base + "/f"), os.getcwd()])
        os.chdir(base + "/a/b")
        os.unlink("g")
        os.rmdir(base + "/a/b")
        fails(os.getcwd)
        fails(open, "x", "w")
        fails(os.listdir, base + "/a/b")
        os.chdir("/")
        out.append([os.path.exists(base[1:] + "/f"), "usr" in os.listdir()])
        fd = os.open(base, os.O_RDONLY)
        os.fchdir(fd)
        os.close(fd)
        out.append(os.getcwd() == base)
    ''',
    "dir_fd": r'''
        os.mkdir(base + "/d")
        fd = os.open(base + "/d", os.O_RDONLY | os.O_DIRECTORY)
        f = os.open("f", os.O_WRONLY | os.O_CREAT, dir_fd=fd)
        os.write(f, b"text")
        os.close(f)
        out.append([os.listdir(fd), os.stat("f", dir_fd=fd).st_size, os.path.isdir(fd), os.access("f", os.R_OK, dir_fd=fd), sorted(e.name for e in os.scandir(fd))])
        os.mkdir("sub", dir_fd=fd)
        os.rename("f", "g", src_dir_fd=fd, dst_dir_fd=fd)
        os.symlink("g", "l", dir_fd=fd)
        os.link("g", "h", src_dir_fd=fd, dst_dir_fd=fd)
        os.utime("g", (1, 1), dir_fd=fd)
        os.chmod("g", 0o600, dir_fd=fd)
        out.append([os.readlink("l", dir_fd=fd), sorted(os.listdir(fd)), os.stat("g", dir_fd=fd).st_mtime, os.lstat("l", dir_fd=fd).st_size])
        os.rmdir("sub", dir_fd=fd)
        os.unlink("l", dir_fd=fd)
        os.unlink("g", dir_fd=fd)
        os.remove("h", dir_fd=fd)
        fails(os.unlink, "g", dir_fd=fd)
        fails(os.stat, "g", dir_fd=fd)
        fails(os.rmdir, "g", dir_fd=fd)
        fails(os.mkdir, base + "/d", dir_fd=fd)
        fails(os.read, fd, 10)
        fails(os.write, fd, b"")
        out.append([os.listdir(fd), stat.S_ISDIR(os.fstat(fd).st_mode)])
        os.close(fd)
        fails(os.listdir, fd)
        fails(os.close, fd)
        fails(os.open, base + "/d", os.O_WRONLY)
        fails(os.open, base + "/d", os.O_RDONLY | os.O_CREAT)
        fails(os.open, base + "/none", os.O_RDONLY)
        out.append([os.open in os.supports_dir_fd, os.stat in os.supports_follow_symlinks, os.listdir in os.supports_fd, shutil.rmtree.avoids_symlink_attacks])
    ''',
    "descriptors": r'''
        path = base + "/f"
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640)
        out.append([os.write(fd, b"0123456789"), os.lseek(fd, 2, os.SEEK_SET), os.read(fd, 3), os.pread(fd, 4, 6), os.pwrite(fd, b"XY", 0), os.fstat(fd).st_size, os.isatty(fd), stat.filemode(os.fstat(fd).st_mode)])
        out.append([os.ftruncate(fd, 5), os.lseek(fd, 0, os.SEEK_END), os.fsync(fd), os.fdatasync(fd), os.stat(fd).st_size, os.get_inheritable(fd), os.lseek(fd, 0, os.SEEK_CUR)])
        other = os.dup(fd)
        os.lseek(fd, 1, os.SEEK_SET)
        out.append([os.read(other, 2), os.read(fd, 2), other != fd])
        os.close(fd)
        fails(os.read, fd, 1)
        out.append([os.pread(other, 10, 0), os.readv(other, [bytearray(1)]), os.writev(other, [b"a", b"b"]), os.lseek(other, 0, 1)])
        with os.fdopen(other, "r+b") as f:
            out.append([f.seek(0), f.read(), f.name == other, f.fileno() == other])
        fails(os.fstat, other)
        fails(os.lseek, other, 0, 0)
        fails(os.open, path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        fd = os.open(path, os.O_WRONLY | os.O_TRUNC)
        fails(os.read, fd, 1)
        out.append([os.fstat(fd).st_size, os.write(fd, b"abc")])
        with open(fd, "w", closefd=False) as f:
            out.append([f.write("d"), f.name == fd])
        os.close(fd)
        out.append(open(path, "rb").read())
        fd = os.open(path, os.O_RDONLY)
        fails(os.write, fd, b"x")
        fails(os.ftruncate, fd, 0)
        fails(os.lseek, fd, -1, 0)
        fails(os.read, fd, -1)
        os.close(fd)
        fd = os.open(path, os.O_WRONLY | os.O_APPEND)
        out.append([os.lseek(fd, 0, 0), os.write(fd, b"!"), os.lseek(fd, 0, 1)])
        os.posix_fallocate(fd, 0, 10)
        out.append(os.fstat(fd).st_size)
        os.close(fd)
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW)) as f:
            out.append([f.read(), f.name == path])
        fails(open, path, opener=lambda name, flags: -1)
        a, b = open(path, "rb"), open(path, "rb+")
        b.write(b"shared")
        b.flush()
        out.append([a.read(), a.fileno() != b.fileno(), os.path.sameopenfile(a.fileno(), b.fileno())])
        a.close(), b.close()
    ''',
    "for_c_code": r'''
        import mmap
        path = base + "/m"
        with open(path, "wb") as f:
            f.write(b"0123456789")
        with open(path, "r+b") as f:
            with mmap.mmap(f.fileno(), 0) as m:
                out.append([m[:4], m.size(), len(m)])
                m[2:4] = b"XY"
                m.flush()
            out.append([f.read(4), f.tell(), f.seek(0, 2), f.write(b"end"), f.flush()])
            with mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as m:
                out.append(m[:])
        out.append(open(path, "rb").read())
        with open(path, "rb") as f, mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ) as m:
            out.append(m.find(b"XY"))
            out.append(f.read())
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        with open(path, "wb") as f:
            f.write(b"python ")
            f.flush()
            out.append(libc.write(f.fileno(), b"C code", 6))
            f.write(b" python")
        out.append(open(path, "rb").read())
    ''',
    "pathlib": r'''
        from pathlib import Path
        b = Path(base)
        (b / "d" / "e").mkdir(parents=True)
        out.append([(b / "a.txt").write_text("hé", encoding="utf-8"), (b / "d" / "b.bin").write_bytes(b"123"), (b / "a.txt").read_text(encoding="utf-8"), (b / "d" / "b.bin").read_bytes()])
        (b / "t").touch()
        (b / "t").touch(exist_ok=True)
        fails((b / "t").touch, exist_ok=False)
        out.append(sorted(p.name for p in b.iterdir()))
        out.append([sorted(str(p) for p in b.rglob("*")), sorted(p.name for p in b.glob("*.txt")), sorted(p.name for p in b.glob("**/*.bin")), sorted(p.name for p in b.glob("*/"))])
        out.append([(b / "a.txt").exists(), (b / "d").is_dir(), (b / "t").is_file(), (b / "no").exists(), (b / "a.txt").stat().st_size, (b / "d" / ".." / "t").resolve().name, (b / "t").samefile(b / "d" / ".." / "t")])
        (b / "link").symlink_to("a.txt")
        (b / "hard").hardlink_to(b / "a.txt")
        out.append([(b / "link").is_symlink(), (b / "link").readlink().name, (b / "link").resolve().name, (b / "hard").read_bytes()])
        out.append([(b / "t").rename(b / "u").name, (b / "u").replace(b / "v").name, sorted(p.name for p in b.iterdir())])
        with (b / "v").open("a") as f:
            f.write("x")
        (b / "v").chmod(0o600)
        (b / "v").unlink()
        (b / "v").unlink(missing_ok=True)
        fails((b / "v").unlink)
        fails((b / "d").rmdir)
        fails((b / "v").read_text)
        fails((b / "d").mkdir)
        (b / "d").mkdir(exist_ok=True)
        (b / "d" / "e").rmdir()
        out.append([Path(base).expanduser() == b, os.path.relpath(b / "d", b), (b / "v").exists()])
    ''',
    "shutil_and_glob": r'''
        import fnmatch, glob
        p = lambda name: base + "/" + name
        os.makedirs(p("src/sub"))
        open(p("src/a.py"), "w").write("a" * 100_000)
        open(p("src/sub/b.py"), "w").write("b")
        os.chmod(p("src/sub/b.py"), 0o700)
        os.symlink("a.py", p("src/l"))
        shutil.copytree(p("src"), p("one"))
        shutil.copytree(p("src"), p("two"), symlinks=True, ignore=shutil.ignore_patterns("b.*"))
        out.append([sorted(glob.glob(base + "/**", recursive=True)), sorted(glob.glob("*.py", root_dir=p("src"))), sorted(glob.glob(p("*/sub/[ab].p?")))])
        shutil.copy(p("src/sub/b.py"), p("copied"))
        shutil.copy2(p("src/sub/b.py"), p("one"))
        shutil.copyfile(p("src/a.py"), p("copied2"))
        out.append([stat.filemode(os.stat(p("copied")).st_mode), os.path.getsize(p("copied2")), os.path.islink(p("two/l")), os.path.islink(p("one/l"))])
        fails(shutil.copyfile, p("copied"), p("copied"))
        fails(shutil.copytree, p("src"), p("one"))
        shutil.copytree(p("src"), p("one"), dirs_exist_ok=True)
        shutil.move(p("copied"), p("one/sub"))
        shutil.move(p("two"), p("three"))
        out.append([sorted(os.listdir(p("one/sub"))), sorted(os.listdir(base))])
        shutil.copyfile("/usr/lib/python3.11/os.py", p("h"))
        out.append(open(p("h")).read() == open("/usr/lib/python3.11/os.py").read())
        fails(shutil.rmtree, p("none"))
        fails(shutil.rmtree, p("h"))
        shutil.rmtree(p("none"), ignore_errors=True)
        shutil.rmtree(p("three"))
        out.append([sorted(os.listdir(base)), shutil.disk_usage(base).free > 0, shutil.which("a.py", path=p("src")), fnmatch.filter(os.listdir(p("src")), "*.py")])
        shutil.make_archive(p("packed"), "zip", p("src"))
        shutil.unpack_archive(p("packed.zip"), p("unpacked"))
        out.append(sorted(os.listdir(p("unpacked"))))
        shutil.make_archive(p("packed"), "gztar", p("src"))
        shutil.unpack_archive(p("packed.tar.gz"), p("untarred"))
        out.append([sorted(os.listdir(p("untarred"))), os.path.islink(p("untarred/l")), stat.filemode(os.stat(p("untarred/sub/b.py")).st_mode)])
    ''',
    "tempfile": r'''
        import tempfile
        with tempfile.TemporaryFile(dir=base) as f:
            out.append([f.write(b"abc"), f.seek(0), f.read(), os.listdir(base), os.fstat(f.fileno()).st_size])
        with tempfile.NamedTemporaryFile("w+", dir=base, suffix=".txt", delete=True) as f:
            f.write("text")
            f.flush()
            out.append([open(f.name).read(), f.name.endswith(".txt"), len(os.listdir(base)), stat.filemode(os.stat(f.name).st_mode)])
        out.append(os.listdir(base))
        f = tempfile.NamedTemporaryFile(dir=base, delete=False)
        f.close()
        os.unlink(f.name)
        with tempfile.TemporaryDirectory(dir=base) as d:
            open(d + "/x", "w").close()
            os.makedirs(d + "/y/z")
            out.append([os.path.isdir(d), stat.filemode(os.stat(d).st_mode)])
        out.append(os.listdir(base))
        fd, name = tempfile.mkstemp(dir=base)
        with os.fdopen(fd, "w") as f:
            f.write("by descriptor")
        out.append(open(name).read())
        fd, name2 = tempfile.mkstemp(dir=base, text=True)
        os.close(fd)
        out.append(len(os.listdir(base)))
        with tempfile.SpooledTemporaryFile(10, dir=base) as f:
            f.write(b"x" * 5)
            out.append([f._rolled, f.name])
            f.write(b"y" * 20)
            f.seek(0)
            out.append([f._rolled, len(f.read()), f.tell()])
        try:
            tempfile.mkdtemp(dir=base + "/none")
        except FileNotFoundError as e:
            out.append([e.errno, e.filename.startswith(base + "/none/tmp")])
    ''',
    "formats": r'''
        import bz2, csv, gzip, json, lzma, pickle, tarfile, zipfile, configparser, logging, logging.handlers, fileinput, filecmp, dbm.dumb, linecache, wave, xml.etree.ElementTree as et, tokenize, hashlib
        p = lambda name: base + "/" + name
        with zipfile.ZipFile(p("z.zip"), "w", zipfile.ZIP_DEFLATED) as z:
            z.writestr("a/b.txt", "text" * 100)
            z.writestr("c", b"")
        with zipfile.ZipFile(p("z.zip"), "a") as z:
            z.write(p("z.zip"), "self")
        with zipfile.ZipFile(p("z.zip")) as z:
            out.append([z.namelist(), z.testzip(), len(z.read("a/b.txt")), zipfile.is_zipfile(p("z.zip"))])
            z.extractall(p("x"))
        out.append([open(p("x/a/b.txt")).read(4), [str(e) for e in zipfile.Path(p("z.zip")).iterdir()]])
        with tarfile.open(p("t.tgz"), "w:gz") as t:
            t.add(p("x"), "x")
        with tarfile.open(p("t.tgz")) as t:
            out.append(sorted(t.getnames()))
        for module, name in ((gzip, "g"), (bz2, "b"), (lzma, "l")):
            with module.open(p(name), "wt") as f:
                f.write("packed")
            with module.open(p(name), "rt") as f:
                out.append(f.read())
        json.dump({"a": [1]}, open(p("j"), "w"))
        out.append(json.load(open(p("j"))))
        with open(p("c.csv"), "w", newline="") as f:
            csv.writer(f).writerows([[1, "a,b"], [2, "c"]])
        out.append(list(csv.reader(open(p("c.csv"), newline=""))))
        with open(p("p"), "wb") as f:
            pickle.dump([1, {2}], f)
        out.append(pickle.load(open(p("p"), "rb")))
        open(p("ini"), "w").write("[a]\nb = c\n")
        config = configparser.ConfigParser()
        out.append([config.read([p("ini"), p("none")]), config["a"]["b"]])
        handler = logging.handlers.RotatingFileHandler(p("log"), maxBytes=20, backupCount=2)
        for i in range(4):
            handler.emit(logging.makeLogRecord({"msg": "line %d of the log" % i}))
        handler.close()
        out.append(sorted(n for n in os.listdir(base) if n.startswith("log")))
        with fileinput.input([p("ini")], inplace=True) as lines:
            for line in lines:
                print(line.upper(), end="")
        out.append([open(p("ini")).read(), filecmp.cmp(p("j"), p("j")), linecache.getline(p("ini"), 2)])
        et.ElementTree(et.fromstring("<a><b/></a>")).write(p("xml"))
        out.append(et.parse(p("xml")).getroot().tag)
        with dbm.dumb.open(p("db"), "c") as db:
            db["k"] = "v"
        with dbm.dumb.open(p("db")) as db:
            out.append(db["k"])
        import shelve
        with shelve.Shelf(dbm.dumb.open(p("shelf"))) as shelf:
            shelf["a"] = [1]
        with wave.open(p("w.wav"), "wb") as w:
            w.setparams((1, 2, 8000, 0, "NONE", ""))
            w.writeframes(b"\0" * 100)
        out.append(wave.open(p("w.wav")).getnframes())
        with open(p("c"), "wb") as f:
            f.write(b"# -*- coding: latin-1 -*-\nx = '\xe9'\n")
        out.append([tokenize.open(p("c")).read(), hashlib.file_digest(open(p("j"), "rb"), "md5").hexdigest()])
    ''',
    "imports": r'''
        import importlib, importlib.metadata, importlib.resources, importlib.util, inspect, pkgutil, runpy, sys, traceback, zipfile
        p = lambda name: base + "/" + name
        def put(name, text):
            os.makedirs(os.path.dirname(p(name)), exist_ok=True)
            with open(p(name), "w") as f:
                f.write(text)
        put("s/mem_pkg/__init__.py", "from . import inner\n")
        put("s/mem_pkg/inner.py", "# doc\ndef f(x):\n    return 1 / x\n")
        put("s/mem_pkg/data/words.txt", "words")
        put("s/mem_pkg/__main__.py", "print('main ran')\nvalue = 5\n")
        put("s/mem_space/part.py", "here = __file__\n")
        put("s/mem_bad.py", "x = (\n")
        put("s/mem_dist-1.5.dist-info/METADATA", "Metadata-Version: 2.1\nName: mem-dist\nVersion: 1.5\nRequires-Dist: x\n")
        put("s/mem_dist-1.5.dist-info/entry_points.txt", "[mem.group]\nf = mem_pkg.inner:f\n")
        put("s/mem_dist-1.5.dist-info/RECORD", "mem_pkg/inner.py,,\n")
        with zipfile.ZipFile(p("z.zip"), "w") as z:
            z.writestr("mem_zipped.py", "y = 7\n")
        had = sys.path[:]
        sys.path += [p("s"), p("z.zip")]
        importlib.invalidate_caches()
        import mem_pkg, mem_space.part, mem_zipped
        out.append([mem_pkg.__file__, mem_pkg.__path__, mem_space.part.here, list(mem_space.__path__), mem_zipped.y, mem_zipped.__file__, mem_pkg.inner.__spec__.cached == importlib.util.cache_from_source(mem_pkg.inner.__file__)])
        out.append([inspect.getsource(mem_pkg.inner.f), inspect.getsourcefile(mem_pkg.inner), type(mem_pkg.__loader__).__name__])
        try:
            mem_pkg.inner.f(0)
        except ZeroDivisionError:
            out.append(traceback.format_exc().splitlines()[-4:])
        fails(importlib.import_module, "mem_bad")
        fails(importlib.import_module, "mem_none")
        files = importlib.resources.files(mem_pkg)
        with importlib.resources.as_file(files / "data" / "words.txt") as path:
            out.append([str(path), path.read_text()])
        out.append([(files / "data/words.txt").read_text(), pkgutil.get_data("mem_pkg", "data/words.txt"), sorted(e.name for e in files.iterdir() if e.name[0] != "_")])
        out.append([importlib.metadata.version("mem-dist"), importlib.metadata.requires("mem-dist"), [e.value for e in importlib.metadata.entry_points(group="mem.group")], [str(f) for f in importlib.metadata.files("mem-dist")]])
        out.append([m.name for m in pkgutil.iter_modules([p("s")])])
        out.append([runpy.run_path(p("s/mem_pkg/inner.py"))["f"](2), runpy.run_module("mem_pkg")["value"]])
        put("s/mem_pkg/inner.py", "def f(x):\n    return 'reloaded, and longer'\n")
        importlib.reload(mem_pkg.inner)
        out.append(mem_pkg.inner.f(1))
        sys.path[:] = had
        for name in [n for n in sys.modules if n.startswith("mem_")]:
            del sys.modules[name]
    ''',
    "bytes_and_odd_names": r'''
        raw = base.encode()
        odd = raw + b"/\xff\xfe"
        open(odd, "w").write("odd")
        out.append([os.listdir(raw), os.listdir(base), os.stat(odd).st_size, open(os.fsdecode(odd)).read()])
        os.rename(odd, base + "/é 🐎\n")
        out.append([os.listdir(base), os.path.exists(base + "/é 🐎\n")])
        class P:
            def __fspath__(self):
                return base + "/p"
        open(P(), "w").write("like")
        out.append([os.stat(P()).st_size, open(P()).read(), open(P()).name, os.path.exists(P())])
        os.unlink(P())
        fails(os.unlink, P())
        fails(open, P())
        out.append([open(base + "//p2/../p2", "w").close() if os.path.isdir(base + "/p2") else 0])
        fails(open, base + "/p2/../p2", "w")
        with open(base + "/" + "n" * 255, "w"):
            pass
        fails(open, base + "/" + "n" * 256, "w")
    ''',
}.items()}
