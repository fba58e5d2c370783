// Downloads a file over HTTP so that a cut connection costs only what was under way: bytes go to PATH.part, which the
// next attempt (of this call or of a later one) continues with Range and If-Range, and which is renamed to PATH when
// whole.
//
// The server is not believed: sizes are limited and compared, ranges checked, redirects counted and held to the rules
// of net/url.h, addresses checked at the moment of connecting. What the bytes are worth (hash, structure) is the
// caller's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.h"
#include "net/url.h"

namespace atelier::net {

struct DownloadOptions {
  uint64_t max_bytes = uint64_t{256} << 30;  // more is refused, announced or not
  double connect_seconds = 20;               // to connect, TLS included
  double stall_seconds = 30;                 // less than 1 KiB/s for so long counts as cut
  int retries = 5;                           // attempts in a row that bring nothing new, before it gives up
  double backoff_seconds = 0.5;              // before the second attempt; doubles up to 10 s
  int max_redirects = 8;
  ReachRules rules;                  // beside what the URL itself names
  std::vector<std::string> headers;  // "Name: value", sent to the URL's own host only
  ProgressFn progress;
};

struct Downloaded {
  uint64_t bytes = 0;
  bool resumed = false;  // bytes of an earlier attempt were kept
  int attempts = 1;
  std::string url;  // the last one, after redirects
};

// Throws kUnavailable (no network, no answer, cut too often: the part is kept), kNotFound (404, 410), kPermissionDenied
// (401, 403, the rules), kResourceExhausted (too large, disk full), kInvalidInput (no URL).
Downloaded Download(const std::string& url, const std::string& path, const DownloadOptions& options = {});

// ReachRules from the environment: ATELIER_ALLOW_HTTP=1, ATELIER_ALLOW_PRIVATE_NETS=1.
ReachRules RulesFromEnvironment();

}  // namespace atelier::net
