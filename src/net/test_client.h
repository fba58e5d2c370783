// A client for tests: one connection, raw bytes out, answers read to their end, never waiting longer than it was told.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/str.h"

namespace atelier::net {

// Whether something comes true within `seconds`: what a server counts, it counts a moment after its answer.
template <typename F>
bool Soon(F&& holds, double seconds = 10) {
  for (const double until = MonotonicSeconds() + seconds; MonotonicSeconds() < until;) {
    if (holds()) return true;
    ::poll(nullptr, 0, 5);
  }
  return holds();
}

struct TestAnswer {
  int status = 0;                              // 0: no whole head came
  std::map<std::string, std::string> headers;  // lower-case names
  std::string body;
  bool whole = false;  // the body came to the end that the head promised
};

class TestClient {
 public:
  explicit TestClient(int port, int receive_buffer = 0) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  ~TestClient() {
    if (ssl_ != nullptr) SSL_free(ssl_);
    if (context_ != nullptr) SSL_CTX_free(context_);
    Close();
  }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  bool connected() const { return connected_; }
  int fd() const { return fd_; }

  // Speaks TLS from here on, at most `version` (0: any). False when the handshake fails.
  bool StartTls(int version = 0) {
    context_ = SSL_CTX_new(TLS_client_method());
    if (version != 0) {
      SSL_CTX_set_security_level(context_, 0);
      SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
      SSL_CTX_set_max_proto_version(context_, version);
    }
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, fd_);
    return SSL_connect(ssl_) == 1;
  }

  // The number that the server's certificate bears; 0 without TLS.
  int64_t CertificateNumber() const {
    X509* certificate = ssl_ != nullptr ? SSL_get1_peer_certificate(ssl_) : nullptr;
    if (certificate == nullptr) return 0;
    const int64_t number = ASN1_INTEGER_get(X509_get_serialNumber(certificate));
    X509_free(certificate);
    return number;
  }

  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ssl_ != nullptr ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                                        : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }
  void HalfClose() { ::shutdown(fd_, SHUT_WR); }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void Reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    Close();
  }

  // Reads more into the buffer. False at the end of the connection, or when nothing comes in time.
  bool More(double seconds = 10, size_t most = 16384) {
    if (ssl_ == nullptr || SSL_pending(ssl_) == 0) {
      pollfd waiting{fd_, POLLIN, 0};
      timed_out_ = ::poll(&waiting, 1, static_cast<int>(seconds * 1000)) <= 0;
      if (timed_out_) return false;
    }
    char bytes[16384];
    most = std::min(most, sizeof(bytes));
    const ssize_t n = ssl_ != nullptr ? SSL_read(ssl_, bytes, static_cast<int>(most)) : ::recv(fd_, bytes, most, 0);
    if (n <= 0) {
      closed_ = true;
      return false;
    }
    buffer_.append(bytes, static_cast<size_t>(n));
    return true;
  }
  // The connection ends within `seconds`; what came before is dropped.
  bool EndsWithin(double seconds) {
    const double until = MonotonicSeconds() + seconds;
    while (MonotonicSeconds() < until) {
      if (!More(until - MonotonicSeconds())) return closed_;
      buffer_.clear();
    }
    return false;
  }

  // The next answer; `head` says that it answers a HEAD. Interim answers are counted and skipped.
  TestAnswer Receive(double seconds = 10, bool head = false) {
    TestAnswer answer;
    while (true) {
      size_t end = 0;
      while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
        if (!More(seconds)) return answer;
      }
      const std::vector<std::string> lines = Split(buffer_.substr(0, end), '\n');
      buffer_.erase(0, end + 4);
      answer.headers.clear();
      if (!lines[0].starts_with("HTTP/1.1 ")) return answer;
      answer.status = static_cast<int>(ParseInt(lines[0].substr(9, 3)).value_or(0));
      for (size_t i = 1; i < lines.size(); ++i) {
        const size_t colon = lines[i].find(':');
        if (colon == std::string::npos) return answer;
        answer.headers[ToLowerAscii(lines[i].substr(0, colon))] = Trim(std::string_view(lines[i]).substr(colon + 1));
      }
      if (answer.status >= 200) break;
      ++interim;
    }
    if (head || answer.status == 204 || answer.status == 304) {
      answer.whole = true;
    } else if (answer.headers.count("content-length") > 0) {
      const size_t size = static_cast<size_t>(ParseInt(answer.headers["content-length"]).value_or(0));
      while (buffer_.size() < size && More(seconds)) {
      }
      answer.whole = buffer_.size() >= size;
      answer.body = buffer_.substr(0, size);
      buffer_.erase(0, size);
    } else if (answer.headers.count("transfer-encoding") > 0) {
      while (ReadChunk(&answer, seconds)) {
      }
    } else {
      while (More(seconds)) {
      }
      answer.whole = closed_;
      answer.body.swap(buffer_);
    }
    return answer;
  }

  TestAnswer Ask(std::string_view bytes, double seconds = 10) {
    Send(bytes);
    return Receive(seconds, bytes.starts_with("HEAD "));
  }
  // GET with what every request needs.
  TestAnswer Get(std::string_view target, std::string_view headers = "") {
    return Ask(Cat("GET ", target, " HTTP/1.1\r\nHost: a\r\n", headers, "\r\n"));
  }

  int interim = 0;
  const std::string& buffer() const { return buffer_; }

 private:
  bool ReadChunk(TestAnswer* answer, double seconds) {
    size_t end = 0;
    while ((end = buffer_.find("\r\n")) == std::string::npos) {
      if (!More(seconds)) return false;
    }
    const size_t size = std::stoul(buffer_.substr(0, end), nullptr, 16);
    while (buffer_.size() < end + 2 + size + 2) {
      if (!More(seconds)) return false;
    }
    answer->body += buffer_.substr(end + 2, size);
    buffer_.erase(0, end + 2 + size + 2);
    answer->whole = size == 0;
    return size > 0;
  }

  int fd_ = -1;
  bool connected_ = false, closed_ = false, timed_out_ = false;
  std::string buffer_;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
};

}  // namespace atelier::net
