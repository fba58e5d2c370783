// A web server that misbehaves on demand, for tests: one thread, one connection after the other, every answer written
// by the test as raw bytes, so that it can stop anywhere and say anything.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/str.h"

namespace atelier::net {

struct FaultRequest {
  std::string method, target;
  std::map<std::string, std::string> headers;  // lower-case names
  int number = 0;                              // 0 for the server's first request

  std::string Header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
  // N of "Range: bytes=N-", 0 without one.
  uint64_t RangeStart() const {
    const std::string range = Header("range");
    if (!range.starts_with("bytes=")) return 0;
    return static_cast<uint64_t>(ParseInt(std::string_view(range).substr(6, range.find('-') - 6)).value_or(0));
  }
};

class FaultServer {
 public:
  // Returns the raw bytes of the answer; the connection is closed after them, wherever they stop.
  using Handler = std::function<std::string(const FaultRequest&)>;

  explicit FaultServer(Handler handler) : handler_(std::move(handler)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 16) != 0 || ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw Error(Code::kIo, "the test server cannot listen on 127.0.0.1");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~FaultServer() {
    stop_ = true;
    thread_.join();
    ::close(listener_);
  }
  FaultServer(const FaultServer&) = delete;
  FaultServer& operator=(const FaultServer&) = delete;

  int port() const { return port_; }
  std::string Url(std::string_view path) const { return Cat("http://127.0.0.1:", port_, path); }
  std::vector<FaultRequest> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }

  // An answer with the usual headers. `announced` replaces the true Content-Length.
  static std::string Answer(std::string_view status, const std::vector<std::string>& headers, std::string_view body,
                            int64_t announced = -1) {
    std::string out = Cat("HTTP/1.1 ", status, "\r\n");
    for (const std::string& header : headers) out += Cat(header, "\r\n");
    out += Cat("Content-Length: ", announced >= 0 ? announced : static_cast<int64_t>(body.size()),
               "\r\nConnection: close\r\n\r\n", body);
    return out;
  }

  // `content` as a good server sends it: with its ETag, honouring Range when If-Range still holds. At most `most` bytes
  // of the body are sent before the connection is cut.
  static std::string File(const FaultRequest& request, std::string_view content, const std::string& etag,
                          size_t most = std::string_view::npos) {
    const uint64_t start = request.RangeStart();
    const bool same = request.Header("if-range").empty() || request.Header("if-range") == etag;
    if (start > 0 && same) {
      if (start >= content.size()) {
        return Answer("416 Range Not Satisfiable", {Cat("Content-Range: bytes */", content.size())}, "");
      }
      const std::string_view rest = content.substr(start);
      return Answer(
          "206 Partial Content",
          {Cat("ETag: ", etag), Cat("Content-Range: bytes ", start, "-", content.size() - 1, "/", content.size())},
          rest.substr(0, most), static_cast<int64_t>(rest.size()));
    }
    return Answer("200 OK", {Cat("ETag: ", etag), "Accept-Ranges: bytes"}, content.substr(0, most),
                  static_cast<int64_t>(content.size()));
  }

 private:
  void Serve() {
    while (!stop_) {
      pollfd waiting{listener_, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) continue;
      std::string text;
      char buffer[4096];
      while (text.find("\r\n\r\n") == std::string::npos) {
        const ssize_t n = ::recv(client, buffer, sizeof(buffer), 0);
        if (n <= 0) break;
        text.append(buffer, static_cast<size_t>(n));
      }
      FaultRequest request = Parse(text);
      {
        std::lock_guard lock(mutex_);
        request.number = static_cast<int>(requests_.size());
        requests_.push_back(request);
      }
      const std::string answer = handler_(request);
      for (size_t sent = 0; sent < answer.size();) {
        const ssize_t n = ::send(client, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) break;
        sent += static_cast<size_t>(n);
      }
      ::shutdown(client, SHUT_WR);
      while (::recv(client, buffer, sizeof(buffer), 0) > 0) {  // let the last bytes arrive before the reset
      }
      ::close(client);
    }
  }

  static FaultRequest Parse(const std::string& text) {
    FaultRequest request;
    const std::vector<std::string> lines = Split(text, '\n');
    const std::vector<std::string> first = Split(lines[0], ' ');
    if (first.size() > 1) {
      request.method = first[0];
      request.target = first[1];
    }
    for (size_t i = 1; i < lines.size(); ++i) {
      const size_t colon = lines[i].find(':');
      if (colon == std::string::npos) continue;
      request.headers[ToLowerAscii(lines[i].substr(0, colon))] = Trim(std::string_view(lines[i]).substr(colon + 1));
    }
    return request;
  }

  Handler handler_;
  int listener_ = -1, port_ = 0;
  std::atomic<bool> stop_ = false;
  mutable std::mutex mutex_;
  std::vector<FaultRequest> requests_;
  std::thread thread_;
};

}  // namespace atelier::net
