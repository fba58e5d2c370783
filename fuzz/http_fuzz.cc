// Bytes of a connection: requests one after the other, cut as the first byte says, then the router. Nothing may be
// thrown, a request that is read keeps its promises, and cuts make no difference.
#include <cstdlib>

#include "base/str.h"
#include "net/request_reader.h"
#include "net/router.h"
#include "text/unicode.h"

namespace {

using namespace atelier;
using namespace atelier::net;

void Require(bool holds) {
  if (!holds) std::abort();
}

Router MakeRouter() {
  Router router;
  for (const char* pattern :
       {"/", "/v1/models", "/api/generations/{id}", "/api/recipes/{r}/generations", "/console/{file...}"}) {
    for (const char* method : {"GET", "POST"}) {
      router.Add({method, pattern, "generate", "", [](std::shared_ptr<Exchange>, const Params&) {}});
    }
  }
  return router;
}

void Check(const Request& request, const Framing& framing, const Router& router) {
  Require(IsToken(request.method) && !request.target.empty() && text::IsValidUtf8(request.target));
  Require(!(framing.chunked && framing.content_length > 0));
  Require(framing.chunked || request.body.size() == framing.content_length);
  Require(IsRequestId(request.id) && IsTraceparent(request.traceparent));
  Require(request.path == "*" || request.path.starts_with('/'));
  for (const std::string& segment : request.segments) {
    Require(text::IsValidUtf8(segment) && segment != ".." && segment.find('\0') == std::string::npos);
  }
  for (const auto& [name, value] : request.query) Require(text::IsValidUtf8(name) && text::IsValidUtf8(value));
  for (const auto& [name, value] : request.headers) {
    Require(IsToken(name) && value.find_first_of("\r\n") == std::string::npos);
  }
  const RouteMatch match = router.Find(request);
  Require((match.status == 200) == (match.route != nullptr));
  Require(match.status != 405 || !match.allow.empty());
}

// What all requests of the bytes were, as one text.
std::string ReadAll(std::string_view bytes, size_t step, const Router& router) {
  ReadLimits limits;
  limits.head = {4096, 20, 1024};
  limits.body_bytes = 4096;
  std::string seen, input;
  std::unique_ptr<RequestReader> reader = std::make_unique<RequestReader>(limits);
  size_t at = 0;
  while (true) {
    const size_t taken = reader->Feed(input);
    input.erase(0, taken);
    if (reader->state() == RequestReader::State::kFailed) return seen + Cat("failed ", reader->fault().status);
    if (reader->state() == RequestReader::State::kDone) {
      Check(reader->request(), reader->framing(), router);
      seen += Cat(reader->request().method, " ", reader->request().target, " ", reader->request().body, "\n");
      reader = std::make_unique<RequestReader>(limits);
      continue;
    }
    if (taken > 0) continue;
    if (at == bytes.size()) return seen;
    input += bytes.substr(at, step);
    at = std::min(bytes.size(), at + step);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Router router = MakeRouter();
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = ReadAll(bytes, bytes.size() + 1, router);
  const std::string cut = ReadAll(bytes, 1 + data[0] % 64, router);
  // A fault may be found earlier in the whole, and be another one; what was read before it is the same.
  const auto sound = [](const std::string& seen) { return seen.substr(0, seen.find("failed ")); };
  if (whole.find("failed") == std::string::npos && cut.find("failed") == std::string::npos) Require(whole == cut);
  Require(sound(whole).starts_with(sound(cut)) || sound(cut).starts_with(sound(whole)));
  ParseQuery(bytes);
  PercentDecode(bytes);
  IsTraceparent(bytes);
  return 0;
}
