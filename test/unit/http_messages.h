/* http_messages.h - raw requests and what must come of each.
 *
 * MESSAGE(name, outcome, bytes).  The outcome is a list, separated by "; ":
 *   GET /a?b @host        a request, its URL's path and host ("@" without Host)
 *   ... =body             and its body, when it has one
 *   400                   refused with this status; the connection closes
 *   more                  the bytes end inside a request
 *   close                 the connection closes after the answer before it
 *
 * C includes this table (test/unit/http_request.c, the fuzz corpus); so does
 * Python (test/integration/raw_messages.py), which reads the string literals
 * as its own: use only escapes that mean the same in both (\r \n \t \xNN with
 * exactly two digits, and no hexadecimal digit behind one). */

/* ---- accepted ---- */
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
MESSAGE(bare_lf_everywhere, "400", "GET / HTTP/1.1\nHost: a\n\n")
MESSAGE(bare_lf_in_headers, "400", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n")
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
