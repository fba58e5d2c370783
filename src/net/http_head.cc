#include "net/http_head.h"

#include <algorithm>

#include "base/ids.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::net {
namespace {

HttpError Bad(std::string message) { return {400, "bad_request", std::move(message), {}}; }

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string_view TrimBlanks(std::string_view text) {  // OWS: spaces and tabs only
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Host and authority: a name, an IPv4 address or an IPv6 address in brackets, and perhaps a port.
bool IsHost(std::string_view host) {
  if (host.empty() || host.size() > 255) return false;
  std::string_view rest = host;
  if (host[0] == '[') {
    const size_t end = host.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    if (host.substr(1, end - 1).find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) return false;
    rest = host.substr(end + 1);
    if (rest.empty()) return true;
    if (rest[0] != ':') return false;
  }
  const size_t colon = rest.find(':');
  const std::string_view name = rest.substr(0, colon);
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
           c == '_';
  });
  if (!plain || (host[0] != '[' && name.empty())) return false;
  if (colon == std::string_view::npos) return true;
  const std::string_view port = rest.substr(colon + 1);
  return !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string_view::npos;
}

std::optional<HttpError> ReadTarget(std::string_view host, bool has_host, Request* request) {
  std::string_view rest = request->target;
  if (!text::IsValidUtf8(rest)) return Bad("the request's target is not UTF-8");
  if (rest == "*") {
    if (request->method != "OPTIONS") return Bad("the target '*' belongs to OPTIONS");
    request->path.assign(1, '*');
    return std::nullopt;
  }
  if (rest[0] != '/') {  // absolute form: http://host/path
    const size_t scheme = rest.find("://");
    const std::string_view name = rest.substr(0, scheme);
    if (scheme == std::string_view::npos || !(EqualsIgnoreCase(name, "http") || EqualsIgnoreCase(name, "https"))) {
      return Bad("the request's target is not a path");
    }
    rest.remove_prefix(scheme + 3);
    const size_t end = rest.find_first_of("/?");
    const std::string_view authority = rest.substr(0, end);
    if (!IsHost(authority) || (has_host && !EqualsIgnoreCase(authority, host))) {
      return Bad("the request's target names another host than its Host header");
    }
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
  }
  if (rest.find('#') != std::string_view::npos) return Bad("the request's target has a fragment");
  const size_t question = rest.find('?');
  request->path = rest.substr(0, question);
  if (request->path.empty()) request->path.assign(1, '/');
  for (const std::string& part : Split(std::string_view(request->path).substr(1), '/')) {
    std::optional<std::string> segment = PercentDecode(part);
    if (!segment) return Bad("the request's path has a broken percent escape, or %00");
    if (!text::IsValidUtf8(*segment)) return Bad("the request's path is not UTF-8");
    if (*segment == "." || *segment == "..") return Bad("the request's path has dot segments");
    if (std::any_of(segment->begin(), segment->end(), IsControl))
      return Bad("the request's path has control characters");
    request->segments.push_back(std::move(*segment));
  }
  if (question != std::string_view::npos) {
    auto query = ParseQuery(rest.substr(question + 1));
    if (!query)
      return Bad("the request's query has a broken percent escape, %00, bytes that are not UTF-8, or too much");
    request->query = std::move(*query);
  }
  return std::nullopt;
}

std::optional<HttpError> ReadRequestLine(std::string_view line, const HeadLimits& limits, Request* request,
                                         Framing* framing) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return Bad("the request line is not METHOD TARGET VERSION");
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!IsToken(method) || method.size() > 32) return Bad("the request's method is not a token");
  if (target.size() > limits.target_bytes) {
    return HttpError{
        414, "target_too_long", Cat("the request's target is longer than ", limits.target_bytes, " bytes"), {}};
  }
  if (target.empty() || target.find(' ') != std::string_view::npos) return Bad("the request's target has spaces");
  if (version.size() != 8 || !version.starts_with("HTTP/") || version[6] != '.') return Bad("this is not HTTP");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return HttpError{505, "version_not_supported", "HTTP/1.1 is spoken here", {}};
  }
  if (method == "CONNECT") {
    return HttpError{
        405, "method_not_allowed", "CONNECT is not possible here", {{"Allow", "GET, HEAD, POST, OPTIONS"}}};
  }
  framing->http_1_0 = version == "HTTP/1.0";
  request->method = method;
  request->target = target;
  return std::nullopt;
}

// Headers of which a second one is a sign of something wrong.
bool MayComeOnce(std::string_view name) {
  for (const std::string_view once : {"host", "content-length", "transfer-encoding", "content-type", "authorization",
                                      "expect", "traceparent", "content-encoding"}) {
    if (EqualsIgnoreCase(name, once)) return true;
  }
  return false;
}

std::optional<HttpError> ReadFraming(const Request& request, Framing* framing) {
  const auto length = request.Header("content-length");
  const auto encoding = request.Header("transfer-encoding");
  if (length && encoding) return Bad("the request has both Content-Length and Transfer-Encoding");
  if (length) {
    const bool digits = !length->empty() && length->find_first_not_of("0123456789") == std::string_view::npos;
    const std::optional<int64_t> value = digits ? ParseInt(*length) : std::nullopt;
    if (!value) return Bad("Content-Length is not a number");
    framing->content_length = static_cast<uint64_t>(*value);
  }
  if (encoding) {
    if (framing->http_1_0) return Bad("HTTP/1.0 has no Transfer-Encoding");
    if (!EqualsIgnoreCase(*encoding, "chunked")) {
      return HttpError{501, "transfer_encoding", "the only Transfer-Encoding here is chunked", {}};
    }
    framing->chunked = true;
  }
  framing->keep_alive = !framing->http_1_0;
  for (const auto& [name, value] : request.headers) {
    if (!EqualsIgnoreCase(name, "connection")) continue;
    for (const std::string& part : Split(value, ',')) {
      if (EqualsIgnoreCase(TrimBlanks(part), "close")) framing->keep_alive = false;
    }
  }
  if (const auto expect = request.Header("expect")) {
    if (!EqualsIgnoreCase(*expect, "100-continue")) {
      return HttpError{417, "expectation_failed", "the only Expect here is 100-continue", {}};
    }
    framing->expects_continue = !framing->http_1_0;
  }
  return std::nullopt;
}

}  // namespace

std::optional<HttpError> ParseHead(std::string_view head, const HeadLimits& limits, Request* request,
                                   Framing* framing) {
  if (head.size() > limits.header_bytes) {
    return HttpError{
        431, "header_too_large", Cat("the request's head is larger than ", limits.header_bytes, " bytes"), {}};
  }
  std::vector<std::string_view> lines;
  for (std::string_view rest = head; !rest.empty();) {
    const size_t end = rest.find("\r\n");
    if (end == std::string_view::npos) return Bad("the request's head does not end");
    lines.push_back(rest.substr(0, end));
    rest.remove_prefix(end + 2);
    if (end == 0 && !rest.empty()) return Bad("the request's head has an empty line inside");
  }
  if (lines.size() < 2 || !lines.back().empty()) return Bad("the request's head does not end");
  lines.pop_back();
  for (const std::string_view line : lines) {
    const bool sound = std::none_of(line.begin(), line.end(), [](char c) { return IsControl(c) && c != '\t'; });
    if (!sound) return Bad("the request's head has control characters or bare line ends");
  }
  if (auto fault = ReadRequestLine(lines[0], limits, request, framing)) return fault;
  if (lines.size() - 1 > limits.header_count) {
    return HttpError{431, "too_many_headers", Cat("the request has more than ", limits.header_count, " headers"), {}};
  }
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::string_view line = lines[i];
    if (line[0] == ' ' || line[0] == '\t') return Bad("the request has a folded header line");
    const size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    if (colon == std::string_view::npos || !IsToken(name)) return Bad("a header's name is not a token before a colon");
    if (MayComeOnce(name) && request->Header(name)) return Bad(Cat("the request has two ", name, " headers"));
    request->headers.emplace_back(name, TrimBlanks(line.substr(colon + 1)));
  }
  const auto host = request->Header("host");
  if (!host && !framing->http_1_0) return Bad("the request has no Host header");
  if (host && !IsHost(*host)) return Bad("the request's Host is not a host");
  if (auto fault = ReadTarget(host.value_or(""), host.has_value(), request)) return fault;
  if (auto fault = ReadFraming(*request, framing)) return fault;
  const auto id = request->Header("x-request-id");
  request->id = id && IsRequestId(*id) ? std::string(*id) : NewUuid();
  const auto trace = request->Header("traceparent");
  request->traceparent = trace && IsTraceparent(*trace) ? std::string(*trace) : NewTraceparent();
  return std::nullopt;
}

}  // namespace atelier::net
