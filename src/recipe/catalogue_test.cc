#include "recipe/catalogue.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::recipe {
namespace {

TEST(Catalogue, TheFirstFolderThatHasANameWinsAndANameIsNoPath) {
  const std::string root = Cat(::testing::TempDir(), "/catalogue_", ::getpid());
  for (const char* below : {"/one/copy", "/two/copy", "/two/cards", "/two/empty", "/outside"})
    MakeFolders(root + below);
  for (const char* below : {"/one/copy", "/two/copy", "/two/cards", "/outside"})
    WriteFileAtomic(Cat(root, below, "/recipe.toml"), "");
  const Catalogue catalogue({root + "/one", root + "/gone", root + "/two"});
  EXPECT_EQ(catalogue.Names(), (std::vector<std::string>{"cards", "copy"}));
  EXPECT_EQ(catalogue.Folder("copy"), root + "/one/copy");
  EXPECT_EQ(catalogue.Folder("cards"), root + "/two/cards");
  for (const std::string& bad : {std::string("empty"), std::string("../outside"), root + "/outside", std::string(""),
                                 std::string("."), std::string("copy/"), std::string("茶"), std::string("copy\0x", 6),
                                 std::string("http://127.0.0.1/copy"), std::string(300, 'a')}) {
    EXPECT_THROW(catalogue.Folder(bad), Error) << bad;
  }
  try {
    catalogue.Folder("coppy");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_NE(error.Line().find("did you mean 'copy'"), std::string::npos) << error.Line();
  }
}

}  // namespace
}  // namespace atelier::recipe
