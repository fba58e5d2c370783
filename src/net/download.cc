#include "net/download.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"

namespace atelier::net {
namespace {

constexpr int kMaxAttempts = 200;
constexpr const char* kOffline =
    "without a network, download the file on another machine and run `atelier model pull PATH`";

// The unfinished file and what is known of it, kept beside it as PATH.part.json.
class PartFile {
 public:
  explicit PartFile(const std::string& path) : path_(path + ".part"), meta_path_(path + ".part.json") {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd_ < 0) throw Error(Code::kIo, Cat(path_, ": opening: ", std::strerror(errno)));
    size_ = FileSize(path_);
  }
  ~PartFile() { Close(); }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  uint64_t size() const { return size_; }
  const std::string& validator() const { return validator_; }

  // Keeps what is there only if it came from this URL and the server named its version.
  void Resume(const std::string& url) {
    if (size_ > 0 && FileExists(meta_path_)) {
      try {
        const Json meta = ParseJson(ReadFile(meta_path_, 1 << 16), meta_path_);
        if (meta.at("url") == url) validator_ = meta.at("validator").get<std::string>();
      } catch (const std::exception&) {
        validator_.clear();  // unreadable: start over
      }
    }
    if (validator_.empty()) Restart();
  }

  void Restart() {
    if (::ftruncate(fd_, 0) != 0) throw Error(Code::kIo, Cat(path_, ": emptying: ", std::strerror(errno)));
    size_ = 0;
    validator_.clear();
    RemoveFile(meta_path_);
  }

  void SetValidator(const std::string& url, const std::string& validator) {
    if (validator == validator_) return;
    validator_ = validator;
    if (validator.empty()) {
      RemoveFile(meta_path_);
    } else {
      WriteFileAtomic(meta_path_, ToText(Json{{"url", url}, {"validator", validator}}));
    }
  }

  void Append(std::string_view data) {
    while (!data.empty()) {
      const ssize_t n = ::pwrite(fd_, data.data(), data.size(), static_cast<off_t>(size_));
      if (n < 0) {
        if (errno == EINTR) continue;
        if (errno == ENOSPC || errno == EDQUOT) {
          throw Error(Code::kResourceExhausted, Cat(path_, ": the disk is full"),
                      "free some space and run the same command again: it goes on where it stopped");
        }
        throw Error(Code::kIo, Cat(path_, ": writing: ", std::strerror(errno)));
      }
      size_ += static_cast<uint64_t>(n);
      data.remove_prefix(static_cast<size_t>(n));
    }
  }

  void Commit(const std::string& path) {
    if (::fsync(fd_) != 0) throw Error(Code::kIo, Cat(path_, ": syncing: ", std::strerror(errno)));
    Close();
    Rename(path_, path);
    RemoveFile(meta_path_);
  }

  uint64_t FreeBytes() const {
    struct statvfs info {};
    if (::fstatvfs(fd_, &info) != 0) return std::numeric_limits<uint64_t>::max();
    return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  }

 private:
  void Close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

  std::string path_, meta_path_, validator_;
  int fd_ = -1;
  uint64_t size_ = 0;
};

struct ContentRange {
  uint64_t first = 0;
  std::optional<uint64_t> total;
};

// "bytes 100-199/200", "bytes 100-199/*", "bytes */200" (first is 0 there).
std::optional<ContentRange> ParseContentRange(std::string_view text) {
  text = Trim(text);
  if (!ToLowerAscii(text.substr(0, 6)).starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  ContentRange out;
  if (const auto total = ParseInt(Trim(text.substr(slash + 1))); total && *total >= 0) {
    out.total = static_cast<uint64_t>(*total);
  }
  const std::string_view range = Trim(text.substr(0, slash));
  if (range == "*") return out;
  const auto first = ParseInt(range.substr(0, range.find('-')));
  if (!first || *first < 0) return std::nullopt;
  out.first = static_cast<uint64_t>(*first);
  return out;
}

// One request and what came of it.
struct Transfer {
  const DownloadOptions* options = nullptr;
  ReachRules rules;
  bool check_address = true;
  PartFile* part = nullptr;
  const std::string* source = nullptr;  // the URL that the part belongs to
  CURL* curl = nullptr;

  long status = 0;
  std::string etag, last_modified, location;
  std::optional<uint64_t> length;
  std::optional<ContentRange> range;
  std::optional<uint64_t> total;  // of the whole file, where the server said so
  bool body_started = false, kept = false, refused_address = false, wrong_range = false;
  std::exception_ptr failure;  // thrown inside a callback; carried past libcurl

  void Header(std::string_view line) {
    if (line.starts_with("HTTP/")) {  // a new block: 100-continue, a proxy's answer, the answer itself
      etag.clear(), last_modified.clear(), location.clear();
      length.reset(), range.reset();
      return;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    const std::string name = ToLowerAscii(Trim(line.substr(0, colon)));
    const std::string_view value = Trim(line.substr(colon + 1));
    if (name == "etag") etag = value;
    if (name == "last-modified") last_modified = value;
    if (name == "location") location = value;
    if (name == "content-range") range = ParseContentRange(value);
    if (name == "content-length") {
      if (const auto n = ParseInt(value); n && *n >= 0) length = static_cast<uint64_t>(*n);
    }
  }

  // Decides, at the first byte (or at the end of an empty body), what the answer means for the part.
  void StartBody() {
    if (std::exchange(body_started, true)) return;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200 && status != 206) return;
    if (status == 206) {
      if (!range || range->first != part->size()) {
        part->Restart();
        wrong_range = true;
        throw Error(Code::kUnavailable, "the server sent another range than was asked for");  // ends this attempt only
      }
      kept = part->size() > 0;
      total = range->total;
    } else {
      part->Restart();  // no ranges here, or the file has changed: from the start
      total = length;
    }
    // A strong ETag, else the date: what If-Range accepts.
    part->SetValidator(*source, !etag.empty() && !etag.starts_with("W/") ? etag : last_modified);
    if (total && *total > options->max_bytes) RefuseSize(*total);
    if (total && *total > part->size() && *total - part->size() > part->FreeBytes()) {
      throw Error(Code::kResourceExhausted,
                  Cat(*source, ": ", FormatBytes(*total - part->size()), " are still to come, and the disk has ",
                      FormatBytes(part->FreeBytes()), " free"),
                  "free some space and run the same command again");
    }
  }

  void Body(std::string_view data) {
    StartBody();
    if (status != 200 && status != 206) return;  // an error page, or a redirect's
    if (part->size() + data.size() > options->max_bytes) RefuseSize(part->size() + data.size());
    if (total && part->size() + data.size() > *total) {
      part->Restart();
      throw Error(Code::kUnavailable, Cat(*source, ": the server sends more than the ", *total, " bytes it announced"));
    }
    part->Append(data);
    if (options->progress) options->progress(part->size(), total.value_or(0), "");
  }

  [[noreturn]] void RefuseSize(uint64_t bytes) const {
    part->Restart();
    throw Error(Code::kResourceExhausted, Cat(*source, ": ", FormatBytes(bytes), " or more, above the limit of ",
                                              FormatBytes(options->max_bytes)));
  }
};

template <typename Body>
size_t Guarded(Transfer* exchange, size_t size, Body body) {
  try {
    body();
    return size;
  } catch (...) {
    exchange->failure = std::current_exception();
    return 0;  // libcurl ends the transfer
  }
}

size_t OnHeader(char* data, size_t one, size_t size, void* to) {
  auto* exchange = static_cast<Transfer*>(to);
  return Guarded(exchange, one * size, [&] { exchange->Header({data, one * size}); });
}

size_t OnBody(char* data, size_t one, size_t size, void* to) {
  auto* exchange = static_cast<Transfer*>(to);
  return Guarded(exchange, one * size, [&] { exchange->Body({data, one * size}); });
}

curl_socket_t OnSocket(void* to, curlsocktype purpose, curl_sockaddr* address) {
  auto* exchange = static_cast<Transfer*>(to);
  if (purpose == CURLSOCKTYPE_IPCXN && exchange->check_address &&
      !MayConnect(KindOf(&address->addr), exchange->rules)) {
    exchange->refused_address = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// The proxy that the environment names for this URL, "" for none. libcurl's own look-up is switched off, so that an
// address is left unchecked only when the connection really goes to the proxy that the operator chose.
std::string ProxyFor(const Url& url) {
  const auto variable = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  if (KindOfHost(url.host) == AddressKind::kLoopback) return "";
  std::string none = variable("no_proxy");
  if (none.empty()) none = variable("NO_PROXY");
  for (const std::string& entry : Split(none, ',')) {
    std::string_view name = Trim(entry);
    if (name == "*") return "";
    if (name.starts_with('.')) name.remove_prefix(1);
    if (!name.empty() && (url.host == name || url.host.ends_with(Cat(".", name)))) return "";
  }
  const std::vector<const char*> names =
      url.scheme == "https" ? std::vector<const char*>{"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}
                            : std::vector<const char*>{"http_proxy", "all_proxy", "ALL_PROXY"};
  for (const char* name : names) {
    if (std::string value = variable(name); !value.empty()) return value;
  }
  return "";
}

struct CurlHandle {
  CURL* curl = curl_easy_init();
  curl_slist* headers = nullptr;
  CurlHandle() {
    if (curl == nullptr) throw std::bad_alloc();
  }
  ~CurlHandle() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
  }
  CurlHandle(const CurlHandle&) = delete;
  CurlHandle& operator=(const CurlHandle&) = delete;
  void AddHeader(const std::string& line) {
    curl_slist* longer = curl_slist_append(headers, line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    headers = longer;
  }
};

// One request to one URL, without following redirects.
CURLcode Perform(const Url& url, bool own_host, Transfer* exchange, std::string* why) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const DownloadOptions& options = *exchange->options;
  CurlHandle handle;
  CURL* curl = exchange->curl = handle.curl;
  char error_text[CURL_ERROR_SIZE] = "";
  const std::string proxy = ProxyFor(url);
  exchange->check_address = proxy.empty();
  curl_easy_setopt(curl, CURLOPT_URL, url.text.c_str());
  curl_easy_setopt(curl, CURLOPT_PROXY, proxy.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_text);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "atelier");
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_seconds * 1000));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1024L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, std::max(1L, static_cast<long>(options.stall_seconds)));
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, OnSocket);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, exchange);
  if (own_host) {
    for (const std::string& header : options.headers) handle.AddHeader(header);
  }
  const std::string range = Cat(exchange->part->size(), "-");
  if (exchange->part->size() > 0) {
    curl_easy_setopt(curl, CURLOPT_RANGE, range.c_str());
    handle.AddHeader(Cat("If-Range: ", exchange->part->validator()));
  }
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, handle.headers);
  const CURLcode code = curl_easy_perform(curl);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &exchange->status);
  if (code == CURLE_OK) Guarded(exchange, 0, [&] { exchange->StartBody(); });
  *why = *error_text != '\0' ? error_text : curl_easy_strerror(code);
  exchange->curl = nullptr;
  return code;
}

[[noreturn]] void FailStatus(const std::string& url, long status) {
  switch (status) {
    case 404:
    case 410: throw Error(Code::kNotFound, Cat(url, ": there is no such file (HTTP ", status, ")"));
    case 401:
    case 403:
      throw Error(Code::kPermissionDenied, Cat(url, ": the server refuses it (HTTP ", status, ")"),
                  "the file may need accepted terms or a token (HF_TOKEN)");
    default: throw Error(Code::kUnavailable, Cat(url, ": the server answers HTTP ", status), kOffline);
  }
}

bool MayRetry(CURLcode code) {
  switch (code) {
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_WEIRD_SERVER_REPLY: return true;
    default: return false;
  }
}

bool MayRetryStatus(long status) { return status == 408 || status == 429 || status >= 500; }

}  // namespace

ReachRules RulesFromEnvironment() {
  const auto on = [](const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && std::string_view(value) == "1";
  };
  return {.private_nets = on("ATELIER_ALLOW_PRIVATE_NETS"), .plain_http = on("ATELIER_ALLOW_HTTP")};
}

Downloaded Download(const std::string& url_text, const std::string& path, const DownloadOptions& options) {
  const Url named = ParseUrl(url_text);
  const ReachRules rules = RulesFor(named, options.rules);
  CheckUrl(named, nullptr, rules);
  PartFile part(path);
  part.Resume(named.text);

  Downloaded result;
  bool answered = false;  // the server has answered once: later failures to connect are cuts too
  int barren = 0;         // attempts in a row without a new byte
  std::string last_failure;
  for (result.attempts = 1;; ++result.attempts) {
    const uint64_t before = part.size();
    Url url = named;
    Transfer exchange;
    CURLcode code = CURLE_OK;
    std::string why;
    for (int redirects = 0;; ++redirects) {
      exchange = Transfer();
      exchange.options = &options;
      exchange.rules = rules;
      exchange.part = &part;
      exchange.source = &named.text;
      code = Perform(url, url.SameOrigin(named), &exchange, &why);
      if (exchange.failure && !exchange.wrong_range) std::rethrow_exception(exchange.failure);
      if (code != CURLE_OK || exchange.status < 300 || exchange.status >= 400 || exchange.location.empty()) break;
      if (redirects == options.max_redirects) {
        throw Error(Code::kUnavailable, Cat(named.text, ": more than ", options.max_redirects, " redirects"));
      }
      Url next = ResolveUrl(url, exchange.location);
      CheckUrl(next, &url, rules);
      url = std::move(next);
    }
    result.url = url.text;
    result.resumed = result.resumed || exchange.kept;
    if (exchange.refused_address) {
      throw Error(Code::kPermissionDenied, Cat(url.text, ": leads to this machine or to a private network"),
                  "set ATELIER_ALLOW_PRIVATE_NETS=1 if that is meant");
    }
    answered = answered || exchange.status != 0;

    if (exchange.wrong_range) {
      last_failure = "the server sent another range than was asked for";
    } else if (code == CURLE_OK && (exchange.status == 200 || exchange.status == 206)) {
      if (!exchange.total || part.size() == *exchange.total) {
        result.bytes = part.size();
        part.Commit(path);
        return result;
      }
      last_failure = Cat(part.size(), " of ", *exchange.total, " bytes came");
    } else if (code == CURLE_OK && exchange.status == 416 && part.size() > 0) {
      if (exchange.range && exchange.range->total == part.size()) {  // it was whole already
        result.bytes = part.size();
        result.resumed = true;
        part.Commit(path);
        return result;
      }
      part.Restart();
      last_failure = "the server no longer has the rest";
    } else if (code == CURLE_OK) {
      if (!MayRetryStatus(exchange.status)) FailStatus(named.text, exchange.status);
      last_failure = Cat("the server answers HTTP ", exchange.status);
    } else if (MayRetry(code) || (answered && code == CURLE_COULDNT_CONNECT)) {
      last_failure = why;
    } else {
      throw Error(Code::kUnavailable, Cat(named.text, ": ", why), kOffline);
    }
    if (part.validator().empty() && part.size() > 0) part.Restart();  // nothing to hold the rest against

    barren = part.size() > before ? 0 : barren + 1;
    if (barren > options.retries || result.attempts >= kMaxAttempts) {
      throw Error(Code::kUnavailable, Cat(named.text, ": gave up after ", result.attempts, " attempts: ", last_failure),
                  part.size() > 0 ? "run the same command again: it goes on where it stopped" : kOffline);
    }
    if (options.progress) options.progress(part.size(), exchange.total.value_or(0), "connection cut, trying again");
    const double wait = std::min(10.0, options.backoff_seconds * static_cast<double>(1 << std::min(barren, 10)));
    std::this_thread::sleep_for(std::chrono::duration<double>(wait));
  }
}

}  // namespace atelier::net
