"""script/install and `make install`: the programs side by side, and a unit for systemd that says only what `corral serve` understands."""
import os
import re
import shutil
import subprocess

import pytest

from harness import BIN, ROOT


def systemd_analyze(*words):
    return subprocess.run(["systemd-analyze", *map(str, words)], capture_output=True, text=True)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run(["make", "-s", "MODE=%s" % BIN.name, "install", "DESTDIR=%s" % folder], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return folder


def test_install(installed):
    programs = installed / "usr/local/bin"
    assert {path.name for path in programs.iterdir()} == {"corral", "corral-worker", "corral-store"}
    known = subprocess.run([programs / "corral", "serve", "--help"], capture_output=True, text=True, check=True).stdout
    unit = installed / "usr/local/lib/systemd/system/corral.service"
    command = re.search("^ExecStart=(.*)", unit.read_text(), re.M)[1].split()
    assert command[:2] == ["/usr/local/bin/corral", "serve"]
    assert all(word in known for word in command if word.startswith("--")), known


@pytest.mark.parametrize("variant", ["user", "root"])
def test_the_unit_is_understood(installed, tmp_path, variant):
    """Every line of it, and of the root variant; and by systemd's own measure it is no worse than it was."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not there")
    unit = tmp_path / "corral.service"
    text = (installed / "usr/local/lib/systemd/system/corral.service").read_text().replace("/usr/local/bin/corral", str(installed / "usr/local/bin/corral"))
    unit.write_text(text)
    if variant == "root":
        drop_in = tmp_path / "corral.service.d" / "root.conf"
        drop_in.parent.mkdir()
        shutil.copy(ROOT / "script/corral-root.conf", drop_in)
    checked = systemd_analyze("verify", "--man=no", unit)
    assert checked.returncode == 0 and "corral" not in checked.stderr, checked.stderr
    said = systemd_analyze("security", "--offline=yes", "--threshold=%d" % (30 if variant == "user" else 45), unit)
    assert said.returncode == 0, said.stdout + said.stderr
    assert re.search(r"Overall exposure level for corral.service: [\d.]+ (OK|MEDIUM)", said.stdout), said.stdout


def test_the_unit_has_its_reasons(installed):
    """docs/deploy.md names each line of the box's part."""
    page = (ROOT / "docs/deploy.md").read_text()
    unit = (installed / "usr/local/lib/systemd/system/corral.service").read_text()
    keys = re.findall("^([A-Z]\\w+)=", unit.partition("User=corral")[2].partition("[Install]")[0], re.M)
    assert len(keys) > 25
    assert [key for key in keys if key not in page and key not in ("Group", "ConfigurationDirectory", "StateDirectoryMode", "Environment")] == []
    assert "OOMPolicy=continue" in unit and "MemoryDenyWriteExecute=no" in unit


def test_the_script_of_the_docs(tmp_path):
    if BIN != ROOT / "build/rel":
        pytest.skip("the script builds build/rel")
    done = subprocess.run([ROOT / "script/install"], env=dict(os.environ, DESTDIR=str(tmp_path), PREFIX="/opt/corral"), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "opt/corral/bin/corral-store").is_file()
    assert "ExecStart=/opt/corral/bin/corral " in (tmp_path / "opt/corral/lib/systemd/system/corral.service").read_text()
    assert subprocess.run([ROOT / "script/install", "x"], capture_output=True).returncode == 1
