#include "serve/serve_config.h"

#include <unistd.h>

#include <algorithm>
#include <concepts>
#include <map>

#include "base/error.h"
#include "base/str.h"

namespace atelier::serve {
namespace {

const std::vector<std::string> kLevels = {"debug", "info", "warn", "error"};
constexpr std::string_view kTables[] = {"limits", "tls"};

// The visible list: every key once, with its range. What reads the file, what compares two of them and what checks the
// documentation go through it.
template <typename Options, typename Visitor>
void VisitKeys(Options& o, Visitor&& at) {
  auto& http = o.http;
  at("listen", o.listen);
  at("require_keys", o.require_keys);
  at("drain_seconds", o.drain_seconds, 0, 3600);
  at("threads", o.threads, 0, 256);
  at("model_batch", o.model_batch, 1, 4096);
  at("model_queue", o.model_queue, 1, 100'000);
  at("recipe_runs", o.recipe_runs, 1, 64);
  at("recipe_queue", o.recipe_queue, 1, 100'000);
  at("workers", http.worker_threads, 1, 256);
  at("worker_queue", http.worker_queue, 0, 100'000);
  at("io_threads", http.io_threads, 1, 64);
  at("log_level", o.log_level);
  at("log_prompts", o.log_prompts);
  at("tls.certificate", http.tls_certificate);
  at("tls.key", http.tls_key);
  at("limits.body_bytes", http.read.body_bytes, 1024, 1 << 30);
  at("limits.header_bytes", http.read.head.header_bytes, 1024, 1 << 20);
  at("limits.header_count", http.read.head.header_count, 8, 1000);
  at("limits.target_bytes", http.read.head.target_bytes, 64, 1 << 20);
  at("limits.json_depth", o.json_depth, 8, kMostJsonDepth);
  at("limits.header_seconds", http.header_seconds, 0.1, 3600);
  at("limits.body_seconds", http.body_seconds, 0.1, 3600);
  at("limits.idle_seconds", http.idle_seconds, 0.1, 86'400);
  at("limits.write_seconds", http.write_seconds, 0.1, 3600);
  at("limits.bytes_per_second", http.min_rate, 1, 1e9);
  at("limits.stream_buffer_bytes", http.stream_buffer_bytes, 16 << 10, 256 << 20);
  at("limits.connections", http.max_connections, 1, 100'000);
  at("limits.requests_per_connection", http.max_requests, 1, 1'000'000'000);
}

template <typename T>
concept Whole = std::integral<T> && !std::same_as<T, bool>;

// Reads each key from its table; one that is absent stays as it is.
class Reader {
 public:
  explicit Reader(Table serve) {
    for (const std::string_view name : kTables) {
      if (std::optional<Table> below = serve.SubOr(name)) tables_.emplace(name, *below);
    }
    tables_.emplace("", serve);
  }

  void operator()(std::string_view name, std::string& value) {
    if (const auto [table, key] = At(name); table != nullptr) value = table->StringOr(key, value);
  }
  void operator()(std::string_view name, bool& value) {
    if (const auto [table, key] = At(name); table != nullptr) value = table->BoolOr(key, value);
  }
  template <Whole T>
  void operator()(std::string_view name, T& value, int64_t least, int64_t most) {
    const auto [table, key] = At(name);
    if (table != nullptr) value = static_cast<T>(table->IntOr(key, static_cast<int64_t>(value), least, most));
  }
  void operator()(std::string_view name, double& value, double least, double most) {
    if (const auto [table, key] = At(name); table != nullptr) value = table->DoubleOr(key, value, least, most);
  }

  void Done() const {
    for (const auto& [name, table] : tables_) table.Done();
  }
  [[noreturn]] void Refuse(std::string_view name, std::string_view why, std::string hint) {
    const auto [table, key] = At(name);
    table->Refuse(key, why, std::move(hint));
  }
  bool Has(std::string_view name) {
    const auto [table, key] = At(name);
    return table != nullptr && table->Has(key);
  }

 private:
  std::pair<Table*, std::string_view> At(std::string_view name) {
    const size_t dot = name.find('.');
    const auto found = tables_.find(dot == std::string_view::npos ? "" : name.substr(0, dot));
    return {found == tables_.end() ? nullptr : &found->second, name.substr(dot + 1)};
  }
  std::map<std::string, Table, std::less<>> tables_;
};

struct Describer {
  Json* out;
  template <typename T, typename... Range>
  void operator()(std::string_view name, const T& value, Range...) {
    (*out)[std::string(name)] = value;
  }
};

Json Describe(const ServeOptions& options) {
  Json out = Json::object();
  VisitKeys(options, Describer{&out});
  return out;
}

struct Lister {
  std::vector<ServeKey>* out;
  void operator()(std::string_view name, const std::string& value) {
    out->push_back({std::string(name), ToText(Json(value)), "a text"});
  }
  void operator()(std::string_view name, const bool& value) {
    out->push_back({std::string(name), Cat(value), "true or false"});
  }
  template <typename T>
  void operator()(std::string_view name, const T& value, double least, double most) {
    out->push_back({std::string(name), Cat(value), Cat(Plain(least), " to ", Plain(most))});
  }
  static std::string Plain(double number) {
    const auto whole = static_cast<int64_t>(number);
    return static_cast<double>(whole) == number ? Cat(whole) : Cat(number);
  }
};

}  // namespace

LogLevel ServeOptions::Level() const {
  const auto at = std::find(kLevels.begin(), kLevels.end(), log_level);
  if (at != kLevels.end()) return static_cast<LogLevel>(at - kLevels.begin());
  return log_prompts || ::isatty(STDERR_FILENO) == 0 ? LogLevel::kInfo : LogLevel::kWarn;
}

ServeOptions ReadServeOptions(const store::Studio& studio) {
  ServeOptions options;
  std::optional<Table> table = studio.Settings("serve");
  if (!table) return options;
  Reader read(*std::move(table));
  VisitKeys(options, read);
  read.Done();
  try {
    SetListen(options.listen, &options);
  } catch (const Error& error) {
    read.Refuse("listen", Cat(Quote(options.listen), " is no address"), error.hint());
  }
  if (read.Has("log_level") && std::find(kLevels.begin(), kLevels.end(), options.log_level) == kLevels.end())
    read.Refuse("log_level", Cat(Quote(options.log_level), " is no level"), Join(kLevels, ", "));
  if (read.Has("tls.certificate") != read.Has("tls.key")) {
    const bool has = read.Has("tls.certificate");
    read.Refuse(has ? "tls.certificate" : "tls.key", Cat("goes together with ", has ? "key" : "certificate"),
                "both files or neither");
  }
  for (std::string* file : {&options.http.tls_certificate, &options.http.tls_key}) {
    if (!file->empty() && file->front() != '/') *file = studio.Path(*file);
  }
  return options;
}

ServeChange Compare(const ServeOptions& running, ServeOptions* fresh) {
  ServeChange change;
  const Json wanted = Describe(*fresh);
  // Sockets, threads, and whether TLS is spoken at all are made at the start.
  fresh->listen = running.listen;
  fresh->threads = running.threads;
  fresh->model_batch = running.model_batch;
  fresh->recipe_runs = running.recipe_runs;
  fresh->recipe_queue = running.recipe_queue;
  fresh->http.address = running.http.address;
  fresh->http.port = running.http.port;
  fresh->http.worker_threads = running.http.worker_threads;
  fresh->http.worker_queue = running.http.worker_queue;
  fresh->http.io_threads = running.http.io_threads;
  if (fresh->http.tls_certificate.empty() != running.http.tls_certificate.empty()) {
    fresh->http.tls_certificate = running.http.tls_certificate;
    fresh->http.tls_key = running.http.tls_key;
  }
  const Json before = Describe(running), after = Describe(*fresh);
  for (const auto& [key, value] : wanted.items()) {
    if (after[key] != value) change.at_restart.push_back(key);
    if (after[key] != before[key]) change.now[key] = Json::array({before[key], after[key]});
  }
  return change;
}

std::vector<ServeKey> AllServeKeys() {
  std::vector<ServeKey> keys;
  const ServeOptions options;
  VisitKeys(options, Lister{&keys});
  return keys;
}

Listen ParseListen(std::string_view text) {
  const auto refuse = [&] {
    return Error(Code::kUsage, Cat("--listen: ", Quote(text), " is no address"), "127.0.0.1:8080, [::1]:8080 or :8080");
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) throw refuse();
  std::string address(text.substr(0, colon));
  const auto port = ParseInt(text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535) throw refuse();
  if (address.size() > 2 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  if (address.empty()) address = "127.0.0.1";
  if (address == "localhost") address = "127.0.0.1";
  return {address, static_cast<int>(*port), address.starts_with("127.") || address == "::1"};
}

void SetListen(std::string text, ServeOptions* options) {
  const Listen listen = ParseListen(text);
  options->listen = std::move(text);
  options->http.address = listen.address;
  options->http.port = listen.port;
}

}  // namespace atelier::serve
