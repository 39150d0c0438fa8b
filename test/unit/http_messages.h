/* http_messages.h - raw requests and what must come of each.
 *
 * SOURCE(text): where the rule of the rows below it stands, or who broke it once.
 * MESSAGE(name, outcome, bytes).  The outcome is a list, separated by "; ":
 *   GET /a?b @host        a request, its URL's path and host ("@" without Host)
 *   ... =body             and its body, when it has one
 *   400                   refused with this status; the connection closes
 *                         with it; what follows is never taken for a request
 *   more                  the bytes end inside a request
 *   close                 the connection closes after the answer before it
 *
 * C includes this table (test/unit/http_request.c, the fuzz corpus); so does
 * Python (test/integration/raw_messages.py), which reads the string literals
 * as its own: use only escapes that mean the same in both (\r \n \t \xNN with
 * exactly two digits, and no hexadecimal digit behind one). */

/* ---- accepted ---- */
SOURCE("RFC 9112 2 to 7: what must be taken")
MESSAGE(plain_get, "GET / @a", "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(query_and_port, "GET /x?y=1&z=%20 @a.example:8787",
        "GET /x?y=1&z=%20 HTTP/1.1\r\nHost: a.example:8787\r\n\r\n")
MESSAGE(host_case_kept, "GET / @A.Example", "GET / HTTP/1.1\r\nHOST: A.Example\r\n\r\n")
MESSAGE(host_ipv4, "GET / @127.0.0.1:1", "GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n")
MESSAGE(host_ipv6, "GET / @[::1]:8787", "GET / HTTP/1.1\r\nHost: [::1]:8787\r\n\r\n")
MESSAGE(space_around_value, "GET / @a", "GET / HTTP/1.1\r\nHost:\t a \t\r\n\r\n")
MESSAGE(no_space_before_value, "GET / @a", "GET / HTTP/1.1\r\nHost:a\r\n\r\n")
MESSAGE(empty_value, "GET / @a", "GET / HTTP/1.1\r\nHost: a\r\nX-Empty:\r\n\r\n")
MESSAGE(high_bytes_in_value, "GET / @a", "GET / HTTP/1.1\r\nHost: a\r\nX-Name: J\xc3\xbcrgen\r\n\r\n")
MESSAGE(tab_in_value, "GET / @a", "GET / HTTP/1.1\r\nHost: a\r\nX-Tab: one\ttwo\r\n\r\n")
MESSAGE(odd_but_legal_name, "GET / @a", "GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~9z: 1\r\n\r\n")
MESSAGE(odd_but_legal_target, "GET //x/../y;p=1?q=[]|\\^{}\"<>` @a",
        "GET //x/../y;p=1?q=[]|\\^{}\"<>` HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(blank_line_ahead, "GET / @a", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(post_with_length, "POST /p @a =hello",
        "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
MESSAGE(post_without_body, "POST /p @a", "POST /p HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(length_zero, "POST /p @a", "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
MESSAGE(length_with_leading_zeros, "POST /p @a =hello",
        "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 0005\r\n\r\nhello")
MESSAGE(get_with_body, "GET / @a =hello", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
MESSAGE(delete_with_body, "DELETE / @a =hello",
        "DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
MESSAGE(one_chunk, "POST / @a =hello",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(many_chunks, "POST / @a =hello, world of chunks!!",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n2\r\n, \r\n0A\r\nworld of c\r\n007\r\nhunks!" "!\r\n0\r\n\r\n")
MESSAGE(chunked_in_capitals, "POST / @a =hello",
        "POST / HTTP/1.1\r\nHost: a\r\nTRANSFER-ENCODING: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunked_and_empty, "POST / @a", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
MESSAGE(chunk_with_line_ends_inside, "POST / @a =\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n")
MESSAGE(harmless_trailer, "POST / @a =hello; GET /n @a",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"
        "X-Checksum: 1\r\nX-Other:\r\n\r\nGET /n HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(pipelined, "GET /1 @a; POST /2 @a =hello; POST /3 @a =hi; GET /4 @a",
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
        "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
        "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
        "GET /4 HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(head_request, "HEAD / @a", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(options_asterisk, "OPTIONS / @a", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(options_path, "OPTIONS /x @a", "OPTIONS /x HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_target, "GET /p?q @a:1", "GET http://a:1/p?q HTTP/1.1\r\nHost: a:1\r\n\r\n")
MESSAGE(absolute_in_capitals, "GET / @a", "GET HTTP://A/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_without_path, "GET / @a", "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_only_query, "GET /?q @a", "GET http://a?q HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(http10, "GET / @a; close", "GET / HTTP/1.0\r\nHost: a\r\n\r\n")
MESSAGE(http10_without_host, "GET / @; close", "GET / HTTP/1.0\r\n\r\n")
MESSAGE(http10_keep_alive, "GET /1 @a; GET /2 @a; close",
        "GET /1 HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\nGET /2 HTTP/1.0\r\nHost: a\r\n\r\n")
MESSAGE(http10_with_body, "POST / @a =hello; close",
        "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
MESSAGE(connection_close, "GET /1 @a; close",
        "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(connection_list, "GET /1 @a; close",
        "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: x-trace, Close\r\n\r\n")
MESSAGE(connection_twice, "GET /1 @a; close",
        "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n")
MESSAGE(upgrade_is_ignored, "GET /1 @a; GET /2 @a",
        "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(upgrade_with_chunks, "POST /1 @a =hello; GET /2 @a",
        "POST /1 HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(expect_continue, "POST / @a =hello",
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\nhello")
MESSAGE(expect_in_http10, "POST / @a =hello; close",
        "POST / HTTP/1.0\r\nHost: a\r\nExpect: something\r\nContent-Length: 5\r\n\r\nhello")
MESSAGE(underscore_is_another_header, "POST / @a",
        "POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 5\r\nTransfer_Encoding: chunked\r\n\r\n")
MESSAGE(report_method, "REPORT /x @a", "REPORT /x HTTP/1.1\r\nHost: a\r\n\r\n")

/* ---- cut ---- */
SOURCE("RFC 9112 8: incomplete messages")
MESSAGE(cut_in_method, "more", "GE")
MESSAGE(cut_in_target, "more", "GET /abc")
MESSAGE(cut_in_headers, "more", "GET / HTTP/1.1\r\nHost: a\r\nX")
MESSAGE(cut_before_last_lf, "more", "GET / HTTP/1.1\r\nHost: a\r\n\r")
MESSAGE(cut_in_body, "POST / @a =hel; more", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel")
MESSAGE(cut_in_chunk, "POST / @a =hel; more",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")
MESSAGE(cut_in_chunk_size, "POST / @a =hello; more",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1")
MESSAGE(cut_before_end_of_chunks, "POST / @a =hello; more",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n")

/* ---- two ways to say how long a body is ---- */
SOURCE("RFC 9112 6.1, 6.3; CVE-2005-2088, CVE-2019-20445, CVE-2019-16792, CVE-2020-8287")
MESSAGE(length_and_chunked, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\n")
MESSAGE(chunked_and_length, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
        "0\r\n\r\n")
MESSAGE(two_lengths, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!")
MESSAGE(two_equal_lengths, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\ncontent-length: 5\r\n\r\nhello")
MESSAGE(length_list, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello")
MESSAGE(length_plus, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello")
MESSAGE(length_minus, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\nhello")
MESSAGE(length_hex, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello")
MESSAGE(length_decimal, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5.0\r\n\r\nhello")
MESSAGE(length_space_inside, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\nhello")
MESSAGE(length_empty, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nhello")
MESSAGE(length_word, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: five\r\n\r\nhello")
MESSAGE(length_overflow, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551621\r\n\r\nhello")
MESSAGE(length_over_limit, "413",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\nhello")
MESSAGE(two_codings, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
        "\r\n0\r\n\r\n")
MESSAGE(coding_identity, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n")
MESSAGE(coding_gzip_chunked, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")
MESSAGE(coding_chunked_gzip, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n")
MESSAGE(coding_chunked_chunked, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n")
MESSAGE(coding_xchunked, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n")
MESSAGE(coding_quoted, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n")
MESSAGE(coding_with_parameter, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n")
MESSAGE(coding_vertical_tab, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\x0b" "chunked\r\n\r\n0\r\n\r\n")
MESSAGE(coding_empty, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n")
MESSAGE(coding_in_http10, "400", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
MESSAGE(coding_space_before_colon, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n")

/* ---- chunks ---- */
SOURCE("RFC 9112 7.1; CVE-2013-2028, CVE-2021-22960, CVE-2022-24761")
MESSAGE(chunk_size_empty, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_size_plus, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_size_minus, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_size_0x, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_size_word, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\ng\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_size_space_before, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_size_space_behind, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_size_overflow, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "10000000000000005\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_size_many_zeros, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "000000005\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_over_limit, "413",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_extension, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_extension_bare, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_extension_on_last, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0;x\r\n\r\n")
MESSAGE(chunk_size_lf, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_size_cr, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\rhello\r\n0\r\n\r\n")
MESSAGE(chunk_data_lf, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n")
MESSAGE(chunk_too_short, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_too_long, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_end_lf, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\n")
MESSAGE(trailer_length, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n")
MESSAGE(trailer_coding, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n")
MESSAGE(trailer_host, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: b\r\n\r\n")
MESSAGE(trailer_authorization, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nAuthorization: x\r\n\r\n")
MESSAGE(trailer_folded, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\n 2\r\n\r\n")
MESSAGE(trailer_without_colon, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX\r\n\r\n")
MESSAGE(trailer_empty_name, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n: x\r\n\r\n")
MESSAGE(trailer_control_byte, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: \x01\r\n\r\n")
MESSAGE(trailer_lf, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 1\n\r\n")

/* ---- lines and bytes ---- */
SOURCE("RFC 9112 2.2, 5.1, 5.2; RFC 9110 5.5; CVE-2019-16785, CVE-2019-20444, CVE-2021-22959, CVE-2023-25725")
MESSAGE(bare_lf_everywhere, "400", "GET / HTTP/1.1\nHost: a\n\n")
MESSAGE(bare_lf_in_headers, "400", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n")
MESSAGE(bare_lf_behind_host, "400", "GET / HTTP/1.1\r\nHost: ab\nX: y\r\n\r\n")
MESSAGE(bare_lf_at_end, "400", "GET / HTTP/1.1\r\nHost: a\r\n\n")
MESSAGE(bare_cr_in_value, "400", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n")
MESSAGE(bare_cr_as_line_end, "400", "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n")
MESSAGE(cr_cr_lf, "400", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n")
MESSAGE(blank_lines_ahead, "400", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(lf_ahead, "400", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(space_ahead, "400", " GET / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(folded_value, "400", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n")
MESSAGE(folded_with_tab, "400", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n")
MESSAGE(first_header_indented, "400", "GET / HTTP/1.1\r\n Host: a\r\n\r\n")
MESSAGE(space_before_colon, "400", "GET / HTTP/1.1\r\nHost : a\r\n\r\n")
MESSAGE(tab_before_colon, "400", "GET / HTTP/1.1\r\nHost\t: a\r\n\r\n")
MESSAGE(header_without_colon, "400", "GET / HTTP/1.1\r\nHost: a\r\nNonsense\r\n\r\n")
MESSAGE(header_without_name, "400", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n")
MESSAGE(space_in_name, "400", "GET / HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n")
MESSAGE(high_byte_in_name, "400", "GET / HTTP/1.1\r\nHost: a\r\nX\xff: z\r\n\r\n")
MESSAGE(brackets_in_name, "400", "GET / HTTP/1.1\r\nHost: a\r\nX[0]: z\r\n\r\n")
MESSAGE(nul_in_name, "400", "GET / HTTP/1.1\r\nHost: a\r\nX\x00Y: z\r\n\r\n")
MESSAGE(nul_in_value, "400", "GET / HTTP/1.1\r\nHost: a\r\nX: a\x00z\r\n\r\n")
MESSAGE(escape_in_value, "400", "GET / HTTP/1.1\r\nHost: a\r\nX: \x1b[31m\r\n\r\n")
MESSAGE(delete_in_value, "400", "GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n")
MESSAGE(nul_in_target, "400", "GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n")

/* ---- request line ---- */
SOURCE("RFC 9112 2.3, 3; RFC 9110 9")
MESSAGE(http09, "400", "GET /\r\n")
MESSAGE(http09_with_headers, "400", "GET /\r\nHost: a\r\n\r\n")
MESSAGE(two_spaces, "400", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(two_spaces_before_version, "400", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(space_behind_version, "400", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n")
MESSAGE(tab_as_separator, "400", "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(space_in_target, "400", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(high_byte_in_target, "400", "GET /\xc3\xbc HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(fragment_in_target, "400", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(no_target, "400", "GET HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(relative_target, "400", "GET index.html HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(asterisk_for_get, "400", "GET * HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(method_with_brackets, "400", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(method_lower_case, "501", "get / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(method_unknown, "501", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(method_connect, "501", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n")
MESSAGE(method_trace, "501", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(authority_for_get, "400", "GET a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n")
MESSAGE(version_20, "505", "GET / HTTP/2.0\r\nHost: a\r\n\r\n")
MESSAGE(version_12, "505", "GET / HTTP/1.2\r\nHost: a\r\n\r\n")
MESSAGE(version_09, "505", "GET / HTTP/0.9\r\nHost: a\r\n\r\n")
MESSAGE(http2_preface, "505", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
MESSAGE(version_lower_case, "400", "GET / http/1.1\r\nHost: a\r\n\r\n")
MESSAGE(version_short, "400", "GET / HTTP/1\r\nHost: a\r\n\r\n")
MESSAGE(version_long, "400", "GET / HTTP/1.10\r\nHost: a\r\n\r\n")
MESSAGE(version_padded, "400", "GET / HTTP/01.1\r\nHost: a\r\n\r\n")
MESSAGE(tls_hello, "400", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
MESSAGE(nonsense, "400", "\x80\x81\x82\r\n\r\n")

/* ---- hosts ---- */
SOURCE("RFC 9112 3.2, 3.3; RFC 9110 7.2")
MESSAGE(no_host, "400", "GET / HTTP/1.1\r\n\r\n")
MESSAGE(two_hosts, "400", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
MESSAGE(two_equal_hosts, "400", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n")
MESSAGE(two_hosts_in_http10, "400", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n")
MESSAGE(host_empty, "400", "GET / HTTP/1.1\r\nHost:\r\n\r\n")
MESSAGE(host_list, "400", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n")
MESSAGE(host_with_path, "400", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n")
MESSAGE(host_with_user, "400", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n")
MESSAGE(host_with_space, "400", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n")
MESSAGE(host_with_query, "400", "GET / HTTP/1.1\r\nHost: a?b\r\n\r\n")
MESSAGE(host_with_percent, "400", "GET / HTTP/1.1\r\nHost: a%2fb\r\n\r\n")
MESSAGE(host_high_byte, "400", "GET / HTTP/1.1\r\nHost: \xc3\xbc\r\n\r\n")
MESSAGE(host_port_empty, "400", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n")
MESSAGE(host_port_word, "400", "GET / HTTP/1.1\r\nHost: a:http\r\n\r\n")
MESSAGE(host_port_large, "400", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n")
MESSAGE(host_port_twice, "400", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n")
MESSAGE(host_ipv4_bad, "400", "GET / HTTP/1.1\r\nHost: 1.2.3.256\r\n\r\n")
MESSAGE(host_number, "400", "GET / HTTP/1.1\r\nHost: a.1\r\n\r\n")
MESSAGE(host_hex_number, "400", "GET / HTTP/1.1\r\nHost: 0x7f.0x1\r\n\r\n")
MESSAGE(host_ipv6_bad, "400", "GET / HTTP/1.1\r\nHost: [::g]\r\n\r\n")
MESSAGE(host_ipv6_open, "400", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n")
MESSAGE(host_ipv6_rest, "400", "GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n")
MESSAGE(absolute_other_host, "400", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_other_port, "400", "GET http://a:81/ HTTP/1.1\r\nHost: a:80\r\n\r\n")
MESSAGE(absolute_with_user, "400", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_without_host, "400", "GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_no_host_header, "400", "GET http://a/ HTTP/1.1\r\n\r\n")
MESSAGE(absolute_other_scheme, "400", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_one_slash, "400", "GET http:/a HTTP/1.1\r\nHost: a\r\n\r\n")

/* ---- the rest ---- */
SOURCE("RFC 9110 7.6.1, 10.1.1; RFC 9112 6.3, 9.3.2")
MESSAGE(expect_other, "417", "POST / HTTP/1.1\r\nHost: a\r\nExpect: coffee\r\nContent-Length: 5\r\n\r\nhello")
MESSAGE(connection_malformed, "400", "GET / HTTP/1.1\r\nHost: a\r\nConnection: a b\r\n\r\n")
MESSAGE(junk_behind_body, "POST / @a =hello; 400",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello(junk)\r\n")
MESSAGE(body_longer_than_said, "POST / @a =he; 501",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhello / HTTP/1.1\r\n\r\n")
MESSAGE(smuggled_behind_get, "GET / @a; 400", "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /admin HTTP/1.1\r\n\r\n")
MESSAGE(smuggled_behind_chunks, "POST / @a; 400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        "GET /admin HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")

/* ---- lengths that one reader takes and another does not ---- */
SOURCE("RFC 9110 8.6, RFC 9112 6.3; CVE-2005-2088, CVE-2019-16792, CVE-2019-20445, CVE-2022-24761")
MESSAGE(length_comma_behind, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5,\r\n\r\nhello")
MESSAGE(length_comma_ahead, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ,5\r\n\r\nhello")
MESSAGE(length_spaced_list, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5 , 5\r\n\r\nhello")
MESSAGE(length_conflicting_list, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 6\r\n\r\nhello")
MESSAGE(length_semicolon, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5;\r\n\r\nhello")
MESSAGE(length_quoted, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \"5\"\r\n\r\nhello")
MESSAGE(length_tabs_around, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\t5\t\r\n\r\nhello")
MESSAGE(length_vertical_tab, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\x0b" "5\r\n\r\nhello")
MESSAGE(length_form_feed, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\x0c\r\n\r\nhello")
MESSAGE(length_no_break_space, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\xa0" "5\r\n\r\nhello")
MESSAGE(length_arabic_digit, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \xd9\xa5\r\n\r\nhello")
MESSAGE(length_fullwidth_digit, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \xef\xbc\x95\r\n\r\nhello")
MESSAGE(length_underscore, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0_5\r\n\r\nhello")
MESSAGE(length_exponent, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5e0\r\n\r\nhello")
MESSAGE(length_suffix, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5b\r\n\r\nhello")
MESSAGE(length_octal, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0o5\r\n\r\nhello")
MESSAGE(length_minus_zero, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -0\r\n\r\nhello")
MESSAGE(length_plus_zero, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\nhello")
MESSAGE(length_nul_behind, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\x00\r\n\r\nhello")
MESSAGE(length_int64_plus_one, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\nhello")
MESSAGE(length_uint64_max, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\nhello")
MESSAGE(length_wraps_32_bits, "413", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4294967301\r\n\r\nhello")
MESSAGE(length_wraps_64_bits, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 36893488147419103237\r\n\r\nhello")
MESSAGE(length_many_leading_zeros, "POST / @a =hello",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 00000000000000000000000000000005\r\n\r\nhello")
MESSAGE(length_folded, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n 5\r\n\r\nhello")
MESSAGE(length_space_before_colon, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello")
MESSAGE(length_nul_in_name, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length\x00: 5\r\n\r\nhello")
MESSAGE(length_indented, "400", "POST / HTTP/1.1\r\nHost: a\r\n Content-Length: 5\r\n\r\nhello")
MESSAGE(length_then_empty, "400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length:\r\n\r\nhello")
MESSAGE(length_twice_in_http10, "400",
        "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello")
MESSAGE(length_zero_hides_a_request, "POST / @a; GET /second @a",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(length_on_get_hides_nothing, "GET / @a =GET /never; GET /second @a",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nGET /neverGET /second HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(length_and_chunked_in_http10, "400",
        "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello")
MESSAGE(length_zero_and_chunked, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n"
        "GET /never HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(cl_te_classic, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG")
MESSAGE(te_cl_classic, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nSMUGGLED\r\n"
        "0\r\n\r\n")

/* ---- codings in disguise ---- */
SOURCE("RFC 9112 6.1, 7; CVE-2019-16786, CVE-2020-8287, CVE-2020-11076, CVE-2022-32213, CVE-2024-1135, CVE-2024-6827")
MESSAGE(coding_no_space, "POST / @a =hello",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(coding_tab_ahead, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\tchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(coding_tab_behind, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked \t\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(coding_mixed_case, "POST / @a =hello",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: cHuNkEd\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(coding_comma_behind, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked,\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(coding_comma_ahead, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(coding_commas, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,,\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(coding_identity_chunked, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(coding_chunked_identity, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(coding_identity_then_chunked, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
MESSAGE(coding_chunked_then_identity, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n")
MESSAGE(coding_kelvin_sign, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chun\xe2\x84\xaa" "ed\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(coding_no_break_space, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \xa0" "chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(coding_high_byte_behind, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\xff\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(coding_form_feed, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0c" "chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(coding_nul_inside, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chu\x00nked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(coding_in_quotes, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: 'chunked'\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(coding_in_brackets, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: [chunked]\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(coding_unknown, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: cow\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(coding_deflate, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: deflate\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(coding_q, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1.0\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(coding_folded, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(coding_folded_behind, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n , identity\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(coding_line_break_before_colon, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\r\n: chunked\r\n\r\n0\r\n\r\n")
MESSAGE(coding_behind_bare_cr, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nX: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
MESSAGE(coding_behind_bare_lf, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
MESSAGE(coding_behind_nul, "400", "POST / HTTP/1.1\r\nHost: a\r\nX: y\x00Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
MESSAGE(coding_indented, "400", "POST / HTTP/1.1\r\nHost: a\r\nX: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
MESSAGE(coding_name_tab, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n")
MESSAGE(coding_name_high_byte, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer\xad" "Encoding: chunked\r\n\r\n0\r\n\r\n")
MESSAGE(te_is_no_coding, "POST / @a; 400",
        "POST / HTTP/1.1\r\nHost: a\r\nTE: chunked\r\n\r\n0\r\n\r\nGET /never HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(content_encoding_is_no_coding, "POST / @a; 400",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: chunked\r\n\r\n0\r\n\r\nGET /never HTTP/1.1\r\n"
        "Host: a\r\n\r\n")
MESSAGE(coding_on_get, "GET / @a =hello; GET /second @a",
        "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        "GET /second HTTP/1.1\r\nHost: a\r\n\r\n")

/* ---- chunks that one reader takes and another does not ---- */
SOURCE("RFC 9112 7.1; CVE-2013-2028, CVE-2021-22960, CVE-2022-24761, CVE-2025-55315")
MESSAGE(chunk_eight_digits, "POST / @a =hello",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n00000005\r\nhello\r\n00000000\r\n\r\n")
MESSAGE(chunk_nine_zeros, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n000000000\r\n\r\n")
MESSAGE(chunk_of_one_each, "POST / @a =abc",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n")
MESSAGE(chunk_size_int32_max, "413",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\nhello")
MESSAGE(chunk_size_int32_min, "413",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n80000000\r\nhello")
MESSAGE(chunk_size_64_bits, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhello")
MESSAGE(chunk_size_tab_behind, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\t\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_size_vertical_tab, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\x0b\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_size_underscore, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0_5\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_size_quoted, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\"5\"\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_size_comma, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5,\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_size_h, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5h\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_size_nul, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\x00\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_size_high_byte, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\xd9\xa5\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_last_plus, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+0\r\n\r\n")
MESSAGE(chunk_last_minus, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-0\r\n\r\n")
MESSAGE(chunk_last_space, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0 \r\n\r\n")
MESSAGE(chunk_last_0x, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n")
MESSAGE(chunk_last_lf, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\n\r\n")
MESSAGE(chunk_last_cr_cr, "400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\r\n\r\n")
MESSAGE(chunk_last_double_zero, "POST / @a",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n00\r\n\r\n")
MESSAGE(chunk_blank_line_ahead, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_blank_line_between, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n\r\n0\r\n\r\n")
MESSAGE(chunk_lf_before_data, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_end_is_two_other_bytes, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n")
MESSAGE(chunk_end_cr_cr, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\r\n0\r\n\r\n")
MESSAGE(chunk_end_missing, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n")
MESSAGE(chunk_extension_quoted, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"b\"\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_extension_line_break_in_quotes, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"\r\nhello\r\n0\r\n\r\n\"")
MESSAGE(chunk_extension_bare_lf, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_extension_bare_cr, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a\rhello\r\n0\r\n\r\n")
MESSAGE(chunk_extension_only_lf, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_extension_spaced, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5 ; a\r\nhello\r\n0\r\n\r\n")
MESSAGE(chunk_extension_smuggles, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;\nxx\r\n45\r\n0\r\n\r\n"
        "GET /never HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(chunk_lone_lf_in_last_extension, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0;\n\r\nGET /never HTTP/1.1\r\n"
        "Host: a\r\n\r\n")

/* ---- trailers ---- */
SOURCE("RFC 9110 6.5.1, RFC 9112 7.1.2; CVE-2023-46589")
MESSAGE(trailer_content_type, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Type: a/b\r\n\r\n")
MESSAGE(trailer_content_encoding, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\ncontent-encoding: gzip\r\n\r\n")
MESSAGE(trailer_cookie, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nCookie: a=b\r\n\r\n")
MESSAGE(trailer_set_cookie, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nSet-Cookie: a=b\r\n\r\n")
MESSAGE(trailer_te, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTE: trailers\r\n\r\n")
MESSAGE(trailer_trailer, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: X\r\n\r\n")
MESSAGE(trailer_connection, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nConnection: close\r\n\r\n")
MESSAGE(trailer_expect, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nExpect: 100-continue\r\n\r\n")
MESSAGE(trailer_max_forwards, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nMax-Forwards: 1\r\n\r\n")
MESSAGE(trailer_upgrade, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nUpgrade: websocket\r\n\r\n")
MESSAGE(trailer_proxy_authorization, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nProxy-Authorization: x\r\n\r\n")
MESSAGE(trailer_space_before_colon, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost : b\r\n\r\n")
MESSAGE(trailer_bare_cr, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 1\rHost: b\r\n\r\n")
MESSAGE(trailer_nul, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: a\x00" "b\r\n\r\n")
MESSAGE(trailer_high_byte_in_name, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX\xe9: 1\r\n\r\n")
MESSAGE(trailer_cr_cr_lf, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\r\n\r\n")
MESSAGE(trailer_is_no_request, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nGET /never HTTP/1.1\r\n"
        "Host: a\r\n\r\n")

/* ---- bytes where none belong ---- */
SOURCE("RFC 9112 2.2, 5.1, 5.2; RFC 9110 5.5; CVE-2019-16785, CVE-2021-43797, CVE-2023-25725, CVE-2024-23829")
MESSAGE(nul_ahead, "400", "\x00GET / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(byte_order_mark_ahead, "400", "\xef\xbb\xbfGET / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(cr_ahead, "400", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(cr_cr_lf_ahead, "400", "\r\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(tab_ahead, "400", "\tGET / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(nul_in_method, "400", "G\x00" "ET / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(cr_in_method, "400", "G\rET / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(cr_in_target, "400", "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(lf_in_target, "400", "GET /\n HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(delete_in_target, "400", "GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(tab_in_target, "400", "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(escape_in_target, "400", "GET /\x1b[2J HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(vertical_tab_in_value, "400", "GET / HTTP/1.1\r\nHost: a\r\nX: a\x0b" "b\r\n\r\n")
MESSAGE(form_feed_in_value, "400", "GET / HTTP/1.1\r\nHost: a\r\nX: a\x0c" "b\r\n\r\n")
MESSAGE(bell_in_value, "400", "GET / HTTP/1.1\r\nHost: a\r\nX: \x07\r\n\r\n")
MESSAGE(backspaces_in_value, "400", "GET / HTTP/1.1\r\nHost: a\r\nX: safe\x08\x08\x08\x08" "evil\r\n\r\n")
MESSAGE(next_line_in_value, "GET / @a", "GET / HTTP/1.1\r\nHost: a\r\nX: a\xc2\x85" "b\r\n\r\n")
MESSAGE(line_separator_in_value, "GET / @a", "GET / HTTP/1.1\r\nHost: a\r\nX: a\xe2\x80\xa8" "b\r\n\r\n")
MESSAGE(bad_utf8_in_value, "GET / @a", "GET / HTTP/1.1\r\nHost: a\r\nX: \xff\xfe\xc0\xaf\r\n\r\n")
MESSAGE(quotes_in_name, "400", "GET / HTTP/1.1\r\nHost: a\r\n\"X\": z\r\n\r\n")
MESSAGE(comma_in_name, "400", "GET / HTTP/1.1\r\nHost: a\r\nX,Y: z\r\n\r\n")
MESSAGE(at_in_name, "400", "GET / HTTP/1.1\r\nHost: a\r\nX@Y: z\r\n\r\n")
MESSAGE(slash_in_name, "400", "GET / HTTP/1.1\r\nHost: a\r\nX/Y: z\r\n\r\n")
MESSAGE(cr_in_name, "400", "GET / HTTP/1.1\r\nHost: a\r\nX\rY: z\r\n\r\n")
MESSAGE(escape_in_name, "400", "GET / HTTP/1.1\r\nHost: a\r\n\x1b[31mX: z\r\n\r\n")
MESSAGE(colon_in_value, "GET / @a", "GET / HTTP/1.1\r\nHost: a\r\nX:Y: z\r\n\r\n")
MESSAGE(colons_only, "400", "GET / HTTP/1.1\r\nHost: a\r\n::\r\n\r\n")
MESSAGE(only_a_space, "400", "GET / HTTP/1.1\r\nHost: a\r\n \r\n\r\n")
MESSAGE(folded_request_line, "400", "GET /\r\n HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(folded_only_space, "400", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n \r\n\r\n")
MESSAGE(crlf_inside_encoded, "GET /%0d%0aX:%201 @a", "GET /%0d%0aX:%201 HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(lf_lf_end, "400", "GET / HTTP/1.1\r\nHost: a\n\nGET /never HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(cr_only_message, "400", "GET / HTTP/1.1\rHost: a\r\rGET /never HTTP/1.1\r\nHost: a\r\n\r\n")

/* ---- request lines ---- */
SOURCE("RFC 9112 2.3, 3; RFC 9110 9.1; CVE-2021-41773, CVE-2023-25690, CVE-2024-23829")
MESSAGE(version_twice, "400", "GET / HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(version_https, "400", "GET / HTTPS/1.1\r\nHost: a\r\n\r\n")
MESSAGE(version_comma, "400", "GET / HTTP/1,1\r\nHost: a\r\n\r\n")
MESSAGE(version_three_parts, "400", "GET / HTTP/1.1.1\r\nHost: a\r\n\r\n")
MESSAGE(version_without_dot, "400", "GET / HTTP/11\r\nHost: a\r\n\r\n")
MESSAGE(version_space_inside, "400", "GET / HTTP /1.1\r\nHost: a\r\n\r\n")
MESSAGE(version_plus, "400", "GET / HTTP/+1.1\r\nHost: a\r\n\r\n")
MESSAGE(version_minus, "400", "GET / HTTP/1.-1\r\nHost: a\r\n\r\n")
MESSAGE(version_nul, "400", "GET / HTTP/1.1\x00\r\nHost: a\r\n\r\n")
MESSAGE(version_tab_behind, "400", "GET / HTTP/1.1\t\r\nHost: a\r\n\r\n")
MESSAGE(version_letter, "400", "GET / HTTP/1.x\r\nHost: a\r\n\r\n")
MESSAGE(version_empty, "400", "GET / \r\nHost: a\r\n\r\n")
MESSAGE(version_30, "505", "GET / HTTP/3.0\r\nHost: a\r\n\r\n")
MESSAGE(version_19, "505", "GET / HTTP/1.9\r\nHost: a\r\n\r\n")
MESSAGE(version_99, "505", "GET / HTTP/9.9\r\nHost: a\r\n\r\n")
MESSAGE(version_00, "505", "GET / HTTP/0.0\r\nHost: a\r\n\r\n")
MESSAGE(http10_without_host_absolute, "GET /x @b; close", "GET http://b/x HTTP/1.0\r\n\r\n")
MESSAGE(http09_post, "400", "POST /\r\n\r\n")
MESSAGE(method_alone, "400", "GET\r\n\r\n")
MESSAGE(spaces_alone, "400", "   \r\n\r\n")
MESSAGE(method_missing, "400", " / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(method_glued_to_target, "400", "GET/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(vertical_tab_as_separator, "400", "GET\x0b/\x0bHTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(form_feed_as_separator, "400", "GET\x0c/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(no_break_space_as_separator, "400", "GET\xa0/\xa0HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(cr_as_separator, "400", "GET\r/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(method_mixed_case, "501", "Get / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(method_longer, "501", "GETT / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(method_high_byte, "400", "G\xc3\x8bT / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(method_quoted, "400", "\"GET\" / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(method_with_colon, "400", "GET: / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(method_track, "501", "TRACK / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(method_debug, "501", "DEBUG / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(method_pri, "501", "PRI / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(method_trace_asterisk, "501", "TRACE * HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(method_trace_with_secrets, "501", "TRACE / HTTP/1.1\r\nHost: a\r\nCookie: a=b\r\n\r\n")
MESSAGE(method_connect_path, "501", "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(method_connect_with_body, "501", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
MESSAGE(method_connect_http10, "501", "CONNECT a:443 HTTP/1.0\r\n\r\n")
MESSAGE(method_very_long, "501",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n"
        "Host: a\r\n\r\n")
MESSAGE(target_question_mark, "400", "GET ?x HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(target_fragment_alone, "400", "GET # HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(target_encoded_fragment, "GET /a%23b @a", "GET /a%23b HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(target_bad_percent, "GET /%zz%1% @a", "GET /%zz%1% HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(target_encoded_nul, "GET /%00 @a", "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(target_overlong_utf8, "GET /%c0%ae%c0%ae/x @a", "GET /%c0%ae%c0%ae/x HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(target_bad_utf8_encoded, "GET /%ff%fe @a", "GET /%ff%fe HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(target_surrogate_encoded, "GET /%ed%a0%80 @a", "GET /%ed%a0%80 HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(target_iis_unicode, "GET /%u002e @a", "GET /%u002e HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(target_dots, "GET /../../etc/passwd @a", "GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(target_encoded_dots, "GET /..%2f..%2fetc%2fpasswd @a",
        "GET /..%2f..%2fetc%2fpasswd HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(target_backslashes, "GET /\\..\\x @a", "GET /\\..\\x HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(target_many_slashes, "GET ////evil/ @a", "GET ////evil/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(target_looks_absolute, "GET /http://b/ @a", "GET /http://b/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(target_with_at, "GET /@b/ @a", "GET /@b/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(target_raw_utf8_query, "400", "GET /?q=\xe2\x82\xac HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(target_bad_utf8_query, "400", "GET /?q=\xff HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(target_javascript, "400", "GET javascript:alert(1) HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(target_file, "400", "GET file:///etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(target_data, "400", "GET data:,x HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(asterisk_and_more, "400", "OPTIONS *x HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(asterisk_for_post, "400", "POST * HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(asterisk_for_head, "400", "HEAD * HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(authority_for_options, "400", "OPTIONS a:80 HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(options_absolute, "OPTIONS / @a", "OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(delete_without_body, "DELETE / @a", "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n")

/* ---- absolute targets ---- */
SOURCE("RFC 9112 3.2.2, 3.3; RFC 3986 3.2")
MESSAGE(absolute_https, "GET / @a", "GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_default_port, "400", "GET http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_ipv6, "GET / @[::1]:80", "GET http://[::1]:80/ HTTP/1.1\r\nHost: [::1]:80\r\n\r\n")
MESSAGE(absolute_ipv6_spelt_otherwise, "400", "GET http://[0::1]/ HTTP/1.1\r\nHost: [::1]\r\n\r\n")
MESSAGE(absolute_user_and_password, "400", "GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_user_is_host, "400", "GET http://a@b/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_empty_user, "400", "GET http://@a/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_backslash, "400", "GET http://a\\@b/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_fragment, "400", "GET http://a/#b HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_fragment_host, "400", "GET http://a#@b/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_encoded_host, "400", "GET http://%61/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_port_empty, "400", "GET http://a:/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_port_hex, "400", "GET http://a:0x50/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_ws, "400", "GET ws://a/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_no_slashes, "400", "GET http:a/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_three_slashes, "400", "GET http:///a/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_relative_scheme, "400", "GET a:// HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_query_hides_host, "GET /?@b/ @a", "GET http://a?@b/ HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(absolute_prefix_of_host, "400", "GET http://a.b/ HTTP/1.1\r\nHost: a.b.c\r\n\r\n")
MESSAGE(absolute_and_two_hosts, "400", "GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
MESSAGE(absolute_empty_host_header, "400", "GET http://a/ HTTP/1.1\r\nHost:\r\n\r\n")
MESSAGE(absolute_other_host_http10, "400", "GET http://b/ HTTP/1.0\r\nHost: a\r\n\r\n")

/* ---- hosts of all kinds ---- */
SOURCE("RFC 9110 7.2, RFC 9112 3.2, RFC 3986 3.2.2; routing by the Host header")
MESSAGE(host_ipv6_no_port, "GET / @[::1]", "GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n")
MESSAGE(host_ipv6_mapped, "GET / @[::ffff:1.2.3.4]", "GET / HTTP/1.1\r\nHost: [::ffff:1.2.3.4]\r\n\r\n")
MESSAGE(host_ipv6_zone, "400", "GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n")
MESSAGE(host_ipv6_bare, "400", "GET / HTTP/1.1\r\nHost: ::1\r\n\r\n")
MESSAGE(host_ipv6_name, "400", "GET / HTTP/1.1\r\nHost: [a]\r\n\r\n")
MESSAGE(host_ipv6_empty, "400", "GET / HTTP/1.1\r\nHost: []\r\n\r\n")
MESSAGE(host_ipv6_twice, "400", "GET / HTTP/1.1\r\nHost: [::1][::1]\r\n\r\n")
MESSAGE(host_ipv6_nul, "400", "GET / HTTP/1.1\r\nHost: [::1\x00]\r\n\r\n")
MESSAGE(host_ipvfuture, "400", "GET / HTTP/1.1\r\nHost: [v1.a]\r\n\r\n")
MESSAGE(host_ipv4_short, "400", "GET / HTTP/1.1\r\nHost: 127.1\r\n\r\n")
MESSAGE(host_ipv4_one_number, "400", "GET / HTTP/1.1\r\nHost: 2130706433\r\n\r\n")
MESSAGE(host_ipv4_octal, "400", "GET / HTTP/1.1\r\nHost: 0177.0.0.1\r\n\r\n")
MESSAGE(host_ipv4_five, "400", "GET / HTTP/1.1\r\nHost: 1.2.3.4.5\r\n\r\n")
MESSAGE(host_ipv4_hex, "400", "GET / HTTP/1.1\r\nHost: 0x7f000001\r\n\r\n")
MESSAGE(host_port_zeros, "GET / @a:00080", "GET / HTTP/1.1\r\nHost: a:00080\r\n\r\n")
MESSAGE(host_port_six_digits, "400", "GET / HTTP/1.1\r\nHost: a:000080\r\n\r\n")
MESSAGE(host_port_minus, "400", "GET / HTTP/1.1\r\nHost: a:-1\r\n\r\n")
MESSAGE(host_port_plus, "400", "GET / HTTP/1.1\r\nHost: a:+80\r\n\r\n")
MESSAGE(host_port_space, "400", "GET / HTTP/1.1\r\nHost: a: 80\r\n\r\n")
MESSAGE(host_port_alone, "400", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n")
MESSAGE(host_port_with_path, "400", "GET / HTTP/1.1\r\nHost: a:80/x\r\n\r\n")
MESSAGE(host_port_user, "400", "GET / HTTP/1.1\r\nHost: a:80@b\r\n\r\n")
MESSAGE(host_dot, "400", "GET / HTTP/1.1\r\nHost: .\r\n\r\n")
MESSAGE(host_dot_behind, "GET / @a.", "GET / HTTP/1.1\r\nHost: a.\r\n\r\n")
MESSAGE(host_underscore, "GET / @a_b", "GET / HTTP/1.1\r\nHost: a_b\r\n\r\n")
MESSAGE(host_wildcard, "400", "GET / HTTP/1.1\r\nHost: *\r\n\r\n")
MESSAGE(host_semicolon, "400", "GET / HTTP/1.1\r\nHost: a;b\r\n\r\n")
MESSAGE(host_comma, "400", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n")
MESSAGE(host_backslash, "400", "GET / HTTP/1.1\r\nHost: a\\b\r\n\r\n")
MESSAGE(host_hash, "400", "GET / HTTP/1.1\r\nHost: a#b\r\n\r\n")
MESSAGE(host_quote, "400", "GET / HTTP/1.1\r\nHost: \"a\"\r\n\r\n")
MESSAGE(host_brackets, "400", "GET / HTTP/1.1\r\nHost: <a>\r\n\r\n")
MESSAGE(host_url, "400", "GET / HTTP/1.1\r\nHost: http://a/\r\n\r\n")
MESSAGE(host_tab_inside, "400", "GET / HTTP/1.1\r\nHost: a\tb\r\n\r\n")
MESSAGE(host_nul, "400", "GET / HTTP/1.1\r\nHost: a\x00.b\r\n\r\n")
MESSAGE(host_crlf_encoded, "400", "GET / HTTP/1.1\r\nHost: a%0d%0aX:1\r\n\r\n")
MESSAGE(host_template, "400", "GET / HTTP/1.1\r\nHost: ${jndi:ldap://x/}\r\n\r\n")
MESSAGE(host_sql, "400", "GET / HTTP/1.1\r\nHost: a'--\r\n\r\n")
MESSAGE(host_folded, "400", "GET / HTTP/1.1\r\nHost: a\r\n .b\r\n\r\n")
MESSAGE(host_space_before_colon_second, "400", "GET / HTTP/1.1\r\nHost: a\r\nHost : b\r\n\r\n")
MESSAGE(host_twice_other_case, "400", "GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n")
MESSAGE(host_empty_then_host, "400", "GET / HTTP/1.1\r\nHost:\r\nHost: a\r\n\r\n")
MESSAGE(host_empty_in_http10, "400", "GET / HTTP/1.0\r\nHost:\r\n\r\n")
MESSAGE(forwarded_host_is_no_host, "400", "GET / HTTP/1.1\r\nX-Forwarded-Host: a\r\n\r\n")
MESSAGE(colon_authority_is_no_host, "400", "GET / HTTP/1.1\r\n:authority: a\r\n\r\n")
MESSAGE(host_behind_everything, "GET / @a", "GET / HTTP/1.1\r\nX: 1\r\nY: 2\r\nHost: a\r\n\r\n")

/* ---- what follows an error is no request ---- */
SOURCE("RFC 9112 9.6, 11.2: the connection ends")
MESSAGE(nothing_after_no_host, "400", "GET / HTTP/1.1\r\n\r\nGET /never HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(nothing_after_unknown_method, "501",
        "BREW / HTTP/1.1\r\nHost: a\r\n\r\nGET /never HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(nothing_after_unknown_version, "505",
        "GET / HTTP/2.0\r\nHost: a\r\n\r\nGET /never HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(nothing_after_expectation, "417",
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: x\r\nContent-Length: 5\r\n\r\nhelloGET /never HTTP/1.1\r\n"
        "Host: a\r\n\r\n")
MESSAGE(nothing_after_large_body, "413",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999\r\n\r\nGET /never HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(nothing_after_bad_length, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\nGET /never HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(nothing_after_bad_chunk, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nGET /never HTTP/1.1\r\n"
        "Host: a\r\n\r\n")
MESSAGE(nothing_after_large_chunk, "413",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nGET /never HTTP/1.1\r\n"
        "Host: a\r\n\r\n")
MESSAGE(nothing_after_bare_lf, "400", "GET / HTTP/1.1\nHost: a\n\nGET /never HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(nothing_after_bad_trailer, "400",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: b\r\n\r\n"
        "GET /never HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(nothing_after_blank_lines, "400", "\r\n\r\nGET /never HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(nothing_after_close, "GET /1 @a; close",
        "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /never HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(nothing_after_http10, "GET /1 @a; close",
        "GET /1 HTTP/1.0\r\nHost: a\r\n\r\nGET /never HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(first_answered_second_refused, "GET /1 @a; 400",
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2\r\n\r\nGET /never HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(body_that_looks_like_a_request, "POST / @a =GET /never HTTP/1.1\r\nHost: a\r\n\r\n; GET /second @a",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 32\r\n\r\nGET /never HTTP/1.1\r\nHost: a\r\n\r\n"
        "GET /second HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(chunk_that_looks_like_a_request, "POST / @a =GET /never HTTP/1.1\r\nHost: a\r\n\r\n; GET /second @a",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nGET /never HTTP/1.1\r\n"
        "Host: a\r\n\r\n\r\n0\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(five_pipelined, "GET /1 @a; HEAD /2 @a; OPTIONS /3 @a; POST /4 @a =x; GET /5 @a; close",
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: a\r\n\r\nOPTIONS /3 HTTP/1.1\r\n"
        "Host: a\r\n\r\nPOST /4 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nxGET /5 HTTP/1.1\r\nHost: a\r\n"
        "Connection: close\r\n\r\nGET /never HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(blank_line_between, "GET /1 @a; GET /2 @a",
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
MESSAGE(blank_line_behind_body, "POST / @a =hi; GET /2 @a",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")

/* ---- expectations ---- */
SOURCE("RFC 9110 10.1.1")
MESSAGE(expect_without_body, "GET / @a", "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n")
MESSAGE(expect_list, "417", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue, x\r\nContent-Length: 5\r\n\r\nhello")
MESSAGE(expect_twice, "POST / @a =hello",
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nExpect: 100-continue\r\n"
        "Content-Length: 5\r\n\r\nhello")
MESSAGE(expect_quoted, "417",
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: \"100-continue\"\r\nContent-Length: 5\r\n\r\nhello")
MESSAGE(expect_200_ok, "417", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 5\r\n\r\nhello")
MESSAGE(expect_empty, "417", "POST / HTTP/1.1\r\nHost: a\r\nExpect:\r\nContent-Length: 5\r\n\r\nhello")
MESSAGE(expect_y_as_prefix, "417",
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: y 100-continue\r\nContent-Length: 5\r\n\r\nhello")
MESSAGE(expect_chunked, "POST / @a =hello",
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
        "0\r\n\r\n")
