// URLs and where they may lead: the rules against being sent to places inside one's own network (server-side request
// forgery). A URL's text is checked before a connection is made, the address itself when it is.
#pragma once

#include <string>
#include <string_view>

struct sockaddr;

namespace atelier::net {

struct Url {
  std::string text;    // normalised, without a fragment
  std::string scheme;  // lower case
  std::string host;    // lower case; an IPv6 address without its brackets
  int port = 0;
  std::string path;  // as written, still escaped

  bool SameOrigin(const Url& other) const { return scheme == other.scheme && host == other.host && port == other.port; }
};

// Throws kInvalidInput for what is no URL, has no host, or carries a user name or password (they would end up in
// manifests and logs).
Url ParseUrl(std::string_view text);
// What a Location header says, seen from `base`.
Url ResolveUrl(const Url& base, std::string_view location);

enum class AddressKind { kPublic, kLoopback, kPrivate };  // private: also link-local, multicast, reserved, unspecified

// IPv4 addresses inside IPv6 ones (mapped, NAT64, 6to4) count as the IPv4 address.
AddressKind KindOf(const sockaddr* address);
// The same for a host that is written as an address (or as localhost); kPublic for any other name.
AddressKind KindOfHost(const std::string& host);

struct ReachRules {
  bool loopback = false;      // this machine; set where the user's own URL names it
  bool private_nets = false;  // 10/8, 192.168/16 ...
  bool plain_http = false;    // http beyond this machine
};

// What the user's own URL allows, beside what `rules` allows already: naming this machine is asking for it.
ReachRules RulesFor(const Url& named, ReachRules rules);
// Throws kPermissionDenied for a URL that may not be fetched: another scheme than https (http: this machine, or
// plain_http), or an address that the rules exclude. `from` is the hop before (nullptr for the first): https never
// leads back to http.
void CheckUrl(const Url& url, const Url* from, const ReachRules& rules);
bool MayConnect(AddressKind kind, const ReachRules& rules);

}  // namespace atelier::net
