// HTTP as values: requests, responses and the small rules about their text. No sockets here; server.h serves them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atelier::net {

using HeaderList = std::vector<std::pair<std::string, std::string>>;  // in the order in which they came

// One request, checked: what stands here kept the rules of ParseHead (http_head.h).
struct Request {
  std::string method;  // as sent, upper case for all known ones: "GET"; may be any token
  std::string target;  // as sent
  std::string path;    // of the target, still percent-encoded: "/api/generations/a%2Fb"; "*" for OPTIONS *
  std::vector<std::string> segments;                       // of the path, decoded: {"api", "generations", "a/b"}
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order, '+' read as a space
  HeaderList headers;
  std::string body;         // decoded from chunks; whatever bytes were sent
  std::string peer;         // "127.0.0.1"; the connection's other end, never a header
  std::string id;           // from a well-formed X-Request-Id, else a new UUIDv7; goes back as X-Request-Id
  std::string traceparent;  // W3C, as sent if valid, else of a new trace
  bool tls = false;

  // The first header or parameter of this name (headers: any case); nothing where there is none.
  std::optional<std::string_view> Header(std::string_view name) const;
  std::optional<std::string_view> Query(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = {};  // left out when empty
  std::string body = {};
  HeaderList headers =
      {};  // beside Content-Type, Content-Length, Date, Connection, X-Request-Id, which the server writes
};

// A failure to be told to the client in the server's own shape (ServerOptions::error_response).
struct HttpError {
  int status = 500;
  std::string code;     // stable, for machines: "header_too_large"
  std::string message;  // for people: what is wrong
  HeaderList headers;   // e.g. Allow, Retry-After
};

std::string_view StatusText(int status);  // "Not Found"; "" for unknown ones

// "%E8%8C%B6" as bytes; nothing for a broken escape or for %00. `plus` reads '+' as a space (queries).
std::optional<std::string> PercentDecode(std::string_view text, bool plus = false);
std::string PercentEncode(std::string_view text);  // everything but RFC 3986's unreserved characters

// The parameters of "a=1&b=%20&c": decoded, in order. Nothing for a broken escape, %00, text that is not UTF-8, or more
// than `most` parameters.
std::optional<std::vector<std::pair<std::string, std::string>>> ParseQuery(std::string_view text, size_t most = 256);

bool IsToken(std::string_view text);        // RFC 9110: method and header names
bool IsTraceparent(std::string_view text);  // W3C Trace Context, level 1; versions above 00 by its rules for them
bool IsRequestId(std::string_view text);    // 1 to 128 of A-Z a-z 0-9 . _ -

// Header values that end a line would begin another header: such bytes become spaces.
std::string SafeHeaderValue(std::string_view value);

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string HttpDate(int64_t unix_millis);

// One server-sent event: "data: ...\n\n", one data line per line of `data`; with an event name where given.
std::string SseEvent(std::string_view data, std::string_view event = "");

}  // namespace atelier::net
