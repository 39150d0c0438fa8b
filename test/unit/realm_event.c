/* realm_event.c - src/realm/web/event.c, occasions.js, corral/entry.py: handlers of other events than requests. */
#include "realm_host.h"

#define CLASS "import asyncio\nfrom js import Response\nfrom workers import WorkerEntrypoint\nclass Default(WorkerEntrypoint):\n"

static uint32_t send_event(const char *kind, const char *entrypoint, const char *payload)
{
    uint32_t stream = next_stream++;
    struct realm_event event = {span_of(kind), span_of(entrypoint), span_of(payload)};

    answer_of(stream);
    realm_event(realm, stream, &event);
    return stream;
}

/* The whole answer, a JSON object. */
static const char *happen(const char *kind, const char *payload)
{
    uint32_t stream = send_event(kind, "", payload);
    struct answer *a = answer_of(stream);

    turn_until_done(stream);
    CHECK(a->status == 200 && !a->is_failed && a->calls_after_done == 0);
    CHECK(strcmp(a->headers, "content-type: application/json\n") == 0);
    return body_of(stream);
}

static void with_handlers(uint32_t handlers, const char *entry, const char *date,
                          void (*checks)(void))
{
    in_instance_of(&(struct worker_files){.entry = entry, .date = date, .flags = date ? "" : NULL,
                                          .env = "{\"WORD\": \"up\"}", .handlers = handlers},
                   checks);
}

/* ---- scheduled ---- */

static void check_scheduled(void)
{
    CHECK(strcmp(happen("scheduled", "{\"cron\": \"* * * * *\", \"time\": 1234}"),
                 "{\"outcome\":\"ok\",\"noRetry\":false}") == 0);
    CHECK(log_has("* * * * * 1234 scheduled up True"));
    CHECK(strcmp(happen("scheduled", "{\"cron\": \"never\"}"), "{\"outcome\":\"ok\",\"noRetry\":true}") == 0);
    CHECK(strstr(happen("scheduled", "{\"cron\": \"fail\"}"),
                 "{\"outcome\":\"exception\",\"noRetry\":true,\"error\":\"Traceback (most recent call last):\\n"));
    CHECK(log_has("scheduled event: Traceback (most recent call last):\n  File \"src/entry.py\"") &&
          log_has("ValueError: no luck"));
    CHECK(strcmp(get("http://x/"), "still here") == 0);
}

static void runs_scheduled_handlers(void)
{
    with_handlers(3, CLASS
                  "    async def fetch(self, request): return Response.new('still here')\n"
                  "    async def scheduled(self, controller, env, ctx):\n"
                  "        await asyncio.sleep(0)\n"
                  "        print(controller.cron, controller.scheduledTime, controller.type, env.WORD, ctx is self.ctx)\n"
                  "        if controller.cron != '* * * * *': controller.noRetry()\n"
                  "        if controller.cron == 'fail': raise ValueError('no luck')\n",
                  "2026-03-01", check_scheduled);
    with_handlers(3, "from js import Response\ndef on_fetch(request): return Response.new('still here')\n"
                  "def on_scheduled(controller, env):\n"
                  "    print(controller.cron, controller.scheduledTime, controller.type, env.WORD, True)\n"
                  "    if controller.cron != '* * * * *': controller.noRetry()\n"
                  "    if controller.cron == 'fail': raise ValueError('no luck')\n",
                  NULL, check_scheduled);
}

static void check_wait_until(void)
{
    uint32_t stream = send_event("scheduled", "", "{\"cron\": \"a\"}");

    CHECK(answer_of(stream)->status == 0);      /* the handler has ended, waitUntil has not */
    turn_until_done(stream);
    CHECK(log_has("waited a") && strcmp(body_of(stream), "{\"outcome\":\"ok\",\"noRetry\":false}") == 0);
    CHECK(strstr(happen("scheduled", "{\"cron\": \"lose\"}"), "\"outcome\":\"exception\",\"noRetry\":false,\"error\":\"Traceback"));
    CHECK(log_has("waitUntil: Traceback") && log_has("ValueError: lost behind"));
}

static void the_answer_waits_for_wait_until(void)
{
    with_handlers(2, CLASS
                  "    def scheduled(self, controller):\n"
                  "        async def back():\n            await asyncio.sleep(0.01)\n            print('waited', controller.cron)\n"
                  "            if controller.cron == 'lose': raise ValueError('lost behind')\n"
                  "        self.ctx.waitUntil(back())\n",
                  "2026-03-01", check_wait_until);
}

static void check_abort(void)
{
    uint32_t stream = send_event("scheduled", "", "{\"cron\": \"a\"}");

    realm_abort(realm, stream);
    turn_until_done(stream);
    CHECK(answer_of(stream)->status == 0 && !answer_of(stream)->is_failed && log_has("ran on"));
    stream = send_event("scheduled", "", "{\"cron\": \"b\"}");
    realm_abort(realm, stream);
    turn_until_done(stream);
    CHECK(log_has("scheduled event: Traceback") && answer_of(stream)->status == 0);
}

static void nobody_may_wait_for_its_end(void)
{
    with_handlers(2, CLASS
                  "    async def scheduled(self, controller):\n        await asyncio.sleep(0.01)\n        print('ran on')\n"
                  "        if controller.cron == 'b': raise ValueError('b')\n",
                  "2026-03-01", check_abort);
}

/* ---- queues ---- */

#define BATCH(how)                                                                                 \
    "{\"queue\": \"" how "\", \"messages\": [{\"id\": \"m1\", \"timestamp\": 1000, \"attempts\": 2, \"body\": {\"a\": [1, null]}}, " \
    "{\"id\": \"m2\", \"timestamp\": 2000, \"body\": \"text\"}, "                                  \
    "{\"id\": \"m3\", \"timestamp\": 3000, \"body\": \"AAEC\", \"contentType\": \"bytes\"}]}"

static void check_queue(void)
{
    CHECK(strcmp(happen("queue", BATCH("none")),
                 "{\"outcome\":\"ok\",\"ackAll\":false,\"retryBatch\":{\"retry\":false},\"explicitAcks\":[],\"retryMessages\":[]}") == 0);
    CHECK(log_has("m1 1970-01-01T00:00:01.000Z 2 1 m2 text 1 m3 [0, 1, 2]"));
    CHECK(strcmp(happen("queue", BATCH("each")),
                 "{\"outcome\":\"ok\",\"ackAll\":false,\"retryBatch\":{\"retry\":false},\"explicitAcks\":[\"m1\"],"
                 "\"retryMessages\":[{\"msgId\":\"m2\"},{\"msgId\":\"m3\",\"delaySeconds\":7}]}") == 0);
    CHECK(strstr(happen("queue", BATCH("all")), "\"ackAll\":true,\"retryBatch\":{\"retry\":false}"));
    CHECK(strstr(happen("queue", BATCH("again")), "\"ackAll\":false,\"retryBatch\":{\"retry\":true,\"delaySeconds\":30}"));
    CHECK(strstr(happen("queue", BATCH("wrong")), "\"ackAll\":true,\"retryBatch\":{\"retry\":false},\"explicitAcks\":[\"m1\"],\"retryMessages\":[{\"msgId\":\"m2\"}]"));
    CHECK(log_has("Received a call to retry() on message m1 after ack() was already called. Calling retry() on a message after calling ack() has no effect."));
    CHECK(log_has("Received a call to ack() on message m2 after retry() was already called."));
    CHECK(log_has("Received a call to retryAll() after ackAll() was already called. Calling retryAll() after calling ackAll() has no effect."));
    CHECK(strstr(happen("queue", BATCH("fail")), "{\"outcome\":\"exception\",\"ackAll\":false,\"retryBatch\":{\"retry\":false},\"explicitAcks\":[\"m1\"],"));
}

#define QUEUE                                                                                      \
    "        ms = batch.messages\n"                                                                \
    "        m1, m2, m3 = ms\n"                                                                    \
    "        match batch.queue:\n"                                                                 \
    "            case 'none': print(m1.id, m1.timestamp.toISOString(), m1.attempts, m1.body.a[0], m2.id, m2.body, m2.attempts, m3.id, list(m3.body))\n" \
    "            case 'each': m1.ack(); m2.retry(); m3.retry(delaySeconds=7)\n"                    \
    "            case 'all': batch.ackAll(); m1.ack()\n"                                           \
    "            case 'again': batch.retryAll(delaySeconds=30)\n"                                  \
    "            case 'wrong': m1.ack(); m1.retry(); m2.retry(); m2.ack(); batch.ackAll(); batch.retryAll(); m3.retry()\n" \
    "            case 'fail': m1.ack(); raise ValueError('x')\n"

static void gives_batches_and_says_what_was_acknowledged(void)
{
    with_handlers(4, CLASS "    async def queue(self, batch):\n" QUEUE, "2026-03-01", check_queue);
    with_handlers(4, "if True:\n    def on_queue(batch, env, ctx):\n" QUEUE, NULL, check_queue);
}

static void check_newer_queue(void)
{
    CHECK(strcmp(happen("queue", BATCH("none")),
                 "{\"outcome\":\"ok\",\"ackAll\":false,\"retryBatch\":{\"retry\":false},\"explicitAcks\":[\"m1\"],"
                 "\"retryMessages\":[{\"msgId\":\"m2\",\"delaySeconds\":5}]}") == 0);
    CHECK(log_has("none list JsDict [1, None] datetime 1.0 text memoryview b'\\x00\\x01\\x02'"));
}

static void gives_values_of_python_by_newer_dates(void)
{
    with_handlers(4, CLASS
                  "    def queue(self, batch, env, ctx):\n        ms = batch.messages\n        m1, m2, m3 = ms\n"
                  "        print(batch.queue, type(ms).__name__, type(m1.body).__name__, m1.body.get('a'), type(m1.timestamp).__name__, m1.timestamp.timestamp(),\n"
                  "              m2.body, type(m3.body).__name__, bytes(m3.body))\n"
                  "        m1.ack(); m2.retry(delaySeconds=5)\n",
                  "2026-05-01", check_newer_queue);
}

/* ---- the others ---- */

static void check_others(void)
{
    CHECK(strcmp(happen("alarm", "{\"isRetry\": true, \"retryCount\": 2}"), "{\"outcome\":\"ok\"}") == 0);
    CHECK(strcmp(happen("trace", "{\"traces\": [{\"outcome\": \"ok\", \"logs\": []}]}"), "{\"outcome\":\"ok\"}") == 0);
    CHECK(strcmp(happen("pubsub", "{\"messages\": [{\"topic\": \"t\"}]}"), "{\"outcome\":\"ok\"}") == 0);
    CHECK(strcmp(happen("test", "{}"), "{\"outcome\":\"ok\"}") == 0);
    CHECK(log_has("alarm True 2\n") && log_has("trace ok\n") && log_has("pubsub t\n") && log_has("test up True"));
}

static void calls_the_other_handlers(void)
{
    with_handlers(8 + 16 + 32 + 64, CLASS
                  "    def alarm(self, info): print('alarm', info.isRetry, info.retryCount)\n"
                  "    def tail(self, events): print('trace', events[0].outcome)\n"
                  "    async def pubsub(self, messages): print('pubsub', messages[0].topic)\n"
                  "    async def test(self): print('test', self.env.WORD, self.ctx is not None)\n",
                  "2026-03-01", check_others);
    with_handlers(8 + 16 + 32 + 64,
                  "def on_alarm(info, env, ctx): print('alarm', info.isRetry, info.retryCount)\n"
                  "def on_trace(events): print('trace', events[0].outcome)\n"
                  "async def on_pubsub(messages, env): print('pubsub', messages[0].topic)\n"
                  "async def test(ctrl, env, ctx): print('test', env.WORD, ctrl is not None)\n",
                  NULL, check_others);
}

static void check_missing(void)
{
    CHECK(strstr(happen("queue", BATCH("none")), "\"outcome\":\"exception\"") && log_has("TypeError: Handler does not export a queue() function.\n(add `async def queue(self, batch):`"));
    CHECK(strstr(body_of(send_event("scheduled", "Nobody", "{}")), "There is no 'Nobody' class defined in the Python Worker's main module"));
    CHECK(strstr(get("http://x/"), "TypeError: Handler does not export a fetch() function."));
}

static void check_missing_function(void)
{
    CHECK(strstr(happen("queue", BATCH("none")), "Python entrypoint \\\"src/entry.py\\\" does not export a handler named \\\"on_queue\\\""));
    CHECK(strstr(get("http://x/"), "does not export a handler named \"on_fetch\""));
}

static void says_what_is_missing(void)
{
    with_handlers(2, CLASS "    def scheduled(self, controller): pass\n", "2026-03-01", check_missing);
    with_handlers(2, "def on_scheduled(controller): pass\n", NULL, check_missing_function);
}

/* ---- methods that other workers call ---- */

static const char *call_method(const char *entrypoint, const char *method, const char *args)
{
    char payload[512];
    uint32_t stream;

    snprintf(payload, sizeof payload, "{\"method\": \"%s\", \"args\": %s}", method, args);
    stream = send_event("rpc", entrypoint, payload);
    turn_until_done(stream);
    CHECK(answer_of(stream)->status == 200);
    return body_of(stream);
}

static void check_methods(void)
{
    static const char *const MISSING[] = {"none", "__init__", "__class__", "env", "word", "ctx"};

    CHECK(strcmp(call_method("Sums", "add", "[1, 2]"), "{\"outcome\":\"ok\",\"result\":3}") == 0);
    CHECK(strcmp(call_method("Sums", "kinds", "[{\"a\": [null, 1.5]}, [true], \"x\"]"),
                 "{\"outcome\":\"ok\",\"result\":[\"JsDict\",\"list\",\"str\",true,1.5,\"up\"]}") == 0);
    CHECK(strcmp(call_method("Default", "later", "[]"), "{\"outcome\":\"ok\",\"result\":{\"a\":[1,null],\"b\":\"\u00e4\"}}") == 0);
    CHECK(strcmp(call_method("", "nothing", "[]"), "{\"outcome\":\"ok\",\"result\":null}") == 0);
    for (int i = 0; i < 6; i++)
        CHECK(strstr(call_method("Sums", MISSING[i], "[]"), "TypeError: Method ") &&
              strstr(body_of(next_stream - 1), " does not exist"));
    CHECK(strstr(call_method("Sums", "add", "[1]"), "missing 1 required positional argument: 'b'"));
    CHECK(strstr(call_method("Sums", "add", "[1, 2, 3]"), "takes 3 positional arguments but 4 were given"));
    CHECK(strstr(call_method("Sums", "fail", "[]"), "ValueError: no sum"));
    CHECK(strstr(call_method("Other", "add", "[]"), "There is no 'Other' class defined"));
    CHECK(strstr(call_method("Sums", "pair", "[]"), "<class 'tuple'> cannot be sent over RPC."));
    CHECK(strstr(call_method("Sums", "date", "[]"), "The result of a method holds 1970-01-01T00:00:00.000Z"));
    CHECK(strstr(call_method("Sums", "itself", "[]"), "nested deeper than 100 levels, or holds itself"));
}

static void calls_methods_with_values_of_python(void)
{
    with_handlers(1, CLASS
                  "    async def fetch(self, request): pass\n"
                  "    async def later(self):\n        await asyncio.sleep(0)\n        return {'a': [1, None], 'b': '\u00e4'}\n"
                  "    def nothing(self): pass\n"
                  "class Sums(WorkerEntrypoint):\n    word = 'no method'\n"
                  "    def add(self, a, b): return a + b\n"
                  "    async def kinds(self, a, b, c): return [type(a).__name__, type(b).__name__, type(c).__name__, a.a[0] is None, a['a'][1], self.env.WORD]\n"
                  "    def fail(self): raise ValueError('no sum')\n    def pair(self): return (1, 2)\n"
                  "    def date(self):\n        import datetime\n        return [datetime.datetime.fromtimestamp(0)]\n"
                  "    def itself(self):\n        l = []\n        l.append(l)\n        return l\n",
                  "2026-03-01", check_methods);
}

static void check_malformed(void)
{
    static const char *const BAD[][2] = {{"nothing", "{}"}, {"scheduled", "no JSON"}, {"scheduled", ""}, {"queue", "{}"},
                                         {"queue", "null"}, {"__proto__", "{}"}, {"constructor", "{}"}};

    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        uint32_t stream = send_event(BAD[i][0], "", BAD[i][1]);
        struct answer *a = answer_of(stream);
        turn_until_done(stream);
        CHECK(a->status == 0 && a->is_failed && a->failure == HOST_EXCEPTION);
        CHECK(strstr(a->failure_text, "Error"));
    }
    CHECK(strstr(happen("scheduled", "{}"), "\"ok\""));
}

static void what_is_malformed_fails_alone(void)
{
    with_handlers(2, CLASS "    def scheduled(self, controller): assert controller.cron == ''\n", "2026-03-01", check_malformed);
}

static const struct test tests[] = {
    {"runs_scheduled_handlers", runs_scheduled_handlers},
    {"the_answer_waits_for_wait_until", the_answer_waits_for_wait_until},
    {"nobody_may_wait_for_its_end", nobody_may_wait_for_its_end},
    {"gives_batches_and_says_what_was_acknowledged", gives_batches_and_says_what_was_acknowledged},
    {"gives_values_of_python_by_newer_dates", gives_values_of_python_by_newer_dates},
    {"calls_the_other_handlers", calls_the_other_handlers},
    {"says_what_is_missing", says_what_is_missing},
    {"calls_methods_with_values_of_python", calls_methods_with_values_of_python},
    {"what_is_malformed_fails_alone", what_is_malformed_fails_alone},
    {0},
};

int main(int argc, char **argv)
{
    start_realm(argv);
    return test_main("realm_event", tests, argc, argv);
}
