/* words.c - count the words of a text: what a worker leaves to WebAssembly. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct word {
    const char *text;
    size_t len;
    unsigned count;
};

/* Where the caller puts a text of so many bytes; NULL: there is no memory for it. */
char *room_for(size_t len)
{
    return malloc(len + 1);
}

static int by_text(const void *a, const void *b)
{
    const struct word *x = a, *y = b;
    int order = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);

    return order ? order : (x->len > y->len) - (x->len < y->len);
}

static int by_count(const void *a, const void *b)
{
    const struct word *x = a, *y = b;

    return x->count != y->count ? (y->count > x->count) - (y->count < x->count) : by_text(a, b);
}

static size_t split(char *text, size_t len, struct word *words)
{
    size_t n = 0;

    for (size_t i = 0; i < len;) {
        size_t from;
        while (i < len && !isalnum((unsigned char)text[i]))
            i++;
        from = i;
        for (; i < len && isalnum((unsigned char)text[i]); i++)
            text[i] = (char)tolower((unsigned char)text[i]);
        if (i > from)
            words[n++] = (struct word){text + from, i - from, 1};
    }
    return n;
}

static size_t merge(struct word *words, size_t count)
{
    size_t n = 0;

    qsort(words, count, sizeof *words, by_text);
    for (size_t i = 0; i < count; i++)
        if (n > 0 && by_text(&words[n - 1], &words[i]) == 0)
            words[n - 1].count++;
        else
            words[n++] = words[i];
    qsort(words, n, sizeof *words, by_count);
    return n;
}

/* The most frequent words of the text that was put into `text` (room_for), as lines "count word",
 * most frequent first.  Frees text; the caller's copy of the result is the only one that lasts until
 * the next call.  NULL: no memory. */
const char *count_words(char *text, size_t len, unsigned most)
{
    static char *lines;
    struct word *words = malloc((len / 2 + 1) * sizeof *words);
    size_t n, at = 0;

    free(lines);
    lines = words ? malloc(len + most * 12 + 1) : NULL;
    if (lines) {
        n = merge(words, split(text, len, words));
        lines[0] = '\0';
        for (size_t i = 0; i < n && i < most; i++)
            at += (size_t)sprintf(lines + at, "%u %.*s\n", words[i].count, (int)words[i].len, words[i].text);
    }
    free(words);
    free(text);
    return lines;
}
