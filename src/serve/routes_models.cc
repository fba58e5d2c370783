// /v1/models: what this studio has registered, and nothing else.
#include "base/str.h"
#include "serve/studio_server.h"

namespace atelier::serve {
namespace {

Json ModelJson(const artefact::ModelEntry& entry) {
  return {{"id", entry.name}, {"object", "model"}, {"created", 0}, {"owned_by", "studio"}};
}

}  // namespace

void AddModelRoutes(Context& context) {
  context.router.Add({"GET", "/v1/models", "generate", "The models that this studio offers",
                      [&context](std::shared_ptr<net::Exchange> exchange, const net::Params&) {
                        Json list = Json::array();
                        for (const artefact::ModelEntry& entry : context.models.List())
                          list.push_back(ModelJson(entry));
                        RespondJson(*exchange, {{"object", "list"}, {"data", list}});
                      }});
  context.router.Add({"GET", "/v1/models/{model}", "generate", "One of them",
                      [&context](std::shared_ptr<net::Exchange> exchange, const net::Params& params) {
                        for (const artefact::ModelEntry& entry : context.models.List()) {
                          if (entry.name == params["model"]) {
                            RespondJson(*exchange, ModelJson(entry));
                            return;
                          }
                        }
                        exchange->Respond(ErrorResponse(404,
                                                        Cat("the model ", Quote(params["model"]), " does not exist"),
                                                        "model_not_found", "model"));
                      }});
}

}  // namespace atelier::serve
