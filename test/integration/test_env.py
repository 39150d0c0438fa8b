"""What a worker finds in env: [vars], .dev.vars, .env, --var; and that secrets stay where they belong."""
import os
import re
import stat

import pytest

from harness import LAB, WRANGLER, descendants, until

SECRET = "s3cr3t-%s-value"

CONFIG = WRANGLER.format(name="lab") + """
[vars]
TEXT = "from the config"
NUMBER = 42
REAL = 1.5
YES = true
TABLE = {name = "x", list = [1, "two", {three = 3}]}
LIST = ["a", "b"]
OVER = 1
"""

DEV_VARS = r"""# a comment
PLAIN=value            # an unquoted value ends at '#'
  SPACES =   a b  c
export EXPORTED=yes
COLON: colon
EMPTY=
SINGLE='as it is, # too \n'
DOUBLE="a\nb\rc \"d\" # e"
BACKTICK=`both ' and "`
HASH=a#b
EQUALS=a=b==
JSON={"a": [1, 2]}
LINES="-----BEGIN
one
-----END"
NUMERIC=42
TWICE=one
TWICE=two
DOLLAR=$TEXT
OVER=a string
UNICODE="grüße 🌍"
CRLF=x
"""


def project(**files):
    files = {path: text for path, text in files.items() if text is not None}
    return {"src/entry.py": LAB, **files}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    import conftest
    folder = tmp_path_factory.mktemp("env")
    one = conftest.start(folder, project(**{"wrangler.toml": CONFIG, ".dev.vars": DEV_VARS.replace("CRLF=x\n", "CRLF=x\r\n")}), name="lab")
    until("the lab answers", lambda: one.get().status == 200)
    yield one
    conftest.finish(one)


def names(one, *wanted):
    """The values of some names, or "-" for what is not there."""
    return one.value("return [getattr(env, name, '-') for name in %r]" % (wanted,))


def test_vars_keep_their_types(server):
    assert server.value("""
        t = env.TABLE
        return [env.TEXT, env.NUMBER, type(env.NUMBER).__name__, env.REAL, env.YES,
                t.name, t["name"], t.list[1], t.list[2].three, t.to_py(), env.LIST.to_py(), len(env.LIST)]
    """) == ["from the config", 42, "int", 1.5, True, "x", "x", "two", 3,
             {"name": "x", "list": [1, "two", {"three": 3}]}, ["a", "b"], 2]
    assert server.value("return js.eval('(e) => [e.TEXT, e.NUMBER + 1, e.YES, e.TABLE.list[2].three].join()')(env)") == \
        "from the config,43,true,3"


def test_dev_vars_follow_the_rules_of_dotenv(server):
    assert names(server, "PLAIN", "SPACES", "EXPORTED", "COLON", "EMPTY") == ["value", "a b  c", "yes", "colon", ""]
    assert names(server, "SINGLE", "DOUBLE", "BACKTICK") == [r"as it is, # too \n", 'a\nb\rc \\"d\\" # e', "both ' and \""]
    assert names(server, "HASH", "EQUALS", "JSON", "LINES") == ["a", "a=b==", '{"a": [1, 2]}', "-----BEGIN\none\n-----END"]
    assert names(server, "NUMERIC", "TWICE", "DOLLAR", "UNICODE", "CRLF") == ["42", "two", "$TEXT", "grüße 🌍", "x"]


def test_dev_vars_are_strings_and_win_over_vars(server):
    assert server.value("return [env.OVER, type(env.NUMERIC).__name__, env.TEXT]") == ["a string", "str", "from the config"]


def test_a_missing_name_is_undefined(server):
    assert server.value("""
        try:
            env.MISSING
            raised = ""
        except AttributeError as e:
            raised = str(e)
        try:
            env["MISSING"]
            key = ""
        except KeyError as e:
            key = str(e)
        return [raised, key, getattr(env, "MISSING", 5), hasattr(env, "MISSING"), "MISSING" in env,
                hasattr(env, "TEXT"), "TEXT" in env, js.eval("(e) => typeof e.MISSING + ('MISSING' in e)")(env)]
    """) == ["MISSING", "'MISSING'", 5, False, False, True, True, "undefinedfalse"]


def test_the_source_of_secrets_is_named(server):
    server.wait_log(r"inf\] Using secrets defined in \S*/\.dev\.vars$")


def test_var_flags_win_over_all(corral):
    one = corral(project(**{"wrangler.toml": CONFIG, ".dev.vars": "A=file\nTEXT=file\n"}), "--var", "A:flag", "--var=TEXT:a:b", "--var", "E:")
    assert names(one, "A", "TEXT", "E", "NUMBER") == ["flag", "a:b", "", 42]


def test_an_environment_has_its_own_vars_and_secrets(corral):
    config = CONFIG + """
[env.staging]
compatibility_date = "2024-04-01"
[env.staging.vars]
TEXT = "of staging"
[env.bare]
"""
    files = {"wrangler.toml": config, ".dev.vars": "A=general\nB=general\n", ".dev.vars.staging": "A=staging\n"}
    one = corral(project(**files), "--env", "staging")
    # .dev.vars.staging replaces .dev.vars, vars are not inherited, main is.
    assert names(one, "TEXT", "NUMBER", "A", "B") == ["of staging", "-", "staging", "-"]
    one.wait_log(r"wrn\] \S*/wrangler\.toml:\d+: warning: the environment 'staging' does not inherit 'vars': "
                 r"it has no NUMBER, REAL, YES, TABLE, LIST, OVER\n.*env\.staging\.vars")
    one.wait_log(r"Using secrets defined in \S*/\.dev\.vars\.staging$")
    one.wait_log(r"\[lab-staging:inf\]|\[corral:inf\] GET")
    two = corral(project(**files), "--env", "bare")
    assert names(two, "TEXT", "A", "B") == ["-", "general", "general"]
    two.wait_log(r"the environment 'bare' does not inherit 'vars': it has no TEXT")


def test_env_files_when_there_are_no_dev_vars(corral):
    files = {"wrangler.toml": CONFIG + "[env.staging.vars]\nTEXT = 'staging'\n",
             ".env": "A=1\nB=1\nC=1\nD=1\nTEXT=dotenv\nURL=https://${A}/$B/${NONE:-none}\nOURS=$HOME\n", ".env.local": "B=2\nC=2\nD=2\n",
             ".env.staging": "C=3\nD=3\n", ".env.staging.local": "D=4\n", ".env.other": "A=other\n"}
    one = corral(project(**files), "--env", "staging")
    assert names(one, "A", "B", "C", "D", "TEXT", "OURS") == ["1", "2", "3", "4", "dotenv", ""]
    assert names(one, "URL") == ["https://1/2/none"]
    # From now on .dev.vars alone counts; without it the others are back.
    one.write(".dev.vars", "A=dev\n")
    until(".dev.vars is used", lambda: names(one, "A", "B") == ["dev", "-"])
    os.unlink(one.project / ".dev.vars")
    until(".env is used again", lambda: names(one, "A", "B") == ["1", "2"])
    one.write(".env.staging.local", "D=5\n")
    until("a change of it counts", lambda: names(one, "D") == ["5"])


def test_required_secrets_alone_are_taken(corral):
    config = CONFIG + '[secrets]\nrequired = ["A", "B"]\n[env.bare]\n[env.own.secrets]\nrequired = ["C"]\n'
    files = {"wrangler.toml": config, ".dev.vars": "A=1\nC=3\nTEXT=file\n"}
    one = corral(project(**files), "--var", "D:4")
    assert names(one, "A", "B", "C", "D", "TEXT") == ["1", "-", "-", "4", "from the config"]
    one.wait_log(r"wrn\] \S*/wrangler\.toml: warning: the secret 'B' is required and not set$")
    assert "'secrets' is not supported" not in one.log_text()
    assert names(corral(project(**files), "--env", "own"), "A", "C") == ["-", "3"]
    assert names(corral(project(**files), "--env", "bare"), "A", "C") == ["1", "3"]
    bad = corral(project(**{"wrangler.toml": CONFIG + '[secrets]\nrequired = "A"\n'}), ready=False)
    assert bad.wait_exit() == 1
    assert re.search(r"wrangler\.toml:\d+:12: error: 'secrets\.required' must be a list of names", bad.log_text()), bad.log_text()


def test_a_change_of_secrets_reloads(corral):
    one = corral(project(**{"wrangler.toml": CONFIG}))
    assert names(one, "A") == ["-"]
    one.write(".dev.vars", "A=1\n")
    until("it came", lambda: names(one, "A") == ["1"])
    one.write(".dev.vars", "A=2\n")
    until("it changed", lambda: names(one, "A") == ["2"])
    os.unlink(one.project / ".dev.vars")
    until("it went", lambda: names(one, "A") == ["-"])


BAD = "\n".join(["A=1", "no assignment %s" % (SECRET % "line"), 'B="%s' % (SECRET % "open"), "export", "%s" % (SECRET % "bare"), "=%s" % (SECRET % "name")]) + "\n"


def processes_of(one):
    return [one.pid] + [p.pid for p in descendants(one.pid)]


def everything_readable(one):
    """Command lines and environments of the processes, files of the state folder."""
    for pid in processes_of(one):
        for what in ("cmdline", "environ"):
            try:
                yield "/proc/%d/%s" % (pid, what), open("/proc/%d/%s" % (pid, what), "rb").read()
            except OSError:
                pass
    for folder, _, found in os.walk(one.project / ".corral"):
        for name in found:
            path = os.path.join(folder, name)
            try:
                yield path, name.encode() + open(path, "rb").read()
            except FileNotFoundError:       # a version has just left with its copies
                pass


@pytest.mark.asan
def test_secrets_are_nowhere_to_be_seen(corral):
    good = "GOOD=%s\nMORE='%s'\n" % (SECRET % "good", SECRET % "more")
    one = corral(project(**{"wrangler.toml": CONFIG, ".dev.vars": good + BAD, "src/.dev.vars": good, "src/.env": good}), "--log-level", "debug")
    assert names(one, "GOOD") == [SECRET % "good"]
    # Lines that are none, and quotes that do not close, are told by their place.
    for line in (4, 6, 7, 8):
        one.wait_log(r"wrn\] \S*/\.dev\.vars:%d: warning: this line is ignored: it is not NAME=value$" % line)
    one.wait_log(r"wrn\] \S*/\.dev\.vars:5: warning: the quotes of 'B' do not enclose its value")
    pages = [one.run("return 1 / (len(env.GOOD) * 0)", headers={"accept": accept}).text for accept in ("text/html", "*/*")]
    assert all("ZeroDivisionError" in page for page in pages)
    seen = list(everything_readable(one))       # now: a version whose config is broken may leave with its copies
    assert len(seen) >= 4 and any(path.endswith("entry.py") for path, _ in seen)
    one.project.joinpath(".dev.vars").write_bytes(b"GOOD=%s\nNOT=%s\xff\n" % ((SECRET % "good").encode(), (SECRET % "latin").encode()))
    one.wait_log(r"err\] \S*/\.dev\.vars:2: error: the value of 'NOT' is not UTF-8$")
    pages += [until("the page", lambda: next((a.text for a in [one.get("/", {"Accept": accept})] if ".dev.vars:2" in a.text), None))
              for accept in ("text/html", "*/*")]
    for path, content in seen + list(everything_readable(one)) + [("log", one.log_text().encode())] + [("page", page.encode()) for page in pages]:
        assert b"s3cr3t" not in content, path


def test_the_copies_of_the_project_are_for_their_owner(corral):
    one = corral(project(**{"wrangler.toml": CONFIG}))
    one.get()
    # Nobody else comes beyond the first; what is below may be open to the worker's own user id.
    top = one.project / ".corral" / "bundles"
    assert stat.S_IMODE(os.stat(top).st_mode) == 0o700
    for folder, folders, files in os.walk(top):
        assert stat.S_IMODE(os.stat(folder).st_mode) in ((0o700,) if folder == str(top) else (0o700, 0o755)), folder
        for name in files:
            assert stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) in (0o400, 0o444), name


def test_a_var_flag_that_is_none_is_told_without_its_value(corral):
    one = corral(project(**{"wrangler.toml": CONFIG}), "--var", "KEY=%s" % (SECRET % "flag"), ready=False)
    assert one.wait_exit() == 1
    assert "--var 'KEY' must be NAME:VALUE" in one.log_text() and "s3cr3t" not in one.log_text()


def test_the_example(corral, example):
    folder = example("environment-variables")
    one = corral({str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file() and p.name != ".dev.vars"})
    assert one.get().text == "host:  api.example.com\ntoken: not set yet: cp .dev.vars.example .dev.vars\n"
    one.write(".dev.vars", (folder / ".dev.vars.example").read_text())
    until("the secret is there", lambda: one.get().text == "host:  api.example.com\ntoken: just-for-development\n")
