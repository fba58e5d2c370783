// New limits on a running server: for requests that begin later, on connections old and new; for nothing under way.
#include <gtest/gtest.h>

#include <future>

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

void Echo(std::shared_ptr<Exchange> exchange) { exchange->Respond({.body = exchange->request().body}); }

std::string Post(size_t bytes) {
  return Cat("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ", bytes, "\r\n\r\n", std::string(bytes, 'q'));
}

TEST(ServerLimits, HoldForTheNextRequestOfAConnectionThatWaits) {
  Server server(Options(), Echo);
  server.Start();
  TestClient waiting(server.port()), sending(server.port());
  EXPECT_EQ(waiting.Ask(Post(5000)).status, 200);
  EXPECT_EQ(sending.Ask(Post(5000)).status, 200);
  const std::string whole = Post(5000);
  sending.Send(std::string_view(whole).substr(0, 2000));  // under way
  ASSERT_TRUE(Soon([&] { return server.stats().bytes_in > 2 * whole.size() + 1900; }));
  ServerLimits limits;
  limits.read.body_bytes = 1000;
  server.SetLimits(limits);
  sending.Send(std::string_view(whole).substr(2000));
  EXPECT_EQ(sending.Receive().status, 200);
  EXPECT_EQ(sending.Ask(Post(5000)).status, 413);
  EXPECT_EQ(waiting.Ask(Post(5000)).status, 413);
  TestClient fresh(server.port());
  EXPECT_EQ(fresh.Ask(Post(1000)).status, 200);
  EXPECT_EQ(fresh.Ask(Post(1001)).status, 413);
  limits.read.body_bytes = 1 << 20;
  limits.read.head.header_bytes = 64 << 10;  // more than was read ahead until now
  limits.read.head.target_bytes = 60 << 10;
  server.SetLimits(limits);
  TestClient wide(server.port());
  EXPECT_EQ(wide.Ask(Post(5000)).status, 200);
  EXPECT_EQ(wide.Get("/" + std::string(50'000, 'p')).status, 200);
}

TEST(ServerLimits, AStreamKeepsTheBufferThatItBeganWith) {
  std::promise<std::shared_ptr<Exchange>> came[2];
  std::atomic<int> next = 0;
  Server server(Options(), [&](std::shared_ptr<Exchange> exchange) {
    exchange->BeginStream({});
    came[next++].set_value(std::move(exchange));
  });
  server.Start();
  TestClient before(server.port()), after(server.port());
  before.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::shared_ptr<Exchange> old = came[0].get_future().get();
  ServerLimits limits;
  limits.stream_buffer_bytes = 4096;
  server.SetLimits(limits);
  EXPECT_TRUE(old->Write(std::string(100'000, 'x')));
  after.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::shared_ptr<Exchange> fresh = came[1].get_future().get();
  EXPECT_FALSE(fresh->Write(std::string(100'000, 'x')));
  old->Finish();
  EXPECT_EQ(before.Receive().body.size(), 100'000u);
}

TEST(ServerLimits, FewerConnectionsCutNoneThatIsThere) {
  Server server(Options(), Echo);
  server.Start();
  TestClient one(server.port()), two(server.port());
  EXPECT_EQ(one.Ask(Post(1)).status, 200);
  EXPECT_EQ(two.Ask(Post(1)).status, 200);
  ServerLimits limits;
  limits.max_connections = 1;
  limits.max_requests = 2;
  server.SetLimits(limits);
  TestClient three(server.port());
  EXPECT_EQ(three.Receive().status, 429);
  const TestAnswer last = two.Ask(Post(1));
  EXPECT_EQ(last.status, 200);
  EXPECT_EQ(last.headers.at("connection"), "close");  // its second request, and no third one
  EXPECT_EQ(one.Ask(Post(1)).status, 200);
}

}  // namespace
}  // namespace atelier::net
