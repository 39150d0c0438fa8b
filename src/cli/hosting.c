/* hosting.c - what kind of place this is: kernel, container, cgroup, limits of resources. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/span.h"
#include "cli/hosting.h"
#include "cli/report.h"

/* A connection, an instance and a file of a worker cost one or more each. */
enum { OPEN_FILES_ENOUGH = 4096, PROCESSES_ENOUGH = 512, TEXT_MAX = 8192 };

/* The beginning of a small file; "" when it cannot be read. */
static size_t read_file(const char *path, char ret[TEXT_MAX])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, ret, TEXT_MAX - 1);

    if (fd >= 0)
        close(fd);
    ret[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

bool hosting_number(const char *path, int64_t *ret)
{
    char text[TEXT_MAX], *end;

    if (read_file(path, text) == 0)
        return false;
    errno = 0;
    *ret = strtoll(text, &end, 10);
    return end != text && errno == 0;
}

bool hosting_is_in_lsm(const char *name, bool *ret_is_known)
{
    char text[TEXT_MAX];

    *ret_is_known = read_file("/sys/kernel/security/lsm", text) > 0;
    return *ret_is_known && strstr(text, name) != NULL;
}

/* ---- what kind of place ---- */

/* The root of this process is not the root of its mount namespace: "/" is no mount point. */
static bool is_chroot(void)
{
    char line[4096], root[2048], point[2048];
    FILE *f = fopen("/proc/self/mountinfo", "re");
    bool has_root = !f;

    while (f && !has_root && fgets(line, sizeof line, f))
        has_root =
            sscanf(line, "%*d %*d %*s %2047s %2047s", root, point) == 2 && strcmp(point, "/") == 0;
    if (f)
        fclose(f);
    return !has_root;
}

static enum report_place find_place(void)
{
    char text[TEXT_MAX];

    if (getenv("KUBERNETES_SERVICE_HOST") || access("/run/secrets/kubernetes.io", F_OK) == 0)
        return PLACE_KUBERNETES;
    if (access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0)
        return PLACE_DOCKER;
    if (getenv("container"))
        return PLACE_CONTAINER;
    if (read_file("/proc/1/cgroup", text) > 0) {
        if (strstr(text, "kubepods"))
            return PLACE_KUBERNETES;
        if (strstr(text, "/docker") || strstr(text, "/libpod"))
            return PLACE_DOCKER;
    }
    if (is_chroot())
        return PLACE_CHROOT;
    /* A terminal's shell has it too, when a service started that: those have a scope of their own.
     */
    if (getenv("INVOCATION_ID") && read_file("/proc/self/cgroup", text) > 0 &&
        strstr(text, ".service"))
        return PLACE_SERVICE;
    return PLACE_MACHINE;
}

static void add_host(struct report *report)
{
    report->place = find_place();
    report_set_in(report, "host", "place", json_string(report_place_name(report->place)));
    report_set_in(report, "host", "uid", json_integer((json_int_t)geteuid()));
    report_set_in(report, "host", "processors",
                  json_integer((json_int_t)sysconf(_SC_NPROCESSORS_ONLN)));
}

/* ---- kernel ---- */

static void add_setting(struct report *report, const char *name, const char *path)
{
    int64_t n;

    if (hosting_number(path, &n))
        report_set_in(report, "kernel", name, json_integer(n));
    else
        report_set_in(report, "kernel", name, json_null());
}

static void add_kernel(struct report *report)
{
    struct utsname name = {0};

    (void)uname(&name);
    report_set_in(report, "kernel", "release", json_string(name.release));
    report_set_in(report, "kernel", "machine", json_string(name.machine));
    report_set_in(report, "kernel", "landlock_abi", json_integer(report->tier.landlock_abi));
    add_setting(report, "user.max_user_namespaces", HOSTING_MAX_USER_NAMESPACES);
    add_setting(report, "kernel.unprivileged_userns_clone", HOSTING_USERNS_CLONE);
    add_setting(report, "kernel.apparmor_restrict_unprivileged_userns", HOSTING_APPARMOR_USERNS);
}

/* ---- cgroup ---- */

/* The folder of our own group below the mount of version 2. */
static bool find_group(char *ret, size_t room)
{
    char text[TEXT_MAX], *line, *rest = text;
    struct stat st;

    if (read_file("/proc/self/cgroup", text) == 0)
        return false;
    while ((line = strsep(&rest, "\n")))
        if (strncmp(line, "0::", 3) == 0) {
            snprintf(ret, room, "/sys/fs/cgroup%s", line + 3);
            return stat("/sys/fs/cgroup/cgroup.controllers", &st) == 0;
        }
    return false;
}

static json_t *words_of(char *text)
{
    json_t *list = json_array();
    char *word;

    while ((word = strsep(&text, " \n")))
        if (word[0] && json_array_append_new(list, json_string(word)) < 0)
            break;
    return list;
}

static json_t *limit_of(const char *folder, const char *name)
{
    char path[4600];
    int64_t n;

    snprintf(path, sizeof path, "%.4096s/%s", folder, name);
    return hosting_number(path, &n) ? json_integer(n) : json_null();
}

static void add_group(struct report *report)
{
    char folder[4200], path[4600], text[TEXT_MAX];
    bool is_two = find_group(folder, sizeof folder);

    if (!is_two) {
        report_set_in(report, "cgroup", "version",
                      access("/sys/fs/cgroup", F_OK) == 0 ? json_integer(1) : json_null());
        report_set_in(report, "cgroup", "is_delegated", json_false());
        return;
    }
    snprintf(path, sizeof path, "%s/cgroup.controllers", folder);
    read_file(path, text);
    report_set_in(report, "cgroup", "version", json_integer(2));
    report_set_in(report, "cgroup", "folder", report_text(folder));
    report_set_in(report, "cgroup", "controllers", words_of(text));
    report_set_in(report, "cgroup", "memory_max", limit_of(folder, "memory.max"));
    report_set_in(report, "cgroup", "pids_max", limit_of(folder, "pids.max"));
    snprintf(path, sizeof path, "%s/cgroup.procs", folder);
    report_set_in(report, "cgroup", "is_delegated",
                  json_boolean(access(folder, W_OK) == 0 && access(path, W_OK) == 0));
}

/* ---- limits ---- */

static json_t *number_of(rlim_t n)
{
    return n == RLIM_INFINITY ? json_null() : json_integer((json_int_t)n);
}

static struct rlimit add_limit(struct report *report, const char *name, int which)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

    (void)getrlimit((__rlimit_resource_t)which, &limit);
    report_set_in(report, "limits", name,
                  json_pack("{s:o, s:o}", "soft", number_of(limit.rlim_cur), "hard",
                            number_of(limit.rlim_max)));
    return limit;
}

static void add_limits(struct report *report)
{
    /* A node raises its own limit of files as far as it may. */
    rlim_t files = add_limit(report, "open_files", RLIMIT_NOFILE).rlim_max;
    rlim_t processes = add_limit(report, "processes", RLIMIT_NPROC).rlim_cur;
    rlim_t space = add_limit(report, "address_space", RLIMIT_AS).rlim_cur;
    char text[200];

    if (files < OPEN_FILES_ENOUGH) {
        snprintf(text, sizeof text,
                 "a process may open %llu files: a node needs one for each "
                 "connection and more for each instance",
                 (unsigned long long)files);
        report_complain(report, REPORT_ADVICE, text,
                        "ulimit -n 65536; LimitNOFILE=65536 in a unit of systemd; docker run "
                        "--ulimit nofile=65536.");
    }
    if (processes < PROCESSES_ENOUGH && geteuid() != 0) {
        snprintf(text, sizeof text, "this user may have %llu processes and threads in all",
                 (unsigned long long)processes);
        report_complain(report, REPORT_ADVICE, text,
                        "ulimit -u 4096; LimitNPROC=4096 in a unit of systemd.");
    }
    if (space != RLIM_INFINITY)
        report_complain(
            report, REPORT_PROBLEM,
            "the address space of processes is limited (ulimit -v): the engines "
            "reserve more than they use",
            "ulimit -v unlimited; the memory of workers is limited by limits.memory_mb.");
}

void report_host(struct report *report)
{
    add_host(report);
    add_kernel(report);
    add_group(report);
    add_limits(report);
}
