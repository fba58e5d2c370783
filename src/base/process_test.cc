#include "base/process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "base/error.h"
#include "base/str.h"

namespace atelier {
namespace {

TEST(Process, TellsItsOwnPath) {
  const std::string own = OwnProgram();
  EXPECT_EQ(own, std::filesystem::canonical("/proc/self/exe").string());
  if (std::getenv("ATELIER_TEST_REPLACED") == nullptr) return;
  // The copy that the test below runs.
  std::filesystem::copy_file(own, own + ".next");
  std::filesystem::rename(own + ".next", own);
  std::cout << "own=" << OwnProgram() << ";\n";
}

TEST(Process, TellsWhatReplacedIt) {
  const std::string copy = Cat(::testing::TempDir(), "/process_", ::getpid());
  std::filesystem::copy_file(OwnProgram(), copy);
  ProcessOptions options;
  options.env = {{"ATELIER_TEST_REPLACED", "1"}};
  const ProcessResult result = RunProcess({copy, "--gtest_filter=Process.TellsItsOwnPath"}, options);
  EXPECT_NE(result.output.find(Cat("own=", std::filesystem::canonical(copy).string(), ";")), std::string::npos)
      << result.output;
  std::filesystem::remove(copy);
}

TEST(Process, NamesAProgramThatIsNotThere) {
  EXPECT_THROW(RunProcess({"no-such-program"}), Error);
  EXPECT_EQ(RunProcess({"sh", "-c", "exit 3"}).exit_code, 3);
}

}  // namespace
}  // namespace atelier
