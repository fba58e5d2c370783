// GET /: the page of the studio's last run, until there is a console.
#include "base/error.h"
#include "base/file.h"
#include "serve/studio_server.h"

namespace atelier::serve {
namespace {

constexpr uint64_t kMostPage = 64 << 20;

// The page of the last run that wrote one, nothing where it is gone.
std::optional<std::string> LastPage(Context& context) {
  std::string options;
  {
    const std::lock_guard lock(context.database);
    store::Statement rows = context.studio.db().Prepare(
        "SELECT options FROM runs WHERE tenant = ? AND ended_at > 0 AND options ->> 'out' <> '' "
        "ORDER BY started_at DESC LIMIT 1");
    rows.Bind(context.studio.tenant());
    if (!rows.Step()) return std::nullopt;
    options = rows.Text(0);
  }
  const Json parsed = ParseJson(options, "a run's options");
  const auto out = parsed.find("out");
  if (out == parsed.end() || !out->is_string()) return std::nullopt;
  const std::string path = out->get<std::string>() + "/index.html";
  if (!FileExists(path)) return std::nullopt;
  return ReadFile(path, kMostPage);
}

constexpr std::string_view kEmpty =
    "<!doctype html><meta charset=\"utf-8\"><title>Atelier</title>"
    "<body style=\"font:16px/1.6 system-ui;max-width:40em;margin:4em auto;padding:0 1em\"><h1>Atelier</h1>"
    "<p>No run of this studio has a page yet. / 这个工作室还没有可看的页面。</p>"
    "<pre>atelier make ad_copy --input products.csv --out out</pre>";

}  // namespace

void AddPageRoutes(Context& context) {
  context.router.Add({.method = "GET",
                      .pattern = "/",
                      .scope = "recipes",
                      .summary = "The page of the last run",
                      .handler =
                          [&context](std::shared_ptr<net::Exchange> exchange, const net::Params&) {
                            // The page is one file that loads nothing; its own script and style stand in it.
                            exchange->Respond({.content_type = "text/html; charset=utf-8",
                                               .body = LastPage(context).value_or(std::string(kEmpty)),
                                               .headers = {{"Content-Security-Policy",
                                                            "default-src 'none'; style-src 'unsafe-inline'; script-src "
                                                            "'unsafe-inline'; img-src data:"},
                                                           {"X-Content-Type-Options", "nosniff"},
                                                           {"Cache-Control", "no-store"}}});
                          },
                      .media = "text/html"});
}

}  // namespace atelier::serve
