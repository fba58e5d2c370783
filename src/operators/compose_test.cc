#include "operators/compose.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "base/str.h"
#include "operators/compose_language.h"

namespace atelier::operators {
namespace {

TEST(Language, ArticleGoesByTheSound) {
  EXPECT_EQ(WithArticle("8-inch blade"), "an 8-inch blade");
}

}  // namespace
}  // namespace atelier::operators
