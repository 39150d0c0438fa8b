/* multipart.h - read a multipart/form-data body that is here as a whole, part by part.
 *
 *     struct multipart m;
 *     struct multipart_part part = {0};
 *     r = multipart_init(&m, boundary, body, err);
 *     while (r >= 0 && (r = multipart_next(&m, &part, err)) == MULTIPART_PART) ...
 *     multipart_part_done(&part);
 *
 * By RFC 7578 as browsers write it: what stands before the first and after the
 * last boundary line is skipped, lines end with CRLF, each part has a
 * Content-Disposition with a name.  In quoted names %0A, %0D and %22 mean LF, CR
 * and '"', as the HTML standard escapes them, and \" and \\ mean '"' and '\', as
 * older clients do.  filename*=UTF-8''... wins over filename.
 *
 * Errors: ERR_INVALID (text says which part and what), ERR_LIMIT, ERR_NOMEM.
 * Pure; fuzzed by test/fuzz/fuzz_multipart.c. */
#ifndef CORRAL_TEXT_MULTIPART_H
#define CORRAL_TEXT_MULTIPART_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

enum {
    MULTIPART_BOUNDARY_MAX = 256,       /* bytes; the RFC says 70 */
    MULTIPART_PARTS_MAX = 10000,
    MULTIPART_HEADER_MAX = 16 * 1024,   /* bytes of the header lines of one part */
};

enum {
    MULTIPART_END = 0,
    MULTIPART_PART = 1,
};

struct multipart {
    struct span body;
    size_t at;              /* behind the last boundary line */
    unsigned count;         /* parts so far */
    bool has_ended;
    size_t line_len;
    char line[MULTIPART_BOUNDARY_MAX + 4];      /* "\r\n--" and the boundary */
};

struct multipart_part {
    struct buf name, filename;
    bool has_filename;
    struct span type;       /* of its Content-Type, as it is written; data == NULL: none */
    struct span content;    /* both point into the body */
};

/* body must stay where it is; boundary is copied. */
int multipart_init(struct multipart *m, struct span boundary, struct span body,
                   struct err *err) MUST_CHECK;
/* One of the above, or an error.  part is emptied first and is the caller's. */
int multipart_next(struct multipart *m, struct multipart_part *part, struct err *err) MUST_CHECK;
void multipart_part_done(struct multipart_part *part);

#endif
