// One request and the way to answer it. A handler gets it as a shared pointer, may keep it, and answers from any
// thread, at once or later: with one Respond, or with BeginStream, any number of Write, Finish.
//
// The client may vanish at any time. Then gone() is true, OnGone's callbacks run, Write says false, and whatever else
// is called does nothing. An exchange whose last pointer is dropped without an answer answers 500; an unfinished stream
// is cut, so that the client sees that it is not whole.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/http.h"

namespace atelier::net {

class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual const Request& request() const = 0;

  // The whole answer; false where there was one already, or the client is gone. HEAD gets the headers only.
  virtual bool Respond(Response response) = 0;
  // A failure in the server's own shape (ServerOptions::error_response).
  virtual bool RespondError(HttpError error) = 0;

  // An answer that comes in pieces: chunked for HTTP/1.1, until the connection closes for HTTP/1.0. `head.body` is
  // ignored. False as above.
  virtual bool BeginStream(Response head) = 0;
  // Queues bytes and returns at once. False when the client is gone, the stream is not open, or the queue would grow
  // beyond ServerOptions::stream_buffer_bytes: bytes cannot be left out of a stream, so such a reader is dropped.
  virtual bool Write(std::string_view bytes) = 0;
  // Ends the stream. What was written is still sent.
  virtual void Finish() = 0;
  // Ends the stream so that the client sees that it is not whole: the connection closes.
  virtual void Abort() = 0;

  // Bytes that were written and not yet taken by the operating system.
  virtual size_t buffered() const = 0;
  // For writers that produce faster than a network takes: waits until `bytes` more would fit. False when the client is
  // gone, the time is over, or it can never fit. Not from an OnGone callback.
  virtual bool WaitForRoom(size_t bytes, double seconds) = 0;

  virtual bool gone() const = 0;
  // Runs once when the client vanishes before its answer was sent whole: at most a second after the connection was
  // closed or reset, also while the handler computes. At once when it is gone already. It runs on an io thread (or on
  // the caller's): it must be quick, must not throw and must not wait for this exchange.
  virtual void OnGone(std::function<void()> callback) = 0;

  // For the access log.
  virtual void SetKeyId(std::string key_id) = 0;
};

}  // namespace atelier::net
