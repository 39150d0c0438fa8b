/* realm_script.c - src/realm/script/script.c, sdk/js/entry.js: a worker in JavaScript, from its linked form. */
#include "realm_host.h"

#include "realm/timer.h"

#define LINKED(text) "(async function (__corral, require) { \"use strict\";\n" text "\n})"
#define MAIN(exports) LINKED("__corral.main({ __proto__: null, " exports " });")

static bool is_single_threaded(void)
{
    struct stat st;

    return stat("/proc/self/task", &st) == 0 && st.st_nlink == 3;
}

static int load_script(const char *text, const char *more_name, const char *more_text,
                       uint32_t *ret_handlers, struct realm_failure *ret_failure)
{
    char folder[] = "/tmp/realm-XXXXXX";
    struct realm_bundle bundle = {
        .name = "test", .folder = folder, .main = "index.js", .compatibility_date = "2026-01-01",
        .compatibility_flags = "", .env = SPAN("{\"NAME\":\"corral\"}"), .bindings = SPAN("{}")};

    if (!mkdtemp(folder))
        abort();
    snprintf(worker_folder.path, sizeof worker_folder.path, "%s", folder);
    worker_folder.owner = getpid();
    write_file(folder, "worker.js", text);
    if (more_name)
        write_file(folder, more_name, more_text);
    return realm_load(realm, &bundle, ret_handlers, ret_failure);
}

static void in_script_with(const char *text, const char *more_name, const char *more_text,
                           uint32_t wanted, void (*checks)(void))
{
    pid_t template = fork_realm(), instance;
    uint32_t handlers = 0;
    struct realm_failure failure;
    struct err err = {0};

    if (template > 0) {
        wait_for_child(template);
        return;
    }
    if (load_script(text, more_name, more_text, &handlers, &failure) < 0) {
        printf("  not loaded: %s\n%s\n", failure.text, failure.traceback);
        _exit(1);
    }
    CHECK(handlers == wanted);
    realm_settle(realm);
    /* Compilers of WebAssembly: soon gone, as nothing forks before. */
    for (int64_t end = clock_now_ms() + 5000; !is_single_threaded() && clock_now_ms() < end;)
        usleep(1000);
    CHECK(is_single_threaded());
    CHECK(!log_has("warm-up"));
    instance = fork_realm();
    if (instance > 0) {
        wait_for_child(instance);
        end_process();
    }
    CHECK(realm_start(realm, &err) == 0);
    checks();
    end_process();
}

static void in_script(const char *text, uint32_t wanted, void (*checks)(void))
{
    in_script_with(text, NULL, NULL, wanted, checks);
}

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
    in_script(MAIN("default: { fetch() { return new Response('Hello world!'); } }"), 1, check_hello);
    in_script(MAIN("default: { async fetch() { return new Response('Hello world!'); } }"), 1, check_hello);
}


static void check_arguments(void)
{
    CHECK(strcmp(get("http://x/a?b=1"), "/a corral function true") == 0);
}

static void handlers_get_request_env_and_ctx(void)
{
    in_script(MAIN("default: { fetch(request, env, ctx) { return new Response([new URL(request.url).pathname, env.NAME, typeof ctx.waitUntil, this.own].join(' ')); }, own: true }"),
              1, check_arguments);
    in_script(LINKED("const { WorkerEntrypoint, env } = __corral.module('cloudflare:workers');\n"
                     "class Default extends WorkerEntrypoint { async fetch(request) { return new Response([new URL(request.url).pathname, this.env.NAME, typeof this.ctx.waitUntil, env.NAME === 'corral'].join(' ')); } }\n"
                     "__corral.main({ default: Default });"),
              1, check_arguments);
}

static void check_failures(void)
{
    CHECK(strcmp(get("http://x/throw"), "TypeError: no\n    at deep (src/index.ts:10:6)\n    at fetch (src/index.ts:12:6)") == 0);
    CHECK(last_answer()->failure == HOST_EXCEPTION && log_has("GET http://x/throw: TypeError: no\n"));
    CHECK(strstr(get("http://x/none"), "TypeError: Incorrect type for Promise: the Promise did not resolve to 'Response'."));
    CHECK(last_answer()->failure == HOST_BAD_RESULT);
    CHECK(strncmp(get("http://x/later"), "Error: later\n    at ", 19) == 0);
}

/* Lines 2 to 9 of the script are lines 10 and on of src/index.ts, columns as they are. */
static void failures_are_shown_in_the_words_of_the_source(void)
{
    in_script_with(LINKED("let x;\n"
                          "function deep() {\n     throw new TypeError('no'); }\n"
                          "__corral.main({ default: { async fetch({ url }) { if (url.endsWith('none')) return;\n"
                          "if (url.endsWith('later')) { await null; throw new Error('later'); }\n"
                          "     deep(); } } });"),
                   "worker.js.map",
                   "{\"version\":3,\"sources\":[\"src/index.ts\"],\"mappings\":\";AAQA;AACA;KAAK;AACL;AACA;KAAK\"}", 1, check_failures);
}

static void check_two_at_once(void)
{
    uint32_t a = send_request("GET", "http://x/a", 0, NULL, 0), b = send_request("GET", "http://x/b", 0, NULL, 0);
    struct realm_reply reply = {.status = 200, .is_end = true};
    char line[64];

    CHECK(recorder.asked_count == 2 && recorder.asked[0].request == a && recorder.asked[1].request == b);
    realm_reply(realm, recorder.asked[1].stream, &reply);
    realm_reply(realm, recorder.asked[0].stream, &reply);
    turn_until_done(a);
    turn_until_done(b);
    for (int i = 0; i < 2; i++) {
        snprintf(line, sizeof line, ":%u] reply http://x/%c", i ? b : a, i ? 'b' : 'a');
        CHECK(log_has(line));
        snprintf(line, sizeof line, ":%u] timer http://x/%c", i ? b : a, i ? 'b' : 'a');
        CHECK(log_has(line));
        snprintf(line, sizeof line, ":%u] awaited http://x/%c", i ? b : a, i ? 'b' : 'a');
        CHECK(log_has(line));
    }
    CHECK(recorder.asked_count == 4 && recorder.asked[2].request != recorder.asked[3].request);
}

/* Timers of both are due in one turn. */
static void requests_that_wait_are_told_apart(void)
{
    in_script(MAIN("default: { async fetch({ url }) { await fetch('http://y/'); console.log('reply ' + url); await null;\n"
                   "  await new Promise((done) => setTimeout(() => { console.log('timer ' + url); done(); }, 20)); await null; console.log('awaited ' + url);\n"
                   "  fetch('http://z/').catch(() => {}); return new Response('x'); } }"),
              1, check_two_at_once);
}

static void check_timers(void)
{
    CHECK(strcmp(get("http://x/"), "x") == 0);
    CHECK(timers_next_us() == -1); /* so it sleeps */
    turn_for(20);
    CHECK(!log_has("tick") && !log_has("late"));
    CHECK(strcmp(get("http://x/wait"), "x") == 0);
    CHECK(timers_next_us() == -1 && log_has("late"));
}

/* Of a request that has ended nothing wakes the instance. */
static void timers_end_with_their_request(void)
{
    in_script(MAIN("default: { fetch(request, env, ctx) { setInterval(() => console.log('tick'), 1000); AbortSignal.timeout(1000);\n"
                   "  const late = new Promise((done) => setTimeout(() => { console.log('late'); done(); }, 5));\n"
                   "  if (request.url.endsWith('wait')) ctx.waitUntil(late); return new Response('x'); } }"),
              1, check_timers);
}

static void check_listener(void)
{
    CHECK(strcmp(get("http://x/"), "corral GET") == 0);
    CHECK(strcmp(get("http://x/throw"), "Error: thrown\n    at worker.js:3:9") != 0 && last_answer()->is_failed);
    CHECK(strstr(get("http://x/silent"), "respondWith"));
}

static void scripts_without_modules_listen(void)
{
    in_script(LINKED("__corral.script({});\naddEventListener('fetch', (event) => { const { url, method } = event.request;\n"
                     "if (url.endsWith('throw')) throw new Error('thrown'); if (url.endsWith('silent')) return; event.waitUntil(Promise.resolve()); event.respondWith(new Response(NAME + ' ' + method)); });"),
              1, check_listener);
}

static const char *outcome(const char *kind, const char *entrypoint, const char *payload)
{
    uint32_t stream = next_stream++;
    struct realm_event event = {span_of(kind), span_of(entrypoint), span_of(payload)};

    answer_of(stream);
    realm_event(realm, stream, &event);
    turn_until_done(stream);
    return body_of(stream);
}

static void check_events(void)
{
    CHECK(strcmp(outcome("scheduled", "", "{\"cron\":\"* * * * *\"}"), "{\"outcome\":\"ok\",\"noRetry\":true}") == 0);
    CHECK(log_has("cron * * * * * corral"));
    CHECK(strstr(outcome("queue", "", "{\"queue\":\"q\",\"messages\":[{\"id\":\"a\",\"timestamp\":1,\"body\":{\"x\":1}},{\"id\":\"b\",\"timestamp\":1,\"body\":2}]}"),
                 "\"explicitAcks\":[\"a\"],\"retryMessages\":[{\"msgId\":\"b\"}]"));
    CHECK(strstr(outcome("rpc", "Named", "{\"method\":\"add\",\"args\":[1,2]}"), "\"result\":3"));
    CHECK(strstr(outcome("rpc", "Named", "{\"method\":\"own\",\"args\":[]}"), "does not implement the method"));
    CHECK(strstr(outcome("rpc", "None", "{\"method\":\"own\",\"args\":[]}"), "None"));
    CHECK(strstr(outcome("alarm", "", "{}"), "Handler does not export a alarm() function."));
    CHECK(strstr(outcome("trace", "", "{\"traces\":[]}"), "\"outcome\":\"exception\""));
    CHECK(log_has("trace event: Error: tailed"));
}

static void other_events_have_handlers(void)
{
    in_script(LINKED("const { WorkerEntrypoint } = __corral.module('cloudflare:workers');\n"
                     "class Named extends WorkerEntrypoint { own = () => 1; async add(a, b) { return a + b; } }\n"
                     "__corral.main({ Named, default: { scheduled(c, env, ctx) { c.noRetry(); ctx.waitUntil(Promise.resolve().then(() => console.log('cron ' + c.cron + ' ' + env.NAME))); },\n"
                     "queue(batch) { for (const m of batch.messages) m.body.x ? m.ack() : m.retry(); }, async tail() { await null; throw new Error('tailed'); } } });"),
              2 + 4 + 16, check_events);
}

static void check_wasm(void)
{
    CHECK(strcmp(get("http://x/a"), "3 3 3 3 true EvalError: Code generation from strings disallowed for this context") == 0);
}

static void webassembly_is_compiled_and_text_is_not(void)
{
    in_script_with(LINKED("const bytes = Uint8Array.fromBase64('AGFzbQEAAAABBwFgAn9/AX8DAgEABwcBA2FkZAAACgkBBwAgACABags=');\n"
                          "const wasm = new WebAssembly.Module(bytes); let early = eval('1') === 1; const response = () => new Response(bytes, { headers: { 'content-type': 'application/wasm' } });\n"
                          "__corral.main({ default: { async fetch() { const all = [await WebAssembly.instantiate(wasm), (await WebAssembly.instantiate(bytes)).instance,\n"
                          "(await WebAssembly.instantiateStreaming(response())).instance, new WebAssembly.Instance(await WebAssembly.compileStreaming(response()))];\n"
                          "let said; try { said = new Function('return 1')(); } catch (e) { said = e; } return new Response(all.map((i) => i.exports.add(1, 2)).join(' ') + ' ' + (early && __corral.text('m/0') === 'text') + ' ' + said); } } });"),
                   "m/0", "text", 1, check_wasm);
}

static void check_rejections(void)
{
    CHECK(strcmp(get("http://x/a"), "a") == 0 && strcmp(get("http://x/b"), "b") == 0);
    CHECK(strcmp(get("http://x/"), "unhandledrejection one, error two, rejectionhandled one, ") == 0);
    CHECK(log_has("[3:1] Uncaught (in promise) Error: one\n") && log_has("[3:2] Error: two\n"));
}

static void what_nobody_catches_is_told(void)
{
    in_script(LINKED("let said = '', kept;\n"
                     "for (const type of ['unhandledrejection', 'rejectionhandled', 'error']) addEventListener(type, (e) => { said += `${type} ${(e.reason ?? e.error).message}, `; });\n"
                     "__corral.main({ default: { async fetch({ url }) { if (url.endsWith('a')) { kept = Promise.reject(new Error('one')); return new Response('a'); }\n"
                     "if (url.endsWith('b')) { kept.catch(() => {}); reportError(new Error('two')); return new Response('b'); } return new Response(said); } } });"),
              1, check_rejections);
}

static void refuse(const char *text, int kind, const char *words)
{
    pid_t template = fork_realm();
    uint32_t handlers = 0;
    struct realm_failure failure;

    if (template > 0) {
        wait_for_child(template);
        return;
    }
    CHECK(load_script(text, "worker.js.map", "{\"sources\":[\"src/index.ts\"],\"mappings\":\";AAAA\"}", &handlers, &failure) == ERR_INVALID);
    CHECK(failure.kind == kind);
    CHECK(strstr(failure.text, words));
    if (failure.kind != kind || !strstr(failure.text, words))
        printf("  %d %s %s\n", failure.kind, failure.text, failure.traceback);
    realm_failure_done(&failure);
    end_process();
}

static void says_why_a_script_is_not_loaded(void)
{
    refuse(MAIN(""), 4, "The uploaded script has no registered event handlers.");
    refuse(MAIN("default: { other() {} }"), 4, "The uploaded script has no registered event handlers.");
    refuse(LINKED("let a; let a;"), 1, "src/index.ts:1:1: SyntaxError: ");
    refuse(LINKED("null.x;"), 3, "src/index.ts raised while it was loaded: TypeError: null is not an object");
    refuse(LINKED("require('left-pad');"), 2, "src/index.ts imports the module 'left-pad', which was not found");
    refuse(LINKED("await new Promise(() => {});"), 3, "Top-level await in module is unsettled.");
    refuse(LINKED("await fetch('http://x/');"), 3, "Disallowed operation called within global scope.");
    refuse(LINKED("setTimeout(() => {}, 1);"), 3, "Disallowed operation called within global scope.");
    refuse(LINKED("crypto.randomUUID();"), 3, "Disallowed operation called within global scope.");
    refuse("(", 1, "SyntaxError");
}

static const struct test tests[] = {
    {"answers_hello_within_the_call", answers_hello_within_the_call},
    {"handlers_get_request_env_and_ctx", handlers_get_request_env_and_ctx},
    {"failures_are_shown_in_the_words_of_the_source", failures_are_shown_in_the_words_of_the_source},
    {"requests_that_wait_are_told_apart", requests_that_wait_are_told_apart},
    {"timers_end_with_their_request", timers_end_with_their_request},
    {"scripts_without_modules_listen", scripts_without_modules_listen},
    {"other_events_have_handlers", other_events_have_handlers},
    {"webassembly_is_compiled_and_text_is_not", webassembly_is_compiled_and_text_is_not},
    {"what_nobody_catches_is_told", what_nobody_catches_is_told},
    {"says_why_a_script_is_not_loaded", says_why_a_script_is_not_loaded},
    {0},
};

int main(int argc, char **argv)
{
    start_realm(argv);
    return test_main("realm_script", tests, argc, argv);
}
