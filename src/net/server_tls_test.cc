// TLS with a certificate made here.
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <cstdio>
#include <future>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "net/server.h"
#include "net/test_client.h"

namespace atelier::net {
namespace {

// A key and a certificate that it signed itself, as PEM files.
struct SelfSigned {
  std::string certificate, key;

  explicit SelfSigned(const std::string& name, int number = 1) {
    const std::string folder = Cat(::testing::TempDir(), "/", ::getpid(), "_tls_", name);
    MakeFolders(folder);
    certificate = folder + "/cert.pem";
    key = folder + "/key.pem";
    EVP_PKEY* pair = EVP_EC_gen("P-256");
    X509* x509 = X509_new();
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), number);
    X509_gmtime_adj(X509_getm_notBefore(x509), -60);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, pair);
    X509_NAME* subject = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1,
                               0);
    X509_set_issuer_name(x509, subject);
    X509_sign(x509, pair, EVP_sha256());
    std::FILE* file = std::fopen(certificate.c_str(), "w");
    PEM_write_X509(file, x509);
    std::fclose(file);
    file = std::fopen(key.c_str(), "w");
    PEM_write_PrivateKey(file, pair, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(x509);
    EVP_PKEY_free(pair);
  }
};

ServerOptions Options(const SelfSigned& pair) {
  ServerOptions options;
  options.port = 0;
  options.tls_certificate = pair.certificate;
  options.tls_key = pair.key;
  options.header_seconds = 1;
  return options;
}

void Echo(std::shared_ptr<Exchange> exchange) {
  exchange->Respond({200, "", Cat(exchange->request().tls ? "tls " : "plain ", exchange->request().body), {}});
}

TEST(ServerTls, RequestsBodiesAndStreamsGoRound) {
  const SelfSigned pair("round");
  Server server(Options(pair), [](std::shared_ptr<Exchange> exchange) {
    if (exchange->request().method == "POST") return Echo(std::move(exchange));
    exchange->BeginStream({});
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(exchange->WaitForRoom(20'000, 10));
      ASSERT_TRUE(exchange->Write(std::string(20'000, static_cast<char>('a' + i % 26))));
    }
    exchange->Finish();
  });
  server.Start();
  for (const int version : {0, TLS1_2_VERSION}) {
    TestClient client(server.port());
    ASSERT_TRUE(client.StartTls(version));
    const std::string body(300'000, 'q');
    const TestAnswer answer =
        client.Ask(Cat("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ", body.size(), "\r\n\r\n", body));
    EXPECT_EQ(answer.body, Cat("tls ", body));
    const TestAnswer stream = client.Get("/");
    EXPECT_TRUE(stream.whole);
    EXPECT_EQ(stream.body.size(), 4'000'000u);
    EXPECT_EQ(client.Get("/", "Connection: close\r\n").status, 200);
    EXPECT_TRUE(client.EndsWithin(5));
  }
}

TEST(ServerTls, OldVersionsPlainTextAndSilenceAreCut) {
  const SelfSigned pair("old");
  Server server(Options(pair), Echo);
  server.Start();
  TestClient old(server.port());
  EXPECT_FALSE(old.StartTls(TLS1_1_VERSION));
  TestClient plain(server.port());
  plain.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(plain.Receive(5).status, 0);
  TestClient silent(server.port());
  EXPECT_TRUE(silent.EndsWithin(5));
  TestClient good(server.port());
  EXPECT_TRUE(good.StartTls());
}

TEST(ServerTls, VanishedClientsAreNoticed) {
  const SelfSigned pair("gone");
  std::promise<std::shared_ptr<Exchange>> came[2];
  std::atomic<int> next = 0;
  Server server(Options(pair), [&](std::shared_ptr<Exchange> exchange) { came[next++].set_value(exchange); });
  server.Start();
  for (int i = 0; i < 2; ++i) {
    TestClient client(server.port());
    ASSERT_TRUE(client.StartTls());
    client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::shared_ptr<Exchange> exchange = came[i].get_future().get();
    exchange->BeginStream({});
    exchange->Write("first");
    client.More();
    if (i == 0) client.Close();
    if (i == 1) client.Reset();
    EXPECT_TRUE(Soon([&] { return exchange->gone(); }, 1));
  }
}

TEST(ServerTls, AKeyThatIsNotTheCertificatesIsAnError) {
  const SelfSigned one("one"), two("two");
  ServerOptions options = Options(one);
  options.tls_key = two.key;
  Server server(options, Echo);
  try {
    server.Start();
    ADD_FAILURE() << "started";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidInput);
    EXPECT_NE(std::string(error.what()).find(two.key), std::string::npos) << error.what();
  }
}

TEST(ServerTls, AnotherCertificateIsForNewConnectionsAndABrokenOneForNone) {
  const SelfSigned first("first", 11), second("second", 22);
  std::promise<std::shared_ptr<Exchange>> came;
  Server server(Options(first), [&](std::shared_ptr<Exchange> exchange) {
    if (exchange->request().path != "/stream") return Echo(std::move(exchange));
    exchange->BeginStream({});
    exchange->Write("before ");
    came.set_value(std::move(exchange));
  });
  server.Start();
  TestClient idle(server.port()), streaming(server.port());
  ASSERT_TRUE(idle.StartTls());
  ASSERT_TRUE(streaming.StartTls());
  streaming.Send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  std::shared_ptr<Exchange> stream = came.get_future().get();
  server.SetTls(second.certificate, second.key);
  TestClient later(server.port());
  ASSERT_TRUE(later.StartTls());
  EXPECT_EQ(later.CertificateNumber(), 22);
  EXPECT_EQ(later.Get("/").body, "tls ");
  EXPECT_EQ(idle.Get("/").body, "tls ");  // on the certificate that it shook hands with
  EXPECT_EQ(idle.CertificateNumber(), 11);
  stream->Write("after");
  stream->Finish();
  EXPECT_EQ(streaming.Receive().body, "before after");

  const std::string folder = Cat(::testing::TempDir(), "/", ::getpid(), "_tls_broken");
  MakeFolders(folder);
  WriteFileAtomic(folder + "/half.pem", ReadFile(first.certificate, 1 << 20).substr(0, 100));
  for (const auto& [certificate, key] : {std::pair(first.certificate, second.key),
                                         {folder + "/half.pem", first.key},
                                         {folder + "/none.pem", first.key},
                                         {first.certificate, folder + "/half.pem"}}) {
    EXPECT_THROW(server.SetTls(certificate, key), Error) << certificate << " " << key;
  }
  TestClient last(server.port());
  ASSERT_TRUE(last.StartTls());
  EXPECT_EQ(last.CertificateNumber(), 22);
}

TEST(ServerTls, AKeyUnderAPassphraseIsRefusedAndNobodyIsAskedForIt) {
  const SelfSigned pair("locked");
  std::FILE* file = std::fopen(pair.key.c_str(), "r");
  EVP_PKEY* key = PEM_read_PrivateKey(file, nullptr, nullptr, nullptr);
  std::fclose(file);
  file = std::fopen(pair.key.c_str(), "w");
  PEM_write_PrivateKey(file, key, EVP_aes_128_cbc(), reinterpret_cast<const unsigned char*>("pass"), 4, nullptr,
                       nullptr);
  std::fclose(file);
  EVP_PKEY_free(key);
  int ends[2];  // somebody who would answer
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], "pass\n", 5), 5);
  const int before = ::dup(STDIN_FILENO);
  ::dup2(ends[0], STDIN_FILENO);
  Server server(Options(pair), Echo);
  EXPECT_THROW(server.Start(), Error);
  ::dup2(before, STDIN_FILENO);
  for (const int fd : {ends[0], ends[1], before}) ::close(fd);
}

}  // namespace
}  // namespace atelier::net
