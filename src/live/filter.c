/* filter.c - check what a client sent, once; then only compare. */
#include "live/filter.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"

struct filter {
    json_t *all; /* array of objects with one known key each; header keys in lower case */
    char *client;
};

static bool is_text(const json_t *value)
{
    return json_is_string(value) && json_string_length(value) <= FILTER_TEXT_MAX;
}

static bool is_texts(const json_t *value)
{
    const json_t *text;
    size_t i;

    if (!json_is_array(value) || json_array_size(value) > FILTER_TEXTS_MAX)
        return false;
    json_array_foreach(value, i, text) if (!is_text(text)) return false;
    return true;
}

static bool is_header(const json_t *value)
{
    const json_t *query = json_object_get(value, "query");

    return is_text(json_object_get(value, "key")) && (!query || is_text(query));
}

static int check(const char *name, const json_t *value, struct err *err)
{
    if (strcmp(name, "sampling_rate") == 0) {
        double rate = json_is_number(value) ? json_number_value(value) : -1;
        if (!(rate >= 0 && rate <= 1))
            return err_set(err, ERR_INVALID, "sampling_rate must be a number from 0 to 1");
    } else if (strcmp(name, "outcome") == 0 || strcmp(name, "method") == 0 ||
               strcmp(name, "client_ip") == 0) {
        if (!is_texts(value))
            return err_set(err, ERR_INVALID, "%s must be an array of at most %d strings", name,
                           FILTER_TEXTS_MAX);
    } else if (strcmp(name, "header") == 0) {
        if (!is_header(value))
            return err_set(err, ERR_INVALID,
                           "header must be an object with a string \"key\" and perhaps \"query\"");
    } else if (strcmp(name, "query") == 0 || strcmp(name, "scriptVersion") == 0) {
        if (!is_text(value))
            return err_set(err, ERR_INVALID, "%s must be a string of at most %d bytes", name,
                           FILTER_TEXT_MAX);
    } else {
        return err_set(err, ERR_INVALID,
                       "there is no filter \"%.60s\": they are sampling_rate, outcome, method, "
                       "header, client_ip, query and scriptVersion",
                       name);
    }
    return 0;
}

static int check_all(json_t *filters, struct err *err)
{
    const char *name;
    json_t *one, *value;
    size_t i;

    if (!json_is_array(filters) || json_array_size(filters) > FILTERS_MAX)
        return err_set(err, ERR_INVALID, "filters must be an array of at most %d", FILTERS_MAX);
    json_array_foreach(filters, i, one)
    {
        if (!json_is_object(one))
            return err_set(err, ERR_INVALID, "a filter must be an object");
        json_object_foreach(one, name, value)
        {
            int r = check(name, value, err);
            if (r < 0)
                return r;
        }
    }
    return 0;
}

int filter_new(const json_t *filters, const char *client, struct filter **ret_filter,
               struct err *err)
{
    struct filter *filter = mem_alloc(sizeof *filter);
    int r;

    if (!filter)
        return err_nomem(err);
    filter->client = mem_strdup(client ? client : "");
    filter->all = filters && !json_is_null(filters) ? json_deep_copy(filters) : json_array();
    r = filter->client && filter->all ? check_all(filter->all, err) : err_nomem(err);
    if (r < 0) {
        filter_free(filter);
        return r;
    }
    *ret_filter = filter;
    return 0;
}

void filter_free(struct filter *filter)
{
    if (!filter)
        return;
    json_decref(filter->all);
    mem_free(filter->client);
    mem_free(filter);
}

static bool is_among(const json_t *texts, struct span wanted, bool is_nocase)
{
    const json_t *text;
    size_t i;

    json_array_foreach(texts, i,
                       text) if (is_nocase ? span_is_nocase(wanted, json_string_value(text))
                                           : span_is(wanted, json_string_value(text))) return true;
    return false;
}

static bool holds(struct span text, const char *part)
{
    size_t n = strlen(part);

    return n == 0 || memmem(text.data, text.len, part, n) != NULL;
}

static struct span string_span(const json_t *text)
{
    return (struct span){json_string_value(text), json_string_length(text)};
}

static bool passes_header(const json_t *wanted, const struct filter_facts *facts)
{
    const char *key = json_string_value(json_object_get(wanted, "key"));
    const char *query = json_string_value(json_object_get(wanted, "query"));
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)facts->headers, name,
                        value) if (strcasecmp(name, key) == 0) return !query ||
        holds(string_span(value), query);
    return false;
}

static bool passes_client(const struct filter *filter, const json_t *wanted,
                          const struct filter_facts *facts)
{
    if (facts->client.len == 0)
        return false;
    return is_among(wanted, facts->client, true) ||
           (is_among(wanted, SPAN("self"), false) && span_is_nocase(facts->client, filter->client));
}

static bool passes_query(const char *wanted, const json_t *logs)
{
    const json_t *line, *text;
    size_t i, k;

    json_array_foreach(logs, i, line) json_array_foreach(
        json_object_get(line, "message"), k,
        text) if (json_is_string(text) && holds(string_span(text), wanted)) return true;
    return false;
}

/* Cloudflare's tools have no word for "exceededResources": to them it is unknown. */
static bool passes_outcome(const json_t *wanted, const char *outcome)
{
    return is_among(wanted, span_of(outcome), false) ||
           (strcmp(outcome, "exceededResources") == 0 && is_among(wanted, SPAN("unknown"), false));
}

static bool passes(const struct filter *filter, const char *name, const json_t *value,
                   const struct filter_facts *facts, double random)
{
    if (strcmp(name, "sampling_rate") == 0)
        return random < json_number_value(value);
    if (strcmp(name, "outcome") == 0)
        return passes_outcome(value, facts->outcome);
    if (strcmp(name, "query") == 0)
        return passes_query(json_string_value(value), facts->logs);
    if (strcmp(name, "scriptVersion") == 0)
        return strcasecmp(json_string_value(value), facts->version_id) == 0;
    if (!facts->is_request)
        return false;
    if (strcmp(name, "method") == 0)
        return is_among(value, facts->method, true);
    if (strcmp(name, "header") == 0)
        return passes_header(value, facts);
    return passes_client(filter, value, facts);
}

bool filter_passes(const struct filter *filter, const struct filter_facts *facts, double random)
{
    const char *name;
    json_t *one, *value;
    size_t i;

    json_array_foreach(filter->all, i, one) json_object_foreach(
        one, name, value) if (!passes(filter, name, value, facts, random)) return false;
    return true;
}
