/* prompt.c - see prompt.h.
 *
 * A secret is read key by key: the kernel's own line editing takes no more than 4095 bytes, and
 * would show them. */
#include "cli/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

/* ---- yes or no ---- */

/* What was typed; `otherwise` for nothing but the return key. */
static bool read_answer(bool otherwise)
{
    char answer[16] = "";
    int c;

    fflush(stdout);
    if (!fgets(answer, sizeof answer, stdin))
        printf("\n");
    else if (!strchr(answer, '\n'))
        while ((c = getchar()) != EOF && c != '\n')
            ;
    answer[strcspn(answer, "\r\n")] = '\0';
    if (!answer[0])
        return otherwise && !feof(stdin);
    return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

int prompt_confirm(const char *question, const char *option, bool *ret_is_yes, struct err *err)
{
    if (!isatty(STDIN_FILENO)) {
        err_set(err, ERR_INVALID, "there is no terminal to ask on");
        return err_hint(err, "With %s nothing is asked.", option);
    }
    printf("%s (y/N) ", question);
    *ret_is_yes = read_answer(false);
    return 0;
}

bool prompt_agrees(const char *question)
{
    printf("? %s", question);
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        printf("\n🤖 Using fallback value in non-interactive context: yes\n");
        return true;
    }
    printf(" (Y/n) ");
    return read_answer(true);
}

int prompt_text(const char *question, const char *otherwise, struct buf *out, struct err *err)
{
    char line[1024] = "", *at = line;
    size_t len;
    int c;

    if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
        printf("? %s%s%s%s ", question, otherwise[0] ? " (" : "", otherwise,
               otherwise[0] ? ")" : "");
        fflush(stdout);
        if (!fgets(line, sizeof line, stdin))
            printf("\n");
        else if (!strchr(line, '\n'))
            while ((c = getchar()) != EOF && c != '\n')
                ;
    }
    at += strspn(at, " \t\r\n");
    for (len = strlen(at); len > 0 && strchr(" \t\r\n", at[len - 1]);)
        len--;
    if (len == 0) {
        at = (char *)(uintptr_t)otherwise;
        len = strlen(otherwise);
    }
    return buf_append(out, at, len) < 0 ? err_nomem(err) : 0;
}

/* ---- secrets ---- */

static struct termios before; /* of the terminal, while a secret is typed */
static const int SIGNALS[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { SIGNAL_COUNT = sizeof SIGNALS / sizeof *SIGNALS };

static void on_signal(int number)
{
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    raise(number); /* SA_RESETHAND: it does now what it always does */
}

static int hide(struct sigaction old[SIGNAL_COUNT], struct err *err)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND};
    struct termios quiet;

    if (tcgetattr(STDIN_FILENO, &before) < 0)
        return err_errno(err, errno, "ask the terminal for its mode");
    for (int i = 0; i < SIGNAL_COUNT; i++)
        sigaction(SIGNALS[i], &action, &old[i]);
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) < 0)
        return err_errno(err, errno, "hide what is typed");
    return 0;
}

static void show(const struct sigaction old[SIGNAL_COUNT])
{
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    for (int i = 0; i < SIGNAL_COUNT; i++)
        sigaction(SIGNALS[i], &old[i], NULL);
}

/* Take back the last character, with all its bytes of UTF-8. */
static void rub_out(struct buf *out)
{
    char *last;

    while (buf_len(out) > 0) {
        last = out->mem + --out->tail;
        if ((*last & 0xc0) != 0x80)
            break;
    }
}

/* 1: the line goes on. */
static int take_key(char key, size_t limit_bytes, struct buf *out, struct err *err)
{
    switch (key) {
    case '\r':
    case '\n':
        return 0;
    case 0x04:
        return buf_len(out) ? 1 : err_set(err, ERR_CANCELLED, "nothing was typed");
    case 0x08:
    case 0x7f:
        rub_out(out);
        return 1;
    case 0x15: /* Ctrl-U */
        buf_eat(out, buf_len(out));
        return 1;
    default:
        if (buf_len(out) == limit_bytes)
            return err_set(err, ERR_LIMIT, "more than %zu bytes were typed", limit_bytes);
        return buf_append(out, &key, 1) < 0 ? err_nomem(err) : 1;
    }
}

int prompt_secret(const char *question, size_t limit_bytes, struct buf *out, struct err *err)
{
    struct sigaction old[SIGNAL_COUNT];
    int r = hide(old, err);
    ssize_t n;
    char key;

    if (r == 0) {
        fprintf(stderr, "%s ", question);
        r = 1;
    }
    while (r == 1) {
        n = read(STDIN_FILENO, &key, 1);
        if (n < 0 && errno == EINTR)
            continue;
        r = n == 1 ? take_key(key, limit_bytes, out, err)
                   : err_set(err, ERR_CANCELLED, "the terminal is gone");
    }
    show(old);
    fprintf(stderr, "\n");
    return r;
}

int prompt_read(const char *file, const char *what, size_t limit_bytes, struct buf *out,
                struct err *err)
{
    int fd = file ? open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY) : STDIN_FILENO, r = 0;
    ssize_t n = 1;
    char *room;

    if (fd < 0)
        return err_errno(err, errno, "read '%s'", file);
    while (n != 0 && r == 0) {
        if (buf_len(out) > limit_bytes) {
            r = err_set(err, ERR_LIMIT, "%s is longer than %zu bytes", what, limit_bytes);
            break;
        }
        if (buf_reserve(out, 16 * 1024, &room) < 0) {
            r = err_nomem(err);
            break;
        }
        n = read(fd, room, 16 * 1024);
        if (n > 0)
            buf_commit(out, (size_t)n);
        else if (n < 0 && errno != EINTR)
            r = err_errno(err, errno, "read %s", what);
    }
    if (file)
        close(fd);
    return r;
}

void prompt_wipe(struct buf *secret)
{
    if (secret->mem)
        explicit_bzero(secret->mem, secret->cap);
    buf_done(secret);
}
