#include "net/download.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/rng.h"
#include "net/fault_server.h"

namespace atelier::net {
namespace {

std::string Content(size_t size) {
  std::string out(size, '\0');
  Rng rng(7);
  for (char& c : out) c = static_cast<char>(rng.Next());
  return out;
}

class DownloadTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = Cat(::testing::TempDir(), "/", ::getpid(), "_download_",
                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    MakeFolders(folder_);
    path_ = folder_ + "/file.gguf";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static DownloadOptions Quick() {
    DownloadOptions options;
    options.backoff_seconds = 0.001;
    options.stall_seconds = 1;
    options.retries = 3;
    return options;
  }
  // The error that a download ends with; fails the test when it succeeds.
  Error Failure(const std::string& url, const DownloadOptions& options = Quick()) {
    try {
      Download(url, path_, options);
    } catch (const Error& error) {
      EXPECT_FALSE(FileExists(path_)) << "a failed download left a file";
      return error;
    }
    ADD_FAILURE() << "the download of " << url << " succeeded";
    return Error(Code::kInternal, "");
  }
  void ExpectNothingLeft() { EXPECT_EQ(ListFolder(folder_), std::vector<std::string>{"file.gguf"}); }

  std::string folder_, path_;
};

TEST_F(DownloadTest, WholeFileInOneGo) {
  const std::string content = Content(1 << 20);
  FaultServer server([&](const FaultRequest& r) { return FaultServer::File(r, content, "\"v1\""); });
  uint64_t last = 0, total = 0;
  DownloadOptions options = Quick();
  options.progress = [&](uint64_t done, uint64_t all, std::string_view) { last = done, total = all; };
  const Downloaded done = Download(server.Url("/m.gguf"), path_, options);
  EXPECT_EQ(ReadFile(path_), content);
  EXPECT_EQ(done.bytes, content.size());
  EXPECT_EQ(done.attempts, 1);
  EXPECT_FALSE(done.resumed);
  EXPECT_EQ(last, content.size());
  EXPECT_EQ(total, content.size());
  ExpectNothingLeft();
}

TEST_F(DownloadTest, EmptyFile) {
  FaultServer server([&](const FaultRequest& r) { return FaultServer::File(r, "", "\"v1\""); });
  EXPECT_EQ(Download(server.Url("/m"), path_, Quick()).bytes, 0u);
  EXPECT_EQ(ReadFile(path_), "");
}

TEST_F(DownloadTest, CutConnectionsGoOnWhereTheyStopped) {
  const std::string content = Content(300'000);
  FaultServer server([&](const FaultRequest& r) {
    return FaultServer::File(r, content, "\"v1\"", r.number < 5 ? 50'000 : std::string_view::npos);
  });
  const Downloaded done = Download(server.Url("/m"), path_, Quick());
  EXPECT_EQ(ReadFile(path_), content);
  EXPECT_TRUE(done.resumed);
  EXPECT_EQ(done.attempts, 6);
  const std::vector<FaultRequest> requests = server.requests();
  ASSERT_EQ(requests.size(), 6u);
  for (size_t i = 1; i < requests.size(); ++i) {
    EXPECT_EQ(requests[i].Header("range"), Cat("bytes=", 50'000 * i, "-"));
    EXPECT_EQ(requests[i].Header("if-range"), "\"v1\"");
  }
  ExpectNothingLeft();
}

TEST_F(DownloadTest, ALaterRunContinuesAnEarlierOne) {
  const std::string content = Content(200'000);
  bool cut = true;
  FaultServer server([&](const FaultRequest& r) {
    if (!cut) return FaultServer::File(r, content, "\"v1\"");
    return r.number == 0 ? FaultServer::File(r, content, "\"v1\"", 120'000) : std::string();
  });
  EXPECT_EQ(Failure(server.Url("/m")).code(), Code::kUnavailable);
  EXPECT_EQ(FileSize(path_ + ".part"), 120'000u);
  cut = false;
  const Downloaded done = Download(server.Url("/m"), path_, Quick());
  EXPECT_TRUE(done.resumed);
  EXPECT_EQ(ReadFile(path_), content);
  EXPECT_EQ(server.requests().back().RangeStart(), 120'000u);
}

TEST_F(DownloadTest, AnotherUrlsPartIsNotContinued) {
  const std::string content = Content(100'000);
  FaultServer server([&](const FaultRequest& r) {
    if (r.target == "/a") return r.number == 0 ? FaultServer::File(r, content, "\"v1\"", 60'000) : std::string();
    return FaultServer::File(r, std::string(100'000, 'b'), "\"v1\"");
  });
  Failure(server.Url("/a"));
  EXPECT_FALSE(Download(server.Url("/b"), path_, Quick()).resumed);
  EXPECT_EQ(ReadFile(path_), std::string(100'000, 'b'));
}

TEST_F(DownloadTest, AChangedFileStartsOver) {
  const std::string first = Content(200'000), second = std::string(150'000, 'n');
  FaultServer server([&](const FaultRequest& r) {
    return r.number == 0 ? FaultServer::File(r, first, "\"v1\"", 80'000) : FaultServer::File(r, second, "\"v2\"");
  });
  Download(server.Url("/m"), path_, Quick());
  EXPECT_EQ(server.requests()[1].Header("if-range"), "\"v1\"");
  EXPECT_EQ(ReadFile(path_), second);
}

TEST_F(DownloadTest, AServerWithoutRangesStartsOver) {
  const std::string content = Content(200'000);
  FaultServer server([&](const FaultRequest& r) {
    return FaultServer::Answer("200 OK", {"ETag: \"v1\""},
                               std::string_view(content).substr(0, r.number == 0 ? 70'000 : content.size()),
                               static_cast<int64_t>(content.size()));
  });
  const Downloaded done = Download(server.Url("/m"), path_, Quick());
  EXPECT_FALSE(done.resumed);
  EXPECT_EQ(ReadFile(path_), content);
}

TEST_F(DownloadTest, WithoutAVersionNothingIsContinued) {
  const std::string content = Content(200'000);
  FaultServer server([&](const FaultRequest& r) {
    return FaultServer::Answer("200 OK", {"ETag: W/\"weak\""},
                               std::string_view(content).substr(0, r.number == 0 ? 70'000 : content.size()),
                               static_cast<int64_t>(content.size()));
  });
  Download(server.Url("/m"), path_, Quick());
  EXPECT_EQ(server.requests()[1].Header("range"), "");
  EXPECT_EQ(ReadFile(path_), content);
}

TEST_F(DownloadTest, AWrongRangeIsNotStitchedIn) {
  const std::string content = Content(200'000);
  FaultServer server([&](const FaultRequest& r) {
    if (r.number == 0) return FaultServer::File(r, content, "\"v1\"", 80'000);
    if (r.number == 1) {
      return FaultServer::Answer("206 Partial Content", {"ETag: \"v1\"", "Content-Range: bytes 79990-199999/200000"},
                                 std::string_view(content).substr(79'990));
    }
    return FaultServer::File(r, content, "\"v1\"");
  });
  Download(server.Url("/m"), path_, Quick());
  EXPECT_EQ(ReadFile(path_), content);
}

TEST_F(DownloadTest, AnAnnouncedLengthThatNeverComesEnds) {
  FaultServer server([&](const FaultRequest&) {
    return FaultServer::Answer("200 OK", {"ETag: \"v1\""}, std::string(1000, 'x'), 5000);
  });
  const Error error = Failure(server.Url("/m"));
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_NE(error.Line().find("gave up after"), std::string::npos) << error.Line();
  EXPECT_LE(server.requests().size(), 6u);
}

TEST_F(DownloadTest, SizesAreLimitedAnnouncedOrNot) {
  DownloadOptions options = Quick();
  options.max_bytes = 1000;
  FaultServer announced([](const FaultRequest& r) { return FaultServer::File(r, std::string(2000, 'x'), "\"v\""); });
  EXPECT_EQ(Failure(announced.Url("/m"), options).code(), Code::kResourceExhausted);
  FaultServer silent(
      [](const FaultRequest&) { return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + std::string(5000, 'x'); });
  EXPECT_EQ(Failure(silent.Url("/m"), options).code(), Code::kResourceExhausted);
  EXPECT_EQ(FileSize(path_ + ".part"), 0u);
}

TEST_F(DownloadTest, MoreThanTheDiskHoldsIsRefusedAtOnce) {
  FaultServer server(
      [](const FaultRequest&) { return FaultServer::Answer("200 OK", {"ETag: \"v\""}, "x", int64_t{200} << 40); });
  DownloadOptions options = Quick();
  options.max_bytes = uint64_t{1} << 60;
  const Error error = Failure(server.Url("/m"), options);
  EXPECT_EQ(error.code(), Code::kResourceExhausted);
  EXPECT_NE(error.Line().find("free"), std::string::npos);
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(DownloadTest, RedirectsAreFollowedToALimit) {
  const std::string content = Content(1000);
  FaultServer server([&](const FaultRequest& r) {
    const int64_t left = ParseInt(r.target.substr(1)).value_or(0);
    if (left > 0) return FaultServer::Answer("302 Found", {Cat("Location: /", left - 1)}, "moved");
    return FaultServer::File(r, content, "\"v\"");
  });
  EXPECT_EQ(Download(server.Url("/8"), path_, Quick()).url, server.Url("/0"));
  EXPECT_EQ(ReadFile(path_), content);
  RemoveFile(path_);
  EXPECT_EQ(Failure(server.Url("/9")).code(), Code::kUnavailable);
  FaultServer loop([&](const FaultRequest&) { return FaultServer::Answer("301 Moved", {"Location: /"}, ""); });
  EXPECT_EQ(Failure(loop.Url("/")).code(), Code::kUnavailable);
  EXPECT_EQ(loop.requests().size(), 9u);
}

TEST_F(DownloadTest, RedirectsOutOfBoundsAreRefused) {
  for (const char* to :
       {"file:///etc/passwd", "ftp://127.0.0.1/x", "http://10.0.0.1/x", "http://169.254.169.254/latest/",
        "http://[fd00::1]/x", "http://example.com/x", "gopher://x/"}) {
    FaultServer server(
        [&](const FaultRequest&) { return FaultServer::Answer("302 Found", {Cat("Location: ", to)}, ""); });
    const Error error = Failure(server.Url("/m"));
    EXPECT_EQ(error.code(), Code::kPermissionDenied) << to << ": " << error.Line();
    EXPECT_EQ(server.requests().size(), 1u);
  }
}

// The name is public by its text; what it resolves to is this machine. Only the check at the socket can see that.
TEST_F(DownloadTest, TheResolvedAddressIsCheckedWhenConnecting) {
  char name[256] = "";
  ASSERT_EQ(::gethostname(name, sizeof(name) - 1), 0);
  FaultServer server([](const FaultRequest& r) { return FaultServer::File(r, "x", "\"v\""); });
  DownloadOptions options = Quick();
  options.rules.plain_http = true;
  const Error error = Failure(Cat("http://", name, ":", server.port(), "/m"), options);
  if (error.Line().find("resolve") != std::string::npos) GTEST_SKIP() << "this machine's own name does not resolve";
  EXPECT_EQ(error.code(), Code::kPermissionDenied) << error.Line();
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(DownloadTest, ServerAnswersHaveTheirCodes) {
  const auto code = [&](const char* status) {
    FaultServer server([&](const FaultRequest&) { return FaultServer::Answer(status, {}, "page"); });
    const Code got = Failure(server.Url("/m")).code();
    EXPECT_EQ(FileSize(path_ + ".part"), 0u) << "an error page was kept";
    return std::pair(got, server.requests().size());
  };
  EXPECT_EQ(code("404 Not Found"), std::pair(Code::kNotFound, size_t{1}));
  EXPECT_EQ(code("403 Forbidden"), std::pair(Code::kPermissionDenied, size_t{1}));
  EXPECT_EQ(code("418 Teapot"), std::pair(Code::kUnavailable, size_t{1}));
  EXPECT_EQ(code("503 Busy"), std::pair(Code::kUnavailable, size_t{4}));  // tried again
}

TEST_F(DownloadTest, AStalledConnectionCountsAsCut) {
  const std::string content = Content(50'000);
  std::atomic<bool> stalled = false;
  FaultServer server([&](const FaultRequest& r) {
    if (r.number == 0) {
      stalled = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(2500));  // longer than stall_seconds
    }
    return FaultServer::File(r, content, "\"v\"");
  });
  EXPECT_GE(Download(server.Url("/m"), path_, Quick()).attempts, 2);
  EXPECT_TRUE(stalled);
  EXPECT_EQ(ReadFile(path_), content);
}

TEST_F(DownloadTest, NoServerIsOneClearLine) {
  int port = 0;
  {
    FaultServer gone([](const FaultRequest&) { return std::string(); });
    port = gone.port();
  }
  const Error error = Failure(Cat("http://127.0.0.1:", port, "/m"));
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_NE(error.hint().find("atelier model pull PATH"), std::string::npos);
  EXPECT_EQ(error.Line().find('\n'), std::string::npos);
}

TEST_F(DownloadTest, HeadersGoToTheNamedHostOnly) {
  FaultServer other([](const FaultRequest& r) { return FaultServer::File(r, "x", "\"v\""); });
  FaultServer server(
      [&](const FaultRequest&) { return FaultServer::Answer("302 Found", {Cat("Location: ", other.Url("/m"))}, ""); });
  DownloadOptions options = Quick();
  options.headers = {"Authorization: Bearer secret"};
  Download(server.Url("/m"), path_, options);
  EXPECT_EQ(server.requests()[0].Header("authorization"), "Bearer secret");
  EXPECT_EQ(other.requests()[0].Header("authorization"), "");
}

}  // namespace
}  // namespace atelier::net
