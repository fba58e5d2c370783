// What a well-behaved client sees: answers, keep-alive, pipelining, chunks, streams, HEAD, HTTP/1.0, ids, the log.
#include "net/server.h"

#include <gtest/gtest.h>

#include <future>

#include "base/error.h"
#include "base/ids.h"
#include "base/str.h"
#include "net/test_client.h"

namespace atelier::net {
namespace {

ServerOptions Options() {
  ServerOptions options;
  options.port = 0;
  return options;
}

// Says what it was asked: method, path, query, body.
void Echo(std::shared_ptr<Exchange> exchange) {
  const Request& request = exchange->request();
  std::string said = Cat(request.method, " ", request.path);
  for (const auto& [name, value] : request.query) said += Cat(" ", name, "=", value);
  exchange->Respond({200, "text/plain", Cat(said, "|", request.body), {}});
}

struct Running {
  explicit Running(ServerOptions options, Handler handler = Echo) : server(std::move(options), std::move(handler)) {
    server.Start();
  }
  Server server;
  int port() const { return server.port(); }
};

TEST(Server, AnswersOneRequestAfterTheOtherOnOneConnection) {
  Running at(Options());
  TestClient client(at.port());
  for (int i = 0; i < 50; ++i) {
    const TestAnswer answer = client.Get(Cat("/a/", i, "?q=%E8%8C%B6+x&n=", i));
    ASSERT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, Cat("GET /a/", i, " q=茶 x n=", i, "|"));
    EXPECT_EQ(answer.headers.at("content-type"), "text/plain");
    EXPECT_TRUE(answer.headers.count("date"));
    EXPECT_FALSE(answer.headers.count("connection"));
  }
  EXPECT_EQ(at.server.stats().connections, 1u);
  EXPECT_TRUE(Soon([&] { return at.server.stats().by_status[200] == 50; }));
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  Running at(Options());
  TestClient client(at.port());
  std::string all;
  for (int i = 0; i < 2000; ++i) {  // far more than is read ahead
    all += Cat("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n", 1000 + i);
  }
  auto sending = std::async(std::launch::async, [&] { return client.Send(all); });
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(client.Receive().body, Cat("POST /p|", 1000 + i));
  EXPECT_TRUE(sending.get());
}

TEST(Server, ReadsRequestsThatComeByteByByte) {
  Running at(Options());
  TestClient client(at.port());
  for (const char c :
       std::string("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")) {
    ASSERT_TRUE(client.Send(std::string_view(&c, 1)));
  }
  EXPECT_EQ(client.Receive().body, "POST /x|abc");
}

TEST(Server, DecodesChunksAndDropsTrailersAndExtensions) {
  Running at(Options());
  TestClient client(at.port());
  const std::string body(100'000, 'z');
  const TestAnswer answer = client.Ask(
      Cat("POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;name=\"v\"\r\nhello\r\n186A0\r\n", body,
          "\r\n00\r\nX-Trailer: 1\r\n\r\n"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, Cat("POST /c|hello", body));
  EXPECT_EQ(client.Get("/next").body, "GET /next|");
}

TEST(Server, HeadHasTheHeadersOnly) {
  Running at(Options());
  TestClient client(at.port());
  const TestAnswer answer = client.Ask("HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("content-length"), "8");
  EXPECT_EQ(client.Get("/next").body, "GET /next|");
}

TEST(Server, StatusesWithoutABodyHaveNone) {
  Running at(Options(), [](std::shared_ptr<Exchange> exchange) { exchange->Respond({204, "", "not sent", {}}); });
  TestClient client(at.port());
  const TestAnswer answer = client.Get("/");
  EXPECT_EQ(answer.status, 204);
  EXPECT_FALSE(answer.headers.count("content-length"));
  EXPECT_EQ(client.Get("/").status, 204);  // nothing was left between the two
}

TEST(Server, Http10GetsOneAnswerAndTheEnd) {
  Running at(Options(), [](std::shared_ptr<Exchange> exchange) {
    exchange->BeginStream({200, "text/plain", "", {}});
    exchange->Write("one ");
    exchange->Write("two");
    exchange->Finish();
  });
  TestClient client(at.port());
  const TestAnswer answer = client.Ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.headers.count("transfer-encoding"));
  EXPECT_EQ(answer.body, "one two");
  EXPECT_TRUE(answer.whole);
}

TEST(Server, ConnectionCloseIsHonoured) {
  Running at(Options());
  TestClient client(at.port());
  const TestAnswer answer = client.Get("/", "Connection: TE, close\r\n");
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(client.EndsWithin(5));
}

TEST(Server, ExpectContinueIsAskedForBeforeTheBody) {
  Running at(Options());
  TestClient client(at.port());
  client.Send("POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  ASSERT_TRUE(client.More());
  EXPECT_TRUE(client.buffer().starts_with("HTTP/1.1 100 Continue\r\n\r\n"));
  EXPECT_EQ(client.Ask("hi").body, "POST /e|hi");
  EXPECT_EQ(client.interim, 1);
}

TEST(Server, AdmitRefusesBeforeTheBodyIsRead) {
  ServerOptions options = Options();
  options.admit = [](const Request& head) -> std::optional<Response> {
    if (head.Header("authorization")) return std::nullopt;
    return Response{401, "text/plain", "no key", {{"WWW-Authenticate", "Bearer"}}};
  };
  std::atomic<int> handled = 0;
  Running at(options, [&](std::shared_ptr<Exchange> exchange) {
    ++handled;
    exchange->Respond({});
  });
  TestClient client(at.port());
  const TestAnswer answer =
      client.Ask("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100000\r\n\r\n");
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(client.interim, 0);
  EXPECT_EQ(answer.headers.at("connection"), "close");  // the body may still come
  TestClient other(at.port());
  EXPECT_EQ(other.Get("/").status, 401);
  EXPECT_EQ(other.Get("/", "Authorization: Bearer x\r\n").status, 200);
  EXPECT_EQ(handled, 1);
}

TEST(Server, StreamsFromAnotherThread) {
  std::mutex mutex;
  std::vector<std::thread> threads;
  {
    Running at(Options(), [&](std::shared_ptr<Exchange> exchange) {
      std::lock_guard lock(mutex);
      threads.emplace_back([exchange] {
        exchange->BeginStream({200, "text/event-stream", "", {{"Cache-Control", "no-store"}}});
        for (int i = 0; i < 100; ++i) EXPECT_TRUE(exchange->Write(SseEvent(Cat("token ", i))));
        exchange->Write("");  // no chunk: an empty one would end the stream
        exchange->Finish();
        EXPECT_FALSE(exchange->Write("late"));
      });
    });
    TestClient client(at.port());
    const TestAnswer answer = client.Get("/");
    EXPECT_TRUE(answer.whole);
    EXPECT_EQ(answer.headers.at("cache-control"), "no-store");
    std::string expected;
    for (int i = 0; i < 100; ++i) expected += Cat("data: token ", i, "\n\n");
    EXPECT_EQ(answer.body, expected);
    EXPECT_EQ(client.Get("/").body, expected);
  }  // the last handler has returned
  for (std::thread& thread : threads) thread.join();
}

TEST(Server, AnExchangeThatIsDroppedIsAnswered500AndAStreamIsCut) {
  Running at(Options(), [](std::shared_ptr<Exchange> exchange) {
    if (exchange->request().path == "/stream") {
      exchange->BeginStream({});
      exchange->Write("half");
    }
  });
  TestClient client(at.port());
  EXPECT_EQ(client.Get("/").status, 500);
  const TestAnswer answer = client.Get("/stream");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "half");
  EXPECT_FALSE(answer.whole);
}

TEST(Server, WhatAHandlerThrowsIsAnswered) {
  ServerOptions options = Options();
  options.error_response = [](const HttpError& error, const Request* request) {
    return Response{error.status, "text/plain", Cat(error.code, ": ", error.message, " ", request->path),
                    error.headers};
  };
  Running at(options, [](std::shared_ptr<Exchange> exchange) {
    if (exchange->request().path == "/error") throw Error(Code::kNotFound, "no such recipe", "look again");
    throw std::runtime_error("secret");
  });
  TestClient client(at.port());
  TestAnswer answer = client.Get("/error");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.body, "not_found: no such recipe (look again) /error");
  answer = client.Get("/other");
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body.find("secret"), std::string::npos);
  EXPECT_EQ(client.Get("bad").body.substr(0, 11), "bad_request");
}

TEST(Server, OnlyTheFirstAnswerCounts) {
  Running at(Options(), [](std::shared_ptr<Exchange> exchange) {
    EXPECT_TRUE(exchange->Respond({200, "text/plain", "first", {}}));
    EXPECT_FALSE(exchange->Respond({200, "text/plain", "second", {}}));
    EXPECT_FALSE(exchange->BeginStream({}));
    EXPECT_FALSE(exchange->Write("x"));
  });
  TestClient client(at.port());
  EXPECT_EQ(client.Get("/").body, "first");
  EXPECT_EQ(client.Get("/").body, "first");
}

TEST(Server, HeadersOfAnAnswerCannotMakeOthers) {
  Running at(Options(), [](std::shared_ptr<Exchange> exchange) {
    exchange->Respond({200,
                       "text/plain\r\nX-One: 1",
                       "",
                       {{"X-Name", "a\r\nX-Two: 2\r\n\r\nbody"}, {"X Bad", "x"}, {"Content-Length", "99"}}});
  });
  TestClient client(at.port());
  const TestAnswer answer = client.Get("/");
  EXPECT_EQ(answer.headers.at("x-name"), "a  X-Two: 2    body");
  EXPECT_FALSE(answer.headers.count("x-one") || answer.headers.count("x-two") || answer.headers.count("x bad"));
  EXPECT_EQ(answer.headers.at("content-length"), "0");
}

TEST(Server, RequestIdsAndTracesAreTakenWhenSoundAndMadeOtherwise) {
  Running at(Options(), [](std::shared_ptr<Exchange> exchange) {
    exchange->Respond({200, "", exchange->request().traceparent, {}});
  });
  TestClient client(at.port());
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  TestAnswer answer = client.Get("/", Cat("X-Request-Id: my-id.7\r\ntraceparent: ", trace, "\r\n"));
  EXPECT_EQ(answer.headers.at("x-request-id"), "my-id.7");
  EXPECT_EQ(answer.body, trace);
  answer = client.Get("/", "X-Request-Id: no good\r\ntraceparent: 00-00-00-00\r\n");
  EXPECT_TRUE(IsUuid(answer.headers.at("x-request-id")));
  EXPECT_TRUE(IsTraceparent(answer.body));
}

TEST(Server, LogsEachRequestOnceWithoutItsQuery) {
  std::mutex mutex;
  std::vector<AccessRecord> log;
  ServerOptions options = Options();
  options.access_log = [&](const AccessRecord& record) {
    std::lock_guard lock(mutex);
    log.push_back(record);
  };
  {
    Running at(options, [](std::shared_ptr<Exchange> exchange) {
      exchange->SetKeyId("key-1");
      exchange->Respond({201, "", "12345", {}});
    });
    TestClient client(at.port());
    client.Ask("POST /path?secret=1 HTTP/1.1\r\nHost: a\r\nX-Request-Id: r1\r\nContent-Length: 3\r\n\r\nabc");
    client.Ask("BROKEN\r\n\r\n");
  }
  ASSERT_EQ(log.size(), 2u);
  EXPECT_EQ(log[0].method, "POST");
  EXPECT_EQ(log[0].path, "/path");
  EXPECT_EQ(log[0].status, 201);
  EXPECT_EQ(log[0].bytes_in, 3u);
  EXPECT_GT(log[0].bytes_out, 60u);
  EXPECT_EQ(log[0].id, "r1");
  EXPECT_EQ(log[0].peer, "127.0.0.1");
  EXPECT_EQ(log[0].key_id, "key-1");
  EXPECT_FALSE(log[0].cut);
  EXPECT_EQ(log[1].status, 400);
}

TEST(Server, LargeAnswersComeWhole) {
  Running at(Options(), [](std::shared_ptr<Exchange> exchange) {
    exchange->Respond({200, "", std::string(20 << 20, 'b'), {}});
  });
  TestClient client(at.port());
  const TestAnswer answer = client.Get("/");
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(answer.body, std::string(20 << 20, 'b'));
}

TEST(Server, PortsThatAreTakenAndBadCertificatesAreErrors) {
  Running at(Options());
  ServerOptions same = Options();
  same.port = at.port();
  Server second(same, Echo);
  EXPECT_THROW(second.Start(), Error);
  ServerOptions tls = Options();
  tls.tls_certificate = tls.tls_key = "/nonexistent.pem";
  Server third(tls, Echo);
  EXPECT_THROW(third.Start(), Error);
}

}  // namespace
}  // namespace atelier::net
