#include "base/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "base/error.h"

namespace atelier {
namespace {

TEST(ThreadPool, RunsOnEveryThread) {
  ThreadPool pool(3);
  std::atomic<int> sum{0};
  for (int round = 0; round < 100; ++round) pool.Run([&](int thread) { sum += 1 << thread; });
  EXPECT_EQ(sum, 700);
}

TEST(ThreadPool, TooManyThreadsAreAnErrorNotAnAbort) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer's own memory is beyond any limit";
#endif
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const rlimit most{1u << 30, 1u << 30};  // room for some stacks of 8 MiB, not for 1000
    ::setrlimit(RLIMIT_AS, &most);
    try {
      ThreadPool pool(1000);
    } catch (const Error& error) {
      ::_exit(error.code() == Code::kResourceExhausted ? 0 : 3);
    }
    ::_exit(4);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace atelier
