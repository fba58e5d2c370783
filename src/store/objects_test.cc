#include "store/objects.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::store {
namespace {

std::string FreshFolder(const std::string& name) {
  const std::string path = Cat(::testing::TempDir(), "/", ::getpid(), "_o_", name);
  std::filesystem::remove_all(path);
  return path;
}

TEST(Objects, KeepBytesUnderTheirHash) {
  const Objects objects(FreshFolder("keep"));
  // SHA-256 of "abc": FIPS 180-2, appendix B.1.
  const std::string abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_FALSE(objects.Has(abc));
  EXPECT_EQ(objects.Put("abc"), abc);
  EXPECT_EQ(objects.Put("abc"), abc);
  EXPECT_EQ(objects.Get(abc), "abc");
  const std::string empty = objects.Put("");
  EXPECT_EQ(objects.Get(empty), "");
  const std::string big(3 << 20, '\xff');
  EXPECT_EQ(objects.Get(objects.Put(big)), big);
}

TEST(Objects, DamageIsSeenAndHealed) {
  const Objects objects(FreshFolder("damage"));
  const std::string hash = objects.Put("abc");
  WriteFileAtomic(objects.Path(hash), "abd");
  try {
    objects.Get(hash);
    FAIL() << "damaged bytes were handed out";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kCorrupt);
  }
  objects.Put("abc");
  EXPECT_EQ(objects.Get(hash), "abc");
}

TEST(Objects, NamesAreHashesOnly) {
  const Objects objects(FreshFolder("names"));
  for (const std::string& name : {std::string(), std::string("../../etc/passwd"), std::string(64, 'G'),
                                  std::string(63, 'a'), std::string(64, 'A'), std::string(62, 'a') + "/."}) {
    EXPECT_THROW(objects.Get(name), Error) << name;
  }
  try {
    objects.Get(std::string(64, 'a'));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
  }
}

}  // namespace
}  // namespace atelier::store
