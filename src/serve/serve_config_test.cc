#include "serve/serve_config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::serve {
namespace {

// A studio whose file ends with `text`; "format" and "name" are its lines 1 and 2.
struct Shop {
  explicit Shop(const std::string& name)
      : folder(Cat(::testing::TempDir(), "/", ::getpid(), "_serve_", name)), studio(Make(folder)) {}
  static store::Studio Make(const std::string& folder) {
    std::filesystem::remove_all(folder);
    return store::Studio::Init(folder);
  }
  ServeOptions Read(const std::string& text) {
    WriteFileAtomic(folder + "/studio.toml", Cat("format = 1\nname = \"店\"\n", text));
    return ReadServeOptions(studio);
  }
  std::string Refusal(const std::string& text) {
    try {
      Read(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidInput) << error.Line();
      return error.Line();
    }
    ADD_FAILURE() << "accepted: " << text;
    return "";
  }
  std::string folder;
  store::Studio studio;
};

TEST(ServeConfig, WithoutATableAllIsAsTheServerHasIt) {
  Shop shop("empty");
  const net::ServerOptions plain;
  for (const char* text : {"", "[serve]\n", "[serve]\n[serve.limits]\n[serve.tls]\n"}) {
    const ServeOptions options = shop.Read(text);
    EXPECT_EQ(options.http.address, "127.0.0.1");
    EXPECT_EQ(options.http.port, 8080);
    EXPECT_EQ(options.http.read.body_bytes, plain.read.body_bytes);
    EXPECT_EQ(options.http.max_connections, plain.max_connections);
    EXPECT_EQ(options.drain_seconds, 30);
    EXPECT_FALSE(options.log_prompts);
    EXPECT_TRUE(options.http.tls_certificate.empty());
  }
}

TEST(ServeConfig, EveryKeyIsReadAndKeptToItsRange) {
  Shop shop("keys");
  int numbers = 0;
  for (const ServeKey& key : AllServeKeys()) {
    const size_t dot = key.name.find('.');
    const std::string head = dot == std::string::npos ? "[serve]\n" : Cat("[serve.", key.name.substr(0, dot), "]\n");
    const std::string name = key.name.substr(dot + 1);
    EXPECT_NE(shop.Refusal(Cat(head, name, " = []\n")).find(Cat("studio.toml:4: [serve")), std::string::npos)
        << key.name;
    const size_t to = key.range.find(" to ");
    if (to == std::string::npos) continue;
    ++numbers;
    const std::string least = key.range.substr(0, to), most = key.range.substr(to + 4);
    for (const std::string& good : {least, most}) {
      ServeOptions running = shop.Read(""), fresh = shop.Read(Cat(head, name, " = ", good, "\n"));
      const ServeChange change = Compare(running, &fresh);
      if (good == key.otherwise) continue;
      EXPECT_EQ(change.now.contains(key.name) + change.at_restart.size(), 1u) << key.name;
      if (change.now.contains(key.name)) {
        EXPECT_EQ(Cat(change.now[key.name][0].get<double>()), key.otherwise) << key.name;
        EXPECT_EQ(change.now[key.name][1].get<double>(), *ParseDouble(good)) << key.name;
      } else {
        EXPECT_EQ(change.at_restart[0], key.name);
      }
    }
    for (const std::string& bad : {Cat(*ParseDouble(least) - 1), Cat(*ParseDouble(most) * 2), std::string("\"12\"")}) {
      const std::string line = shop.Refusal(Cat(head, name, " = ", bad, "\n"));
      EXPECT_NE(line.find(name), std::string::npos) << line;
      EXPECT_NE(line.find("studio.toml:4"), std::string::npos) << line;
    }
  }
  EXPECT_GT(numbers, 15);
}

TEST(ServeConfig, SlipsAreNamedWithTheirLine) {
  Shop shop("slips");
  const auto says = [&](const std::string& text, const std::vector<std::string>& parts) {
    const std::string line = shop.Refusal(text);
    for (const std::string& part : parts) EXPECT_NE(line.find(part), std::string::npos) << line;
  };
  says("[serve]\nlisten = \":80\"\nrequire_key = true\n", {"studio.toml:5", "did you mean 'require_keys'?"});
  says("[serve.limits]\nbody_byte = 1024\n", {"studio.toml:4", "did you mean 'body_bytes'?"});
  says("[serve]\nbody_bytes = 4096\n", {"studio.toml:4", "unknown key"});
  says("[serve.limit]\nbody_bytes = 4096\n", {"studio.toml:3", "did you mean 'limits'?"});
  says("[server]\n", {"studio.toml:3", "did you mean 'serve'?"});
  says("serve = 3\n", {"studio.toml:3", "wants a table"});
  says("[serve]\nlisten = \"茶:80\"\nlisten2 = 1", {"studio.toml:5"});
  for (const char* bad : {"", "8080", "127.0.0.1", ":x", ":-1", ":65536", "127.0.0.1:8080 "})
    says(Cat("[serve]\nlisten = ", ToText(Json(bad)), "\n"), {"studio.toml:4", "is no address"});
  for (const char* bad : {"", "INFO", "loud", "warning"})
    says(Cat("[serve]\nlog_level = ", ToText(Json(bad)), "\n"), {"studio.toml:4", "debug, info, warn, error"});
  says("[serve.tls]\ncertificate = \"c.pem\"\n", {"studio.toml:4", "goes together with key"});
  says("[serve.tls]\nkey = \"c.pem\"\n", {"studio.toml:4", "goes together with certificate"});
  says("[serve]\nlisten = \n", {"studio.toml:4"});
  says("[serve]\nlog_prompts = \"yes\"\n", {"studio.toml:4", "true or false"});
  says("nam = 1\n[serve]\n", {"studio.toml:3"});  // other parts of the file are as strict as ever
}

TEST(ServeConfig, PathsAreTheStudios) {
  Shop shop("paths");
  const ServeOptions options = shop.Read(
      "[serve]\nlisten = \"[::1]:0\"\n[serve.tls]\ncertificate = \"tls/证书.pem\"\nkey = \"/etc/atelier/key.pem\"\n");
  EXPECT_EQ(options.http.tls_certificate, shop.studio.Path("tls/证书.pem"));
  EXPECT_EQ(options.http.tls_key, "/etc/atelier/key.pem");
  EXPECT_EQ(options.http.address, "::1");
  EXPECT_EQ(options.http.port, 0);
}

TEST(ServeConfig, WhatNeedsARestartKeepsWhatRuns) {
  Shop shop("restart");
  const ServeOptions running = shop.Read("");
  ServeOptions fresh = shop.Read(
      "[serve]\nlisten = \"0.0.0.0:80\"\nthreads = 3\nworkers = 9\ndrain_seconds = 5\n"
      "[serve.tls]\ncertificate = \"c\"\nkey = \"k\"\n[serve.limits]\nconnections = 7\n");
  const ServeChange change = Compare(running, &fresh);
  EXPECT_EQ(Join(change.at_restart, " "), "listen threads workers tls.certificate tls.key");
  EXPECT_EQ(ToText(change.now), R"({"drain_seconds":[30.0,5.0],"limits.connections":[4096,7]})");
  EXPECT_EQ(fresh.listen, running.listen);
  EXPECT_EQ(fresh.http.address, "127.0.0.1");
  EXPECT_EQ(fresh.http.worker_threads, running.http.worker_threads);
  EXPECT_TRUE(fresh.http.tls_key.empty());
  EXPECT_EQ(fresh.http.max_connections, 7);
}

TEST(ServeConfig, TheDocumentationHasEveryKeyWithItsDefaultAndRange) {
  const std::string page = ReadFile(ATELIER_SOURCE_DIR "/docs/formats/studio.md", 1 << 20);
  for (const ServeKey& key : AllServeKeys()) {
    const std::string row = Cat("| `", key.name, "` | ", key.otherwise, " | ", key.range, " |");
    EXPECT_NE(page.find(row), std::string::npos) << "docs/formats/studio.md lacks: " << row;
  }
}

}  // namespace
}  // namespace atelier::serve
