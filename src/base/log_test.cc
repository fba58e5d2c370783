#include "base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/json.h"
#include "base/str.h"

namespace atelier {
namespace {

std::string Logged(const std::string& value) {
  ::testing::internal::CaptureStderr();
  Log(LogLevel::kError, "event", {{"value", value}});
  return ::testing::internal::GetCapturedStderr();
}

TEST(Log, OneEventIsOneLineWhateverItHolds) {
  for (const char* bad : {"a\nerror forged id=\"1\"", "a\r\n\x1b[2Jb", "\x7f",
                          "\xc2\x9b"
                          "31m",
                          "\xc2\x85", "\xe2\x80\xa8",
                          "\xe2\x80\xae"
                          "gpj.exe",
                          "\xe2\x81\xa6", "\xff\xfe\xc2", "\xe2\x80"}) {
    const std::string line = Logged(bad);
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
    for (const char* never : {"\r", "\x1b", "\x7f", "\xc2\x9b", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xae",
                              "\xe2\x81\xa6", "forged id=\"1\""}) {
      EXPECT_EQ(line.find(never), std::string::npos) << line;
    }
    const size_t at = line.find("value=");
    ASSERT_NE(at, std::string::npos);
    EXPECT_TRUE(Json::accept(Trim(line.substr(at + 6)))) << line;  // a log reader gets the value back
  }
  EXPECT_NE(Logged("好茶 🍵 — é").find("value=\"好茶 🍵 — é\"\n"), std::string::npos);
  EXPECT_NE(Logged("\xc2\x9bx\xe2\x80\xae").find("value=\"\\u009bx\\u202e\""), std::string::npos);
}

TEST(Log, ValuesAreBoundedAtWholeCharacters) {
  for (const std::string& one :
       {std::string("x"), std::string("茶"), std::string("\x01"), std::string("\""), std::string("\xe2\x80\xae")}) {
    std::string value = "k";
    while (value.size() < 300'000) value += one;
    const std::string line = Logged(value);
    EXPECT_LE(line.size(), (64u << 10) + 100) << one;
    EXPECT_GE(line.size(), 63u << 10) << one;
    EXPECT_TRUE(line.ends_with("\"...\n")) << line.substr(line.size() - 20);
    const std::string_view quoted = std::string_view(line).substr(line.find("value=") + 6);
    EXPECT_TRUE(Json::accept(quoted.substr(0, quoted.size() - 4))) << one;
  }
}

TEST(Log, AReaderThatStoppedReadingHoldsNobodyUp) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const int saved = ::dup(STDERR_FILENO);
  ::dup2(ends[1], STDERR_FILENO);
  const std::string value(8000, 'v');
  for (int i = 0; i < 20; ++i) Log(LogLevel::kError, "event", {{"value", value}});  // 160 kB into a pipe of 64
  std::string read(1 << 20, ' ');
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  while (::read(ends[0], read.data(), read.size()) > 0) {
  }
  Log(LogLevel::kError, "again");
  const ssize_t n = ::read(ends[0], read.data(), read.size());
  ::dup2(saved, STDERR_FILENO);
  for (const int fd : {ends[0], ends[1], saved}) ::close(fd);
  ASSERT_GT(n, 0);
  read.resize(static_cast<size_t>(n));
  EXPECT_NE(read.find("lines of the log were left out"), std::string::npos) << read;
  EXPECT_NE(read.find("again"), std::string::npos) << read;
}

TEST(Log, TheEnvironmentSaysFromWhichLevelOn) {
  const auto info = [](const char* said, LogLevel otherwise) {
    said != nullptr ? ::setenv("ATELIER_LOG", said, 1) : ::unsetenv("ATELIER_LOG");
    SetLogLevel(otherwise);
    ::testing::internal::CaptureStderr();
    Log(LogLevel::kInfo, "info");
    Log(LogLevel::kError, "error");
    const std::string text = ::testing::internal::GetCapturedStderr();
    return Cat(text.find(" info info") != std::string::npos ? "i" : "",
               text.find(" error error") != std::string::npos ? "e" : "");
  };
  EXPECT_EQ(info(nullptr, LogLevel::kInfo), "ie");
  EXPECT_EQ(info(nullptr, LogLevel::kWarn), "e");
  EXPECT_EQ(info("info", LogLevel::kWarn), "ie");
  EXPECT_EQ(info("error", LogLevel::kInfo), "e");
  EXPECT_EQ(info("off", LogLevel::kInfo), "");
  EXPECT_EQ(info("loud", LogLevel::kWarn), "e");  // no level: as if it were not there
  EXPECT_EQ(info(nullptr, LogLevel::kWarn), "e");
}

}  // namespace
}  // namespace atelier
