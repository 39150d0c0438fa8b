"""Every kind of host that this machine can be made to look like, and the grade of the box that Corral finds there.

    for tier in TIERS:
        reason = tier.can_run()             # None: it can
        with tier.home() as home:           # a folder that the tier's user may write
            argv, env = tier.wrap([str(tier.program("corral")), "dev", ...], {"NAME": "value"})
            subprocess.Popen(argv, env=env)

`tier.wrap` keeps the pid: the process that is started is the program.  `tier.host_grade()` asks `corral doctor` of this machine as
it is; `tier.expected()` says what is left of that in the tier: a set of layers, and the name of the grade.
Nothing outside the process is changed: what a tier needs of the host happens in namespaces of its own.
"""
import contextlib
import functools
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from harness import BIN, PACKAGES  # noqa: E402

import host  # noqa: E402

IS_ROOT = os.geteuid() == 0
HARD_FILES = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
# A user that exists nowhere else, so that it owns nothing and nobody's limits are its own.
USER = 64123

LAYERS = ("seccomp", "landlock", "tree", "pids", "net", "ipc", "user", "uid")
NAMESPACES = {"tree", "pids", "net", "ipc", "user"}

# What a container of Docker has (oci/caps in its sources), and what its default profile for system calls refuses without CAP_SYS_ADMIN.
DOCKER_CAPABILITIES = ["chown", "dac_override", "fsetid", "fowner", "mknod", "net_raw", "setgid", "setuid", "setfcap", "setpcap",
                       "net_bind_service", "sys_chroot", "kill", "audit_write"]
DOCKER_REFUSES = ["acct", "add_key", "bpf", "clock_settime", "delete_module", "fanotify_init", "finit_module", "fsconfig", "fsmount",
                  "fsopen", "fspick", "get_mempolicy", "init_module", "io_uring_enter", "io_uring_register", "io_uring_setup", "ioperm",
                  "iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie", "mbind", "mount", "mount_setattr",
                  "move_mount", "move_pages", "open_by_handle_at", "open_tree", "perf_event_open", "pidfd_getfd", "pivot_root",
                  "process_madvise", "quotactl", "reboot", "request_key", "set_mempolicy", "setdomainname", "sethostname", "setns",
                  "settimeofday", "swapoff", "swapon", "syslog", "umount2", "unshare", "userfaultfd", "vhangup"]
LANDLOCK = ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"]
# Docker before 23 knows neither of these; the others it refuses as now.
DOCKER = {"bounding": DOCKER_CAPABILITIES, "refuse": {"1": DOCKER_REFUSES}, "refuse_namespaces": True}
DOCKER_OLD = dict(DOCKER, refuse={"1": DOCKER_REFUSES + LANDLOCK})


def without(names):
    """Docker's list, but for these."""
    return [name for name in DOCKER_REFUSES if name not in names]


# docs/containers.md: the profile with what it takes to make namespaces; and root with CAP_SYS_ADMIN, whom the profile allows more.
MAKES_NAMESPACES = ["fsconfig", "fsmount", "fsopen", "mount", "mount_setattr", "move_mount", "open_tree", "pivot_root", "sethostname", "umount2", "unshare"]
DOCKER_RAISED = dict(bounding=[], uid=USER, no_new_privs=True, refuse={"1": without(MAKES_NAMESPACES)})
DOCKER_ADMIN = dict(refuse={"1": without(MAKES_NAMESPACES + ["bpf", "fanotify_init", "fspick", "lookup_dcookie", "perf_event_open", "quotactl",
                                                            "setdomainname", "setns", "syslog"])},
                    bounding=["sys_admin", "setuid", "setgid", "setpcap", "setfcap", "chown", "dac_override", "fowner", "kill", "sys_ptrace"])


# ---- the unit of systemd ----

FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16}


def read_unit(*files):
    """{key: value} of [Service]; later files are drop-ins. An empty value empties what is a list."""
    settings = {}
    for file in files:
        section = ""
        for line in (HERE.parents[1] / "script" / file).read_text().splitlines():
            if line.startswith("["):
                section = line
            elif section == "[Service]" and "=" in line and line[0] not in "#;":
                key, _, value = line.partition("=")
                is_more = settings.get(key) and value and key in ("CapabilityBoundingSet", "AmbientCapabilities", "Environment")
                settings[key] = settings[key] + " " + value if is_more else value
    return settings


@functools.lru_cache(maxsize=None)
def system_calls_of(group):
    """Names in a group of systemd's, "@mount"."""
    said = subprocess.run(["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True).stdout.split("\n")[1:]
    words = [line.strip() for line in said if line.strip() and not line.strip().startswith("#")]
    return frozenset().union(*[system_calls_of(word) if word[0] == "@" else {word} for word in words])


def unit_spec(*files):
    """For host.py: what systemd would do by these settings, as far as it is mounts, capabilities, filters and the user."""
    unit = read_unit(*files)
    names = [name[4:].lower() for name in unit["CapabilityBoundingSet"].split()]
    spec = {"bounding": names, "no_new_privs": unit["NoNewPrivileges"] == "yes", "limits": {"NOFILE": min(int(unit["LimitNOFILE"]), HARD_FILES), "CORE": 0},
            "mounts": [["ro", "/"], ["rw", "/proc"], ["rw", "/tmp"]],  # a tier's home is in /tmp
            "families": [FAMILIES[name] for name in unit["RestrictAddressFamilies"].split()]}
    assert unit["ProtectSystem"] == "strict" and unit["PrivateDevices"] == unit["ProtectKernelTunables"] == unit["ProtectHome"] == "yes"
    spec["mounts"] += [["devices", "/dev"], ["ro", "/proc/sys"], ["ro", "/sys"], ["tmpfs", "/home"], ["tmpfs", "/var/tmp"]]
    if unit["User"] != "root":
        spec.update(uid=USER, ambient=[name[4:].lower() for name in unit["AmbientCapabilities"].split()])
    if shutil.which("systemd-analyze"):
        spec["allow"] = sorted(set().union(*[system_calls_of(word) if word[0] == "@" else {word} for word in unit["SystemCallFilter"].split()]))
    return spec


class Tier:
    """One kind of host.

    name      "docker"
    about     a line
    lost      the layers that this kind of host takes away from what a root shell on the machine has
    spec      for host.py; empty: nothing is done
    """

    def __init__(self, name, about, lost=(), spec=None, env=None):
        self.name, self.about, self.lost, self.spec, self.env = name, about, frozenset(lost), spec or {}, env or {}

    def __repr__(self):
        return self.name

    @property
    def uid(self):
        """Whom its programs run as."""
        return self.spec.get("uid", os.geteuid())

    @property
    def is_root(self):
        return self.uid == 0

    @functools.lru_cache(maxsize=None)
    def can_run(self):
        """None, or why this machine cannot produce it now."""
        if not self.spec:
            return None
        if not IS_ROOT:
            return "it takes root to make a process that looks so"
        done = host.run(self.spec, ["/bin/true"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return None if done.returncode == 0 else "this machine lets nobody make one: " + done.stderr.strip()

    def wrap(self, argv, env=None):
        """(argv, env): what to start instead.  env: what is wanted beside this process's own environment."""
        argv = [str(word) for word in argv]
        if Path(argv[0]).parent == BIN:
            argv[0] = str(self.program(Path(argv[0]).name))
        environment = dict(os.environ, **self.env)
        environment.update(env or {})
        if self.spec:
            argv = [sys.executable, str(HERE / "host.py"), json.dumps(self.spec)] + argv
        return argv, environment

    def run(self, argv, env=None, **more):
        """subprocess.run of a program in the tier."""
        argv, environment = self.wrap(argv, env)
        return subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, **more)

    def program(self, name="corral"):
        """Its path, where the tier's user can run it."""
        return programs_for_all() / name

    @contextlib.contextmanager
    def home(self):
        """A folder of the tier's user, gone afterwards."""
        folder = Path(tempfile.mkdtemp(prefix="corral-%s-" % self.name))
        try:
            self.own(folder)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def own(self, folder):
        """Everything in it becomes the tier's user's."""
        if self.uid == os.geteuid():
            return
        for root, folders, files in os.walk(folder):
            for name in [""] + files:
                os.lchown(os.path.join(root, name).rstrip("/"), self.uid, self.uid)

    def expected_layers(self):
        """What doctor should say here, by what it says of a root shell on this machine (or of this shell, if nobody is root)."""
        return host_layers() - self.lost

    def expected(self):
        """The name of the grade."""
        return grade_of(self.expected_layers())


def grade_of(layers):
    """As box_grade_of."""
    layers = set(layers)
    has_namespaces = {"tree", "pids", "net", "ipc"} <= layers
    if "seccomp" not in layers:
        return "none"
    if has_namespaces and "landlock" in layers:
        return "full" if "uid" in layers else "unprivileged"
    return "namespaces" if has_namespaces else "landlock" if "landlock" in layers else "seccomp"


def doctor(argv=("doctor", "--json"), tier=None, **more):
    """What `corral doctor --json` says, in a tier."""
    tier = tier or ROOT
    done = tier.run([tier.program()] + list(argv), **more)
    assert done.returncode in (0, 1) and done.stdout, (tier.name, done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


@functools.lru_cache(maxsize=None)
def host_layers():
    """The layers that doctor finds in use without any tier around it."""
    return frozenset(layer["name"] for layer in doctor()["box"]["layers"] if layer["used"])


@functools.lru_cache(maxsize=None)
def programs_for_all():
    """The folder of the build; a copy when other users cannot get there."""
    done = host.run({"uid": USER}, [str(BIN / "corral"), "--version"], capture_output=True) if IS_ROOT else None
    if done is None or done.returncode == 0:
        return BIN
    folder = Path(tempfile.mkdtemp(prefix="corral-programs-"))
    folder.chmod(0o755)
    for name in ("corral", "corral-worker", "corral-store"):
        shutil.copy2(BIN / name, folder / name)
        (folder / name).chmod(0o755)
    return folder


ROOT = Tier("root" if IS_ROOT else "this-user", "a shell on this machine, as it is")

TIERS = [
    ROOT,
    # What tests may ask for, on any machine.
    Tier("asked-seccomp", "CORRAL_TEST_BOX=seccomp", set(LAYERS) - {"seccomp"}, env={"CORRAL_TEST_BOX": "seccomp"}),
    Tier("asked-landlock", "CORRAL_TEST_BOX=landlock", set(LAYERS) - {"seccomp", "landlock"}, env={"CORRAL_TEST_BOX": "landlock"}),
    Tier("asked-namespaces", "CORRAL_TEST_BOX=namespaces", {"landlock", "uid"}, env={"CORRAL_TEST_BOX": "namespaces"}),
    Tier("asked-unprivileged", "CORRAL_TEST_BOX=unprivileged", {"uid"}, env={"CORRAL_TEST_BOX": "unprivileged"}),
    # Real ones.
    Tier("user", "an ordinary user, user namespaces for everybody", {"uid"}, {"uid": USER}),
    Tier("user-no-userns", "an ordinary user where user namespaces are switched off", NAMESPACES | {"uid"},
         {"user_namespaces": False, "uid": USER}),
    Tier("user-no-landlock", "an ordinary user on a kernel without Landlock", {"uid", "landlock"},
         {"uid": USER, "refuse": {"38": LANDLOCK}}),
    Tier("root-no-landlock", "root on a kernel without Landlock", {"landlock"}, {"refuse": {"38": LANDLOCK}}),
    Tier("root-chroot", "root in a chroot, where the kernel makes no user namespaces", {"user"}, {"chroot": True}),
    Tier("user-chroot", "an ordinary user in a chroot", NAMESPACES | {"uid"}, {"chroot": True, "uid": USER}),
    Tier("docker", "Docker's default: root with 14 capabilities, no unshare, no mount", NAMESPACES | {"uid"}, DOCKER),
    Tier("docker-user", "Docker's default with USER: no capability", NAMESPACES | {"uid"}, dict(DOCKER, uid=USER)),
    Tier("docker-old", "Docker before 23, whose profile does not know Landlock", NAMESPACES | {"landlock", "uid"},
         dict(DOCKER_OLD, uid=USER)),
    Tier("docker-raised", "Docker with a profile that lets a user make namespaces", {"uid"}, DOCKER_RAISED),
    Tier("docker-admin", "Docker, root with CAP_SYS_ADMIN and a few more", (), DOCKER_ADMIN),
    Tier("root-few", "root that may make namespaces, and not map itself into one", (),
         {"bounding": ["sys_admin", "setuid", "setgid", "setpcap", "kill", "sys_ptrace"]}),
    Tier("unit", "a service by script/corral.service", {"uid"}, unit_spec("corral.service")),
    Tier("unit-root", "the same with script/corral-root.conf", (), unit_spec("corral.service", "corral-root.conf")),
    Tier("kubernetes", "Kubernetes' restricted profile: a user, no capability, no_new_privs, RuntimeDefault", NAMESPACES | {"uid"},
         dict(DOCKER, bounding=[], uid=USER, no_new_privs=True)),
    Tier("nothing", "neither Landlock nor user namespaces for an ordinary user", NAMESPACES | {"landlock", "uid"},
         {"uid": USER, "user_namespaces": False, "refuse": {"38": LANDLOCK}}),
]
BY_NAME = {tier.name: tier for tier in TIERS}
