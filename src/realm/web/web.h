/* web.h - the C functions behind the JavaScript classes of sdk/js.
 *
 * web_define puts them all on engine.native; each file here serves one of the
 * scripts.  They trust sdk/js for the number and kind of their arguments, as
 * tenants cannot reach `native`, but never for a stream number: the exchange
 * may be gone.  Thread: the realm's. */
#ifndef CORRAL_REALM_WEB_WEB_H
#define CORRAL_REALM_WEB_WEB_H

#include <JavaScriptCore/JavaScript.h>
#include <stdbool.h>

#include "base/span.h"
#include "realm/exchange.h"

void web_define(void);          /* all of the below, before engine_boot */
void web_define_log(void);
void web_define_inspect(void);
void web_define_encoding(void);
void web_define_timers(void);
/* Timers of a worker in JavaScript that are started from now on are this request's; 0: nobody knows. */
void web_timers_owner(uint32_t stream);
void web_define_request(void);
void web_define_answer(void);
void web_define_socket(void);
void web_define_form(void);
void web_define_url(void);
void web_define_outcall(void);
void web_define_event(void);
void web_define_decoder(void);
void web_define_flate(void);
void web_define_d1(void);
void web_define_html(void);

/* After engine_boot: look up what C calls in sdk/js. */
void web_boot(void);
void web_boot_inspect(void);
/* A worker is about to be loaded: performance.now() counts from here. */
void web_load(void);
/* What request.cf says beside what is known of each request: a JSON object, or empty. */
void web_request_cf(struct span json);
/* After a fork: Math.random draws anew. */
void web_start(void);

/* A new Request object for this head.  NULL when out of memory, which is logged. */
JSObjectRef web_make_request(struct head *head);
JSObjectRef web_make_context(uint32_t stream);
/* What makeRequest of request.js takes. */
JSValueRef web_head_handle(struct head *head);

/* x becomes an event: what its handler gets, from occasions.js; NULL with *ret_thrown. */
JSValueRef web_open_event(struct exchange *x, struct span kind, struct span payload,
                          JSValueRef *ret_thrown);
/* Its handler has failed: the traceback. */
void web_fail_event(struct exchange *x, struct span text);

/* Answer x with a status, headers as lines "name\nvalue\n..." that are valid and at most
 * 256, and a body that is encoded as they say; or with all but the body, which goes to x->out
 * (length -1: not known).  May free x. */
void web_answer(struct exchange *x, uint32_t status, struct span lines, struct span body);
void web_begin_answer(struct exchange *x, uint32_t status, struct span lines, int64_t length);
/* The same as a new Response; body: null, of web_body_value or a ReadableStream; is_sent: it is
 * used up.  NULL when out of memory. */
JSObjectRef web_make_answer(uint32_t status, struct span lines, JSValueRef body, bool is_sent);
JSValueRef web_body_value(struct span bytes);

struct url;
struct charset_decoder;

/* Decode this encoding of the standard, not UTF-8, by its name in lower case; single: room for
 * CHARSET_HALF points, which the decoder goes on using.  false when out of memory. */
bool web_open_decoder(struct charset_decoder *d, uint16_t *single, const char *name);

enum web_delivery { WEB_DELIVERED, WEB_NO_RESPONSE, WEB_REFUSED };
/* Answer x with this value, if it is a Response.  WEB_REFUSED: the host was
 * told why it cannot be sent.  May free x. */
enum web_delivery web_deliver(struct exchange *x, JSValueRef value);

/* url_parse with the names of hosts beyond ASCII. */
int web_parse_url(struct url *u, struct span text) MUST_CHECK;
/* The address of an incoming request in its normal form, or as it came when it has none; valid
 * until the next call. */
struct span web_head_url(const struct head *head);
/* A string: this URL in its normal form, its marks in native.urlMarks; or as it is when it is
 * none, with the first mark behind its end. */
JSValueRef web_url_value(struct span text);
/* A body by the stream number that JavaScript knows it by, an exchange's or an
 * outcall's; NULL when it is gone. */
struct inflow *web_inflow(JSValueRef id);
struct outflow *web_outflow(JSValueRef id);

/* The bytes of an ArrayBuffer or a view on one; valid while JavaScript does not run. */
bool web_bytes(JSValueRef value, struct span *ret_bytes);
/* A Uint8Array with a copy; undefined when out of memory. */
JSValueRef web_new_bytes(struct span bytes);
/* A Uint8Array over memory that was mem_alloc-ed; takes it. */
JSValueRef web_take_bytes(char *take_bytes, size_t len);

#endif
