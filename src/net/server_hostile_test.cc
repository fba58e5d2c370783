// What a server must bear: slow, vanishing, stalling, lying and too many clients, and its own end.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>

#include "base/ids.h"
#include "base/str.h"
#include "net/server.h"
#include "net/test_client.h"

namespace atelier::net {
namespace {

ServerOptions Options() {
  ServerOptions options;
  options.port = 0;
  return options;
}

struct Running {
  Running(ServerOptions options, Handler handler) : server(std::move(options), std::move(handler)) { server.Start(); }
  Server server;
  int port() const { return server.port(); }
};

void Hello(std::shared_ptr<Exchange> exchange) { exchange->Respond({200, "text/plain", "hello", {}}); }

// Keeps what it is given until somebody takes it.
class Keeper {
 public:
  Handler handler() {
    return [this](std::shared_ptr<Exchange> exchange) {
      std::lock_guard lock(mutex_);
      kept_.push_back(std::move(exchange));
      came_.notify_all();
    };
  }
  std::shared_ptr<Exchange> Next() {
    std::unique_lock lock(mutex_);
    if (!came_.wait_for(lock, std::chrono::seconds(10), [&] { return !kept_.empty(); })) return nullptr;
    std::shared_ptr<Exchange> first = std::move(kept_.front());
    kept_.erase(kept_.begin());
    return first;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<std::shared_ptr<Exchange>> kept_;
};

TEST(ServerHostile, SmuggledLengthsAreRefusedAndTheConnectionEnds) {
  Running at(Options(), Hello);
  const std::string second = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const char* lengths :
       {"Content-Length: 3\r\nTransfer-Encoding: chunked", "Content-Length: 3\r\nContent-Length: 0",
        "Content-Length: 0\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\n , x", "Content-Length : 3",
        "Content-Length: 0\r\n\tX: y"}) {
    TestClient client(at.port());
    const TestAnswer answer = client.Ask(Cat("POST / HTTP/1.1\r\nHost: a\r\n", lengths, "\r\n\r\n0\r\n\r\n", second));
    EXPECT_EQ(answer.status, 400) << lengths;
    EXPECT_EQ(answer.headers.at("connection"), "close") << lengths;
    EXPECT_EQ(client.Receive(5).status, 0) << lengths << ": what came behind was answered";
  }
  TestClient chunk(at.port());
  EXPECT_EQ(
      chunk.Ask(Cat("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n", second)).status,
      400);
  EXPECT_EQ(chunk.Receive(5).status, 0);
  EXPECT_TRUE(Soon([&] { return at.server.stats().by_status[400] == 7; }));
  EXPECT_EQ(at.server.stats().by_status.count(200), 0u);
}

TEST(ServerHostile, LargeBodiesAreRefusedInAWayThatCanBeRead) {
  ServerOptions options = Options();
  options.read.body_bytes = 1000;
  Running at(options, Hello);
  TestClient client(at.port());
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
  auto sending = std::async(std::launch::async, [&] { client.Send(std::string(3'000'000, 'x')); });
  EXPECT_EQ(client.Receive().status, 413);
  sending.get();
  TestClient chunked(at.port());
  EXPECT_EQ(chunked
                .Ask(Cat("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n",
                         std::string(1000, 'x'), "\r\n1\r\nx\r\n0\r\n\r\n"))
                .status,
            413);
}

TEST(ServerHostile, SlowHeadsAndBodiesAreCutWhileOthersAreServed) {
  ServerOptions options = Options();
  options.header_seconds = 0.5;
  options.body_seconds = 0.5;
  options.idle_seconds = 30;
  options.min_rate = 1e6;
  Running at(options, Hello);
  TestClient loris(at.port()), body(at.port()), silent(at.port()), good(at.port());
  loris.Send("GET / HTTP/1.1\r\n");
  body.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
  EXPECT_EQ(good.Get("/").status, 200);
  const double start = MonotonicSeconds();
  std::atomic<bool> stop = false;
  std::thread drip([&] {
    while (!stop) {
      loris.Send("X");
      body.Send("x");
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  });
  EXPECT_EQ(loris.Receive(5).status, 408);
  EXPECT_EQ(body.Receive(5).status, 408);
  EXPECT_TRUE(silent.EndsWithin(5));
  EXPECT_LT(MonotonicSeconds() - start, 4);
  stop = true;
  drip.join();
  EXPECT_EQ(good.Get("/").status, 200);  // idle_seconds count between requests, not header_seconds
  EXPECT_EQ(at.server.stats().reads_timed_out, 2u);
}

TEST(ServerHostile, BodiesThatComeFastEnoughMayTakeTheirTime) {
  ServerOptions options = Options();
  options.body_seconds = 0.3;
  options.min_rate = 1000;
  Running at(options, Hello);
  TestClient client(at.port());
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n");
  for (int i = 0; i < 10; ++i) {  // 500 bytes each 0.1 s: 5,000 bytes/s
    client.Send(std::string(500, 'x'));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(client.Receive().status, 200);
}

TEST(ServerHostile, IdleConnectionsAreClosed) {
  ServerOptions options = Options();
  options.idle_seconds = 0.3;
  Running at(options, Hello);
  TestClient client(at.port());
  EXPECT_EQ(client.Get("/").status, 200);
  EXPECT_TRUE(client.EndsWithin(5));
  EXPECT_TRUE(Soon([&] { return at.server.stats().connections_open == 0; }));
}

// However a client goes, and whatever the server is doing, it is known within a second.
TEST(ServerHostile, VanishedClientsAreNoticed) {
  Keeper keeper;
  Running at(Options(), keeper.handler());
  for (const bool stream : {false, true}) {
    for (const char* how : {"close", "reset", "half", "close behind pipelined requests"}) {
      TestClient client(at.port());
      std::string asked = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
      client.Send(asked);
      const std::shared_ptr<Exchange> exchange = keeper.Next();
      ASSERT_NE(exchange, nullptr);
      std::promise<void> gone;
      exchange->OnGone([&] { gone.set_value(); });
      if (stream) {
        EXPECT_TRUE(exchange->BeginStream({}));
        EXPECT_TRUE(exchange->Write("first"));
        EXPECT_TRUE(client.More());
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(30));
      EXPECT_FALSE(exchange->gone());
      if (how == std::string("close")) client.Close();
      if (how == std::string("reset")) client.Reset();
      if (how == std::string("half")) client.HalfClose();
      if (how == std::string("close behind pipelined requests")) {
        while (asked.size() < 60'000) asked += asked;  // more than is read ahead
        client.Send(asked);
        client.HalfClose();
      }
      EXPECT_EQ(gone.get_future().wait_for(std::chrono::seconds(1)), std::future_status::ready) << how << stream;
      EXPECT_TRUE(exchange->gone()) << how;
      EXPECT_FALSE(exchange->Write("second")) << how;
      bool late = false;
      exchange->OnGone([&] { late = true; });
      EXPECT_TRUE(late);
    }
  }
  EXPECT_TRUE(Soon([&] { return at.server.stats().exchanges_open == 0; }));
  EXPECT_EQ(at.server.stats().clients_gone, 8u);
  EXPECT_EQ(at.server.stats().connections_open, 0);
}

TEST(ServerHostile, AHalfClosedClientStillGetsAnAnswerThatIsWhole) {
  Keeper keeper;
  Running at(Options(), keeper.handler());
  TestClient client(at.port());
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::shared_ptr<Exchange> exchange = keeper.Next();
  client.HalfClose();
  ASSERT_TRUE(Soon([&] { return exchange->gone(); }));
  EXPECT_FALSE(exchange->BeginStream({}));
  EXPECT_TRUE(exchange->Respond({200, "", "there", {}}));
  EXPECT_EQ(client.Receive().body, "there");
}

TEST(ServerHostile, ReadersThatStallAreDropped) {
  ServerOptions options = Options();
  options.write_seconds = 0.4;
  Keeper keeper;
  Running at(options, keeper.handler());
  std::vector<std::unique_ptr<TestClient>> clients;
  std::vector<std::shared_ptr<Exchange>> exchanges;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<TestClient>(at.port(), 4096));
    clients.back()->Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    exchanges.push_back(keeper.Next());
    ASSERT_TRUE(exchanges.back()->BeginStream({}));
  }
  const std::string bytes(1000, 's');
  size_t most = 0;
  // They are kept as full as a polite writer may.
  const double start = MonotonicSeconds();
  const bool all_gone = Soon([&] {
    int gone = 0;
    for (const auto& exchange : exchanges) {
      while (exchange->WaitForRoom(bytes.size(), 0)) {
        if (!exchange->Write(bytes)) break;
      }
      most = std::max(most, exchange->buffered());
      gone += exchange->gone() ? 1 : 0;
    }
    return gone == 20;
  });
  EXPECT_TRUE(all_gone);
  EXPECT_LT(MonotonicSeconds() - start, 5);
  EXPECT_GT(most, options.stream_buffer_bytes / 2);
  EXPECT_LE(most, options.stream_buffer_bytes);
  EXPECT_TRUE(Soon([&] { return at.server.stats().connections_open == 0; }));
  EXPECT_EQ(at.server.stats().readers_dropped, 20u);
}

TEST(ServerHostile, AWriterThatDoesNotLookLosesItsReaderNotTheMemory) {
  Keeper keeper;
  Running at(Options(), keeper.handler());
  TestClient client(at.port(), 4096);
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::shared_ptr<Exchange> exchange = keeper.Next();
  ASSERT_TRUE(exchange->BeginStream({}));
  const std::string bytes(10'000, 'w');
  size_t written = 0;
  while (exchange->buffered() + bytes.size() + 100 < 200'000) {
    ASSERT_TRUE(exchange->Write(bytes));
    written += bytes.size();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // so that the server is stuck in a write by now
  }
  while (written < (64u << 20) && exchange->Write(bytes)) written += bytes.size();
  EXPECT_LT(written, 4u << 20);
  EXPECT_TRUE(Soon([&] { return exchange->gone(); }, 1));  // long before write_seconds
  EXPECT_TRUE(Soon([&] { return at.server.stats().readers_dropped == 1; }));
  EXPECT_FALSE(exchange->Write("x"));
}

TEST(ServerHostile, SlowButSteadyReadersAreKept) {
  ServerOptions options = Options();
  options.write_seconds = 0.8;
  options.min_rate = 1000;
  Running at(options, [](std::shared_ptr<Exchange> exchange) {
    exchange->Respond({200, "", std::string(1'000'000, 'b'), {}});
  });
  TestClient client(at.port(), 8 << 10);
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  for (int i = 0; i < 30; ++i) {  // too slowly for the system's buffer to be free by a third within write_seconds
    client.More(1, 2000);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  const TestAnswer answer = client.Receive();
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(answer.body.size(), 1'000'000u);
}

TEST(ServerHostile, TwoHundredStreamsAtOnceEachGetTheirOwn) {
  constexpr int kStreams = 200, kTokens = 50;
  ServerOptions options = Options();
  options.io_threads = 2;
  Keeper keeper;
  Running at(options, keeper.handler());
  std::vector<std::unique_ptr<TestClient>> clients;
  std::vector<std::shared_ptr<Exchange>> exchanges;
  for (int i = 0; i < kStreams; ++i) {
    clients.push_back(std::make_unique<TestClient>(at.port()));
    clients.back()->Send(Cat("GET /", i, " HTTP/1.1\r\nHost: a\r\n\r\n"));
  }
  for (int i = 0; i < kStreams; ++i) {
    exchanges.push_back(keeper.Next());
    ASSERT_NE(exchanges.back(), nullptr);
    ASSERT_TRUE(exchanges.back()->BeginStream({200, "text/event-stream", "", {}}));
  }
  EXPECT_EQ(at.server.stats().exchanges_open, kStreams);
  std::vector<std::thread> writers;  // two threads share the streams, as an engine's would
  for (int part = 0; part < 2; ++part) {
    writers.emplace_back([&, part] {
      for (int token = 0; token < kTokens; ++token) {
        for (size_t i = static_cast<size_t>(part); i < exchanges.size(); i += 2) {
          exchanges[i]->Write(SseEvent(Cat(exchanges[i]->request().path, ":", token)));
        }
      }
      for (size_t i = static_cast<size_t>(part); i < exchanges.size(); i += 2) exchanges[i]->Finish();
    });
  }
  for (std::thread& writer : writers) writer.join();
  for (int i = 0; i < kStreams; ++i) {
    const TestAnswer answer = clients[static_cast<size_t>(i)]->Receive();
    ASSERT_TRUE(answer.whole) << i;
    std::string expected;
    for (int token = 0; token < kTokens; ++token) expected += SseEvent(Cat("/", i, ":", token));
    ASSERT_EQ(answer.body, expected) << i;
  }
}

TEST(ServerHostile, ConnectionsAndRequestsBeyondTheLimitAreToldSo) {
  ServerOptions options = Options();
  options.max_connections = 3;
  options.max_requests = 2;
  Running at(options, Hello);
  {
    TestClient a(at.port()), b(at.port()), c(at.port());
    for (TestClient* client : {&a, &b, &c}) EXPECT_EQ(client->Get("/").status, 200);
    TestClient d(at.port());
    const TestAnswer refused = d.Get("/");
    EXPECT_EQ(refused.status, 429);
    EXPECT_TRUE(refused.headers.count("retry-after"));
    EXPECT_TRUE(d.EndsWithin(5));
    EXPECT_EQ(a.Get("/").headers.at("connection"), "close");  // its second request, the last one it may send
    EXPECT_TRUE(a.EndsWithin(5));
  }
  EXPECT_TRUE(Soon([&] { return at.server.stats().connections_open == 0; }));
  TestClient e(at.port());
  EXPECT_EQ(e.Get("/").status, 200);
  EXPECT_EQ(at.server.stats().connections_refused, 1u);
}

TEST(ServerHostile, RequestsBeyondTheQueueAreToldSo) {
  ServerOptions options = Options();
  options.worker_threads = 1;
  options.worker_queue = 2;
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  std::atomic<int> running = 0;
  Running at(options, [&](std::shared_ptr<Exchange> exchange) {
    ++running;
    released.wait();
    Hello(std::move(exchange));
  });
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<TestClient>(at.port()));
    clients.back()->Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(Soon([&] { return running == 1; }));
  }
  EXPECT_TRUE(Soon([&] { return at.server.stats().by_status[429] == 5; }));
  release.set_value();
  int answered = 0;
  for (const auto& client : clients) {
    const TestAnswer answer = client->Receive();
    EXPECT_EQ(answer.headers.count("retry-after"), answer.status == 429 ? 1u : 0u);
    answered += answer.status == 200 ? 1 : 0;
  }
  EXPECT_EQ(answered, 3);
}

TEST(ServerHostile, DrainLetsRunningExchangesEndAndTellsNewOnes) {
  Keeper keeper;
  Running at(Options(), keeper.handler());
  const int port = at.port();
  TestClient running(port), kept(port);
  kept.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  Hello(keeper.Next());
  EXPECT_EQ(kept.Receive().status, 200);
  running.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::shared_ptr<Exchange> exchange = keeper.Next();
  ASSERT_TRUE(exchange->BeginStream({}));
  exchange->Write("before ");
  auto drained = std::async(std::launch::async, [&] { return at.server.Drain(20); });
  EXPECT_TRUE(Soon([&] { return !TestClient(port).connected(); }));  // takes no more connections
  const TestAnswer refused = kept.Get("/");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.at("connection"), "close");
  EXPECT_TRUE(refused.headers.count("retry-after"));
  EXPECT_EQ(drained.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  exchange->Write("after");
  exchange->Finish();
  const TestAnswer answer = running.Receive();
  EXPECT_EQ(answer.body, "before after");
  EXPECT_TRUE(answer.whole);
  EXPECT_TRUE(drained.get());
}

TEST(ServerHostile, DrainEndsAtItsDeadlineAndAnExchangeMayOutliveTheServer) {
  Keeper keeper;
  std::shared_ptr<Exchange> exchange;
  std::atomic<bool> gone = false;
  {
    Running at(Options(), keeper.handler());
    TestClient client(at.port());
    client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    exchange = keeper.Next();
    exchange->OnGone([&] { gone = true; });
    const double start = MonotonicSeconds();
    EXPECT_FALSE(at.server.Drain(0.2));
    EXPECT_LT(MonotonicSeconds() - start, 5);
    EXPECT_TRUE(client.EndsWithin(5));
  }
  EXPECT_TRUE(gone);
  EXPECT_FALSE(exchange->Respond({}));
  EXPECT_FALSE(exchange->WaitForRoom(1, 5));
  exchange->Finish();
}

}  // namespace
}  // namespace atelier::net
