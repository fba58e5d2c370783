#include "net/router.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/str.h"
#include "net/http_head.h"

namespace atelier::net {
namespace {

Route Make(std::string method, std::string pattern) {
  return {std::move(method), std::move(pattern), "generate", "", [](std::shared_ptr<Exchange>, const Params&) {}};
}

Router Sample() {
  Router router;
  router.Add(Make("GET", "/"));
  router.Add(Make("GET", "/api/generations/{id}"));
  router.Add(Make("DELETE", "/api/generations/{id}"));
  router.Add(Make("GET", "/api/generations/latest"));
  router.Add(Make("POST", "/api/recipes/{r}/generations"));
  router.Add(Make("GET", "/console/{file...}"));
  return router;
}

// Through the parser of heads, as a request would come.
RouteMatch Find(const Router& router, std::string_view method, std::string_view target) {
  Request request;
  Framing framing;
  const auto fault =
      ParseHead(Cat(method, " ", target, " HTTP/1.1\r\nHost: a\r\n\r\n"), HeadLimits{}, &request, &framing);
  EXPECT_FALSE(fault) << target << ": " << fault->message;
  return router.Find(request);
}

TEST(Router, FindsRoutesAndDecodesTheirParameters) {
  const Router router = Sample();
  RouteMatch match = Find(router, "GET", "/api/generations/%E8%8C%B6%2Fa%20b?x=1");
  ASSERT_EQ(match.status, 200);
  EXPECT_EQ(match.route->pattern, "/api/generations/{id}");
  EXPECT_EQ(match.params["id"], "茶/a b");
  EXPECT_EQ(match.params["nosuch"], "");
  match = Find(router, "POST", "/api/recipes/ad_copy/generations");
  ASSERT_EQ(match.status, 200);
  EXPECT_EQ(match.params["r"], "ad_copy");
  EXPECT_EQ(Find(router, "GET", "/").route->pattern, "/");
  EXPECT_EQ(Find(router, "GET", "http://a").route->pattern, "/");
}

TEST(Router, TextsWinOverParametersAndParametersOverRests) {
  Router router = Sample();
  router.Add(Make("GET", "/console/{page}"));
  EXPECT_EQ(Find(router, "GET", "/api/generations/latest").route->pattern, "/api/generations/latest");
  EXPECT_EQ(Find(router, "DELETE", "/api/generations/latest").status, 405);  // not the generation of that name
  EXPECT_EQ(Find(router, "GET", "/console/a").route->pattern, "/console/{page}");
  EXPECT_EQ(Find(router, "GET", "/console/a/b.js").params["file"], "a/b.js");
  EXPECT_EQ(Find(router, "GET", "/console/").params["file"], "");
  EXPECT_EQ(Find(router, "GET", "/console/").status, 200);
  EXPECT_EQ(Find(router, "GET", "/console").status, 404);
}

TEST(Router, SaysWhatIsMissingPathOrMethod) {
  const Router router = Sample();
  for (const char* target : {"/nosuch", "/api/generations", "/api/generations/", "/api/generations/1/", "/api//1",
                             "//api/generations/1", "/API/generations/1", "/api/generations/1/2"}) {
    EXPECT_EQ(Find(router, "GET", target).status, 404) << target;
    EXPECT_EQ(Find(router, "OPTIONS", target).status, 404) << target;
  }
  RouteMatch match = Find(router, "PATCH", "/api/generations/1");
  EXPECT_EQ(match.status, 405);
  EXPECT_EQ(match.allow, "DELETE, GET, HEAD, OPTIONS");
  EXPECT_EQ(match.route, nullptr);
  match = Find(router, "OPTIONS", "/api/recipes/a/generations");
  EXPECT_EQ(match.status, 204);
  EXPECT_EQ(match.allow, "OPTIONS, POST");
  EXPECT_EQ(Find(router, "OPTIONS", "*").allow, "DELETE, GET, HEAD, OPTIONS, POST");
  EXPECT_EQ(Find(router, "get", "/").status, 405);  // methods are case-sensitive
}

TEST(Router, GetAnswersHead) {
  const Router router = Sample();
  EXPECT_EQ(Find(router, "HEAD", "/").route->method, "GET");
  EXPECT_EQ(Find(router, "HEAD", "/api/recipes/a/generations").status, 405);
}

TEST(Router, RefusesRoutesThatAreNone) {
  Router router = Sample();
  for (const char* pattern :
       {"", "x", "/a/{b", "/a/b}", "/{a}/{a}", "/{a...}/b", "/a%20b", "/a?b", "/api/generations/{other}", "/"}) {
    EXPECT_THROW(router.Add(Make("GET", pattern)), Error) << pattern;
  }
  Route open = Make("GET", "/healthz");
  open.scope = "";
  EXPECT_THROW(router.Add(open), Error);
  open.scope = kOpen;
  router.Add(open);
  EXPECT_EQ(router.routes().size(), 7u);
  EXPECT_EQ(router.routes().back().pattern, "/healthz");
}

}  // namespace
}  // namespace atelier::net
