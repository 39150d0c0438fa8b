/* keeper_store.c - src/keeper/store.c and keeper.c: processes that start, die, stand still, give way. */
#include <sys/wait.h>

#include "keeper_actor.h"

/* Which time is this?  Counted in a file of the folder's parent. */
static int time_of_start(const char *folder)
{
    char path[600];
    int fd, n;

    snprintf(path, sizeof path, "%s.starts", folder);
    fd = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, "x", 1) != 1)
        _exit(94);
    n = (int)lseek(fd, 0, SEEK_END);
    close(fd);
    return n;
}

/* ---- one process per database ---- */

static void each_database_has_its_process(void)
{
    struct err err = {0};
    char path[200];
    struct stat st;

    begin();
    CHECK(ask(0, "a", 0, &err) == 0 && ask(1, "b", 0, &err) == 0 && ask(2, "a", 0, &err) == 0);
    run_until(&overs, 3);
    CHECK(atoi(seen[0].text) > 0 && strcmp(seen[0].text, seen[2].text) == 0);
    CHECK(strcmp(seen[0].text, seen[1].text) != 0);
    snprintf(path, sizeof path, "%s/d1/a", root);
    CHECK(stat(path, &st) == 0 && S_ISDIR(st.st_mode));
    snprintf(path, sizeof path, "%s/d1/c", root);
    CHECK(!keeper_holds(keeper, path));
    snprintf(path, sizeof path, "%s/d1/b", root);
    CHECK(keeper_holds(keeper, path));
    finish();
}

static void play_arguments(const char *folder)
{
    char line[4096], *at = line;
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, line, sizeof line - 1);

    (void)folder;
    line[n > 0 ? n : 0] = '\0';
    for (ssize_t i = 0; i < n - 1; i++)
        line[i] = line[i] ? line[i] : ' ';
    at = strstr(line, "--sync");
    hello();
    expect(FRAME_OUTCALL, 1);
    reply(1, 0, -1);
    say_frame(FRAME_BODY, FRAME_END, 1, at, at ? strlen(at) : 0);
    (void)hear();
}

static void says_how_to_open_it(void)
{
    struct err err = {0};

    config.sync = KEEPER_SYNC_FULL;
    config.size_max_bytes = 5000000;
    config.query_ms = 1500;
    begin();
    CHECK(ask(0, "arguments", 0, &err) == 0);
    run_until(&overs, 1);
    CHECK(strcmp(seen[0].text, "--sync=full --size-max=5000000 --query-ms=1500 --box=") == 0);
    finish();
    begin();
    CHECK(ask(0, "arguments", 0, &err) == 0);
    run_until(&overs, 1);
    CHECK(strcmp(seen[0].text, "--sync=normal --size-max=10000000000 --query-ms=30000 --box=") == 0);
    finish();
}

static void an_idle_process_ends_and_comes_again(void)
{
    struct err err = {0};
    pid_t first;

    config.idle_ms = 30;
    begin();
    CHECK(ask(0, "a", 0, &err) == 0);
    run_until(&overs, 1);
    first = pid_of("a");
    CHECK(first > 0);
    CHECK(!run_until_state("a", STORE_RESTING) || store_named("a")->count == 0);
    while (store_named("a"))
        uv_run(&loop, UV_RUN_ONCE); /* no failure need be remembered: all of it goes */
    CHECK(keeper->places == 0 && kill(first, 0) < 0 && log_text[0] == '\0');
    CHECK(ask(1, "a", 0, &err) == 0);
    run_until(&overs, 2);
    CHECK(strcmp(seen[0].text, seen[1].text) != 0 && seen[1].fails == 0);
    finish();
}

/* Goes on when its socket ends, until somebody makes a file. */
static void play_slow_end(const char *folder)
{
    int time = time_of_start(folder);
    char path[600];

    snprintf(path, sizeof path, "%s.may_end", folder);
    hello();
    expect(FRAME_OUTCALL, 1);
    say_pid(1);
    if (time == 1) {
        char byte;
        while (read(side, &byte, 1) > 0)
            ;
        for (int i = 0; i < LIMIT_MS && access(path, F_OK) < 0; i++)
            usleep(1000);
        _exit(0);
    }
    (void)hear();
}

static void a_call_that_comes_while_it_leaves_waits_for_the_next(void)
{
    struct err err = {0};
    char path[200];

    config.idle_ms = 20;
    begin();
    CHECK(ask(0, "slow_end", 0, &err) == 0);
    run_until(&overs, 1);
    CHECK(run_until_state("slow_end", STORE_LEAVING));
    CHECK(ask(1, "slow_end", 0, &err) == 0);
    run_for(20);
    CHECK(store_named("slow_end")->state == STORE_LEAVING && overs == 1);
    snprintf(path, sizeof path, "%s/d1/slow_end.may_end", root);
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    run_until(&overs, 2);
    CHECK(seen[1].fails == 0 && strcmp(seen[0].text, seen[1].text) != 0 && log_text[0] == '\0');
    finish();
}

static void numbers_that_are_used_up_take_another_process(void)
{
    struct err err = {0};

    begin();
    CHECK(ask(0, "a", 0, &err) == 0);
    run_until(&overs, 1);
    store_named("a")->stream_last = STORE_STREAM_LAST - 1;
    CHECK(ask(1, "a", 0, &err) == 0 && ask(2, "a", 0, &err) == 0);
    run_until(&overs, 3);
    CHECK(strcmp(seen[0].text, seen[1].text) == 0 && strcmp(seen[1].text, seen[2].text) != 0);
    CHECK(seen[2].fails == 0 && store_named("a")->stream_last == 1);
    finish();
}

static void a_folder_that_is_replaced_takes_another_process(void)
{
    struct err err = {0};
    char folder[256], away[256];

    begin();
    snprintf(folder, sizeof folder, "%s/d1/a", root);
    snprintf(away, sizeof away, "%s/away", root);
    CHECK(ask(0, "a", 0, &err) == 0);
    run_until(&overs, 1);
    /* while a call is there it goes on; those that come meanwhile wait for the next */
    CHECK(ask(1, "a", 1, &err) == 0);
    CHECK(rename(folder, away) == 0);
    store_named("a")->seen_ms = 0;
    CHECK(!keeper_holds(keeper, folder) && store_named("a") != NULL);
    CHECK(ask(2, "a", 0, &err) == 0 && ask(3, "a", 0, &err) == 0);
    run_until(&overs, 4);
    CHECK(seen[1].fails == 0 && seen[2].fails == 0 && seen[3].fails == 0);
    CHECK(strcmp(seen[0].text, seen[2].text) != 0 && strcmp(seen[2].text, seen[3].text) == 0);
    CHECK(strstr(log_text, "replaced") != NULL && keeper_holds(keeper, folder));
    /* one that is still the same costs nobody anything */
    store_named("a")->seen_ms = 0;
    CHECK(ask(4, "a", 0, &err) == 0);
    run_until(&overs, 5);
    CHECK(strcmp(seen[4].text, seen[3].text) == 0);
    finish();
}

/* ---- death ---- */

static void play_die(const char *folder)
{
    int time = time_of_start(folder);

    hello();
    for (;;) {
        struct frame f = hear();
        if (time == 1 && f.type == FRAME_OUTCALL)
            kill(getpid(), SIGKILL);
        if (f.type == FRAME_OUTCALL)
            say_pid(f.stream);
    }
}

static void a_death_fails_what_was_sent_and_is_told(void)
{
    struct err err = {0};

    begin();
    CHECK(ask(0, "die", 0, &err) == 0);
    run_until(&overs, 1);
    CHECK(strcmp(seen[0].text,
                 "Internal error in D1 DB storage caused object to be reset. The database's process "
                 "ended unexpectedly while this query ran; it may or may not have been "
                 "committed.") == 0);
    CHECK(ask(1, "die", 0, &err) == 0);
    run_until(&overs, 2);
    CHECK(seen[1].fails == 0 && seen[1].ends == 1);
    CHECK(strcmp(log_text, "database 'die': its process was ended by SIGKILL\n") == 0);
    finish();
}

/* It is dead then, and the keeper does not know: its frames will go to a dead socket. */
static void kill_wholly(const char *name)
{
    pid_t pid = pid_of(name);
    siginfo_t info;

    kill(pid, SIGKILL);
    CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
}

static void one_that_dies_idle_costs_nobody_anything(void)
{
    struct err err = {0};

    begin();
    CHECK(ask(0, "a", 0, &err) == 0);
    run_until(&overs, 1);
    kill_wholly("a");
    CHECK(ask(1, "a", 0, &err) == 0 && ask(2, "a", 100, &err) == 0);
    run_until(&overs, 3);
    CHECK(seen[1].fails == 0 && seen[2].fails == 0 && seen[2].body == 100);
    CHECK(strcmp(seen[0].text, seen[1].text) != 0);
    finish();
}

static void play_deaf(const char *folder)
{
    if (time_of_start(folder) > 1)
        play_echo(folder);
    hello();
    pause();
}

static void calls_that_were_never_sent_move_to_the_next_process(void)
{
    enum { BODY = 200 * 1000, COUNT = 12 };
    unsigned moved = 0, lost = 0;
    struct err err = {0};

    begin();
    CHECK(ask(0, "deaf", 0, &err) == 0);
    run_until_state("deaf", STORE_UP);
    run_for(20);
    /* More than its socket takes: the last ones stay with us, in the buffer or in the queue. */
    for (unsigned i = 1; i < COUNT; i++)
        CHECK(ask(i, "deaf", BODY, &err) == 0);
    run_for(20);
    kill(pid_of("deaf"), SIGKILL);
    run_until(&overs, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        CHECK(seen[i].ends == 1);
        lost += seen[i].fails;
        /* None passes another: from the first that moves on all do, with all of its body. */
        CHECK(moved == 0 || seen[i].fails == 0);
        moved += seen[i].fails == 0;
        CHECK(seen[i].fails || seen[i].body == BODY);
    }
    CHECK(lost >= 1 && moved >= 3 && seen[0].fails == 1);
    CHECK(ask(COUNT, "deaf", 0, &err) == 0);
    run_until(&overs, COUNT + 1);
    CHECK(seen[COUNT].fails == 0);
    finish();
}

static void killed_in_a_loop_it_comes_again(void)
{
    struct err err = {0};

    begin();
    for (unsigned i = 0; i < 6; i++) {
        CHECK(ask(i, "a", 0, &err) == 0);
        run_until(&overs, i + 1);
        CHECK(seen[i].fails == 0 && seen[i].ends == 1);
        kill_wholly("a");
    }
    finish();
}

/* ---- it does not come up ---- */

static void play_exit(const char *folder)
{
    if (time_of_start(folder) < 3)
        _exit(3);
    play_echo(folder);
}

/* Time stands still but for what the test lets pass: it would be tried again too early. */
static void one_that_does_not_start_fails_calls_and_is_tried_again(void)
{
    static const char WHY[] = "Internal error while starting up D1 DB storage caused object to be "
                              "reset. The database's process ended with status 3 before it was "
                              "ready.";
    struct err err = {0};
    int64_t now_ms = 1000;

    begin();
    for (unsigned i = 0; i < 3; i++) {
        clock_fake(now_ms += BACKOFF_MAX_MS + 1000);
        CHECK(ask(i, "exit", 0, &err) == 0);
        run_until(&overs, i + 1);
        CHECK(seen[i].ends == 1 && seen[i].fails == (i < 2));
        if (i == 2)
            break;
        CHECK(strcmp(seen[i].text, WHY) == 0);
        run_for(10);
        CHECK(ask(i, "exit", 0, &err) == ERR_SYSTEM && strcmp(err.text, WHY) == 0);
    }
    clock_fake(-1);
    finish();
}

static void play_cannot(const char *folder)
{
    (void)folder;
    hello();
    SAY_MESSAGE(failed, 0, 0, .kind = FAILURE_INTERNAL,
                .text = SPAN("open '/x/db.sqlite': Read-only file system."),
                .hint = SPAN("Choose another folder."));
    for (;;)
        (void)hear();
}

static void one_that_cannot_open_its_database_says_why(void)
{
    static const char WHY[] = "Internal error while starting up D1 DB storage caused object to be "
                              "reset. open '/x/db.sqlite': Read-only file system. Choose another "
                              "folder.";
    struct err err = {0};

    clock_fake(1000);   /* it would be tried again soon */
    begin();
    CHECK(ask(0, "cannot", 0, &err) == 0 && ask(1, "cannot", 10, &err) == 0);
    run_until(&overs, 2);
    CHECK(strcmp(seen[0].text, WHY) == 0 && strcmp(seen[1].text, WHY) == 0);
    CHECK(ask(2, "cannot", 0, &err) == ERR_SYSTEM && strcmp(err.text, WHY) == 0);
    CHECK(strcmp(log_text, "database 'cannot': open '/x/db.sqlite': Read-only file system. Choose "
                           "another folder.\n") == 0);
    clock_fake(-1);
    finish();
}

static void a_program_that_is_not_there_is_said(void)
{
    struct err err = {0};

    config.store_program = "/nowhere/corral-store";
    begin();
    CHECK(ask(0, "a", 0, &err) == 0);
    run_until(&overs, 1);
    CHECK(strstr(seen[0].text, "start '/nowhere/corral-store': no such file") != NULL);
    finish();
}

static void a_folder_that_cannot_be_made_is_said(void)
{
    char path[200];
    struct err err = {0};
    int fd;

    begin();
    snprintf(path, sizeof path, "%s/d1", root);
    fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(fd);
    CHECK(ask(0, "a", 0, &err) == 0);
    run_until(&overs, 1);
    CHECK(strstr(seen[0].text, "/d1/a': Not a directory.") != NULL && keeper->places == 0);
    finish();
}

static void calls_from_inside_of_a_failure_end_too(void)
{
    struct err err = {0};

    begin();
    snprintf(again_name, sizeof again_name, "die");
    seen[0].is_again = true;
    CHECK(ask(0, "die", 0, &err) == 0);
    run_until(&overs, 2);
    CHECK(seen[0].fails == 1 && seen[1].fails == 0 && seen[1].ends == 1);
    finish();
}

/* ---- it stands still ---- */

static void play_still(const char *folder)
{
    if (time_of_start(folder) > 1)
        play_echo(folder);
    hello();
    expect(FRAME_OUTCALL, 1);
    pause();
}

static void one_that_answers_no_ping_is_killed(void)
{
    struct err err = {0};

    config.busy_ms = 60;
    begin();
    CHECK(ask(0, "still", 0, &err) == 0);
    run_until(&overs, 1);
    CHECK(seen[0].fails == 1);
    CHECK(strstr(seen[0].text, "D1 DB storage operation exceeded timeout which caused object to be "
                               "reset.") == seen[0].text);
    CHECK(strcmp(log_text, "database 'still': its process is ended: it does not answer\n") == 0);
    CHECK(ask(1, "still", 0, &err) == 0);
    run_until(&overs, 2);
    CHECK(seen[1].fails == 0);
    finish();
}

/* Answers PINGs, after a while the call. */
static void play_long(const char *folder)
{
    unsigned pings = 0;

    (void)folder;
    hello();
    expect(FRAME_OUTCALL, 1);
    for (;;) {
        struct frame f = hear();
        if (f.type == FRAME_PING) {
            SAY(FRAME_PONG, 0, 0, "");
            if (++pings == 5)
                say_pid(1);
        }
    }
}

static void a_node_that_stood_still_itself_kills_nobody(void)
{
    struct err err = {0};
    struct store *store;

    begin();
    CHECK(ask(0, "long", 0, &err) == 0 && run_until_state("long", STORE_UP));
    store = store_named("long");
    while (ring_is_empty(&store->calls))
        uv_run(&loop, UV_RUN_ONCE);
    /* as if it had been stopped, with a PING on its way */
    CHECK(frame_put(peer_out(&store->kin.peer), FRAME_PING, 0, 0, NULL, 0) == 0);
    store->ping_ms = store->look_ms = clock_now_ms() - 60 * 1000;
    store_wake(store);
    while (store->state == STORE_UP && store->ping_ms != 0)
        uv_run(&loop, UV_RUN_ONCE);
    CHECK(store->state == STORE_UP && log_text[0] == '\0' && seen[0].fails == 0);
    if (seen[0].call)
        store_call_abort(seen[0].call);
    finish();
}

static void one_that_answers_pings_has_its_time(void)
{
    struct err err = {0};
    int64_t now_ms = 1000;

    config.busy_ms = 40;
    clock_fake(now_ms);
    begin();
    CHECK(ask(0, "long", 0, &err) == 0);
    /* No time passes while a PING is on its way: it may be the processor that is not there. */
    is_late = false;
    uv_timer_start(&limit, on_limit, LIMIT_MS, 0);
    while (overs == 0 && !is_late) {
        struct store *store = store_named("long");
        if (store && store->ping_ms == 0 && now_ms < store->look_ms)
            clock_fake(++now_ms);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    uv_timer_stop(&limit);
    CHECK(!is_late && seen[0].fails == 0 && seen[0].ends == 1 && log_text[0] == '\0');
    CHECK(now_ms > 1000 + config.busy_ms);
    clock_fake(-1);
    finish();
}

/* ---- limits ---- */

static void play_mute(const char *folder)
{
    (void)folder;
    hear();
}

static void nobody_waits_for_ever(void)
{
    static const char TEXT[] = "D1 DB is overloaded. Requests queued for too long.";
    struct err err = {0};

    config.queue_ms = 30;
    config.stores_max = 1;
    begin();
    /* For a process that does not say HELLO, and for a place. */
    CHECK(ask(0, "mute", 0, &err) == 0 && ask(1, "b", 0, &err) == 0);
    run_until(&overs, 2);
    CHECK(strcmp(seen[0].text, TEXT) == 0 && strcmp(seen[1].text, TEXT) == 0);
    CHECK(keeper->hungers == 0);
    finish();
}

/* Forgets its first call. */
static void play_forget(const char *folder)
{
    (void)folder;
    hello();
    for (;;) {
        struct frame f = hear();
        if (f.type == FRAME_PING)
            SAY(FRAME_PONG, 0, 0, "");
        else if (f.type == FRAME_OUTCALL && f.stream > 1)
            say_pid(f.stream);
    }
}

static void a_call_that_is_forgotten_fails_alone(void)
{
    struct err err = {0};
    pid_t pid;

    config.busy_ms = 1000;
    begin();
    CHECK(ask(0, "forget", 0, &err) == 0 && ask(1, "forget", 0, &err) == 0);
    run_until(&overs, 1);
    keeper->config.queue_ms = keeper->config.query_ms = 20;
    pid = pid_of("forget");
    CHECK(seen[1].ends == 1 && seen[1].fails == 0 && seen[0].ends == 0);
    run_until(&overs, 2);
    CHECK(strcmp(seen[0].text, "D1 DB is overloaded. Requests queued for too long.") == 0);
    CHECK(ask(2, "forget", 0, &err) == 0);
    run_until(&overs, 3);
    CHECK(seen[2].fails == 0 && pid_of("forget") == pid && log_text[0] == '\0');
    finish();
}

static void the_longest_idle_gives_way(void)
{
    struct err err = {0};
    pid_t b;

    config.stores_max = 2;
    begin();
    CHECK(ask(0, "a", 0, &err) == 0);
    run_until(&overs, 1);
    CHECK(ask(1, "b", 0, &err) == 0);
    run_until(&overs, 2);
    b = pid_of("b");
    CHECK(ask(2, "c", 0, &err) == 0);
    run_until(&overs, 3);
    CHECK(seen[2].fails == 0 && keeper->places == 2 && pid_of("b") == b);
    CHECK(!store_named("a") || store_named("a")->state == STORE_RESTING);
    CHECK(ask(3, "a", 0, &err) == 0);
    run_until(&overs, 4);
    CHECK(seen[3].fails == 0 && keeper->places == 2 && keeper->leaving == 0 && keeper->hungers == 0);
    CHECK(!store_named("b") || store_named("b")->state == STORE_RESTING);
    finish();
}

/* One that has had its last call a moment ago may be about to have the next. */
static void the_longest_idle_give_way_to_many_at_once(void)
{
    struct err err = {0};
    char name[16];
    pid_t fresh;

    config.stores_max = 5;
    begin();
    for (unsigned i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "old%u", i);
        CHECK(ask(i, name, 0, &err) == 0);
        run_until(&overs, i + 1);
    }
    fresh = pid_of("old0");
    CHECK(ask(5, "x", 0, &err) == 0 && ask(6, "y", 0, &err) == 0 && ask(7, "z", 0, &err) == 0);
    /* its call is over while those three wait for places */
    CHECK(ask(8, "old0", 0, &err) == 0);
    run_until(&overs, 9);
    for (unsigned i = 0; i < 9; i++)
        CHECK(seen[i].fails == 0 && seen[i].ends == 1);
    CHECK(pid_of("old0") == fresh && store_named("old4") && store_named("old4")->state == STORE_UP);
    CHECK(keeper->leaving == 0 && keeper->hungers == 0);
    finish();
}

static void many_databases_share_few_places(void)
{
    struct err err = {0};
    char name[16];

    config.stores_max = 3;
    begin();
    for (unsigned i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "n%u", i % 20);
        CHECK(ask(i, name, 0, &err) == 0);
        CHECK(keeper->places <= 3);
    }
    run_until(&overs, 40);
    for (unsigned i = 0; i < 40; i++)
        CHECK(seen[i].fails == 0 && seen[i].ends == 1);
    CHECK(keeper->places <= 3 && keeper->hungers == 0);
    finish();
}

static void who_waits_for_a_busy_place_may_give_up(void)
{
    struct err err = {0};

    config.stores_max = 1;
    begin();
    CHECK(ask(0, "long", 0, &err) == 0);
    CHECK(run_until_state("long", STORE_UP));
    CHECK(ask(1, "b", 0, &err) == 0 && ask(2, "c", 0, &err) == 0);
    run_for(20);
    CHECK(keeper->hungers == 2 && keeper->places == 1);
    store_call_abort(seen[1].call);
    run_for(20);
    CHECK(keeper->hungers == 1);
    store_call_abort(seen[0].call);
    run_until(&overs, 1);
    CHECK(seen[2].ends == 1 && seen[2].fails == 0 && seen[1].ends == 0 && keeper->hungers == 0);
    finish();
}

static void calls_have_a_limit(void)
{
    struct err err = {0};

    config.calls_max = 3;
    begin();
    for (unsigned i = 0; i < 3; i++)
        CHECK(ask(i, "a", 0, &err) == 0);
    CHECK(ask(3, "a", 0, &err) == ERR_LIMIT);
    CHECK(strcmp(err.text, "D1 DB is overloaded. Too many requests queued.") == 0);
    CHECK(ask(4, "b", 0, &err) == 0);
    run_until(&overs, 4);
    CHECK(ask(3, "a", 0, &err) == 0);
    run_until(&overs, 5);
    finish();
}

/* ---- the end ---- */

static void closing_fails_what_is_open(void)
{
    struct err err = {0};
    pid_t pid;

    begin();
    CHECK(ask(0, "still", 0, &err) == 0);
    CHECK(run_until_state("still", STORE_UP));
    pid = pid_of("still");
    CHECK(ask(1, "starts", 0, &err) == 0); /* waits for its process */
    keeper_close(keeper, on_keeper_closed, NULL);
    CHECK(overs == 0 && !is_closed);
    CHECK(ask(2, "a", 0, &err) == ERR_GONE);
    keeper = NULL;
    run_until(&overs, 2);
    CHECK(strstr(seen[0].text, "Network connection lost.") == seen[0].text);
    CHECK(strstr(seen[1].text, "Network connection lost.") == seen[1].text);
    finish();
    CHECK(kill(pid, 0) < 0);
}

static int count_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static void leaves_no_descriptor_behind(void)
{
    struct err err = {0};
    int before;

    begin();
    CHECK(ask(0, "a", 0, &err) == 0);
    run_until(&overs, 1);
    before = count_fds();
    for (unsigned i = 1; i < 20; i++) {
        CHECK(ask(i, i % 2 ? "die" : "exit", 0, &err) == 0 || err.code == ERR_SYSTEM);
        if (seen[i].call)
            run_until(&overs, overs + 1);
        if (pid_of("die"))
            kill(pid_of("die"), SIGKILL);
        run_for(5);
    }
    run_until_state("die", STORE_RESTING);
    CHECK(count_fds() <= before + 8); /* of "exit", which may be up */
    finish();
}

static void survives_without_memory(void)
{
    struct err err = {0};
    unsigned i = 0;
    int r = -1;

    begin();
    for (long n = 0; r < 0 && n < 40; n++) {
        mem_fail_after(n);
        r = ask(i, "a", 0, &err);
        mem_fail_after(-1);
    }
    CHECK(r == 0);
    run_until(&overs, 1);
    CHECK(seen[i].fails == 0);
    for (long n = 0; n < 30; n++) {
        i++;
        mem_fail_after(n);
        r = ask(i, n % 2 ? "a" : "b", 10, &err);
        if (r == 0)
            run_until(&overs, overs + 1);
        mem_fail_after(-1);
    }
    CHECK(ask(i + 1, "a", 10, &err) == 0);
    run_until(&overs, overs + 1);
    CHECK(seen[i + 1].ends == 1);
    finish();
}

int main(int argc, char **argv)
{
    static const struct script SCRIPTS[] = {
        {"arguments", play_arguments}, {"slow_end", play_slow_end}, {"die", play_die},
        {"deaf", play_deaf},           {"exit", play_exit},         {"cannot", play_cannot},
        {"still", play_still},         {"long", play_long},
        {"mute", play_mute},           {"forget", play_forget},
    };
    static const struct test TESTS[] = {
        {"each_database_has_its_process", each_database_has_its_process},
        {"says_how_to_open_it", says_how_to_open_it},
        {"an_idle_process_ends_and_comes_again", an_idle_process_ends_and_comes_again},
        {"a_call_that_comes_while_it_leaves_waits_for_the_next",
         a_call_that_comes_while_it_leaves_waits_for_the_next},
        {"numbers_that_are_used_up_take_another_process",
         numbers_that_are_used_up_take_another_process},
        {"a_folder_that_is_replaced_takes_another_process",
         a_folder_that_is_replaced_takes_another_process},
        {"a_death_fails_what_was_sent_and_is_told", a_death_fails_what_was_sent_and_is_told},
        {"one_that_dies_idle_costs_nobody_anything", one_that_dies_idle_costs_nobody_anything},
        {"calls_that_were_never_sent_move_to_the_next_process",
         calls_that_were_never_sent_move_to_the_next_process},
        {"killed_in_a_loop_it_comes_again", killed_in_a_loop_it_comes_again},
        {"one_that_does_not_start_fails_calls_and_is_tried_again",
         one_that_does_not_start_fails_calls_and_is_tried_again},
        {"one_that_cannot_open_its_database_says_why", one_that_cannot_open_its_database_says_why},
        {"a_program_that_is_not_there_is_said", a_program_that_is_not_there_is_said},
        {"a_folder_that_cannot_be_made_is_said", a_folder_that_cannot_be_made_is_said},
        {"calls_from_inside_of_a_failure_end_too", calls_from_inside_of_a_failure_end_too},
        {"one_that_answers_no_ping_is_killed", one_that_answers_no_ping_is_killed},
        {"a_node_that_stood_still_itself_kills_nobody",
         a_node_that_stood_still_itself_kills_nobody},
        {"one_that_answers_pings_has_its_time", one_that_answers_pings_has_its_time},
        {"the_longest_idle_gives_way", the_longest_idle_gives_way},
        {"the_longest_idle_give_way_to_many_at_once", the_longest_idle_give_way_to_many_at_once},
        {"many_databases_share_few_places", many_databases_share_few_places},
        {"who_waits_for_a_busy_place_may_give_up", who_waits_for_a_busy_place_may_give_up},
        {"nobody_waits_for_ever", nobody_waits_for_ever},
        {"a_call_that_is_forgotten_fails_alone", a_call_that_is_forgotten_fails_alone},
        {"calls_have_a_limit", calls_have_a_limit},
        {"closing_fails_what_is_open", closing_fails_what_is_open},
        {"leaves_no_descriptor_behind", leaves_no_descriptor_behind},
        {"survives_without_memory", survives_without_memory},
        {NULL, NULL},
    };

    act(SCRIPTS, sizeof SCRIPTS / sizeof *SCRIPTS, argc, argv);
    return test_main("keeper_store", TESTS, argc, argv);
}
