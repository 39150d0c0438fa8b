/* front_access.c - src/front/access.c, visit.c: lines for programs, and what becomes of them when nobody
 * reads. */
#include "front/access.h"

#include <jansson.h>
#include <sys/stat.h>

#include "front/route.h"
#include "front_client.h"

static const struct visit VISIT = {
    .time_ms = 1767323045678,
    .ray = {"0123456789abcdef", 16},
    .client = {"192.0.2.1", 9},
    .method = {"GET", 3},
    .scheme = {"https", 5},
    .host = {"a.example", 9},
    .target = {"/x?token=hidden", 15},
    .protocol = {"HTTP/1.1", 8},
    .tls = {"TLSv1.3", 7},
    .outcome = {"ok", 2},
    .worker = {"", 0},
    .version = {"", 0},
    .status = 200,
    .bytes_in = 7,
    .bytes_out = 5,
    .duration_us = 1234,
    .cpu_us = -1,
};

/* ---- a line ---- */

static void writes_a_line_of_json(void)
{
    static const char WANT[] =
        "{\"time\":\"2026-01-02T03:04:05.678Z\",\"ray\":\"0123456789abcdef\",\"client\":\"192.0.2.1\","
        "\"method\":\"GET\",\"scheme\":\"https\",\"host\":\"a.example\",\"path\":\"/x\","
        "\"protocol\":\"HTTP/1.1\",\"tls\":\"TLSv1.3\",\"status\":200,\"outcome\":\"ok\",\"bytes_in\":7,"
        "\"bytes_out\":5,\"duration_ms\":1.234,\"cpu_ms\":null,\"worker\":null,\"version\":null}\n";
    struct buf out = {0};

    CHECK(visit_put(&out, &VISIT, false) == 0 && span_is(buf_span(&out), WANT));
    buf_eat(&out, buf_len(&out));
    CHECK(visit_put(&out, &VISIT, true) == 0 &&
          memmem(buf_data(&out), buf_len(&out), "\"/x?token=hidden\"", 17));
    buf_eat(&out, buf_len(&out));
    CHECK(visit_put_dropped(&out, 1767323045678, 12) == 0);
    CHECK(span_is(buf_span(&out), "{\"time\":\"2026-01-02T03:04:05.678Z\",\"dropped\":12}\n"));
    buf_done(&out);
}

static void keeps_to_one_line_of_utf8_whatever_comes(void)
{
    char target[3 * ACCESS_FIELD_MAX];
    struct visit v = VISIT;
    struct buf out = {0};
    json_t *said;

    v.target = (struct span){"/\"\\\n\r\x01\x7f\xff\xc3\xa4\xed\xa0\x80\xf0\x9f\x90\x8d\xe2\x80\xa8", 20};
    CHECK(visit_put(&out, &v, false) == 0);
    CHECK(memchr(buf_data(&out), '\n', buf_len(&out)) == buf_data(&out) + buf_len(&out) - 1);
    said = json_loadb(buf_data(&out), buf_len(&out), 0, NULL);
    CHECK(said && strstr(json_string_value(json_object_get(said, "path")), "\xc3\xa4"));
    json_decref(said);
    buf_eat(&out, buf_len(&out));
    memset(target, 0xe4, sizeof target);
    v.target = (struct span){target, sizeof target};
    CHECK(visit_put(&out, &v, false) == 0 && buf_len(&out) < 4 * ACCESS_FIELD_MAX);
    said = json_loadb(buf_data(&out), buf_len(&out), 0, NULL);
    CHECK(said != NULL);
    json_decref(said);
    buf_done(&out);
    for (long n = 0; n < 40; n++) {
        mem_fail_after(n);
        if (visit_put(&out, &VISIT, false) < 0)
            CHECK(buf_len(&out) == 0);
        mem_fail_after(-1);
        buf_done(&out);
    }
}

/* ---- where lines go ---- */

static char *read_file(const char *path)
{
    static char text[64 * 1024];
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;

    text[n] = '\0';
    if (f)
        fclose(f);
    return text;
}

static void writes_a_file_and_a_new_one_after_it_was_moved(void)
{
    char folder[] = "/tmp/front_access.XXXXXX", file[64], moved[64];
    struct access *a = NULL;
    struct stat st;
    struct err err;

    CHECK(mkdtemp(folder) != NULL);
    snprintf(file, sizeof file, "%s/log", folder);
    snprintf(moved, sizeof moved, "%s/log.1", folder);
    CHECK(access_open(&(struct access_config){.file = file}, &a, &err) == 0);
    access_note(a, &VISIT);
    for (uint64_t start = uv_hrtime(); strlen(read_file(file)) == 0;)
        CHECK(uv_hrtime() - start < PATIENCE_NS);
    CHECK(rename(file, moved) == 0 && access_reopen(a, &err) == 0);
    access_note(a, &VISIT);
    access_note(a, &VISIT);
    access_close(a);
    CHECK(strchr(read_file(moved), '\n') == read_file(moved) + strlen(read_file(moved)) - 1);
    CHECK(strlen(read_file(file)) == 2 * strlen(read_file(moved)) && strlen(read_file(moved)) > 0);
    CHECK(stat(file, &st) == 0 && (st.st_mode & 07) == 0);
    unlink(file);
    unlink(moved);
    snprintf(file, sizeof file, "%s/none/log", folder);
    CHECK(access_open(&(struct access_config){.file = file}, &a, &err) == ERR_SYSTEM);
    CHECK(strstr(err.text, file) && strstr(err.text, "No such file"));
    rmdir(folder);
}

static void drops_and_counts_what_a_slow_reader_does_not_take(void)
{
    struct access *a = NULL;
    struct buf got = {0};
    struct err err;
    uint64_t dropped, lines = 0, said = 0;
    int fds[2];
    char *room, *at;
    ssize_t n;

    CHECK(pipe2(fds, O_CLOEXEC) == 0);
    CHECK(access_open(&(struct access_config){.fd = fds[1]}, &a, &err) == 0);
    /* Nobody reads: none of these waits. */
    for (int i = 0; i < 20000; i++)
        access_note(a, &VISIT);
    dropped = access_dropped(a);
    CHECK(dropped > 0 && dropped < 20000);
    /* Somebody does: it hears how many are missing. */
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    for (uint64_t start = uv_hrtime(); said < dropped && uv_hrtime() - start < PATIENCE_NS;) {
        CHECK(buf_reserve(&got, 64 * 1024, &room) == 0);
        n = read(fds[0], room, 64 * 1024 - 1);
        if (n > 0)
            buf_commit(&got, (size_t)n);
        else
            access_note(a, &VISIT);
        CHECK(buf_reserve(&got, 1, &room) == 0);
        *room = '\0';
        said = 0;
        for (at = (char *)buf_data(&got); (at = strstr(at, "\"dropped\":")); at += 10)
            said += strchr(at, '\n') ? strtoull(at + 10, NULL, 10) : 0;
    }
    CHECK(said >= dropped);
    for (size_t i = 0; i < buf_len(&got); i++)
        lines += buf_data(&got)[i] == '\n';
    CHECK(lines > 1000 && buf_data(&got)[0] == '{');
    /* And one that has gone does no harm. */
    close(fds[0]);
    for (uint64_t start = uv_hrtime(); access_dropped(a) <= said && uv_hrtime() - start < PATIENCE_NS;)
        access_note(a, &VISIT);
    CHECK(access_dropped(a) > said);
    access_close(a);
    close(fds[1]);
    buf_done(&got);
}

static void ends_although_nobody_reads(void)
{
    struct access *a = NULL;
    struct err err;
    int fds[2];

    CHECK(pipe2(fds, O_CLOEXEC) == 0);
    CHECK(access_open(&(struct access_config){.fd = fds[1]}, &a, &err) == 0);
    for (int i = 0; i < 2000; i++)
        access_note(a, &VISIT);
    access_close(a);
    close(fds[0]);
    close(fds[1]);
}

/* ---- of a front ---- */

static void route_all(void *self, const struct front_arrival *arrival, struct front_route *ret)
{
    (void)self, (void)arrival;
    *ret = (struct front_route){.to = FRONT_TO_POOL,
                                .pool = &pool,
                                .worker = SPAN("hello"),
                                .version = SPAN("0000-1111")};
}

static json_t *next_line(FILE *f)
{
    char line[4096];
    json_t *said = fgets(line, sizeof line, f) ? json_loads(line, 0, NULL) : NULL;

    CHECK(said != NULL);
    return said;
}

static bool says(const json_t *line, const char *name, const char *want)
{
    const char *value = json_string_value(json_object_get(line, name));

    return want ? value && strcmp(value, want) == 0 : json_is_null(json_object_get(line, name));
}

static void tells_of_every_request(void)
{
    static const struct front_router ROUTER = {.route = route_all};
    struct access *a = NULL;
    struct client c;
    json_t *line;
    struct err err;
    int fds[2];
    FILE *f;

    CHECK(pipe2(fds, O_CLOEXEC) == 0);
    f = fdopen(fds[0], "r");
    CHECK(access_open(&(struct access_config){.fd = fds[1]}, &a, &err) == 0);
    set_up((struct front_config){.router = &ROUTER, .access = a});
    c = client_connect();
    client_send(&c, "POST /a/b?secret=1 HTTP/1.1\r\nHost: a.example:8080\r\nContent-Length: 3\r\n\r\nabc");
    UNTIL(fake_count == 1 && buf_len(&fake_calls[0]->body) == 3);
    fake_calls[0]->cpu_us = 1500;
    pass(7);
    fake_answer(fake_calls[0], "hello");
    UNTIL(client_has(&c, "hello"));
    client_send(&c, "no request at all\r\n\r\n");
    UNTIL(client_read(&c));
    client_done(&c);
    line = next_line(f);
    CHECK(says(line, "client", "127.0.0.1") && says(line, "method", "POST"));
    CHECK(says(line, "host", "a.example:8080") && says(line, "path", "/a/b"));
    CHECK(says(line, "scheme", "http") && says(line, "tls", NULL) && says(line, "outcome", "ok"));
    CHECK(says(line, "worker", "hello") && says(line, "version", "0000-1111"));
    CHECK(says(line, "protocol", "HTTP/1.1"));
    CHECK(json_integer_value(json_object_get(line, "status")) == 200);
    CHECK(json_integer_value(json_object_get(line, "bytes_in")) == 3);
    CHECK(json_integer_value(json_object_get(line, "bytes_out")) == 5);
    CHECK(json_number_value(json_object_get(line, "duration_ms")) == 7);
    CHECK(json_number_value(json_object_get(line, "cpu_ms")) == 1.5);
    CHECK(strlen(json_string_value(json_object_get(line, "ray"))) == 16);
    json_decref(line);
    line = next_line(f);
    CHECK(says(line, "method", NULL) && says(line, "path", NULL) && says(line, "worker", NULL));
    CHECK(json_integer_value(json_object_get(line, "status")) == 400);
    json_decref(line);
    tear_down();
    access_close(a);
    fclose(f);
    close(fds[1]);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"writes_a_line_of_json", writes_a_line_of_json},
        {"keeps_to_one_line_of_utf8_whatever_comes", keeps_to_one_line_of_utf8_whatever_comes},
        {"writes_a_file_and_a_new_one_after_it_was_moved",
         writes_a_file_and_a_new_one_after_it_was_moved},
        {"drops_and_counts_what_a_slow_reader_does_not_take",
         drops_and_counts_what_a_slow_reader_does_not_take},
        {"ends_although_nobody_reads", ends_although_nobody_reads},
        {"tells_of_every_request", tells_of_every_request},
        {0},
    };

    return front_test_main("front_access", TESTS, argc, argv);
}
