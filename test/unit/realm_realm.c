/* realm_realm.c - src/realm/realm.c: a realm through its three generations. */
#include "realm_host.h"

static void check_hello(void)
{
    uint32_t stream = send_request("GET", "http://localhost/", 0, NULL, 0);
    struct answer *a = answer_of(stream);

    CHECK(a->is_done && a->is_ended && a->status == 200 && a->length == 12);
    CHECK(strcmp(body_of(stream), "Hello world!") == 0);
    CHECK(strcmp(a->headers, "content-type: text/plain;charset=UTF-8\n") == 0);
    CHECK(buf_len(&recorder.log) == 0);
}

static void answers_hello_within_the_call(void)
{
    in_instance("from js import Response\n"
                "async def on_fetch(request, env):\n"
                "    return Response.new('Hello world!')\n",
                check_hello);
}

static void says_its_versions(void)
{
    CHECK(strncmp(realm_python_version(), "3.", 2) == 0 && !strchr(realm_python_version(), ' '));
    CHECK(strncmp(realm_javascript_version(), "JavaScriptCore 2.", 17) == 0);
}

static void refuses_a_second_realm(void)
{
    struct realm *second = NULL;
    struct err err = {0};

    CHECK(realm_new(&recording_host, &second, &err) == ERR_INVALID && second == NULL);
}

enum { RANDOM_KINDS = 6, RANDOM_TEXT = 512 };
static int random_pipe = -1;

static void send_random(void)
{
    char text[RANDOM_TEXT] = {0};

    snprintf(text, sizeof text, "%s", get("http://x/"));
    CHECK(write(random_pipe, text, sizeof text) == sizeof text);
}

/* Two instances of one template, and draws in the template before them. */
static void everything_random_differs_between_instances(void)
{
    static const struct worker_files files = {
        .entry = "import random, uuid, secrets, os, js, tempfile, lucky\nfrom js import Response\njs.Math.random()\n"
                 "async def on_fetch(request):\n    return Response.new(' '.join(map(str, (random.random(), js.Math.random(), uuid.uuid4(), secrets.token_hex(8), os.urandom(8).hex(), js.eval('Math.random()')))))\n",
        .more_name = "python_modules/lucky.py",
        .more_text = "import random, uuid\nrandom.random(); uuid.uuid4()\n"};
    int fds[2];
    char texts[2][RANDOM_TEXT];
    pid_t template;

    CHECK(pipe(fds) == 0);
    template = fork_realm();
    if (template == 0) {
        uint32_t handlers;
        struct realm_failure failure;
        random_pipe = fds[1];
        CHECK(load_files(&files, &handlers, &failure) == 0);
        realm_settle(realm);
        for (int i = 0; i < 2; i++) {
            struct err err;
            pid_t instance = fork_realm();
            if (instance == 0) {
                CHECK(realm_start(realm, &err) == 0);
                send_random();
                end_process();
            }
            wait_for_child(instance);
        }
        end_process();
    }
    close(fds[1]);
    wait_for_child(template);
    for (int i = 0; i < 2; i++)
        CHECK(read(fds[0], texts[i], RANDOM_TEXT) == RANDOM_TEXT);
    close(fds[0]);
    char *save[2] = {0}, *a = strtok_r(texts[0], " ", &save[0]), *b = strtok_r(texts[1], " ", &save[1]);
    int kinds = 0;
    for (; a && b; kinds++, a = strtok_r(NULL, " ", &save[0]), b = strtok_r(NULL, " ", &save[1]))
        CHECK(strcmp(a, b) != 0);
    CHECK(kinds == RANDOM_KINDS);
}

static void check_load(void)
{
    for (int i = 0; i < 20; i++)
        CHECK(strcmp(get("http://x/"), "6765 4950 1") == 0);
    turn_for(10);
}

/* JIT, garbage and wasm in the template and in the instances. */
static void forks_many_times_under_load(void)
{
    static const char entry[] =
        "import js, asyncio\nfrom js import Response\n"
        "work = js.eval('''(() => { const bytes = new Uint8Array([0,97,115,109,1,0,0,0,1,6,1,96,1,127,1,127,3,2,1,0,7,7,1,3,102,105,98,0,0,10,30,1,28,0,32,0,65,2,72,4,127,32,0,5,32,0,65,1,107,16,0,32,0,65,2,107,16,0,106,11,11]);\n"
        "return async () => { let keep = []; for (let i = 0; i < 20000; i++) { keep.push({ i, s: 'x' + i }); if (keep.length > 1000) keep = []; }\n"
        "const { instance } = await WebAssembly.instantiate(bytes, {}); let z = 0; for (let i = 0; i < 100; i++) z += await i; return instance.exports.fib(20) + ' ' + z; }; })()''')\n"
        "async def on_fetch(request):\n    return Response.new(await work() + ' ' + str(await asyncio.sleep(0, 1)))\n";

    for (int i = 0; i < 4; i++)
        in_instance(entry, check_load);
}

static void check_poll(void)
{
    struct pollfd fds[4];
    size_t n = realm_poll_fds(realm, fds, 4);

    CHECK(n == 2 && fds[0].fd >= 0 && fds[1].fd >= 0 && fds[0].events == POLLIN);
    CHECK(realm_poll_fds(realm, fds, 1) == 1);
    /* A thread wakes the poll: without that the answer would take half a minute. */
    uint32_t stream = send_request("GET", "http://x/", 0, NULL, 0);
    int64_t start_ms = clock_now_ms();
    while (!answer_of(stream)->is_done && clock_now_ms() < start_ms + 20 * 1000) {
        realm_turn(realm);
        if (!answer_of(stream)->is_done) {
            n = realm_poll_fds(realm, fds, 4);
            if (poll(fds, (nfds_t)n, 30 * 1000) > 0)
                realm_woken(realm);
        }
    }
    CHECK(answer_of(stream)->is_done && clock_now_ms() - start_ms < 20 * 1000);
}

static void threads_and_wasm_wake_the_poll(void)
{
    in_instance("import asyncio, time\nfrom js import Response\nasync def on_fetch(request):\n    await asyncio.to_thread(time.sleep, 0.02)\n    return Response.new('x')\n", check_poll);
}

static void check_idle_collection(void)
{
    for (int i = 0; i < 20; i++)
        CHECK(strcmp(get("http://localhost/"), "ok") == 0);
    turn_for(1500);
    CHECK(strcmp(get("http://localhost/"), "ok") == 0);
}

/* JavaScriptCore collects on a timer of its own when it was idle for a while, and asks
 * its main run loop how short memory is: without one it dies. */
static void collects_by_its_own_timers(void)
{
    static const struct worker_files files = {
        .entry = "import js\n"
                 "from js import Response\n"
                 "def on_fetch(request):\n"
                 "    js.eval('globalThis.keep = []; for (let i = 0; i < 2e5; i++) keep.push({i, t: [i]}); keep = 0')\n"
                 "    return Response.new('ok')\n"};

    in_instance_of(&files, check_idle_collection);
}

static void check_settled(void)
{
    CHECK(!log_has("http://localhost") && recorder.answers[0].stream == 0);
    CHECK(strcmp(get("http://x/"), "1 True") == 0);
}

static void the_host_sees_nothing_of_the_warm_up(void)
{
    in_instance("import gc\nfrom js import Response\ncalls = 0\nasync def on_fetch(request):\n    global calls\n    calls += 1\n    return Response.new(f'{calls} {gc.get_freeze_count() > 1000}')\n", check_settled);
}

static const struct test tests[] = {
    {"answers_hello_within_the_call", answers_hello_within_the_call},
    {"says_its_versions", says_its_versions},
    {"refuses_a_second_realm", refuses_a_second_realm},
    {"everything_random_differs_between_instances", everything_random_differs_between_instances},
    {"forks_many_times_under_load", forks_many_times_under_load},
    {"threads_and_wasm_wake_the_poll", threads_and_wasm_wake_the_poll},
    {"collects_by_its_own_timers", collects_by_its_own_timers},
    {"the_host_sees_nothing_of_the_warm_up", the_host_sees_nothing_of_the_warm_up},
    {0},
};

int main(int argc, char **argv)
{
    start_realm(argv);
    return test_main("realm_realm", tests, argc, argv);
}
