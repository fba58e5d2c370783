#include "net/url.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace atelier::net {
namespace {

TEST(Url, PartsAreNormalised) {
  const Url url = ParseUrl("HTTPS://Example.COM:8443/a/b%20c?x=1#frag");
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.host, "example.com");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.path, "/a/b%20c");
  EXPECT_EQ(url.text.find("frag"), std::string::npos);
  EXPECT_EQ(ParseUrl("https://[::1]/x").host, "::1");
  EXPECT_EQ(ParseUrl("https://example.com./x").host, "example.com");
  for (const char* bad :
       {"", "example.com/file", "https://", "https://user:secret@example.com/x", "https://user@example.com/",
        "https://a b/", "https://a\n/", "://x", "https://exa mple.com"}) {
    EXPECT_THROW(ParseUrl(bad), Error) << bad;
  }
}

TEST(Url, LocationsResolve) {
  const Url base = ParseUrl("https://example.com/a/b");
  EXPECT_EQ(ResolveUrl(base, "/c?d").text, "https://example.com/c?d");
  EXPECT_EQ(ResolveUrl(base, "c").text, "https://example.com/a/c");
  EXPECT_EQ(ResolveUrl(base, "//other.org/x").host, "other.org");
  EXPECT_EQ(ResolveUrl(base, "http://other.org/x").scheme, "http");
}

TEST(Url, AddressesHaveTheirKinds) {
  for (const char* host : {"127.0.0.1", "127.9.9.9", "localhost", "a.localhost", "::1", "::ffff:127.0.0.1", "0x7f.1",
                           "2130706433", "017700000001", "127.1"}) {
    EXPECT_EQ(KindOfHost(host), AddressKind::kLoopback) << host;
  }
  for (const char* host : {"10.0.0.1",        "10.255.255.255",    "172.16.0.1",       "172.31.255.255",  "192.168.1.1",
                           "169.254.169.254", "0.0.0.0",           "100.64.0.1",       "100.127.255.255", "198.18.0.1",
                           "198.19.255.255",  "224.0.0.1",         "255.255.255.255",  "192.0.2.7",       "::",
                           "fe80::1",         "fe80::1%eth0",      "fc00::1",          "fd12::1",         "ff02::1",
                           "::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "2002:0a00:0001::", "2001:db8::1",     "2001::1"}) {
    EXPECT_EQ(KindOfHost(host), AddressKind::kPrivate) << host;
  }
  for (const char* host :
       {"1.1.1.1", "9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
        "100.63.255.255", "100.128.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "128.0.0.0",
        "126.255.255.255", "2606:4700::1", "::ffff:8.8.8.8", "example.com", "notlocalhost"}) {
    EXPECT_EQ(KindOfHost(host), AddressKind::kPublic) << host;
  }
}

std::string Refusal(const char* to, const char* from, ReachRules rules = {}) {
  const Url url = ParseUrl(to);
  try {
    if (from == nullptr) {
      CheckUrl(url, nullptr, RulesFor(url, rules));
    } else {
      const Url first = ParseUrl(from);
      CheckUrl(url, &first, RulesFor(first, rules));
    }
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kPermissionDenied);
    return error.Line();
  }
  return "";
}

TEST(Url, TheRulesHoldOnEveryHop) {
  EXPECT_EQ(Refusal("https://example.com/x", nullptr), "");
  EXPECT_EQ(Refusal("http://127.0.0.1:8000/x", nullptr), "");  // naming this machine is asking for it
  EXPECT_EQ(Refusal("https://localhost/x", nullptr), "");
  EXPECT_NE(Refusal("http://example.com/x", nullptr), "");
  EXPECT_EQ(Refusal("http://example.com/x", nullptr, {.plain_http = true}), "");
  EXPECT_NE(Refusal("https://192.168.1.1/x", nullptr), "");
  EXPECT_EQ(Refusal("https://192.168.1.1/x", nullptr, {.private_nets = true}), "");
  EXPECT_NE(Refusal("ftp://example.com/x", nullptr), "");
  EXPECT_NE(Refusal("file:///etc/passwd", nullptr), "");

  EXPECT_EQ(Refusal("https://cdn.example.com/x", "https://example.com/x"), "");
  EXPECT_NE(Refusal("http://example.com/x", "https://example.com/x", {.plain_http = true}), "");
  EXPECT_NE(Refusal("https://127.0.0.1/x", "https://example.com/x"), "");
  EXPECT_NE(Refusal("https://[::1]/x", "https://example.com/x"), "");
  EXPECT_NE(Refusal("https://169.254.169.254/latest", "https://example.com/x"), "");
  EXPECT_NE(Refusal("file:///etc/passwd", "https://example.com/x"), "");
  EXPECT_EQ(Refusal("http://127.0.0.1:9/y", "http://127.0.0.1:8/x"), "");
  EXPECT_NE(Refusal("http://10.0.0.1/y", "http://127.0.0.1:8/x"), "");
  EXPECT_NE(Refusal("http://example.com/y", "http://127.0.0.1:8/x"), "");
}

}  // namespace
}  // namespace atelier::net
