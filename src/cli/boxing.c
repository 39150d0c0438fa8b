/* boxing.c - what the box of a worker is made of here, what is missing, and how it can be had.
 *
 * box_tier_detect says which layers there are, and why not.  What to do about it depends on the
 * kind of place: the same namespace is a sysctl on a machine and a flag of `docker run` in a
 * container. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/hosting.h"
#include "cli/report.h"
#include "cli/uids.h"
#include "cli/strangers.h"

/* Where the lines below are explained. */
#define PAGE "docs/containers.md"

static const char *const WHAT[BOX_LAYERS] = {
    [BOX_SECCOMP] = "system calls by a list",
    [BOX_LANDLOCK] = "files by a list, no TCP; with ABI 6 no signals out of it, either",
    [BOX_TREE] = "a small file system of its own, for reading",
    [BOX_PIDS] = "sees no process but its own, and signals none",
    [BOX_NET] = "no network at all",
    [BOX_IPC] = "nothing shared with others: memory, queues, the host's name, cgroups",
    [BOX_USER] = "no rights over anything of the host's",
    [BOX_UID] = "a user id for each account",
};

static bool has(const struct report *report, enum box_layer layer)
{
    return report->tier.layers & BOX_BIT(layer);
}

static bool has_namespaces(const struct report *report)
{
    return has(report, BOX_TREE) && has(report, BOX_PIDS) && has(report, BOX_NET) &&
           has(report, BOX_IPC);
}

/* ---- how to raise it ---- */

static void raise(struct report *report, const char *line)
{
    json_t *box = json_object_get(report->json, "box");

    if (json_array_append_new(json_object_get(box, "raise"), json_string(line)) < 0)
        report->is_short = true;
}

static bool is_setting(const char *path, int64_t value)
{
    int64_t n;

    return hosting_number(path, &n) && n == value;
}

/* The settings of the machine that keep ordinary users from making namespaces. */
static bool raise_settings(struct report *report)
{
    bool is_found = false;

    if (is_setting(HOSTING_MAX_USER_NAMESPACES, 0)) {
        raise(report,
              "As root, on the machine: sysctl -w user.max_user_namespaces=15000 (for good: "
              "a line in /etc/sysctl.d/60-corral.conf)");
        is_found = true;
    }
    if (is_setting(HOSTING_USERNS_CLONE, 0)) {
        raise(report, "As root, on the machine: sysctl -w kernel.unprivileged_userns_clone=1 (for "
                      "good: a line in /etc/sysctl.d/60-corral.conf)");
        is_found = true;
    }
    if (is_setting(HOSTING_APPARMOR_USERNS, 1)) {
        raise(report,
              "As root, on the machine: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, "
              "or a profile of AppArmor with `userns,` for the three programs (" PAGE ")");
        is_found = true;
    }
    return is_found;
}

static void raise_namespaces(struct report *report)
{
    bool is_found = raise_settings(report);

    switch (report->place) {
    case PLACE_DOCKER:
        raise(report, "docker run --security-opt seccomp=corral-seccomp.json --security-opt "
                      "apparmor=unconfined ... (" PAGE " says how to make that file)");
        break;
    case PLACE_KUBERNETES:
        raise(report, "securityContext: seccompProfile: {type: Localhost, localhostProfile: "
                      "corral-seccomp.json}, appArmorProfile: {type: Unconfined} (" PAGE ")");
        break;
    case PLACE_CONTAINER:
        raise(report, "Let the container's profile of system calls allow unshare, mounts and "
                      "pivot_root (" PAGE " has the list)");
        break;
    case PLACE_SERVICE:
        raise(report,
              "systemctl edit corral, and in [Service]: RestrictNamespaces=user mnt pid net "
              "ipc uts cgroup, SystemCallFilter=@mount sethostname, ProtectHostname=no "
              "(docs/deploy.md goes through the unit)");
        break;
    case PLACE_CHROOT:
        raise(report, geteuid() == 0
                          ? "Start the node outside of the chroot, or enter it by pivot_root"
                          : "The kernel makes no user namespaces in a chroot: start the node "
                            "outside of it, or as root");
        break;
    default:
        if (!is_found && geteuid() == 0)
            raise(report, "Let root keep CAP_SYS_ADMIN, or start the node as an ordinary user "
                          "where user namespaces are allowed");
        else if (!is_found)
            raise(report, "Neither a sysctl nor a container keeps namespaces away: is this a "
                          "chroot, or is there a security module or a filter of system calls?");
        break;
    }
}

static void raise_landlock(struct report *report)
{
    bool is_known, is_on = hosting_is_in_lsm("landlock", &is_known);

    if (is_known && !is_on)
        raise(report,
              "Boot the machine with lsm=landlock,... (before what /sys/kernel/security/lsm "
              "lists); the kernel wants CONFIG_SECURITY_LANDLOCK=y and to be 5.13 or newer");
    else if (report->place == PLACE_DOCKER)
        raise(report,
              "Docker 23 or newer, whose profile of system calls lets Landlock through; the "
              "machine's kernel must be 5.13 or newer, with lsm=landlock,...");
    else
        raise(report, "A kernel from 5.13 on with CONFIG_SECURITY_LANDLOCK=y and lsm=landlock,...; "
                      "in a container a profile of system calls that lets landlock_* through");
}

static void raise_uid(struct report *report)
{
    switch (report->place) {
    case PLACE_SERVICE:
        raise(report, "For a user id per account: the unit's root variant (docs/deploy.md)");
        break;
    case PLACE_DOCKER:
    case PLACE_KUBERNETES:
    case PLACE_CONTAINER:
        raise(report, "For a user id per account: root in the container, with "
                      "CAP_SYS_ADMIN and the others that " PAGE " lists");
        break;
    default:
        raise(report, "For a user id per account: start the node as root");
        break;
    }
}

static void add_raise(struct report *report)
{
    report_set_in(report, "box", "raise", json_array());
    if (getenv("CORRAL_TEST_BOX"))
        return;
    if (!has_namespaces(report))
        raise_namespaces(report);
    if (!has(report, BOX_LANDLOCK))
        raise_landlock(report);
    /* Another user has to be shown what it may read: that is the tree. */
    if (!has(report, BOX_UID) && has(report, BOX_TREE) && geteuid() != 0)
        raise_uid(report);
}

/* ---- what there is ---- */

static void add_layers(struct report *report)
{
    json_t *list = json_array();

    for (enum box_layer layer = 0; layer < BOX_LAYERS; layer++) {
        bool is_used = has(report, layer);
        json_t *one =
            json_pack("{s:s, s:b, s:s, s:s, s:s}", "name", box_layer_name(layer), "used", is_used,
                      "what", WHAT[layer], "why", is_used ? "" : report->tier.why[layer], "how",
                      is_used ? "" : report->tier.how[layer]);
        if (json_array_append_new(list, one) < 0)
            report->is_short = true;
    }
    report_set_in(report, "box", "layers", list);
}

static void complain(struct report *report, bool is_contained)
{
    enum box_grade grade = box_grade_of(report->tier.layers);
    char text[200];

    if (getenv("CORRAL_TEST_BOX"))
        report_complain(report, REPORT_ADVICE,
                        "CORRAL_TEST_BOX is set: the box is lowered to that, for a test", "");
    if (!box_is_for_strangers(report->tier.layers)) {
        snprintf(text, sizeof text,
                 "the box is of grade '%s': code that you do not trust can read what this user can "
                 "read",
                 box_grade_name(grade));
        report_complain(report, REPORT_PROBLEM, text,
                        "The lines under \"To raise it\" help; one account alone may do without.");
    }
    if (!is_contained)
        report_complain(
            report, REPORT_ADVICE,
            "signals are not contained: a worker's machine code can send SIGUSR1 to other "
            "processes of its user, and that ends those that do not expect it",
            "A pid namespace, a user id per account or Landlock's ABI 6 (Linux 6.12) keeps them "
            "in; "
            "or let the node's user have nothing but the node.");
}

void report_box(struct report *report)
{
    enum box_grade grade = box_grade_of(report->tier.layers);
    bool is_contained = has(report, BOX_PIDS) || has(report, BOX_UID) ||
                        (has(report, BOX_LANDLOCK) && report->tier.landlock_abi >= 6);

    report_set_in(report, "box", "grade", json_string(box_grade_name(grade)));
    report_set_in(report, "box", "strangers",
                  json_boolean(box_is_for_strangers(report->tier.layers)));
    report_set_in(report, "box", "signals_contained", json_boolean(is_contained));
    add_layers(report);
    add_raise(report);
    complain(report, is_contained);
}

void report_uids(struct report *report, const char *text)
{
    struct uids uids;
    struct err err = {0};
    pid_t pid;

    if (!has(report, BOX_UID) || uids_read(text, &uids, &err) < 0 ||
        (uids.is_told && uids_check(&uids, "/etc", &err) < 0)) {
        report_set_in(report, "box", "uids", json_null());
        if (err.code < 0)
            report_complain_of(report, REPORT_PROBLEM, &err);
        return;
    }
    pid = uids_holder(&uids.range, UIDS_FOLDER);
    report_set_in(report, "box", "uids",
                  json_pack("{s:I, s:I, s:o}", "first", (json_int_t)uids.range.first, "last",
                            (json_int_t)uids.range.last, "held_by",
                            pid == 0 ? json_null() : json_integer((json_int_t)pid)));
}
