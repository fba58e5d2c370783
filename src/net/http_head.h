// The head of a request, read strictly: everything that two servers could understand differently is refused, so that
// nothing can be smuggled past a proxy. Pure: bytes in, a Request or a fault out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.h"

namespace atelier::net {

struct HeadLimits {
  size_t header_bytes = 16 << 10;  // request line and headers together (431)
  size_t header_count = 100;       // (431)
  size_t target_bytes = 8 << 10;   // (414)
};

// What the head says about the rest of the message and of the connection.
struct Framing {
  uint64_t content_length = 0;
  bool chunked = false;
  bool http_1_0 = false;
  bool keep_alive = true;
  bool expects_continue = false;
};

// `head` is everything from the method to the empty line, that line included. Nothing: it is sound, and `request` has
// method, target, path, segments, query, headers, id and traceparent. Otherwise the answer:
//   400  bare CR or LF, control characters, folded lines, white space around a name, no or two Host, two of a header
//        that may come once, Content-Length beside Transfer-Encoding or not a plain number, a target that is not
//        UTF-8, holds NUL, %00, a broken escape or dot segments, or names another host
//   405  CONNECT    414, 431  too large    417  an Expect other than 100-continue
//   501  a Transfer-Encoding other than chunked    505  not HTTP/1.0 or 1.1
std::optional<HttpError> ParseHead(std::string_view head, const HeadLimits& limits, Request* request, Framing* framing);

}  // namespace atelier::net
