// A request from bytes that come in pieces, without a socket. The head passes ParseHead first and then Boost.Beast's
// parser, which also frames the body: what the two do not both accept is refused.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net/http_head.h"

namespace atelier::net {

struct ReadLimits {
  HeadLimits head;
  uint64_t body_bytes = 8 << 20;  // decoded (413)
};

// For one request; make another for the next one on the same connection.
class RequestReader {
 public:
  enum class State { kHead, kBody, kDone, kFailed };

  explicit RequestReader(const ReadLimits& limits);
  // Other limits. REQUIRES: !started()
  void SetLimits(const ReadLimits& limits);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  // Takes from the front of `bytes` what belongs to this request, and says how much that was: what was not taken must
  // come again, with more behind it. It stops after the head, so that the caller can look at it before the body comes,
  // and takes nothing once done or failed.
  size_t Feed(std::string_view bytes);

  State state() const { return state_; }
  bool started() const { return started_; }  // a byte of the request came
  const HttpError& fault() const { return fault_; }
  Request& request() { return request_; }  // its head from kBody on, all of it when kDone
  const Framing& framing() const { return framing_; }

 private:
  struct Parser;
  size_t FeedHead(std::string_view bytes);
  size_t FeedBody(std::string_view bytes);
  void Fail(HttpError fault);

  ReadLimits limits_;
  State state_ = State::kHead;
  bool started_ = false;
  int empty_lines_ = 0;
  size_t scanned_ = 0;      // of bytes that hold no end of the head
  uint64_t body_wire_ = 0;  // bytes of the body as sent, chunk sizes and all
  Request request_;
  Framing framing_;
  HttpError fault_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace atelier::net
