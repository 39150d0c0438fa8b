/* cli_uids.c - src/cli/uids.c: ranges that somebody has, by files and by locks. */
#include "cli/uids.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static char etc[] = "/tmp/cli-uids-XXXXXX";

static void put(const char *name, const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", etc, name);
    f = fopen(path, "we");
    CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static int check(const char *text, struct err *err)
{
    struct uids uids;

    return uids_read(text, &uids, err) < 0 ? ERR_SYSTEM : uids_check(&uids, etc, err);
}

static void reads_ranges(void)
{
    static const char *const BAD[] = {"", ",shared", "5000", "5000-", "5000-6000,", "5000-6000,shared,shared", "5000-6000, shared", "10-6000,shared"};
    struct uids uids;
    struct err err = {0};

    CHECK(uids_read(NULL, &uids, &err) == 0 && !uids.is_told && uids.range.first == BOX_UID_FIRST);
    CHECK(uids_read("5000-6000", &uids, &err) == 0 && uids.is_told && !uids.is_shared && uids.range.last == 6000);
    CHECK(uids_read("5000-6000,shared", &uids, &err) == 0 && uids.is_told && uids.is_shared && uids.range.first == 5000);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        CHECK(uids_read(BAD[i], &uids, &err) == ERR_INVALID);
}

static void finds_whose_they_are(void)
{
    static const struct {
        const char *range, *who; /* NULL: nobody's */
    } CASES[] = {
        {"5000-5010", NULL},
        {"4990-5999", NULL},
        {"1000-1000", "'ann'"},
        {"1001-1001", NULL},
        {"7000-7000", "'ann'"},        /* her group, which no line of group has */
        {"8000-9000", "'staff'"},
        {"8501-9000", NULL},
        {"99999-99999", NULL},
        {"99999-100000", "subuid' gives 'ann' 100000 and those behind"},
        {"165535-165535", "subuid"},
        {"165536-165536", "subgid' gives 'bob' 165536"},
        {"165537-165537", NULL},
        {"100000-165536,shared", NULL}, /* who is told so has what containers have */
        {"900-1000", "no range"},
        {"1000-1000,shared", "'ann'"},  /* and never what people have */
        {"200000-200000", NULL},        /* a range of none */
    };
    struct err err;

    put("passwd", "root:x:0:0::/root:/bin/sh\n# comment:x:5000:5000\nann:x:1000:7000:Ann:/home/ann:/bin/sh\n\nbroken\nx:y\nz:x:five:\n");
    put("group", "root:x:0:\nstaff:x:8500:ann\n");
    put("subuid", "ann:100000:65536\nnone:200000:0\nbroken:5000\n");
    put("subgid", "bob:165536:1\n");
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        err = (struct err){0};
        int r = check(CASES[i].range, &err);
        bool is_right = CASES[i].who ? r < 0 && strstr(err.text, CASES[i].who) && err.hint[0] : r == 0;
        if (!is_right)
            printf("  %s: %d %s\n", CASES[i].range, r, err.text);
        CHECK(is_right);
    }
}

/* In a child, which says 0 and then waits: it holds them until it is ended. */
static pid_t node(const char *text, int *ret_first)
{
    int ends[2], said = 0;
    pid_t pid;

    CHECK(pipe(ends) == 0);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        struct uids uids;
        struct err err = {0};
        bool is_held;
        int r = uids_read(text, &uids, &err);
        r = r < 0 ? r : uids_claim(&uids, etc, etc, &is_held, &err);
        said = r < 0 ? r : is_held ? (int)uids.range.first : 1;
        if (r < 0 && !strstr(err.text, "in use by another node of this machine (pid "))
            said = -1000;
        _exit(write(ends[1], &said, sizeof said) != sizeof said || close(ends[1]) < 0 || r < 0 ? 1 : (pause(), 0));
    }
    close(ends[1]);
    CHECK(read(ends[0], ret_first, sizeof *ret_first) == sizeof *ret_first);
    close(ends[0]);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void two_nodes_have_none_in_common(void)
{
    const int next = BOX_UID_LAST + 1;
    const struct box_uids range = {5000, 5999}, behind = {6000, 6000};
    pid_t a, b, c, d;
    int first;

    a = node("5000-5999", &first);
    CHECK(first == 5000 && uids_holder(&range, etc) == a && uids_holder(&behind, etc) == 0);
    b = node("5999-6000", &first);
    CHECK(first == ERR_INVALID);
    end(b);
    b = node("5999-6000,shared", &first);
    CHECK(first == 5999);
    end(b);
    b = node("6000-6999", &first);
    CHECK(first == 6000);
    c = node(NULL, &first);
    CHECK(first == BOX_UID_FIRST);
    d = node(NULL, &first);
    CHECK(first == next);
    end(c);
    c = node(NULL, &first);
    CHECK(first == BOX_UID_FIRST);
    end(a); /* killed: what it had is free at once */
    a = node("5000-5999", &first);
    CHECK(first == 5000);
    end(a), end(b), end(c), end(d);
    CHECK(uids_holder(&range, etc) == 0);
}

static void a_block_of_somebody_is_passed_over(void)
{
    char line[64];
    pid_t a;
    int first;

    snprintf(line, sizeof line, "far:%d:10\n", BOX_UID_LAST);
    put("subuid", line);
    a = node(NULL, &first);
    CHECK(first == BOX_UID_LAST + 1 + (BOX_UID_LAST - BOX_UID_FIRST + 1));
    end(a);
    put("subuid", "");
}

static void without_a_lock_it_says_that_nobody_can_tell(void)
{
    struct uids uids;
    struct err err = {0};
    bool is_held = true;
    char path[128];

    CHECK(uids_read("5000-5999", &uids, &err) == 0);
    CHECK(uids_claim(&uids, etc, "/nowhere/at/all", &is_held, &err) == 0 && !is_held && strstr(err.text, "/nowhere/at/all"));
    /* A link is not followed: who may write the folder has nothing of it. */
    snprintf(path, sizeof path, "%s/linked", etc);
    CHECK(mkdir(path, 0700) == 0);
    snprintf(path, sizeof path, "%s/linked/uids", etc);
    CHECK(symlink("/etc/passwd", path) == 0);
    snprintf(path, sizeof path, "%s/linked", etc);
    CHECK(uids_claim(&uids, etc, path, &is_held, &err) == 0 && !is_held);
    CHECK(uids_holder(&uids.range, "/nowhere/at/all") == 0);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"reads_ranges", reads_ranges},
        {"finds_whose_they_are", finds_whose_they_are},
        {"two_nodes_have_none_in_common", two_nodes_have_none_in_common},
        {"a_block_of_somebody_is_passed_over", a_block_of_somebody_is_passed_over},
        {"without_a_lock_it_says_that_nobody_can_tell", without_a_lock_it_says_that_nobody_can_tell},
        {0},
    };
    char command[64];
    int r;

    CHECK(mkdtemp(etc) != NULL);
    r = test_main("cli_uids", TESTS, argc, argv);
    snprintf(command, sizeof command, "rm -rf %s", etc);
    return system(command) == 0 ? r : 1;
}
