"""requirements.py - read requirements.txt, in the form of pip's requirement files.

Requirements with versions, extras and markers, comments, continued lines, ${VARIABLES}, -r, -c, --hash, --index-url,
--extra-index-url, --find-links, --no-index, --pre, --trusted-host, addresses and paths of wheels. What would have to be built
(editable installs, repositories, folders, archives of sources) is refused, and why is said.
"""
import os
import re
import shlex
from urllib.parse import quote, urlsplit

from . import mistaken
from .asked import _BUILD_IT, ADDRESS, REQUIREMENT_MAX, as_word

NESTED_MAX = 20         # -r inside of -r
LINE_MAX = 64 << 10     # characters of a line with all that continues it

_COMMENT = re.compile(r"(^|(?<!\s)\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")

# option -> (its long name, whether it has a value)
_OPTIONS = {
    "-r": ("--requirement", True), "-c": ("--constraint", True), "-i": ("--index-url", True), "-f": ("--find-links", True),
    "-e": ("--editable", True), "--pypi-url": ("--index-url", True),
    **{name: (name, True) for name in (
        "--requirement", "--constraint", "--index-url", "--extra-index-url", "--find-links", "--editable", "--trusted-host",
        "--no-binary", "--only-binary", "--use-feature")},
    **{name: (name, False) for name in ("--no-index", "--pre", "--prefer-binary", "--require-hashes")},
}
_PER_REQUIREMENT = re.compile(r"\s(--[a-z-]+)(?:=|\s+)(\S+)")


def logical_lines(text):
    """(number of its first line, line) of all that say something."""
    first, parts = 0, []
    for number, line in enumerate(text.splitlines(), 1):
        is_comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not is_comment:
            first = first or number
            parts.append(line[:-1])
            continue
        if is_comment:
            line = " "          # a comment ends what was continued
        whole = _COMMENT.sub("", "".join(parts) + line).strip()
        if whole:
            yield first or number, whole
        first, parts = 0, []
    whole = _COMMENT.sub("", "".join(parts)).strip()
    if whole:
        yield first, whole


def read_file(asked, path, is_constraint=False, above=()):
    """Add what is asked for in this file and in those that it includes. Whether there is one; Mistake: something in it is wrong."""
    text = asked.read(path)
    if text is None:
        return False
    for line, said in logical_lines(text):
        _Line(asked, path, line, is_constraint, (*above, path)).take(said)
    return True


class _Line:
    def __init__(self, asked, path, line, is_constraint, above):
        self.asked, self.path, self.line, self.is_constraint, self.above = asked, path, line, is_constraint, above

    def mistake(self, text, hint=""):
        return self.asked.mistake(text, hint, self.path, self.line)

    def take(self, said):
        if len(said) > LINE_MAX:
            raise self.mistake(f"this line has {len(said)} characters, and {LINE_MAX} are read", "is it a list of packages?")
        said = self.expand(said)
        if re.match(r"-+(\s|$)", said):
            raise self.mistake(f"'{said}' is no requirement", mistaken.how(said))
        if said.startswith("-"):
            self.take_options(said)
        else:
            self.take_requirement(said)

    def expand(self, said):
        """Variables as pip has them: those that are not set stay as they are written."""
        def value(match):
            if self.asked.is_confined:
                raise self.mistake(f"{match[0]} stands here, and an upload sees no variables of the node", "write what is meant")
            if os.environ.get(match[1]):
                return os.environ[match[1]]
            raise self.mistake(f"{match[0]} stands here, and the variable {match[1]} is not set",
                               f"set it where corral is started: {match[1]}=... corral dev")
        return _VARIABLE.sub(value, said)

    # ---- options ----

    def take_options(self, said):
        try:
            words = shlex.split(said)
        except ValueError as e:
            raise self.mistake(f"this line cannot be read: {e}") from None
        while words:
            name, has_equals, value = words.pop(0).partition("=")
            if not has_equals and name[:2] in _OPTIONS and len(name) > 2 and not name.startswith("--"):
                name, has_equals, value = name[:2], "=", name[2:]       # -rbase.txt
            if name not in _OPTIONS:
                raise self.mistake(f"'{name}' is no option of a requirements file that Corral knows",
                                   f"it knows {', '.join(sorted(n for n in _OPTIONS if n.startswith('--')))}, and --hash behind a requirement")
            name, has_value = _OPTIONS[name]
            if has_value and not has_equals:
                if not words:
                    raise self.mistake(f"{name} needs a value")
                value = words.pop(0)
            self.option(name, value)

    def option(self, name, value):
        a = self.asked
        if name in ("--requirement", "--constraint"):
            self.include(value, name == "--constraint")
        elif name == "--index-url":
            a.index_url = self.address(name, value)
        elif name == "--extra-index-url":
            a.extra_index_urls.append(self.address(name, value))
        elif name == "--find-links":
            a.find_links.append(self.place(value))
        elif name == "--trusted-host" and a.network is not None and not a.network.any_index:
            raise self.mistake(f"--trusted-host {value} would take packages of whoever answers in that name", "leave it out: the node says whom it trusts")
        elif name == "--trusted-host":
            a.trusted_hosts.append(value)
        elif name == "--no-index":
            a.no_index = True
        elif name == "--pre":
            a.pre = True
        elif name == "--editable":
            raise self.mistake(f"'{value}' is to be installed editable, and a worker gets copies that do not change",
                               "your own modules belong beside the worker's main file; " + _BUILD_IT)
        elif name == "--no-binary":
            raise self.mistake(f"--no-binary {value} asks for packages to be built, and only wheels are installed", _BUILD_IT)
        elif name == "--use-feature":
            a.warn(f"--use-feature={value} is passed over", file=self.path, line=self.line)

    def include(self, name, is_constraint):
        if re.match(r"https?://", name):
            raise self.mistake(f"'{name}' is a file of another machine", "download it, and name the copy")
        path = os.path.normpath(os.path.join(os.path.dirname(self.path), name))
        self.asked.check_path(path, name, self.path, self.line)
        if path in self.above:
            raise self.mistake(f"'{name}' includes itself")
        if len(self.above) > NESTED_MAX:
            raise self.mistake(f"more than {NESTED_MAX} files include one another")
        if not read_file(self.asked, path, is_constraint or self.is_constraint, self.above):
            raise self.mistake(f"there is no file '{name}'", f"it is looked for as '{path}', beside the file that names it")

    def address(self, name, value):
        if not ADDRESS.fullmatch(value):
            raise self.mistake(f"{name} is '{value}', which is no address", "an address is like https://example.com/simple")
        self.asked.check_address(value, self.path, self.line)
        return value

    def place(self, value):
        """Of --find-links: an address, or a folder or file seen from this file, else from the project."""
        if re.match(r"(https?|file)://", value):
            return self.address("--find-links", value)
        found = self.find(value)
        if found is None:
            raise self.mistake(f"there is no folder '{value}' to look for wheels in")
        return as_word(found)

    def find(self, value):
        for base in (os.path.dirname(self.path), self.asked.project):
            path = os.path.normpath(os.path.join(base, value))
            self.asked.check_path(path, value, self.path, self.line)
            if os.path.exists(path):
                return path
        return None

    # ---- requirements ----

    def take_requirement(self, said):
        hashes = []
        match = _PER_REQUIREMENT.search(said)
        text = said[:match.start()].rstrip() if match else said
        if len(text) > REQUIREMENT_MAX:
            self.asked.add(text, self.path, self.line)      # which refuses it, before it is looked at
        for option, value in _PER_REQUIREMENT.findall(said[len(text):]):
            if option != "--hash":
                self.asked.warn(f"{option} is passed over", file=self.path, line=self.line)
                continue
            if not re.fullmatch(r"(sha256|sha384|sha512):[0-9a-fA-F]+", value):
                raise self.mistake(f"'{value}' is no hash", "a hash is sha256: and 64 hexadecimal digits")
            hashes.append(value.lower())
        self.asked.add(self.with_address(text), self.path, self.line, hashes, self.is_constraint)

    def with_address(self, text):
        """A bare address or path of a wheel as NAME @ ADDRESS."""
        bare, _, marker = text.partition(" ;") if " ;" in text else text.partition("; ")
        bare = bare.strip()
        looks_like_path = bare.startswith((".", "/")) or bare.endswith((".whl", ".tar.gz", ".zip")) or os.sep in bare.partition("@")[0]
        if re.match(r"[a-z+]+://", bare) or re.match(r"(git|hg|svn|bzr)\+", bare):
            address = bare
        elif looks_like_path and " @ " not in bare:
            address = self.file_address(bare)
        else:
            return text
        self.asked.check_url(address, "", self.path, self.line)
        wheel = os.path.basename(urlsplit(address).path)
        extras = re.search(r"\.whl(\[[^\]]*\])$", bare)
        name = wheel.partition("-")[0]
        return f"{name}{extras[1] if extras else ''} @ {address}" + (f" ; {marker.strip()}" if marker else "")

    def file_address(self, bare):
        path = self.find(re.sub(r"\[[^\]]*\]$", "", bare))
        if path is None:
            raise self.mistake(f"there is no file '{bare}'", "the path is seen from this file, or from the project's folder")
        if os.path.isdir(path):
            raise self.mistake(f"'{bare}' is a folder, and would have to be built",
                               "your own modules belong beside the worker's main file; " + _BUILD_IT)
        if path not in self.asked.files and path.endswith(".whl"):
            self.asked.files.append(path)
        return "file://" + quote(path)
