#include "net/request_reader.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "base/str.h"

namespace atelier::net {
namespace http = boost::beast::http;
using boost::beast::error_code;
using BeastView = boost::beast::string_view;

namespace {

constexpr int kMostEmptyLines = 2;   // before a request: CRLFs that some clients send after a body
constexpr size_t kLeastChunked = 5;  // "0\r\n\r\n"; Beast asserts that a last chunk comes with two bytes behind it
constexpr size_t kMostChunkHead = 4 << 10;  // a chunk's size line, or the trailers
constexpr uint64_t kWireGrace = 64 << 10;   // what chunking may cost beside
constexpr uint64_t kWirePerByte = 16;       // so many bytes for each byte of the body

}  // namespace

struct RequestReader::Parser final : http::basic_parser<true> {
  explicit Parser(Request* to) : request(to) {}
  Request* request;
  size_t fields = 0;
  bool head_done = false;
  bool same = true;  // Beast understood the head as ParseHead did

  void on_request_impl(http::verb, BeastView method, BeastView target, int, error_code&) override {
    same = same && request->method == std::string_view(method) && request->target == std::string_view(target);
  }
  void on_response_impl(int, BeastView, int, error_code&) override {}
  void on_field_impl(http::field, BeastView name, BeastView value, error_code&) override {
    if (head_done) return;  // trailers: read and dropped, they may not speak for the head
    same = same && fields < request->headers.size() && request->headers[fields].first == std::string_view(name) &&
           request->headers[fields].second == std::string_view(value);
    ++fields;
  }
  void on_header_impl(error_code&) override {
    head_done = true;
    same = same && fields == request->headers.size();
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  size_t on_body_impl(BeastView body, error_code&) override { return Append(body); }
  void on_chunk_header_impl(std::uint64_t, BeastView, error_code&) override {}
  size_t on_chunk_body_impl(std::uint64_t, BeastView body, error_code&) override { return Append(body); }
  void on_finish_impl(error_code&) override {}

  size_t Append(BeastView body) {
    request->body.append(body.data(), body.size());
    return body.size();
  }
};

RequestReader::RequestReader(const ReadLimits& limits) : parser_(new Parser(&request_)) {
  parser_->eager(true);
  SetLimits(limits);
}

void RequestReader::SetLimits(const ReadLimits& limits) {
  limits_ = limits;
  parser_->header_limit(static_cast<std::uint32_t>(limits.head.header_bytes + kMostChunkHead));
  parser_->body_limit(limits.body_bytes);
}

RequestReader::~RequestReader() = default;

void RequestReader::Fail(HttpError fault) {
  state_ = State::kFailed;
  fault_ = std::move(fault);
}

size_t RequestReader::Feed(std::string_view bytes) {
  if (bytes.empty()) return 0;
  if (state_ == State::kHead) return FeedHead(bytes);
  if (state_ == State::kBody) return FeedBody(bytes);
  return 0;
}

size_t RequestReader::FeedHead(std::string_view bytes) {
  if (!started_ && empty_lines_ < kMostEmptyLines) {
    if (bytes == "\r") return 0;
    if (bytes.starts_with("\r\n")) {
      ++empty_lines_;
      return 2;
    }
  }
  started_ = true;
  const size_t end = bytes.find("\r\n\r\n", scanned_ < 3 ? 0 : scanned_ - 3);
  // Where no line ends as it should, the head would never end.
  const std::string_view lines = bytes.substr(0, std::min(end, limits_.head.header_bytes));
  for (size_t at = lines.find('\n', scanned_); at != std::string_view::npos; at = lines.find('\n', at + 1)) {
    if (at > 0 && lines[at - 1] == '\r') continue;
    Fail({400, "bad_request", "a line of the request's head ends with a line feed alone", {}});
    return 0;
  }
  if (end == std::string_view::npos) {
    scanned_ = bytes.size();
    if (bytes.size() <= limits_.head.header_bytes) return 0;
    const bool in_line = bytes.substr(0, limits_.head.header_bytes).find("\r\n") == std::string_view::npos;
    if (in_line) {
      Fail({414, "target_too_long", "the request line is too long", {}});
    } else {
      Fail({431,
            "header_too_large",
            Cat("the request's head is larger than ", limits_.head.header_bytes, " bytes"),
            {}});
    }
    return 0;
  }
  const std::string_view head = bytes.substr(0, end + 4);
  if (auto fault = ParseHead(head, limits_.head, &request_, &framing_)) {
    Fail(std::move(*fault));
    return head.size();
  }
  if (framing_.content_length > limits_.body_bytes) {
    Fail({413, "body_too_large", Cat("the request's body is larger than ", limits_.body_bytes, " bytes"), {}});
    return head.size();
  }
  error_code error;
  const size_t taken = parser_->put(boost::asio::const_buffer(head.data(), head.size()), error);
  if (error == http::error::need_more) error = {};  // the head is whole; only a body can be missing
  if (error || taken != head.size() || !parser_->head_done || !parser_->same ||
      parser_->chunked() != framing_.chunked || parser_->content_length().value_or(0) != framing_.content_length) {
    Fail({400,
          "bad_request",
          error ? Cat("the request's head is malformed: ", error.message()) : "the request's head is ambiguous",
          {}});
    return head.size();
  }
  state_ = parser_->is_done() ? State::kDone : State::kBody;
  return head.size();
}

size_t RequestReader::FeedBody(std::string_view bytes) {
  if (framing_.chunked && body_wire_ == 0 && bytes.size() < kLeastChunked) return 0;
  error_code error;
  const size_t taken = parser_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  body_wire_ += taken;
  if (error == http::error::need_more) {
    error = {};
    if (bytes.size() - taken > kMostChunkHead) {
      Fail({400, "bad_request", "a chunk's header or the trailers are too long", {}});
      return taken;
    }
  }
  if (error == http::error::body_limit) {
    Fail({413, "body_too_large", Cat("the request's body is larger than ", limits_.body_bytes, " bytes"), {}});
  } else if (error) {
    Fail({400, "bad_request", Cat("the request's body is malformed: ", error.message()), {}});
  } else if (body_wire_ > kWireGrace + kWirePerByte * request_.body.size()) {
    Fail({400, "bad_request", "the request's chunks hold next to nothing", {}});
  } else if (parser_->is_done()) {
    state_ = State::kDone;
  }
  return taken;
}

}  // namespace atelier::net
