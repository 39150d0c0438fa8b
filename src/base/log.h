/* log.h - one line for a person, on stderr.
 *
 * `[corral:inf] GET / 200 OK (3ms)`: the prefix names who speaks (log_source)
 * and how loud.  Control bytes in a message are written as \xNN, so that what
 * a tenant prints cannot play with the terminal; newlines in a message start
 * a continued, indented line.  Only front, api, worker, herd, cli and main log.
 *
 * Thread: main thread of each process. */
#ifndef CORRAL_BASE_LOG_H
#define CORRAL_BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_NONE };

/* Lines below `level` are dropped.  Default LOG_INFO. */
void log_set_level(enum log_level level);
enum log_level log_level(void);
/* "debug", "info" (and "log"), "warn", "error", "none" -> level, or -1. */
int log_level_parse(const char *name);
/* Where lines go; 2 unless told otherwise.  Colour is on when it is a terminal,
 * unless NO_COLOR is set; FORCE_COLOR decides before both, "0" and "false" for off. */
void log_set_fd(int fd);
/* By the same customs, those of no-color.org and of Node, for other output. */
bool log_wants_colour(int fd);

void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A line of a worker's own output: written as it is under `[NAME:lvl]`. */
void log_tenant(enum log_level level, const char *name, const char *text, size_t len);

/* As log_write, for what others can make happen as often as they like: LOG_RATION_LINES in
 * LOG_RATION_MS; how many were left out is said with the first one after that. */
struct log_ration {
    int64_t start_ms;
    unsigned lines, dropped;
};
enum { LOG_RATION_LINES = 20, LOG_RATION_MS = 10 * 1000 };
void log_rationed(struct log_ration *ration, enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Bytes for the terminal, as they are. */
void log_plain(struct span bytes);

#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_write(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)

#endif
