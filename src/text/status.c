/* status.c - RFC 9110 section 15 and its registry as one table. */
#include "text/status.h"

#define S(code, literal) [code - 200] = {literal, sizeof literal - 1}

static const struct span TEXTS[] = {
    S(200, "OK"),
    S(201, "Created"),
    S(202, "Accepted"),
    S(203, "Non-Authoritative Information"),
    S(204, "No Content"),
    S(205, "Reset Content"),
    S(206, "Partial Content"),
    S(207, "Multi-Status"),
    S(208, "Already Reported"),
    S(226, "IM Used"),
    S(300, "Multiple Choices"),
    S(301, "Moved Permanently"),
    S(302, "Found"),
    S(303, "See Other"),
    S(304, "Not Modified"),
    S(305, "Use Proxy"),
    S(307, "Temporary Redirect"),
    S(308, "Permanent Redirect"),
    S(400, "Bad Request"),
    S(401, "Unauthorized"),
    S(402, "Payment Required"),
    S(403, "Forbidden"),
    S(404, "Not Found"),
    S(405, "Method Not Allowed"),
    S(406, "Not Acceptable"),
    S(407, "Proxy Authentication Required"),
    S(408, "Request Timeout"),
    S(409, "Conflict"),
    S(410, "Gone"),
    S(411, "Length Required"),
    S(412, "Precondition Failed"),
    S(413, "Payload Too Large"),
    S(414, "URI Too Long"),
    S(415, "Unsupported Media Type"),
    S(416, "Range Not Satisfiable"),
    S(417, "Expectation Failed"),
    S(418, "I'm a teapot"),
    S(421, "Misdirected Request"),
    S(422, "Unprocessable Entity"),
    S(423, "Locked"),
    S(424, "Failed Dependency"),
    S(425, "Too Early"),
    S(426, "Upgrade Required"),
    S(428, "Precondition Required"),
    S(429, "Too Many Requests"),
    S(431, "Request Header Fields Too Large"),
    S(451, "Unavailable For Legal Reasons"),
    S(500, "Internal Server Error"),
    S(501, "Not Implemented"),
    S(502, "Bad Gateway"),
    S(503, "Service Unavailable"),
    S(504, "Gateway Timeout"),
    S(505, "HTTP Version Not Supported"),
    S(506, "Variant Also Negotiates"),
    S(507, "Insufficient Storage"),
    S(508, "Loop Detected"),
    S(510, "Not Extended"),
    S(511, "Network Authentication Required"),
};

struct span status_text(unsigned status)
{
    size_t i = status - 200u;

    if (status == 101)
        return SPAN("Switching Protocols");
    if (status < 200 || i >= sizeof TEXTS / sizeof *TEXTS || !TEXTS[i].data)
        return SPAN("");
    return TEXTS[i];
}
