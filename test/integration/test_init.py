"""corral init: what it writes runs at once with corral dev, and nothing that is there is touched."""
import json
import os

import pytest

from commands import Commands
from harness import until

pytestmark = pytest.mark.asan


@pytest.fixture
def cli(tmp_path):
    return Commands(tmp_path, tmp_path / "home")


def test_python(cli, corral, tmp_path):
    said = cli("init", "My Books").out
    assert "✨ Created a worker in My Books:\n  wrangler.toml\n  src/entry.py\n  .gitignore\n" in said
    assert "cd My Books\n" in said and "corral dev" in said and "corral deploy" in said
    config = (tmp_path / "My Books/wrangler.toml").read_text()
    assert config.startswith('name = "my-books"\n') and "@" not in config
    assert ".dev.vars*" in (tmp_path / "My Books/.gitignore").read_text().split("\n")
    os.rename(tmp_path / "My Books", tmp_path / "books")
    one = serve_folder(corral, tmp_path / "books")
    assert one.get().text == "Hello world!"
    assert "warning" not in one.log_text()


def test_fastapi(cli, corral, tmp_path):
    cli("init", "api", "--template", "fastapi")
    one = serve_folder(corral, tmp_path / "api")
    assert one.get().json() == {"message": "Hello world!"}
    assert one.get("/items/5?q=x").json() == {"item_id": 5, "q": "x"}


def test_d1(cli, corral, tmp_path):
    said = cli("init", "notes", "-t", "d1").out
    assert "finds it by its name" in said
    one = serve_folder(corral, tmp_path / "notes")
    assert one.get().json() == []
    assert one.request("POST", "/", "buy milk").status == 201
    assert one.get().json() == [{"id": 1, "text": "buy milk"}]


@pytest.mark.parametrize("lang", ["ts", "js"])
def test_javascript(cli, corral, tmp_path, lang):
    said = cli("init", "My Site", "--lang", lang).out
    assert ("  src/index.%s\n" % lang) in said and ("npm install" in said) == (lang == "ts")
    os.rename(tmp_path / "My Site", tmp_path / "site")
    assert json.loads((tmp_path / "site/package.json").read_text())["name"] == "my-site"
    one = serve_folder(corral, tmp_path / "site")
    assert one.get().text == "Hello World!" and "warning" not in one.log_text()


def serve_folder(corral, folder):
    """corral dev on a folder that is there."""
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    one = corral(files)
    until("it answers", lambda: one.get().status == 200)
    return one


def test_here_and_never_over_anything(cli, tmp_path):
    here = tmp_path / "work"
    here.mkdir()
    (here / "notes.txt").write_text("mine")
    cli("init", cwd=here)
    assert 'name = "work"' in (here / "wrangler.toml").read_text()
    (here / "src/entry.py").write_text("# mine")
    assert "is there already" in cli("init", cwd=here, code=1).err
    (here / "wrangler.toml").unlink()
    err = cli("init", cwd=here, code=1).err
    assert err == "corral: 'src/entry.py' is there already\n  Nothing was written. `corral init NAME` makes a folder of its own.\n"
    assert not (here / "wrangler.toml").exists()
    (here / "src/entry.py").unlink()
    (here / ".gitignore").unlink()
    (here / "wrangler.jsonc").write_text(json.dumps({"name": "x"}))
    assert "'wrangler.jsonc' is there already" in cli("init", cwd=here, code=1).err
    (here / "wrangler.jsonc").unlink()
    os.symlink("/nowhere", here / ".gitignore")
    assert "'.gitignore' is there already" in cli("init", cwd=here, code=1).err


def test_mistakes(cli):
    err = cli("init", "x", "--template", "fastapy", code=1).err
    assert "there is no template 'fastapy'" in err and "Did you mean fastapi?" in err
    assert "Usage: corral init" in cli("init", "--help").out
    assert "'y' is too much" in cli("init", "x", "y", code=2).err
