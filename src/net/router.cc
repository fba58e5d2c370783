#include "net/router.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/str.h"

namespace atelier::net {
namespace {

[[noreturn]] void Refuse(const Route& route, std::string_view why) {
  throw Error(Code::kInternal, Cat("route ", route.method, " ", route.pattern, ": ", why));
}

std::string Allow(std::set<std::string> methods) {
  if (methods.count("GET") > 0) methods.insert("HEAD");
  methods.insert("OPTIONS");
  return Join({methods.begin(), methods.end()}, ", ");
}

}  // namespace

std::string_view Params::operator[](std::string_view name) const {
  for (const auto& [key, value] : values_) {
    if (key == name) return value;
  }
  return {};
}

std::vector<Router::Part> Router::Parse(const std::string& pattern) {
  std::vector<Part> parts;
  if (!pattern.starts_with('/')) return parts;
  for (const std::string& text : Split(std::string_view(pattern).substr(1), '/')) {
    if (text.size() > 5 && text.starts_with('{') && text.ends_with("...}")) {
      parts.push_back({Kind::kRest, text.substr(1, text.size() - 5)});
    } else if (text.size() > 2 && text.starts_with('{') && text.ends_with('}')) {
      parts.push_back({Kind::kParameter, text.substr(1, text.size() - 2)});
    } else {
      parts.push_back({Kind::kText, text});
    }
  }
  return parts;
}

void Router::Add(Route route) {
  std::vector<Part> parts = Parse(route.pattern);
  if (parts.empty()) Refuse(route, "the pattern does not begin with /");
  if (!IsToken(route.method)) Refuse(route, "the method is not one");
  if (route.scope.empty()) Refuse(route, "says neither a scope nor that it is open");
  if (!route.handler) Refuse(route, "has no handler");
  std::set<std::string> names;
  for (size_t i = 0; i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    if (parts[i].kind == Kind::kRest && !last) Refuse(route, "a rest can only be the last part");
    if (parts[i].kind == Kind::kText && parts[i].text.find_first_of("{}%?#") != std::string::npos) {
      Refuse(route, "a part is neither a text nor a parameter");
    }
    if (parts[i].kind != Kind::kText && !names.insert(parts[i].text).second) Refuse(route, "has a parameter twice");
  }
  const auto same = [&](const std::vector<Part>& other) {
    return std::equal(parts.begin(), parts.end(), other.begin(), other.end(), [](const Part& a, const Part& b) {
      return a.kind == b.kind && (a.kind != Kind::kText || a.text == b.text);
    });
  };
  for (size_t i = 0; i < routes_.size(); ++i) {
    if (routes_[i].method == route.method && same(parts_[i])) Refuse(route, Cat("is there as ", routes_[i].pattern));
  }
  routes_.push_back(std::move(route));
  parts_.push_back(std::move(parts));
}

bool Router::Matches(const std::vector<Part>& parts, const std::vector<std::string>& segments) {
  const bool rest = parts.back().kind == Kind::kRest;
  if (rest ? segments.size() < parts.size() : segments.size() != parts.size()) return false;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].kind == Kind::kText && parts[i].text != segments[i]) return false;
    if (parts[i].kind == Kind::kParameter && segments[i].empty()) return false;
  }
  return true;
}

RouteMatch Router::Find(std::string_view method, std::string_view path,
                        const std::vector<std::string>& segments) const {
  RouteMatch match;
  if (path == "*") {
    std::set<std::string> all;
    for (const Route& route : routes_) all.insert(route.method);
    match.status = method == "OPTIONS" ? 204 : 405;
    match.allow = Allow(std::move(all));
    return match;
  }
  const auto before = [](const std::vector<Part>& a, const std::vector<Part>& b) {  // a is more particular
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                        [](const Part& x, const Part& y) { return x.kind < y.kind; });
  };
  // The most particular pattern decides, so that a parameter never answers for a text that has the path.
  std::vector<size_t> found;
  for (size_t i = 0; i < routes_.size(); ++i) {
    if (!Matches(parts_[i], segments)) continue;
    if (!found.empty() && before(parts_[i], parts_[found[0]])) found.clear();
    if (found.empty() || !before(parts_[found[0]], parts_[i])) found.push_back(i);
  }
  if (found.empty()) return match;
  std::set<std::string> methods;
  for (const std::string_view wanted : {method, std::string_view(method == "HEAD" ? "GET" : "")}) {
    for (const size_t i : found) {
      methods.insert(routes_[i].method);
      if (match.route == nullptr && routes_[i].method == wanted) match.route = &routes_[i];
    }
  }
  if (match.route == nullptr) {
    match.status = method == "OPTIONS" ? 204 : 405;
    match.allow = Allow(std::move(methods));
    return match;
  }
  match.status = 200;
  const std::vector<Part>& parts = parts_[static_cast<size_t>(match.route - routes_.data())];
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].kind == Kind::kParameter) match.params.Add(parts[i].text, segments[i]);
    if (parts[i].kind == Kind::kRest) {
      match.params.Add(parts[i].text, Join({segments.begin() + static_cast<std::ptrdiff_t>(i), segments.end()}, "/"));
    }
  }
  return match;
}

}  // namespace atelier::net
