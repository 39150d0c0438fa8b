/* report_print.c - the report for people: marks, short lines, what to do below what is wrong. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/report.h"

struct look {
    const char *good, *bad, *none, *strong, *weak, *plain;
};

static const struct look PLAIN = {"", "", "", "", "", ""};
static const struct look COLOURED = {"\033[32m", "\033[31m", "\033[33m",
                                     "\033[1m",  "\033[2m",  "\033[0m"};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static bool is_on(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static long long number_of(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static void head(const struct look *look, const char *title)
{
    printf("%s%s%s\n", look->strong, title, look->plain);
}

static void print_programs(const json_t *json, const struct look *look)
{
    const json_t *one;
    size_t i;

    head(look, "Programs");
    json_array_foreach(json_object_get(json, "programs"), i, one)
    {
        const char *path = text_of(one, "path");
        bool is_needed = is_on(one, "needed");
        const char *colour = path[0] ? look->good : is_needed ? look->bad : look->none;
        const char *mark = path[0] ? "ok" : is_needed ? "missing" : "none";
        printf("  %s%-8s%s %-14s %s\n", colour, mark, look->plain, text_of(one, "name"),
               path[0] ? text_of(one, "version") : text_of(one, "what"));
        if (path[0])
            printf("  %-8s %-14s %s%s%s\n", "", "", look->weak, path, look->plain);
    }
    json_array_foreach(json_object_get(json, "package_sets"), i, one) printf(
        "  %sok%s       %-14s %lld packages for %s compatibility dates\n", look->good, look->plain,
        text_of(one, "name"), number_of(one, "packages"), text_of(one, "dates"));
}

static void print_limit(const json_t *limits, const char *key, const char *name)
{
    const json_t *limit = json_object_get(limits, key);
    const json_t *hard = json_object_get(limit, "hard");

    if (json_is_integer(hard))
        printf("  %-22s %lld (up to %lld)\n", name, number_of(limit, "soft"),
               number_of(limit, "hard"));
    else
        printf("  %-22s no limit\n", name);
}

static void print_host(const json_t *json, const struct look *look)
{
    static const char *const PLACE[PLACES] = {
        [PLACE_MACHINE] = "a machine, or a virtual one",
        [PLACE_SERVICE] = "a service of systemd",
        [PLACE_DOCKER] = "a container of Docker or Podman",
        [PLACE_KUBERNETES] = "a container of Kubernetes",
        [PLACE_CONTAINER] = "a container",
        [PLACE_CHROOT] = "a chroot",
    };
    const json_t *host = json_object_get(json, "host"), *kernel = json_object_get(json, "kernel");
    const json_t *cgroup = json_object_get(json, "cgroup"),
                 *limits = json_object_get(json, "limits");
    long long abi = number_of(kernel, "landlock_abi");

    head(look, "Host");
    for (int i = 0; i < PLACES; i++)
        if (strcmp(report_place_name((enum report_place)i), text_of(host, "place")) == 0)
            printf("  %-22s %s, user %lld\n", "place", PLACE[i], number_of(host, "uid"));
    printf("  %-22s Linux %s, %s\n", "kernel", text_of(kernel, "release"),
           text_of(kernel, "machine"));
    if (abi > 0)
        printf("  %-22s ABI %lld\n", "Landlock", abi);
    else
        printf("  %-22s none\n", "Landlock");
    if (number_of(cgroup, "version") == 2)
        printf("  %-22s version 2, %s\n", "cgroup",
               is_on(cgroup, "is_delegated") ? "delegated to this user" : "not delegated");
    else
        printf("  %-22s %s\n", "cgroup",
               number_of(cgroup, "version") == 1 ? "version 1, not used" : "none");
    print_limit(limits, "open_files", "open files");
    print_limit(limits, "processes", "processes of the user");
}

static void print_box(const json_t *json, const struct look *look)
{
    const json_t *box = json_object_get(json, "box"), *one;
    bool is_good = is_on(box, "strangers");
    size_t i;

    head(look, "Box");
    printf("  grade: %s%s%s: %s\n", is_good ? look->good : look->bad, text_of(box, "grade"),
           look->plain,
           is_good ? "accounts of people who do not trust each other may share a node"
                   : "for code that you trust: one account");
    json_array_foreach(json_object_get(box, "layers"), i, one)
    {
        bool is_used = is_on(one, "used");
        printf("  %s%-8s%s %-14s %s\n", is_used ? look->good : look->none,
               is_used ? "used" : "missing", look->plain, text_of(one, "name"),
               text_of(one, is_used ? "what" : "why"));
    }
    printf("  signals %s\n", is_on(box, "signals_contained") ? "stay inside" : "may leave it");
    json_array_foreach(json_object_get(box, "raise"), i, one)
    {
        if (i == 0)
            head(look, "To raise it");
        printf("  %s\n", json_string_value(one));
    }
}

static void print_data(const json_t *json, const struct look *look)
{
    const json_t *data = json_object_get(json, "data"), *node = json_object_get(data, "node");

    if (!json_is_object(data))
        return;
    head(look, "Data folder");
    printf("  %-22s %s\n", "folder", text_of(data, "folder"));
    if (!json_object_get(data, "accounts"))
        return;
    printf("  %-22s %lld, %s\n", "accounts", number_of(data, "accounts"),
           is_on(data, "may_share") ? "and more may be made" : "and one is all there may be");
    if (json_is_object(node))
        printf("  %-22s started at %s UTC with a box of the grade %s; it accepts %s\n", "its node",
               text_of(node, "started"), text_of(node, "grade"), text_of(node, "accept"));
}

static void print_problems(const json_t *json, const struct look *look)
{
    const json_t *all = json_object_get(json, "problems"), *one;
    size_t i;

    json_array_foreach(all, i, one)
    {
        bool is_problem = strcmp(text_of(one, "severity"), "problem") == 0;
        if (i == 0)
            head(look, "To look at");
        printf("  %s%s%s: %s\n", is_problem ? look->bad : look->none,
               is_problem ? "problem" : "advice", look->plain, text_of(one, "text"));
        if (text_of(one, "hint")[0])
            printf("    %s\n", text_of(one, "hint"));
    }
    printf("%s\n", is_on(json, "ok") ? "All is well." : "This needs hands.");
}

void report_print(const struct report *report)
{
    const struct look *look = log_wants_colour(STDOUT_FILENO) ? &COLOURED : &PLAIN;

    printf("corral %s\n", text_of(report->json, "corral"));
    print_programs(report->json, look);
    print_host(report->json, look);
    print_box(report->json, look);
    print_data(report->json, look);
    print_problems(report->json, look);
}
