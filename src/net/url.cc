#include "net/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "base/str.h"

namespace atelier::net {
namespace {

using CurlUrl = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::string Part(CURLU* handle, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(handle, part, &text, flags) != CURLUE_OK || text == nullptr) return "";
  std::string out(text);
  curl_free(text);
  return out;
}

Url FromHandle(CURLU* handle, std::string_view said) {
  if (!Part(handle, CURLUPART_USER).empty() || !Part(handle, CURLUPART_PASSWORD).empty()) {
    throw Error(Code::kInvalidInput, "the URL carries a user name or password",
                "leave them out: URLs are stored and shown");
  }
  curl_url_set(handle, CURLUPART_FRAGMENT, nullptr, 0);
  Url url;
  url.scheme = ToLowerAscii(Part(handle, CURLUPART_SCHEME));
  url.host = ToLowerAscii(Part(handle, CURLUPART_HOST));
  if (url.host.size() > 2 && url.host.front() == '[') url.host = url.host.substr(1, url.host.size() - 2);
  while (!url.host.empty() && url.host.back() == '.') url.host.pop_back();
  url.port = static_cast<int>(ParseInt(Part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT)).value_or(0));
  url.path = Part(handle, CURLUPART_PATH);
  url.text = Part(handle, CURLUPART_URL);
  if (url.scheme.empty() || url.text.empty() || (url.host.empty() && url.scheme != "file")) {
    throw Error(Code::kInvalidInput, Cat(Quote(said, 200), " is not a URL"), "write it as https://host/path");
  }
  return url;
}

constexpr bool Inside(uint32_t address, uint32_t network, int bits) { return (address ^ network) >> (32 - bits) == 0; }

constexpr uint32_t V4(uint32_t a, uint32_t b, uint32_t c, uint32_t d) { return a << 24 | b << 16 | c << 8 | d; }

// The special-purpose registries of IANA (RFC 6890 and what follows it).
AddressKind KindOfV4(uint32_t a) {
  if (Inside(a, V4(127, 0, 0, 0), 8)) return AddressKind::kLoopback;
  struct Net {
    uint32_t network;
    int bits;
  };
  constexpr Net kNets[] = {{V4(0, 0, 0, 0), 8},      {V4(10, 0, 0, 0), 8},      {V4(100, 64, 0, 0), 10},
                           {V4(169, 254, 0, 0), 16}, {V4(172, 16, 0, 0), 12},   {V4(192, 0, 0, 0), 24},
                           {V4(192, 0, 2, 0), 24},   {V4(192, 88, 99, 0), 24},  {V4(192, 168, 0, 0), 16},
                           {V4(198, 18, 0, 0), 15},  {V4(198, 51, 100, 0), 24}, {V4(203, 0, 113, 0), 24},
                           {V4(224, 0, 0, 0), 4},    {V4(240, 0, 0, 0), 4}};
  for (const Net& net : kNets) {
    if (Inside(a, net.network, net.bits)) return AddressKind::kPrivate;
  }
  return AddressKind::kPublic;
}

AddressKind KindOfV6(const uint8_t* a) {
  const auto v4_at = [&](int i) { return V4(a[i], a[i + 1], a[i + 2], a[i + 3]); };
  const auto starts = [&](std::initializer_list<int> bytes) {
    int i = 0;
    for (const int byte : bytes) {
      if (a[i++] != byte) return false;
    }
    return true;
  };
  std::array<uint8_t, 16> zero_but_last{};
  zero_but_last[15] = 1;
  if (std::memcmp(a, zero_but_last.data(), 16) == 0) return AddressKind::kLoopback;
  if (starts({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff})) return KindOfV4(v4_at(12));     // mapped
  if (starts({0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) return KindOfV4(v4_at(12));  // NAT64
  if (starts({0x20, 0x02})) return KindOfV4(v4_at(2));                                    // 6to4
  // Only global unicast is left as public, but for documentation, Teredo and the other protocol assignments in it.
  if ((a[0] & 0xe0) != 0x20) return AddressKind::kPrivate;
  if (starts({0x20, 0x01, 0x0d, 0xb8}) || (starts({0x20, 0x01}) && a[2] < 2) || starts({0x3f, 0xff})) {
    return AddressKind::kPrivate;
  }
  return AddressKind::kPublic;
}

}  // namespace

Url ParseUrl(std::string_view text) {
  const CurlUrl handle(curl_url(), &curl_url_cleanup);
  if (!handle) throw std::bad_alloc();
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) {
      throw Error(Code::kInvalidInput,
                  Cat(Quote(text, 200), " is not a URL: it holds white space or a control character"));
    }
  }
  const std::string whole(text);
  if (whole.find("://") == std::string::npos ||
      curl_url_set(handle.get(), CURLUPART_URL, whole.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    throw Error(Code::kInvalidInput, Cat(Quote(text, 200), " is not a URL"), "write it as https://host/path");
  }
  return FromHandle(handle.get(), text);
}

Url ResolveUrl(const Url& base, std::string_view location) {
  const CurlUrl handle(curl_url(), &curl_url_cleanup);
  if (!handle) throw std::bad_alloc();
  const std::string to(Trim(location));
  if (curl_url_set(handle.get(), CURLUPART_URL, base.text.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
      curl_url_set(handle.get(), CURLUPART_URL, to.c_str(), CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE) != CURLUE_OK) {
    throw Error(Code::kInvalidInput, Cat(base.text, " redirects to ", Quote(location, 200), ", which is not a URL"));
  }
  return FromHandle(handle.get(), location);
}

AddressKind KindOf(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof(v4));
    return KindOfV4(ntohl(v4.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof(v6));
    return KindOfV6(v6.sin6_addr.s6_addr);
  }
  return AddressKind::kPrivate;
}

AddressKind KindOfHost(const std::string& host) {
  if (host == "localhost" || host.ends_with(".localhost")) return AddressKind::kLoopback;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  // inet_aton also reads 127.1, 0x7f000001 and 2130706433, as resolvers do.
  if (::inet_aton(host.c_str(), &v4.sin_addr) != 0) return KindOf(reinterpret_cast<const sockaddr*>(&v4));
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  if (::inet_pton(AF_INET6, host.substr(0, host.find('%')).c_str(), &v6.sin6_addr) == 1) {
    return KindOf(reinterpret_cast<const sockaddr*>(&v6));
  }
  return AddressKind::kPublic;
}

bool MayConnect(AddressKind kind, const ReachRules& rules) {
  switch (kind) {
    case AddressKind::kPublic: return true;
    case AddressKind::kLoopback: return rules.loopback;
    case AddressKind::kPrivate: return rules.private_nets;
  }
  return false;
}

ReachRules RulesFor(const Url& named, ReachRules rules) {
  if (KindOfHost(named.host) == AddressKind::kLoopback) rules.loopback = true;
  return rules;
}

void CheckUrl(const Url& url, const Url* from, const ReachRules& rules) {
  const std::string led = from != nullptr ? Cat(from->text, " redirects to ", url.text, ": ") : Cat(url.text, ": ");
  if (url.scheme != "https" && url.scheme != "http") {
    throw Error(Code::kPermissionDenied, Cat(led, "only https is fetched, not ", Quote(url.scheme)));
  }
  const AddressKind kind = KindOfHost(url.host);
  if (!MayConnect(kind, rules)) {
    throw Error(Code::kPermissionDenied,
                Cat(led, "leads to ", kind == AddressKind::kLoopback ? "this machine" : "a private network"));
  }
  if (url.scheme == "http") {
    if (from != nullptr && from->scheme == "https") {
      throw Error(Code::kPermissionDenied, Cat(led, "leads from https back to http"));
    }
    if (kind != AddressKind::kLoopback && !rules.plain_http) {
      throw Error(Code::kPermissionDenied, Cat(led, "http is neither private nor safe from change"),
                  "use https, or set ATELIER_ALLOW_HTTP=1 if you trust every machine on the way");
    }
  }
}

}  // namespace atelier::net
