/* words.c - what a stranger reads when something went wrong: no names, no tracebacks, a number to
 * ask with.
 *
 * The codes are Cloudflare's, since people know them and look them up; the words are ours.  A page
 * for the owner (show_errors, the text of a router) comes with words of its own.
 *
 * Who calls it: reply.c. */
#include "base/clock.h"
#include "front/inside.h"

static const struct words {
    unsigned status, code;
    const char *title, *text;
} WORDS[] = {
    {404, 0, "There is nothing here", "No worker answers at this host and path."},
    {429, 1027, "Too many requests for today",
     "This worker has answered as many requests as it may in a day. It goes on at midnight UTC."},
    {500, 1101, "The worker raised an exception",
     "It gave no answer to this request. Whoever runs it finds the reason in its log, by the Ray "
     "ID."},
    {503, 1102, "The worker exceeded its limits",
     "It used more processor time or memory for this request than it may. Whoever runs it finds "
     "more in its log, by the Ray ID."},
    {502, 0, "The worker's process ended",
     "It ended before it had answered this request. Whoever runs it finds more in the log, by the "
     "Ray ID."},
};

static unsigned seconds_until_midnight(void)
{
    return (unsigned)(86400 - clock_wall_ms() / 1000 % 86400);
}

void page_words(struct page_spec *spec)
{
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        const struct words *w = &WORDS[i];
        if (spec->code > 0 ? w->code != spec->code : w->code > 0 || w->status != spec->status)
            continue;
        spec->title = span_of(w->title);
        spec->text = span_of(w->text);
    }
    if (spec->code == 1027 && spec->retry_after_s == 0)
        spec->retry_after_s = seconds_until_midnight();
}
