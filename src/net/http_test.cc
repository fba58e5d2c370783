// The pure parts: escapes, queries, ids, events, and the strictness of heads.
#include "net/http.h"

#include <gtest/gtest.h>

#include "base/ids.h"
#include "base/str.h"
#include "net/http_head.h"
#include "net/request_reader.h"

namespace atelier::net {
namespace {

TEST(Http, PercentEscapesAreDecodedOrRefused) {
  EXPECT_EQ(PercentDecode("a%20b%2f+c%E8%8C%B6"), "a b/+c茶");
  EXPECT_EQ(PercentDecode("a+b", true), "a b");
  for (const char* bad : {"%", "%4", "%zz", "%0g", "a%", "%00", "x%00y", "% 1"})
    EXPECT_FALSE(PercentDecode(bad)) << bad;
  const std::string all = "茶 a/b?c&d=e+f%~-._\xff";
  EXPECT_EQ(PercentDecode(PercentEncode(all)), all);
}

TEST(Http, QueriesAreDecodedInOrderOrRefused) {
  const auto query = ParseQuery("a=1&b=%E8%8C%B6+x&&a=&c&=d");
  ASSERT_TRUE(query);
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"a", "1"}, {"b", "茶 x"}, {"a", ""}, {"c", ""}, {"", "d"}};
  EXPECT_EQ(*query, expected);
  for (const char* bad : {"a=%", "a=%00", "%ff=1", "a=%c0%80", "a=\xff"}) EXPECT_FALSE(ParseQuery(bad)) << bad;
  EXPECT_TRUE(ParseQuery("a&b&c", 3));
  EXPECT_FALSE(ParseQuery("a&b&c&d", 3));
}

TEST(Http, TraceparentsFollowTheirGrammar) {
  const std::string good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  EXPECT_TRUE(IsTraceparent(good));
  EXPECT_TRUE(IsTraceparent(NewTraceparent()));
  EXPECT_TRUE(IsTraceparent(Cat("cc", good.substr(2), "-what-comes")));
  for (const std::string& bad : {std::string(), good.substr(0, 54), good + "-x", good + "0", Cat("ff", good.substr(2)),
                                 std::string("00-00000000000000000000000000000000-b7ad6b7169203331-01"),
                                 std::string("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"),
                                 std::string("00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
                                 std::string("00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")}) {
    EXPECT_FALSE(IsTraceparent(bad)) << bad;
  }
}

TEST(Http, EventsKeepTheirLinesApart) {
  EXPECT_EQ(SseEvent("one"), "data: one\n\n");
  EXPECT_EQ(SseEvent("a\nb\r\nc\rd", "token"), "event: token\ndata: a\ndata: b\ndata: c\ndata: d\n\n");
  EXPECT_EQ(SseEvent(""), "data: \n\n");
  EXPECT_EQ(SseEvent("x", "a\ndata: y"), "event: a data: y\ndata: x\n\n");
}

TEST(Http, DatesAreThoseOfTheRfc) { EXPECT_EQ(HttpDate(784111777000), "Sun, 06 Nov 1994 08:49:37 GMT"); }

struct Parsed {
  Request request;
  Framing framing;
  int status = 0;  // 0: sound
};

Parsed Parse(std::string_view head, const HeadLimits& limits = {}) {
  Parsed parsed;
  if (const auto fault = ParseHead(head, limits, &parsed.request, &parsed.framing)) parsed.status = fault->status;
  return parsed;
}

TEST(HttpHead, ReadsWhatIsSound) {
  const Parsed at = Parse(
      "POST /a%2Fb/%E8%8C%B6?x=1&y=%20 HTTP/1.1\r\nhOsT: [::1]:8080\r\nContent-Length: 007\r\nX-Empty:\r\n"
      "X-Text:\t caf\xc3\xa9 \t\r\nConnection: keep-alive, Upgrade\r\nExpect: 100-Continue\r\n\r\n");
  ASSERT_EQ(at.status, 0);
  EXPECT_EQ(at.request.path, "/a%2Fb/%E8%8C%B6");
  EXPECT_EQ(at.request.segments, (std::vector<std::string>{"a/b", "茶"}));
  EXPECT_EQ(at.request.Query("y"), " ");
  EXPECT_EQ(at.request.Header("HOST"), "[::1]:8080");
  EXPECT_EQ(at.request.Header("x-empty"), "");
  EXPECT_EQ(at.request.Header("x-text"), "caf\xc3\xa9");
  EXPECT_EQ(at.framing.content_length, 7u);
  EXPECT_TRUE(at.framing.keep_alive && at.framing.expects_continue && !at.framing.chunked);
  EXPECT_EQ(Parse("GET /茶 HTTP/1.1\r\nHost: a\r\n\r\n").request.segments[0], "茶");
  EXPECT_EQ(Parse("GET http://a.b:80/x?y HTTP/1.1\r\nHost: a.b:80\r\n\r\n").request.path, "/x");
  EXPECT_EQ(Parse("GET / HTTP/1.0\r\n\r\n").status, 0);
}

TEST(HttpHead, RefusesEverythingThatTwoServersCouldReadDifferently) {
  const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n", post = "POST / HTTP/1.1\r\nHost: a\r\n";
  const std::vector<std::pair<int, std::string>> cases = {
      {400, post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {400, post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"},
      {400, post + "Content-Length: 3\r\nContent-Length: 3\r\n\r\n"},
      {400, post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n"},
      {400, post + "Content-Length: 3, 3\r\n\r\n"},
      {400, post + "Content-Length: +3\r\n\r\n"},
      {400, post + "Content-Length: -3\r\n\r\n"},
      {400, post + "Content-Length: 0x3\r\n\r\n"},
      {400, post + "Content-Length: 3 \t4\r\n\r\n"},
      {400, post + "Content-Length:\r\n\r\n"},
      {400, post + "Content-Length: 99999999999999999999999999\r\n\r\n"},
      {400, post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {501, post + "Transfer-Encoding: chunked, chunked\r\n\r\n"},
      {501, post + "Transfer-Encoding: gzip, chunked\r\n\r\n"},
      {501, post + "Transfer-Encoding: xchunked\r\n\r\n"},
      {501, post + "Transfer-Encoding: chunked, identity\r\n\r\n"},
      {501, post + "Transfer-Encoding:\r\n\r\n"},
      {400, post + "Transfer-Encoding: \x0b"
                   "chunked\r\n\r\n"},
      {400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {400, post + "Content-Length : 3\r\n\r\n"},
      {400, post + "Content-Length\t: 3\r\n\r\n"},
      {400, post + " Content-Length: 3\r\n\r\n"},
      {400, get + "X: a\r\n b\r\n\r\n"},
      {400, get + "X: a\r\n\tTransfer-Encoding: chunked\r\n\r\n"},
      {400, get + "X\r\n\r\n"},
      {400, get + ": x\r\n\r\n"},
      {400, get + "X Y: x\r\n\r\n"},
      {400, get + "X\xc3\xa9: x\r\n\r\n"},
      {400, get + "X: a\nContent-Length: 3\r\n\r\n"},
      {400, get + "X: a\rContent-Length: 3\r\n\r\n"},
      {400, get + std::string("X: a\0b\r\n\r\n", 11)},
      {400, get + "X: a\x7f\r\n\r\n"},
      {400, "GET / HTTP/1.1\nHost: a\n\n"},
      {400, "GET / HTTP/1.1\r\n\r\n"},                        // no Host
      {400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},  // two
      {400, "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: a:x\r\n\r\n"},
      {400, get + "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n"},
      {400, get + "Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n"},
      {417, get + "Expect: tea\r\n\r\n"},
      {400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET / x HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, " GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"},
      {400, "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET /\r\n\r\n"},
      {505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"},
      {505, "GET / HTTP/1.2\r\nHost: a\r\n\r\n"},
      {400, "GET / http/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET / HTTP/11\r\nHost: a\r\n\r\n"},
      {405, "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET a HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET http:// HTTP/1.1\r\nHost: a\r\n\r\n"},
  };
  for (const auto& [status, head] : cases) EXPECT_EQ(Parse(head).status, status) << Quote(head, 200);
}

TEST(HttpHead, RefusesTargetsThatMeanSomethingElse) {
  for (const char* target : {"/a/../b", "/..",     "/a/.",      "/%2e%2e/etc", "/.%2E",   "/%00",  "/a%00b",
                             "/%ff",    "/%c0%af", "/\xff",     "/\xc0\x80",   "/%",      "/%4",   "/%zz",
                             "/a#b",    "/%0a",    "/a%0D%0Ab", "/%7f",        "/?a=%00", "/?%ff", "/?a=%"}) {
    EXPECT_EQ(Parse(Cat("GET ", target, " HTTP/1.1\r\nHost: a\r\n\r\n")).status, 400) << Quote(target);
  }
  for (const char* target : {"/...", "/.a", "/a..", "/a%2f..b", "/?a=../..", "//", "/a//b"}) {
    EXPECT_EQ(Parse(Cat("GET ", target, " HTTP/1.1\r\nHost: a\r\n\r\n")).status, 0) << Quote(target);
  }
}

TEST(HttpHead, HoldsItsLimits) {
  HeadLimits limits{400, 3, 20};
  EXPECT_EQ(Parse("GET /1234567890123456789 HTTP/1.1\r\nHost: a\r\n\r\n", limits).status, 0);
  EXPECT_EQ(Parse("GET /12345678901234567890 HTTP/1.1\r\nHost: a\r\n\r\n", limits).status, 414);
  EXPECT_EQ(Parse("GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\n\r\n", limits).status, 0);
  EXPECT_EQ(Parse("GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n", limits).status, 431);
  EXPECT_EQ(Parse(Cat("GET / HTTP/1.1\r\nHost: a\r\nA: ", std::string(400, 'x'), "\r\n\r\n"), limits).status, 431);
}

// All ways to cut a request in two must give the same.
TEST(RequestReader, CutsMakeNoDifference) {
  const std::string text =
      "\r\nPOST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nT: "
      "1\r\n\r\nrest";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    RequestReader reader({});
    std::string input;
    for (const std::string& part : {text.substr(0, cut), text.substr(cut)}) {
      input += part;
      while (const size_t taken = reader.Feed(input)) input.erase(0, taken);
    }
    ASSERT_EQ(reader.state(), RequestReader::State::kDone) << cut;
    EXPECT_EQ(reader.request().body, "abcd") << cut;
    EXPECT_EQ(input, "rest") << cut;
    EXPECT_EQ(reader.request().headers.size(), 2u) << "a trailer became a header";
  }
}

int StatusOf(std::string_view text, uint64_t body_bytes = 1000) {
  ReadLimits limits;
  limits.body_bytes = body_bytes;
  RequestReader reader(limits);
  std::string input(text);
  while (const size_t taken = reader.Feed(input)) input.erase(0, taken);
  if (reader.state() == RequestReader::State::kFailed) return reader.fault().status;
  return reader.state() == RequestReader::State::kDone ? 200 : 0;
}

TEST(RequestReader, RefusesChunksThatAreNone) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(StatusOf(head + "A\r\n0123456789\r\n0\r\n\r\n"), 200);
  for (const char* chunks : {"g\r\n", "\r\n", "-1\r\n", "+1\r\na\r\n", "0x1\r\na\r\n", "1\na\r\n",
                             "1\r\nab\r\n0\r\n\r\n", "11111111111111111\r\n", "ffffffffffffffffff\r\n", " 1\r\na\r\n",
                             "1 x\r\na\r\n", "1\r\na\n0\r\n\r\n", "0\r\nX\r\n\r\n", "0\r\nContent-Length: 3\r\n\r\n"}) {
    EXPECT_EQ(StatusOf(Cat(head, chunks, "\r\n\r\n", std::string(64, ' '))), 400) << Quote(chunks);
  }
  EXPECT_EQ(StatusOf(head + "3e9\r\n"), 413);
  EXPECT_EQ(StatusOf(head + "1;" + std::string(20'000, 'x')), 400);        // an endless extension
  EXPECT_EQ(StatusOf(head + "0\r\nT: " + std::string(40'000, 'x')), 400);  // endless trailers
  EXPECT_EQ(StatusOf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n"), 413);
  std::string thin = head;  // much said about little
  for (int i = 0; i < 60'000; ++i) thin += Cat("1;", std::string(200, 'x'), "\r\na\r\n");
  EXPECT_EQ(StatusOf(thin, 1 << 20), 400);
}

TEST(RequestReader, RefusesHeadsThatDoNotEnd) {
  EXPECT_EQ(StatusOf(std::string(20'000, 'x')), 414);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\n" + std::string(20'000, 'x')), 431);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\nHost: a\n\n"), 400);  // at once, not when its time is over
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nHost: a\n\n"), 400);
  EXPECT_EQ(StatusOf("\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);  // only a few empty lines are skipped
}

}  // namespace
}  // namespace atelier::net
