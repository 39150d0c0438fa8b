"""Large trees of packages in python_modules/, as LangChain's, and what the packages of the set do: docs/compatibility.md names these tests."""
import json

import pytest

from harness import rss_kb

CONFIG = """\
name = "tree"
main = "src/entry.py"
compatibility_date = "2025-10-01"
compatibility_flags = ["python_workers"]
"""
INTEGRATIONS, PARTS = 900, 60      # modules; files of each part of the core


def dist(name, version, requires=(), entry_points="", **more):
    folder = "python_modules/%s-%s.dist-info/" % (name.replace("-", "_"), version)
    metadata = "Metadata-Version: 2.1\nName: %s\nVersion: %s\nSummary: made for a test\n" % (name, version)
    metadata += "".join("Requires-Dist: %s\n" % one for one in requires) + "Provides-Extra: all\n\nlong description\n"
    files = {folder + "METADATA": metadata, folder + "INSTALLER": "uv\n", folder + "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    if entry_points:
        files[folder + "entry_points.txt"] = entry_points
    return files


def core():
    """The core: a lazy __init__, models, runnables, many small modules in many packages."""
    files = {
        "chaincore/__init__.py": '''
            """Lazy: nothing of it is imported before somebody asks."""
            from importlib import import_module, metadata
            from typing import TYPE_CHECKING
            __version__ = metadata.version(__package__)
            if TYPE_CHECKING:
                from chaincore.messages.base import Message
            _WHERE = {"Message": "messages.base", "Prompt": "prompts.base", "Runnable": "runnables.base", "Parser": "parsers.base", "Tool": "tools.base"}
            __all__ = list(_WHERE)

            def __getattr__(name):
                if name not in _WHERE:
                    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
                found = getattr(import_module("." + _WHERE[name], __name__), name)
                globals()[name] = found
                return found

            def __dir__():
                return sorted(__all__)
            ''',
        "chaincore/py.typed": "",
        "chaincore/messages/base.py": '''
            from typing import Any, Dict, List, Literal, Optional, Union
            from pydantic import BaseModel, Extra, Field, root_validator
            class Message(BaseModel):
                content: Union[str, List[Union[str, Dict]]]
                kind: Literal["human", "ai", "system"] = "human"
                extra: Dict[str, Any] = Field(default_factory=dict)
                class Config:
                    extra = Extra.forbid
                @root_validator(pre=True)
                def shout(cls, values):
                    if values.get("content") == "":
                        raise ValueError("content is empty")
                    return values
                def __add__(self, other):
                    from chaincore.prompts.base import Prompt     # a circle, closed late
                    return Prompt(messages=[self, other])
            ''',
        "chaincore/prompts/base.py": '''
            import json
            from importlib import resources
            from typing import List
            from chaincore.messages.base import Message
            from chaincore.runnables.base import Runnable
            class Prompt(Runnable):
                messages: List[Message]
                async def ainvoke(self, values):
                    return [m.copy(update={"content": m.content.format(**values)}) for m in self.messages]
                @classmethod
                def named(cls, name):
                    data = json.loads(resources.files(__package__).joinpath("data", name + ".json").read_text(encoding="utf-8"))
                    return cls(messages=[Message(**one) for one in data])
            ''',
        "chaincore/prompts/data/greet.json": json.dumps([{"content": "be kind", "kind": "system"}, {"content": "greet {who} ä"}], ensure_ascii=False),
        "chaincore/prompts/data/blob.bin": bytes(range(256)) * 16,
        "chaincore/runnables/base.py": '''
            import asyncio
            import contextvars
            from abc import ABC, abstractmethod
            from concurrent.futures import ThreadPoolExecutor
            from typing import Any, AsyncIterator
            from pydantic import BaseModel
            config = contextvars.ContextVar("config", default="none")
            class Runnable(BaseModel, ABC):
                class Config:
                    arbitrary_types_allowed = True
                @abstractmethod
                async def ainvoke(self, value): ...
                def invoke(self, value):
                    return asyncio.run(self.ainvoke(value))
                async def astream(self, value) -> AsyncIterator[Any]:
                    yield await self.ainvoke(value)
                async def abatch(self, values):
                    return await asyncio.gather(*map(self.ainvoke, values))
                def batch(self, values):
                    with ThreadPoolExecutor() as pool:
                        return list(pool.map(self.invoke, values))
                def __or__(self, other):
                    return Sequence(steps=[*getattr(self, "steps", [self]), other])
            class Sequence(Runnable):
                steps: list
                async def ainvoke(self, value):
                    for step in self.steps:
                        value = await step.ainvoke(value)
                    return value
                async def astream(self, value):
                    for step in self.steps[:-1]:
                        value = await step.ainvoke(value)
                    async for piece in self.steps[-1].astream(value):
                        yield piece
            ''',
        "chaincore/parsers/base.py": '''
            from chaincore.runnables.base import Runnable
            class Parser(Runnable):
                async def ainvoke(self, value):
                    return value.content
            ''',
        "chaincore/tools/base.py": '''
            import inspect, functools
            from pydantic import create_model, validate_arguments
            class Tool:
                def __init__(self, function):
                    functools.update_wrapper(self, function)
                    self.function = validate_arguments(function)
                    self.schema = create_model(function.__name__, **{n: (p.annotation, ...) for n, p in inspect.signature(function).parameters.items()}).schema()
                def __call__(self, *args, **kwargs):
                    return self.function(*args, **kwargs)
            ''',
    }
    for package in ("messages", "prompts", "runnables", "parsers", "tools", "callbacks", "tracers", "loaders"):
        files["chaincore/%s/__init__.py" % package] = "from .base import *\n" if "chaincore/%s/base.py" % package in files else ""
        for n in range(PARTS):
            files["chaincore/%s/part_%d.py" % (package, n)] = '''
                """Part %d."""
                from __future__ import annotations
                import dataclasses
                import enum
                import typing
                %s
                @dataclasses.dataclass(frozen=True)
                class Part%d:
                    name: str = "part"
                    values: typing.List[int] = dataclasses.field(default_factory=list)
                    def total(self) -> int:
                        return sum(self.values) + %d
                class Kind(enum.Enum):
                    A = "a"
                    B = "b"
                def function_%d(*args, **kwargs):
                    """A docstring of some words, as there are many."""
                    return Part%d(**kwargs)
                ''' % (n, "from .part_%d import Part%d" % (n - 1, n - 1) if n % 10 else "", n, n, n, n)
    return {"python_modules/" + path: content for path, content in files.items()}


def tree():
    files = {"wrangler.toml": CONFIG, "requirements.txt": "pydantic\n", **core()}
    files.update(dist("chaincore", "0.3.1", ["pydantic>=1", "packaging; extra == 'all'"]))
    # The whole, with a thousand integrations which mostly lack what they integrate.
    files["python_modules/chain/__init__.py"] = '''
        import importlib, warnings
        from importlib import metadata
        try:
            __version__ = metadata.version("chain-all")
        except metadata.PackageNotFoundError:
            __version__ = ""
        def __getattr__(name):
            if name.startswith("Integration"):
                return getattr(importlib.import_module(f"chain.integrations.i{name[11:]}"), name)
            raise AttributeError(name)
        def providers():
            return {e.name: e.load() for e in metadata.entry_points(group="chain.providers")}
        '''
    files["python_modules/chain/integrations/__init__.py"] = ""
    for n in range(INTEGRATIONS):
        files["python_modules/chain/integrations/i%d.py" % n] = '''
            from typing import Optional
            from pydantic import BaseModel, root_validator
            from chaincore import Message, Runnable
            try:
                import missing_library_%d
            except ImportError:
                missing_library_%d = None
            class Integration%d(Runnable):
                key: Optional[str] = None
                @root_validator()
                def check(cls, values):
                    if missing_library_%d is None and values.get("key") is None:
                        raise ImportError("Could not import missing_library_%d. Please install it with `pip install missing_library_%d`.")
                    return values
                async def ainvoke(self, value):
                    return Message(content=f"{%d}:{value[-1].content}", kind="ai")
                async def astream(self, value):
                    for word in (await self.ainvoke(value)).content.split():
                        yield word
            ''' % ((n,) * 7)
    files.update(dist("chain-all", "1.0.0", ["chaincore<0.4,>=0.3"], "[chain.providers]\nfake = chain_fake.model:Fake\ntools = chain_fake:tools [all]\n"))
    # A provider, and a namespace of two distributions.
    files["python_modules/chain_fake/__init__.py"] = "from .model import Fake\ndef tools():\n    return ['tools']\n__all__ = ['Fake', 'tools']\n"
    files["python_modules/chain_fake/model.py"] = "from chain import Integration7\nclass Fake(Integration7):\n    key = 'k'\n"
    files.update(dist("chain-fake", "2.1.0rc1", ["chain-all"]))
    files["python_modules/chainns/alpha/__init__.py"] = "name = 'alpha'\n"
    files["python_modules/chainns/beta/deep/mod.py"] = "from chainns.alpha import name\nname += ' seen by beta'\n"
    files.update(dist("chainns-alpha", "1.0"))
    files.update(dist("chainns-beta", "1.0"))
    files["python_modules/never.pth"] = "import chain_must_not_be_imported_by_a_pth\n"
    files["src/entry.py"] = ENTRY
    return files


ENTRY = '''
import importlib, inspect, json, pickle, pkgutil, sys, time
begun = time.process_time()
from importlib import metadata, resources
import chain
from chain_fake import Fake
from chaincore import Message, Parser, Prompt, Tool
from chainns.beta.deep import mod
import chaincore.callbacks.part_59, chaincore.loaders.part_39
took = time.process_time() - begun
loaded = len([name for name in sys.modules if name.startswith("chain")])
from workers import Response, WorkerEntrypoint

@Tool
def add(a: int, b: int = 2) -> int:
    """Adds."""
    return a + b

async def look():
    model = chain.providers()["fake"]()
    pipe = Prompt.named("greet") | model | Parser()
    got = {
        "versions": [chain.__version__, sys.modules["chaincore"].__version__, metadata.version("chain-fake")],
        "answer": await pipe.ainvoke({"who": "you"}),
        "batch": await pipe.abatch([{"who": str(n)} for n in range(3)]),
        "stream": [piece async for piece in (Prompt.named("greet") | model).astream({"who": "a b"})],
        "late": await chain.Integration12(key="x").ainvoke([Message(content="late")]),
        "namespace": mod.name,
        "entry_points": sorted(e.name for e in metadata.entry_points(group="chain.providers")), "tools": chain.providers()["tools"](),
        "requires": metadata.requires("chaincore"), "providers": metadata.distribution("chain_all").metadata["Summary"],
        "dists": sorted(d.metadata["Name"] for d in metadata.distributions() if d.metadata["Name"].startswith("chain")),
        "blob": len(resources.files("chaincore.prompts").joinpath("data/blob.bin").read_bytes()),
        "as_file": None, "walk": len([m for m in pkgutil.walk_packages(importlib.import_module("chaincore").__path__, "chaincore.")]),
        "tool": [add(1, b="4"), add.schema["required"]], "pickle": pickle.loads(pickle.dumps(Message(content="p"))).content,
        "source": inspect.getsource(Fake).splitlines()[0], "dir": dir(sys.modules["chaincore"])[:2], "loaded": loaded, "took": took,
    }
    with resources.as_file(resources.files("chaincore.prompts") / "data" / "greet.json") as path:
        got["as_file"] = path.name
    for wrong in (lambda: chain.Integration5(), lambda: Message(content=""), lambda: Message(content="x", other=1), lambda: chain.nothing):
        try:
            wrong()
        except Exception as e:
            got.setdefault("errors", []).append(type(e).__name__ + ": " + str(e).splitlines()[-1].strip())
    return got

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        got = await look()
        got["sync"] = (Prompt.named("greet") | Fake() | Parser()).invoke({"who": "sync"})
        got["late"] = got["late"].dict()
        return Response.json(got)
'''


def test_a_tree_as_langchains(corral):
    files = tree()
    assert len(files) > 1400
    one = corral(files)
    template = one.templates()[0]
    got = one.get(timeout=60).json()
    assert got["took"] < 10 and got.pop("took") and rss_kb(template.pid) < 250 << 10
    assert 40 < got.pop("loaded") < 100        # lazily: of more than a thousand modules only these
    assert got == {
        "versions": ["1.0.0", "0.3.1", "2.1.0rc1"], "answer": "7:greet you ä", "batch": ["7:greet %d ä" % n for n in range(3)], "stream": ["7:greet", "a", "b", "ä"],
        "late": {"content": "12:late", "kind": "ai", "extra": {}}, "namespace": "alpha seen by beta", "entry_points": ["fake", "tools"], "tools": ["tools"],
        "requires": ["pydantic>=1", "packaging; extra == 'all'"], "providers": "made for a test", "dists": ["chain-all", "chain-fake", "chaincore", "chainns-alpha", "chainns-beta"],
        "blob": 4096, "as_file": "greet.json", "walk": 8 * (PARTS + 1) + 5, "tool": [5, ["a", "b"]], "pickle": "p", "source": "class Fake(Integration7):", "dir": ["Message", "Parser"],
        "errors": ["ImportError: Could not import missing_library_5. Please install it with `pip install missing_library_5`.", "ValidationError: content is empty (type=value_error)",
                   "ValidationError: extra fields not permitted (type=value_error.extra)", "AttributeError: nothing"],
        "sync": "7:greet sync ä"}, got


SET = '''
import io
import bs4, lxml.etree, lxml.html, numpy as np, yaml
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from workers import Response, WorkerEntrypoint

rng = np.random.default_rng(5)
made = rng.random()

def numpy():
    a = np.arange(12.0).reshape(3, 4)
    buffer = io.BytesIO()
    np.save(buffer, a)
    buffer.seek(0)
    return [float(np.linalg.det(a[:, :3] + np.eye(3))), (a @ a.T).tolist()[0], np.fft.rfft([1, 0, 0, 0]).real.tolist(), bool((np.load(buffer) == a).all()),
            np.array([("x", 1)], dtype=[("n", "U2"), ("i", "i4")])["i"].tolist(), float(np.random.default_rng(1).normal()), np.array2string(np.ones(2), separator=",")]

def threads():
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(4) as pool:
        return [float(x) for x in pool.map(lambda n: np.linalg.norm(np.ones((200, 200)) @ np.ones((200, 200)) * n), range(4))]

def pillow():
    image = Image.new("RGB", (40, 30), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((5, 5, 20, 20), fill=(255, 0, 0))
    draw.text((22, 5), "Hi", fill="black", font=ImageFont.load_default())
    small = image.resize((20, 15), Image.BICUBIC).filter(ImageFilter.GaussianBlur(1)).rotate(90, expand=True)
    got = [small.size, image.getpixel((10, 10)), np.asarray(image).shape, Image.fromarray(np.zeros((2, 3), "uint8")).size]
    for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP"):
        out = io.BytesIO()
        image.save(out, kind)
        again = Image.open(io.BytesIO(out.getvalue()))
        again.load()
        got.append([again.format, again.size])
    return got

def pages():
    page = "<html><body><p class=a>one <b>two</b><p>three &auml;<a href='/x'>link</a></body>"
    got = []
    for parser in ("html.parser", "lxml", "html5lib"):
        soup = bs4.BeautifulSoup(page, parser)
        got.append([soup.select_one("p.a b").text, [a["href"] for a in soup.find_all("a")], len(soup.select("p"))])
    tree = lxml.etree.fromstring(b"<r xmlns:n='urn:n'><n:i v='1'/><n:i v='2'>\\xc3\\xa4</n:i></r>")
    got.append(tree.xpath("//n:i/@v", namespaces={"n": "urn:n"}))
    style = lxml.etree.XSLT(lxml.etree.XML("<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'><xsl:template match='/'><o><xsl:value-of select='count(//*)'/></o></xsl:template></xsl:stylesheet>"))
    got.append(str(style(tree)).strip().splitlines()[-1])
    got.append(lxml.html.fromstring(page).xpath("//b")[0].text)
    return got

def texts():
    import jinja2, packaging.version, pygments, pygments.lexers, pygments.formatters, uvicorn
    data = yaml.safe_load("a: [1, 2.5, null]\\nb: {c: 2020-01-02}\\n")
    return [data["a"], str(data["b"]["c"]), yaml.dump({"x": ["ä"]}, allow_unicode=True), yaml.load("[1]", Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)),
            str(packaging.version.Version("1.0rc1") < packaging.version.Version("1.0")), jinja2.Template("{{ a|join('-') }}").render(a=[1, 2]),
            "span" in pygments.highlight("def f(): pass", pygments.lexers.PythonLexer(), pygments.formatters.HtmlFormatter()), uvicorn.Config(print).port]

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response.json({f.__name__: f() for f in (numpy, threads, pillow, pages, texts)} | {"made": made})
'''


def test_packages_of_the_set_at_work(corral):
    one = corral({"wrangler.toml": CONFIG, "src/entry.py": SET,
                  "requirements.txt": "numpy\npillow\nbeautifulsoup4\nlxml\nhtml5lib\npyyaml\njinja2\npackaging\npygments\nuvicorn\n"})
    answer = one.get(timeout=60)
    assert answer.status == 200, answer.text
    got = answer.json()
    assert got["numpy"] == [pytest.approx(-8.0), [14.0, 38.0, 62.0], [1, 1, 1], True, [1], pytest.approx(0.345584192), "[1.,1.]"], got["numpy"]
    assert got["threads"] == [pytest.approx(40000 * n) for n in range(4)]
    assert got["pillow"] == [[15, 20], [255, 0, 0], [30, 40, 3], [3, 2], ["PNG", [40, 30]], ["JPEG", [40, 30]], ["GIF", [40, 30]], ["BMP", [40, 30]], ["WEBP", [40, 30]]]
    assert got["pages"] == [["two", ["/x"], 2]] * 3 + [["1", "2"], "<o>3</o>", "two"]
    assert got["texts"] == [[1, 2.5, None], "2020-01-02", "x:\n- ä\n", [1], "True", "1-2", True, 8000]
    assert one.get(timeout=60).json()["made"] == got["made"]
