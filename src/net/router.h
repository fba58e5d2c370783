// Which handler answers which method and path: one visible list of routes, which tests and openapi walk too.
//
// A pattern is a path whose segments are texts or parameters: "/api/generations/{id}"; the last one may take the rest,
// "/console/{file...}". A text wins over a parameter, a parameter over a rest. Parameters are never empty, except a
// rest. GET answers HEAD as well.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "net/exchange.h"

namespace atelier::net {

class Params {
 public:
  // The decoded value; "" for a name that the pattern does not have.
  std::string_view operator[](std::string_view name) const;
  void Add(std::string name, std::string value) { values_.emplace_back(std::move(name), std::move(value)); }
  const std::vector<std::pair<std::string, std::string>>& all() const { return values_; }

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

using RouteHandler = std::function<void(std::shared_ptr<Exchange> exchange, const Params& params)>;

// Not a scope: the route needs no key. It must be said, so that no route is open by forgetting.
inline constexpr std::string_view kOpen = "open";

struct Route {
  std::string method;   // "GET"
  std::string pattern;  // "/api/generations/{id}"
  std::string scope;    // what a key must have ("generate"), or kOpen
  std::string summary;  // one line, for openapi.json
  RouteHandler handler;
  // For openapi.json: JSON Schema of the body, null where none is read; of the answer, null where it is no JSON; of
  // failures, null where they are as everywhere.
  Json request = nullptr, reply = nullptr, failure = nullptr;
  std::string media = "application/json";  // of the answer
  bool streams = false;                    // it may also be text/event-stream
  bool notifies = false;                   // or 202 and nothing
};

struct RouteMatch {
  // 200: route and params hold. 204: OPTIONS of a path that is there. 404: no such path. 405: not with this method.
  int status = 404;
  const Route* route = nullptr;
  Params params;
  std::string allow;  // for 204 and 405: "GET, HEAD, OPTIONS"
};

class Router {
 public:
  // Throws kInternal for a pattern that is malformed or there already, and for a route without a scope.
  void Add(Route route);

  // `segments` as in Request; pointers in the answer live as long as the router and no Add.
  RouteMatch Find(std::string_view method, std::string_view path, const std::vector<std::string>& segments) const;
  RouteMatch Find(const Request& request) const { return Find(request.method, request.path, request.segments); }

  // In the order in which they were added.
  std::span<const Route> routes() const { return routes_; }

 private:
  enum class Kind { kText, kParameter, kRest };
  struct Part {
    Kind kind;
    std::string text;  // or the parameter's name
  };
  static std::vector<Part> Parse(const std::string& pattern);
  static bool Matches(const std::vector<Part>& parts, const std::vector<std::string>& segments);

  std::vector<Route> routes_;
  std::vector<std::vector<Part>> parts_;  // of each route
};

}  // namespace atelier::net
