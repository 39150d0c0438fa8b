/* awaits.c - see awaits.h.  One pass over the tokens, with a stack of what is open: brackets, and
 * operands that were begun and get their ")" where they end.
 *
 *     await f(x)[0] + 1           an operand is open from `f` to `]`: prefixes, one thing, its tail
 *     yield a ? b : c, d          an expression is open from `a` to `c`
 *
 *   1. insertions are made in the order of the text
 *   2. a bracket that closes closes what is open above its own opening, or nothing is understood
 *   3. what a `{` belongs to is known by what stands before it: only bodies of functions matter
 *
 * Called by: link.c. */
#include "link/awaits.h"

#include "base/mem.h"

enum {
    DEPTH_MAX = 100 * 1000,
    INSERTIONS_MAX = 1000 * 1000,
};

#define WAIT "__corral.async.wait("
#define EACH "__corral.async.each("
#define GIVE "__corral.async.give("

enum kind {
    ROUND,
    SQUARE,
    CURLY,
    TEMPLATE, /* its text */
    INSIDE,   /* of a template's ${} */
    OPERAND,
    EXPRESSION,
    RETURNED, /* up to its semicolon */
};

enum of_operand { BEFORE, HEAD, MEMBER, TAIL };
enum { IS_ASYNC = 1, IS_GENERATOR = 2 };

struct frame {
    enum kind kind;
    enum of_operand state;
    unsigned questions;   /* of an expression, that had no ':' yet */
    unsigned char coming; /* what a function is that begins here */
    unsigned char inside; /* what the function is that this is in */
    bool is_control;      /* the head of if, for, while ... */
    bool is_for_await;
};

enum type {
    NOTHING,
    WORD,
    VALUE,
    MARK,
    OPTIONAL,
    ARROW,
    STEP,
    OTHER,
    TEMPLATE_START,
    TEMPLATE_END,
    END
};

struct token {
    enum type type;
    size_t start, end;
    char mark;        /* of a MARK */
    bool has_space;   /* before it */
    bool has_newline; /* before it */
};

struct scan {
    struct span text;
    struct frame *frames;
    size_t count, room;
    struct token last, before_last;
    struct frame closed; /* the ROUND that `last` closed; of an ARROW, what it is */
    struct awaits *out;
    bool is_lost;
    int r; /* ERR_NOMEM */
};

/* ---- text ---- */

static char at(const struct scan *s, size_t i)
{
    return i < s->text.len ? s->text.data[i] : '\0';
}

static bool is_of_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c == '#' || c == '\\' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is(const struct scan *s, const struct token *t, const char *word)
{
    return t->type == WORD &&
           span_is((struct span){s->text.data + t->start, t->end - t->start}, word);
}

static bool is_one_of(const struct scan *s, const struct token *t, const char *const *words)
{
    for (; *words; words++)
        if (is(s, t, *words))
            return true;
    return false;
}

static bool is_mark(const struct token *t, char mark)
{
    return t->type == MARK && t->mark == mark;
}

static bool is_property(const struct scan *s)
{
    return is_mark(&s->last, '.') || s->last.type == OPTIONAL;
}

/* ---- what is open ---- */

static struct frame *top(struct scan *s)
{
    return &s->frames[s->count - 1];
}

/* The innermost bracket. */
static struct frame *bracket(struct scan *s)
{
    size_t i = s->count - 1;

    while (i > 0 && s->frames[i].kind >= OPERAND)
        i--;
    return &s->frames[i];
}

static void push(struct scan *s, enum kind kind)
{
    struct frame frame = {.kind = kind, .inside = s->count > 0 ? bracket(s)->inside : 0};

    if (s->count == DEPTH_MAX)
        s->is_lost = true;
    if (s->count == s->room) {
        size_t room = s->room > 0 ? 2 * s->room : 64;
        struct frame *more = mem_resize(s->frames, room * sizeof *more);
        if (!more) {
            s->r = ERR_NOMEM;
            s->is_lost = true;
            return;
        }
        s->frames = more;
        s->room = room;
    }
    s->frames[s->count++] = frame;
}

static void insert(struct scan *s, size_t place, const char *text)
{
    struct awaits *out = s->out;

    if (out->count == INSERTIONS_MAX || (out->count > 0 && out->items[out->count - 1].at > place))
        s->is_lost = true;
    if (s->is_lost)
        return;
    if (out->count == out->room) {
        size_t room = out->room > 0 ? 2 * out->room : 64;
        struct awaits_one *more = mem_resize(out->items, room * sizeof *more);
        if (!more) {
            s->r = ERR_NOMEM;
            s->is_lost = true;
            return;
        }
        out->items = more;
        out->room = room;
    }
    out->items[out->count++] =
        (struct awaits_one){.at = place, .len = (unsigned)strlen(text), .text = text};
}

static void begin(struct scan *s, enum kind kind, size_t place, const char *text)
{
    insert(s, place, text);
    push(s, kind);
}

/* ---- tokens ---- */

static void skip_blanks(struct scan *s, struct token *t)
{
    size_t i = t->start;

    for (;;) {
        while (at(s, i) && strchr(" \t\r\n", at(s, i))) {
            t->has_newline |= at(s, i) == '\n';
            i++;
        }
        if (at(s, i) != '/' || (at(s, i + 1) != '/' && at(s, i + 1) != '*'))
            break;
        if (at(s, i + 1) == '/') {
            const char *end = memchr(s->text.data + i, '\n', s->text.len - i);
            i = end ? (size_t)(end - s->text.data) : s->text.len;
        } else {
            const char *end = memmem(s->text.data + i + 2, s->text.len - i - 2, "*/", 2);
            i = end ? (size_t)(end - s->text.data) + 2 : s->text.len;
        }
    }
    t->has_space = i > t->start;
    t->start = i;
}

static size_t end_of_number(const struct scan *s, size_t i)
{
    const bool is_other = at(s, i) == '0' && strchr("xXbBoO", at(s, i + 1)) && at(s, i + 1);

    for (; is_of_word(at(s, i)) || at(s, i) == '.'; i++)
        if (!is_other && (at(s, i) == 'e' || at(s, i) == 'E') &&
            (at(s, i + 1) == '+' || at(s, i + 1) == '-'))
            i++;
    return i;
}

/* Behind a string or a regular expression; the end of the text when there is none. */
static size_t end_of_quoted(const struct scan *s, size_t i, char quote)
{
    bool is_class = false;

    for (; i < s->text.len; i++) {
        const char c = at(s, i);
        if (c == '\\')
            i++;
        else if (c == quote && !is_class)
            return i + 1;
        else if (quote == '/' && c == '\n')
            break;
        else if (quote == '/')
            is_class = c == '[' || (is_class && c != ']');
    }
    return s->text.len;
}

static bool begins_regexp(const struct scan *s, const struct token *t)
{
    static const char *const BEFORE_VALUES[] = {"return", "typeof",     "case", "do",   "else",
                                                "in",     "instanceof", "new",  "void", "delete",
                                                "throw",  "default",    NULL};
    static const char *const PERHAPS[] = {"yield", "await", "of", NULL};
    const struct token *last = &s->last;

    if (last->type == WORD)
        return !is_mark(&s->before_last, '.') && s->before_last.type != OPTIONAL &&
               (is_one_of(s, last, BEFORE_VALUES) ||
                (is_one_of(s, last, PERHAPS) && at(s, t->start + 1) != ' '));
    if (is_mark(last, ')'))
        return s->closed.is_control;
    if (is_mark(last, '}'))
        return t->has_newline;
    return last->type != VALUE && last->type != TEMPLATE_END && last->type != STEP &&
           !is_mark(last, ']');
}

static void take_mark(struct scan *s, struct token *t)
{
    static const struct {
        const char *text;
        enum type type;
    } PAIRS[] = {{"=>", ARROW}, {"++", STEP}, {"--", STEP}, {"??", OTHER}, {"?.", OPTIONAL}};

    t->type = MARK;
    t->mark = at(s, t->start);
    t->end = t->start + 1;
    for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++) {
        if (t->mark != PAIRS[i].text[0] || at(s, t->end) != PAIRS[i].text[1] ||
            (PAIRS[i].type == OPTIONAL && is_digit(at(s, t->end + 1))))
            continue;
        t->type = PAIRS[i].type;
        t->mark = '\0';
        t->end++;
        return;
    }
    if (t->mark == '.' && at(s, t->end) == '.' && at(s, t->end + 1) == '.') {
        t->type = OTHER;
        t->end += 2;
    }
    s->is_lost |= t->mark == '\0';
}

/* The text of a template, to its end or its next ${. */
static void take_template(struct scan *s, struct token *t)
{
    size_t i = t->start;

    while (i < s->text.len && at(s, i) != '`' && !(at(s, i) == '$' && at(s, i + 1) == '{'))
        i += at(s, i) == '\\' ? 2 : 1;
    if (i >= s->text.len) {
        s->is_lost = true;
        return;
    }
    t->end = i + (at(s, i) == '`' ? 1 : 2);
    if (at(s, i) == '`') {
        s->count--;
        t->type = TEMPLATE_END;
    } else {
        push(s, INSIDE);
        t->type = NOTHING;
    }
}

static void take_token(struct scan *s, struct token *t)
{
    char c;

    *t = (struct token){.start = s->last.end};
    if (top(s)->kind == TEMPLATE) {
        take_template(s, t);
        return;
    }
    skip_blanks(s, t);
    c = at(s, t->start);
    if (t->start >= s->text.len) {
        t->type = END;
        t->end = t->start;
    } else if (is_digit(c) || (c == '.' && is_digit(at(s, t->start + 1)))) {
        t->type = VALUE;
        t->end = end_of_number(s, t->start);
    } else if (is_of_word(c)) {
        t->type = WORD;
        for (t->end = t->start; is_of_word(at(s, t->end));)
            t->end++;
    } else if (c == '"' || c == '\'' || (c == '/' && begins_regexp(s, t))) {
        t->type = VALUE;
        t->end = end_of_quoted(s, t->start + 1, c);
        while (c == '/' && is_of_word(at(s, t->end)))
            t->end++;
    } else if (c == '`') {
        t->type = TEMPLATE_START;
        t->end = t->start + 1;
    } else {
        take_mark(s, t);
    }
}

/* ---- operands ---- */

static bool opens(const struct token *t)
{
    return t->type == TEMPLATE_START || (t->type == MARK && strchr("([{", t->mark));
}

/* The operand of an await; false: the token is none of it. */
static bool goes_on(struct scan *s, struct frame *f, const struct token *t)
{
    static const char *const PREFIXES[] = {"typeof", "void", "delete", "new", "await", NULL};

    switch (f->state) {
    case BEFORE:
        if (is(s, t, "function") || is(s, t, "class") ||
            (is(s, t, "async") && t->end + 9 <= s->text.len &&
             memcmp(s->text.data + t->end, " function", 9) == 0))
            f->state = HEAD;
        else if (is_mark(t, '.'))
            f->state = MEMBER; /* new.target */
        else if (is_one_of(s, t, PREFIXES))
            break;
        else if (t->type == WORD || t->type == VALUE || opens(t))
            f->state = TAIL;
        else if (t->type != STEP && !(t->type == MARK && strchr("!~+-", t->mark)))
            s->is_lost = true;
        break;
    case HEAD:
        f->questions += is(s, t, "class"); /* it may extend another one */
        if (is_mark(t, '{') && f->questions-- == 0)
            f->state = TAIL;
        break;
    case MEMBER:
        f->state = TAIL;
        s->is_lost |= t->type != WORD && !opens(t);
        break;
    case TAIL:
        if (t->type == OPTIONAL || is_mark(t, '.'))
            f->state = MEMBER;
        else if (t->type == STEP)
            return !t->has_space;
        else
            return opens(t) && !is_mark(t, '{');
        break;
    }
    return true;
}

/* An expression up to a comma. */
static bool expression_goes_on(struct frame *f, const struct token *t)
{
    if (t->type == END)
        return false;
    if (t->type != MARK)
        return true;
    if (t->mark == '?')
        f->questions++;
    if (t->mark == ':')
        return f->questions-- > 0;
    return !strchr(",;)]}", t->mark);
}

static void end_operands(struct scan *s, const struct token *t)
{
    while (!s->is_lost && top(s)->kind >= OPERAND) {
        struct frame *f = top(s);
        bool is_on;
        if (f->kind == OPERAND)
            is_on = goes_on(s, f, t);
        else if (f->kind == EXPRESSION)
            is_on = expression_goes_on(f, t);
        else
            is_on = t->type != END && !(t->type == MARK && strchr(";)]}", t->mark));
        if (is_on)
            return;
        insert(s, s->last.end, ")");
        s->count--;
    }
}

/* ---- brackets and words ---- */

/* What a function's body, or any other, is inside of. */
static void open_curly(struct scan *s)
{
    const bool is_body = s->last.type == ARROW || (is_mark(&s->last, ')') && !s->closed.is_control);
    const unsigned char inside = s->closed.coming;

    bracket(s)->coming = 0;
    push(s, CURLY);
    if (is_body && !s->is_lost)
        top(s)->inside = inside;
}

static void open_round(struct scan *s, const struct token *t)
{
    static const char *const CONTROLS[] = {"if", "for", "while", "with", "switch", "catch", NULL};
    const bool is_keyword = t->has_space && !is_mark(&s->before_last, '.');
    const bool is_for_await =
        is_keyword && is(s, &s->last, "await") && is(s, &s->before_last, "for");
    const bool is_control = is_for_await || (is_keyword && is_one_of(s, &s->last, CONTROLS));
    /* A method of that name: what is async has a space there. */
    const bool is_name = is(s, &s->last, "async") && !t->has_space;
    const unsigned char coming = is_name ? 0 : bracket(s)->coming;

    bracket(s)->coming = 0;
    push(s, ROUND);
    if (s->is_lost)
        return;
    top(s)->is_control = is_control;
    top(s)->is_for_await = is_for_await;
    top(s)->state = BEFORE;
    /* Until it is closed, where it comes to be `coming` again: what begins in it is another one. */
    top(s)->questions = coming;
}

static void close_bracket(struct scan *s, char mark)
{
    const struct frame frame = *top(s);
    const bool is_right = mark == ')'   ? frame.kind == ROUND
                          : mark == ']' ? frame.kind == SQUARE
                                        : frame.kind == CURLY || frame.kind == INSIDE;

    if (!is_right || s->count == 1) {
        s->is_lost = true;
        return;
    }
    s->count--;
    s->closed = frame;
    s->closed.coming = (unsigned char)frame.questions;
    if (mark == '}' && frame.kind == CURLY)
        bracket(s)->coming = 0;
}

static void take_star(struct scan *s)
{
    const struct token *last = &s->last;

    if (is(s, last, "async") || is(s, last, "function") || is(s, last, "static") ||
        (last->type == MARK && strchr("{,;}", last->mark)))
        bracket(s)->coming |= IS_GENERATOR;
}

static void read_mark(struct scan *s, const struct token *t)
{
    switch (t->mark) {
    case '(':
        open_round(s, t);
        break;
    case '[':
        push(s, SQUARE);
        break;
    case '{':
        open_curly(s);
        break;
    case ')':
    case ']':
    case '}':
        close_bracket(s, t->mark);
        break;
    case '*':
        take_star(s);
        break;
    default:
        bracket(s)->coming = 0;
        break;
    }
}

/* Does an operand stand behind the word?  As one without a space before what it is a name, or has
 * none; and what stands between two values has one on both sides. */
static bool has_operand(const struct scan *s, const struct token *t)
{
    const char first = at(s, t->end + 1), second = at(s, t->end + 2);

    if (at(s, t->end) != ' ' || !first || strchr("=?:,;).*%<>&|^ ]}\n", first))
        return false;
    return !strchr("+-/!", first) || (second != ' ' && second != '=');
}

static bool is_infix(const struct scan *s, const struct token *t)
{
    static const char *const WORDS[] = {"in", "instanceof", "of", "using", NULL};
    struct token next = {.type = WORD, .start = t->end + 1, .end = t->end + 1};

    while (is_of_word(at(s, next.end)))
        next.end++;
    return is_one_of(s, &next, WORDS);
}

static void read_word(struct scan *s, const struct token *t)
{
    const unsigned char inside = bracket(s)->inside;
    const bool is_generator = inside == (IS_ASYNC | IS_GENERATOR);
    const size_t behind = t->end + 1;

    if (is_property(s))
        return;
    if (is(s, t, "async")) {
        bracket(s)->coming = IS_ASYNC;
    } else if (is(s, t, "function")) {
        bracket(s)->coming = is(s, &s->last, "async") ? IS_ASYNC : 0;
    } else if (is(s, t, "await")) {
        if (!is(s, &s->last, "for") && has_operand(s, t) && !is_infix(s, t)) {
            if (top(s)->kind == OPERAND)
                top(s)->state = TAIL; /* which begins where this one ends */
            begin(s, OPERAND, behind, WAIT);
        }
    } else if (is(s, t, "yield") && is_generator) {
        if (at(s, t->end) == '*' && at(s, behind) == ' ')
            begin(s, EXPRESSION, behind + 1, EACH);
        else if (has_operand(s, t))
            begin(s, EXPRESSION, behind, WAIT);
    } else if (is(s, t, "return") && (inside & IS_ASYNC) && has_operand(s, t)) {
        begin(s, RETURNED, behind, is_generator ? WAIT : GIVE);
    } else if (is(s, t, "of") && top(s)->is_for_await && !is_mark(&s->last, '(') &&
               !is(s, &s->last, "const") && !is(s, &s->last, "let") && !is(s, &s->last, "var") &&
               at(s, t->end) == ' ') {
        top(s)->is_for_await = false;
        begin(s, EXPRESSION, behind, EACH);
    }
}

/* What an arrow gives without a body of its own. */
static void read_arrow(struct scan *s, const struct token *t)
{
    if (!is_mark(&s->last, ')'))
        s->closed.coming = 0;
    if (s->closed.coming == IS_ASYNC && at(s, t->end) == ' ' && at(s, t->end + 1) != '{')
        begin(s, EXPRESSION, t->end + 1, GIVE);
}

static void read_script(struct scan *s)
{
    struct token t;

    push(s, CURLY);
    while (!s->is_lost) {
        take_token(s, &t);
        if (s->is_lost || t.type == END)
            break;
        if (t.type != NOTHING && t.type != TEMPLATE_END)
            end_operands(s, &t);
        if (s->is_lost)
            break;
        if (t.type == WORD)
            read_word(s, &t);
        else if (t.type == MARK)
            read_mark(s, &t);
        else if (t.type == ARROW)
            read_arrow(s, &t);
        else if (t.type == TEMPLATE_START)
            push(s, TEMPLATE);
        else if (t.type != VALUE && t.type != TEMPLATE_END)
            bracket(s)->coming = 0;
        s->before_last = s->last;
        s->last = t;
    }
    s->is_lost |= s->count != 1;
}

/* ---- the result ---- */

static int put_all(struct span script, struct awaits *all, struct buf *out)
{
    unsigned line = 0, column = 0;
    size_t from = 0;
    int r = 0;

    for (size_t i = 0; i < all->count && r == 0; i++) {
        struct awaits_one *one = &all->items[i];
        for (size_t k = from; k < one->at; k++) {
            const unsigned char c = (unsigned char)script.data[k];
            line += c == '\n';
            column = c == '\n' ? 0 : column + ((c & 0xc0) != 0x80) + (c >= 0xf0);
        }
        one->line = line;
        one->column = column;
        r = buf_append(out, script.data + from, one->at - from);
        r = r < 0 ? r : buf_append(out, one->text, one->len);
        from = one->at;
    }
    return r < 0 ? r : buf_append(out, script.data + from, script.len - from);
}

int awaits_rewrite(struct span script, struct buf *out, struct awaits *ret, struct err *err)
{
    struct scan scan = {.text = script, .out = ret};
    int r;

    *ret = (struct awaits){0};
    read_script(&scan);
    r = scan.r;
    if (r == 0 && !scan.is_lost)
        r = put_all(script, ret, out) < 0 ? ERR_NOMEM : 1;
    mem_free(scan.frames);
    if (r != 1)
        awaits_done(ret);
    return r < 0 ? err_nomem(err) : r;
}

void awaits_done(struct awaits *awaits)
{
    mem_free(awaits->items);
    *awaits = (struct awaits){0};
}

/* ---- its source map ---- */

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* false: there is no number. */
static bool take_number(struct span *rest, int64_t *ret)
{
    uint64_t value = 0;
    const char *digit;

    for (unsigned shift = 0; shift < 40 && rest->len > 0 && *rest->data; shift += 5) {
        digit = strchr(DIGITS, *rest->data);
        if (!digit)
            return false;
        rest->data++;
        rest->len--;
        value |= (uint64_t)((digit - DIGITS) & 31) << shift;
        if (digit - DIGITS < 32) {
            *ret = value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
            return true;
        }
    }
    return false;
}

static int put_number(struct buf *out, int64_t number)
{
    uint64_t value = number < 0 ? ((uint64_t)-number << 1) | 1 : (uint64_t)number << 1;
    char text[16];
    size_t n = 0;

    do {
        text[n++] = DIGITS[(value & 31) | (value > 31 ? 32 : 0)];
        value >>= 5;
    } while (value > 0);
    return buf_append(out, text, n);
}

int awaits_shift(const struct awaits *awaits, struct span mappings, struct buf *out,
                 struct err *err)
{
    const struct awaits_one *one;
    size_t next = 0;
    int64_t column = 0, shift = 0, before = 0, delta;
    unsigned line = 0;

    for (size_t n; mappings.len > 0; mappings.data += n, mappings.len -= n) {
        n = 1;
        if (*mappings.data == ';') {
            column = shift = before = 0;
            line++;
        } else if (*mappings.data != ',') {
            if (!take_number(&mappings, &delta))
                return err_set(err, ERR_INVALID, "the source map's mappings are none");
            column += delta;
            for (; next < awaits->count; next++) {
                one = &awaits->items[next];
                if (one->line > line || (one->line == line && one->column > column))
                    break;
                shift += one->line == line ? one->len : 0;
            }
            if (put_number(out, column + shift - before) < 0)
                return err_nomem(err);
            before = column + shift;
            for (n = 0; n < mappings.len && !strchr(",;", mappings.data[n]);)
                n++;
        }
        if (buf_append(out, mappings.data, n) < 0)
            return err_nomem(err);
    }
    return 0;
}
