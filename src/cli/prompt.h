/* prompt.h - questions on the terminal, and what comes on standard input instead of it.
 *
 * Without a terminal nobody is asked: a question that may not be answered by guess is an error
 * whose hint names the option that answers it; the others have a fallback, said aloud, as
 * wrangler's. */
#ifndef CORRAL_CLI_PROMPT_H
#define CORRAL_CLI_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* true for y or yes; nothing typed means no.  ERR_INVALID: there is no terminal; the hint names the
 * option that answers, such as "--yes". */
int prompt_confirm(const char *question, const char *option, bool *ret_is_yes,
                   struct err *err) MUST_CHECK;
/* Nothing typed means yes; without a terminal the answer is yes. */
bool prompt_agrees(const char *question);

/* A line, trimmed; nothing typed, or no terminal: `otherwise`.  Appended, without a NUL. ERR_NOMEM.
 */
int prompt_text(const char *question, const char *otherwise, struct buf *out,
                struct err *err) MUST_CHECK;

/* What is typed is not shown.  Ctrl-C ends the program, and the terminal is as before.  For whoever
 * calls it stdin is a terminal.  ERR_LIMIT, ERR_CANCELLED (Ctrl-D on an empty line), ERR_SYSTEM. */
int prompt_secret(const char *question, size_t limit_bytes, struct buf *out,
                  struct err *err) MUST_CHECK;

/* A file, or with NULL all of standard input.  `what` names it in errors. */
int prompt_read(const char *file, const char *what, size_t limit_bytes, struct buf *out,
                struct err *err) MUST_CHECK;

/* Wipe what it held before it is freed. */
void prompt_wipe(struct buf *secret);

#endif
